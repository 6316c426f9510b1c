"""Classes -> their bases, the order in which attributes are looked up, their metaclass."""

from __future__ import annotations

from typing import Any

from ..forms import BASES, CLASS, CLASS_KEYWORDS, ITEM
from ..program import Scope
from ..values import CLS
from .part import Part


class Classes(Part):
    def bases(self, scope: Scope) -> tuple[Any, ...]:
        """A class's direct bases: classes of the project, dotted names of others."""
        return self.ask(("bases", scope), self._bases, scope)

    def _bases(self, scope: Scope) -> tuple[Any, ...]:
        around = scope.parent
        assert around is not None
        out: list[Any] = []
        for form in scope.summary[BASES]:
            if form.__class__ is list and form[0] == ITEM:  # Generic[T], list[int]
                form = form[1]
            found = self.world.value(form, around, None)
            classes = [
                value for value in found if value.__class__ is Scope and value.kind == CLASS and value is not scope
            ]
            if not classes:
                # A function that makes a base: what it gives.
                classes = [value[1] for value in found if value.__class__ is tuple and value[0] == CLS]
            names = [value for value in found if value.__class__ is str]
            if classes:
                out += sorted(classes, key=lambda one: one.key)[:1]
            elif names:
                out += sorted(names)[:1]
            else:
                out.append("?")
        return tuple(out)

    def mro(self, scope: Scope) -> tuple[Any, ...]:
        """The class and what it inherits from, in the order in which attributes are looked up (C3)."""
        key = ("mro", scope)
        found = self.memo.get(key)
        self.rests.into.add(scope.rest)
        if found is None:
            found = self.ask(key, self._mro, scope)
        return found or (scope,)

    def _mro(self, scope: Scope) -> tuple[Any, ...]:
        bases = self.bases(scope) or ()
        lists = []
        for base in bases:
            if base.__class__ is Scope:
                lists.append([value for value in self.mro(base) if value is not scope])
            else:
                lists.append([base])
        merged = _merge([*lists, list(bases)])
        return (scope, *merged)

    def is_metaclass(self, scope: Scope) -> bool:
        """Whether the class is one of classes."""
        return "builtins.type" in self.mro(scope)

    def metaclass(self, scope: Scope) -> Scope | str | None:
        """The class's metaclass, where one is named by it or by a base."""
        for one in self.mro(scope):
            if isinstance(one, Scope) and one.parent is not None:
                keywords = one.summary[CLASS_KEYWORDS]
                for i in range(0, len(keywords), 2):
                    if keywords[i] == "metaclass":
                        for value in self.world.value(keywords[i + 1], one.parent, None):
                            if (value.__class__ is Scope and value.kind == CLASS) or value.__class__ is str:
                                return value  # it may also be a function
        return None

    def outside_base(self, scope: Scope) -> str | None:
        """The first base outside the project that may have what the class has not."""
        for one in self.mro(scope):
            if one.__class__ is str and one not in ("builtins.object", "?"):
                return one
        return None


def _merge(lists: list[list[Any]]) -> list[Any]:
    """C3; where there is no consistent order, the first that is left."""
    lists = [list(one) for one in lists if one]
    out: list[Any] = []
    while lists:
        for candidates in lists:
            head = candidates[0]
            if not any(head in other[1:] for other in lists):
                break
        else:
            head = lists[0][0]
        out.append(head)
        for one in lists:
            while head in one:
                one.remove(head)
        lists = [one for one in lists if one]
    return out
