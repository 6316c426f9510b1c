"""Classes -> their bases, the order in which attributes are looked up, their metaclass."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..forms import BASES, CLASS, CLASS_KEYWORDS, ITEM
from ..program import Scope
from ..values import CLS, Values
from .part import Part


class Classes(Part):
    def bases(self, scope: Scope) -> tuple[Any, ...]:
        """A class's direct bases: classes of the project, dotted names of others."""
        return self.ask(("bases", scope), self._bases, scope)

    def _bases(self, scope: Scope) -> tuple[Any, ...]:
        around = scope.parent
        assert around is not None
        forms = [form[1] if form.__class__ is list and form[0] == ITEM else form for form in scope.summary[BASES]]
        return tuple([_base(self.world.value(form, around, None), scope) for form in forms])

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
        orders = [self.mro(base) if base.__class__ is Scope else (base,) for base in bases]
        above = [[one for one in order if one is not scope] for order in orders]
        return (scope, *(above[0] if len(above) == 1 else merge([*above, list(bases)])))

    def metaclass(self, scope: Scope) -> Scope | str | None:
        """The class's metaclass, where one is named by it or by a base."""
        for one in self.mro(scope):
            if one.__class__ is Scope and one.summary[CLASS_KEYWORDS] and (found := self._named_metaclass(one)):
                return found
        return None

    def _named_metaclass(self, scope: Scope) -> Scope | str | None:
        keywords = scope.summary[CLASS_KEYWORDS]
        for i in range(0, len(keywords), 2):
            if keywords[i] == "metaclass" and scope.parent is not None:
                for value in self.world.value(keywords[i + 1], scope.parent, None):
                    if isinstance(value, str) or (isinstance(value, Scope) and value.kind == CLASS):
                        return value  # it may also be a function
        return None

    def outside_base(self, scope: Scope) -> str | None:
        """The first base outside the project that may have what the class has not."""
        for one in self.mro(scope):
            if one.__class__ is str and one not in ("builtins.object", "?"):
                return one
        return None


def _base(values: Values, scope: Scope) -> Scope | str:
    """The class that a base of `scope` is; "?" where that is not known."""
    classes = [value for value in values if value.__class__ is Scope and value.kind == CLASS and value is not scope]
    if not classes:  # a function that makes a base: what it gives
        classes = [value[1] for value in values if value.__class__ is tuple and value[0] == CLS]
    if classes:
        return min(classes, key=lambda one: one.key)
    return min((value for value in values if value.__class__ is str), default="?")


def merge(lists: list[list[Any]]) -> list[Any]:
    """The orders of several bases, and of the bases themselves, made one (C3); where none agrees with all of them, the
    first that is left comes next."""
    lists = [one[::-1] for one in lists if one]  # the first of each at its end
    behind = Counter(value for one in lists for value in one[:-1])
    out: list[Any] = []
    while lists:
        head = next((one[-1] for one in lists if not behind[one[-1]]), lists[0][-1])
        out.append(head)
        if behind[head]:
            lists = [[value for value in one if value != head] for one in lists]
            behind = Counter(value for one in lists for value in one[:-1])
        else:
            for one in lists:
                if one[-1] == head:
                    one.pop()
                    behind.subtract(one[-1:])
        lists = [one for one in lists if one]
    return out
