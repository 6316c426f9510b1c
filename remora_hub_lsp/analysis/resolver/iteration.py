"""Iterating, unpacking, awaiting and entering -> values."""

from __future__ import annotations

from typing import Any

from ..forms import AEACH, AENTER, CLASS
from ..program import Scope
from ..values import FIXED, INSTANCE, MANAGED, NOTHING, OUTER, SELF, SEQUENCE, Value, Values, union
from .contents import elements
from .part import Part
from .sink import Sink


class Iteration(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.world.expanded(form[1], scope, sink)
        return self.iterated(values, sink, form[2], form[0] == AEACH)

    def iterated(self, values: Values, sink: Sink | None, place: int, is_async: bool = False) -> Values:
        """What iterating over values gives."""
        out = []
        first, following = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
        for value in self.world.passed.expand(values):
            if value.__class__ is Scope and value.kind == CLASS:
                meta = self.world.classes.metaclass(value)
                if meta.__class__ is Scope:
                    out.append(self._iterated_instance((INSTANCE, meta), first, following, sink, place))
                elif any(one.__class__ is str and one.startswith("enum.") for one in self.world.classes.mro(value)):
                    out.append(frozenset(((INSTANCE, value),)))
            elif value.__class__ is tuple:
                if value[0] in (INSTANCE, SELF):
                    out.append(self._iterated_instance(value, first, following, sink, place))
                else:
                    out.append(elements(value))
        return union(out)

    def _iterated_instance(self, value: Value, first: str, following: str, sink: Sink | None, place: int) -> Values:
        if self.world.members.find(value[1], first) is None:
            if self.world.classes.outside_base(value[1]) is not None:  # that iterates
                return NOTHING
            if self.world.members.find(value[1], "__getitem__") is not None and first == "__iter__":
                return self.world.calls.method(value, "__getitem__", [], sink, place)
            if self.world.members.find(value[1], following) is not None:
                return self.world.calls.method(value, following, [], sink, place)
            return NOTHING
        iterators = self.world.calls.method(value, first, [], sink, place)
        out = []
        for iterator in self.world.passed.expand(iterators):
            if iterator.__class__ is tuple:
                if iterator[0] in (INSTANCE, SELF):
                    out.append(self.world.calls.method(iterator, following, [], sink, place))
                else:
                    out.append(elements(iterator))
        return union(out)

    def part(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.world.expanded(form[1], scope, sink)
        number, after = form[2], form[3]
        out = []
        for value in values:
            if value.__class__ is tuple and value[0] == FIXED:
                parts = value[2]
                if after:
                    middle = parts[number : len(parts) - after if after > 0 else None]
                    out.append(frozenset(((FIXED, "list", tuple(middle)),)))
                elif -len(parts) <= number < len(parts):
                    out.append(parts[number])
            elif value.__class__ is tuple and value[0] == SEQUENCE:
                out.append(frozenset((value,)) if after else value[2])
            elif value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                out.append(self.iterated(frozenset((value,)), sink, -1))
        return union(out)

    def enter(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.world.expanded(form[1], scope, sink)
        enter, leave = ("__aenter__", "__aexit__") if form[0] == AENTER else ("__enter__", "__exit__")
        out = []
        for value in values:
            if value.__class__ is not tuple:
                continue
            if value[0] in (INSTANCE, SELF):
                out.append(self.world.calls.method(value, enter, [], sink, form[2]))
                self.world.calls.method(value, leave, [], sink, form[2])
            elif value[0] == MANAGED:
                out.append(value[1])
            elif value[0] == OUTER:
                out.append(frozenset((value,)))
        return union(out)

    def star(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return self.iterated(self.world.value(form[1], scope, sink), sink, -1)

    def await_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.world.value(form[1], scope, sink)
        if any(value.__class__ is tuple and value[0] in (INSTANCE, SELF) for value in values):
            out = [frozenset((value,)) for value in values]
            for value in values:
                if (
                    value.__class__ is tuple
                    and value[0] in (INSTANCE, SELF)
                    and self.world.members.find(value[1], "__await__")
                ):
                    out.append(self.world.calls.method(value, "__await__", [], sink, -1))
            return union(out)
        return values
