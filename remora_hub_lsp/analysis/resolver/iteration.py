"""Iterating and unpacking -> values."""

from __future__ import annotations

from typing import Any

from ..forms import AEACH, CLASS
from ..program import Scope
from ..values import FIXED, INSTANCE, NOTHING, SELF, SEQUENCE, Value, Values, union
from .contents import elements, fixed
from .part import Part
from .sink import Sink

_METHODS = ("__iter__", "__next__")
_ASYNC_METHODS = ("__aiter__", "__anext__")


class Iteration(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What a loop's variable is."""
        values = self.world.expanded(form[1], scope, sink)
        return self.iterated(values, sink, form[2], form[0] == AEACH)

    def star(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What `*value` stands for."""
        return self.iterated(self.world.value(form[1], scope, sink), sink, -1)

    def iterated(self, values: Values, sink: Sink | None, place: int, is_async: bool = False) -> Values:
        """What iterating over values gives."""
        methods = _ASYNC_METHODS if is_async else _METHODS
        out = []
        for value in self.world.passed.expand(values):
            if value.__class__ is tuple:
                if value[0] in (INSTANCE, SELF):
                    out.append(self._of_instance(value, methods, sink, place))
                else:
                    out.append(elements(value))
            elif value.__class__ is Scope and value.kind == CLASS:
                out.append(self._of_class(value, methods, sink, place))
        return union(out)

    def _of_class(self, scope: Scope, methods: tuple[str, str], sink: Sink | None, place: int) -> Values:
        meta = self.world.classes.metaclass(scope)
        if meta.__class__ is Scope:
            return self._of_instance((INSTANCE, meta), methods, sink, place)
        is_enum = any(one.__class__ is str and one.startswith("enum.") for one in self.world.classes.mro(scope))
        return frozenset(((INSTANCE, scope),)) if is_enum else NOTHING

    def _of_instance(self, value: Value, methods: tuple[str, str], sink: Sink | None, place: int) -> Values:
        first, following = methods
        if self.world.members.find(value[1], first) is None:
            return self._without(value, methods, sink, place)
        out = []
        for iterator in self.world.passed.expand(self.world.calls.method(value, first, [], sink, place)):
            if iterator.__class__ is tuple:
                if iterator[0] in (INSTANCE, SELF):
                    out.append(self.world.calls.method(iterator, following, [], sink, place))
                else:
                    out.append(elements(iterator))
        return union(out)

    def _without(self, value: Value, methods: tuple[str, str], sink: Sink | None, place: int) -> Values:
        """Of an instance without `__iter__`."""
        if self.world.classes.outside_base(value[1]) is not None:  # that iterates
            return NOTHING
        if self.world.members.find(value[1], "__getitem__") is not None and methods is _METHODS:
            return self.world.calls.method(value, "__getitem__", [], sink, place)
        return self.world.calls.method(value, methods[1], [], sink, place)

    def part(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What one of several targets is."""
        out = []
        for value in self.world.expanded(form[1], scope, sink):
            if value.__class__ is not tuple:
                continue
            if value[0] == FIXED:
                out.append(_part_of(value[2], form[2], form[3]))
            elif value[0] == SEQUENCE:
                out.append(frozenset((value,)) if form[3] else value[2])
            elif value[0] in (INSTANCE, SELF):
                out.append(self.iterated(frozenset((value,)), sink, -1))
        return union(out)


def _part_of(parts: tuple[Values, ...], number: int, after: int) -> Values:
    """after: how many come behind a starred target, -1: none; 0: it has no star."""
    if after:
        return fixed("list", parts[number : len(parts) - after if after > 0 else None])
    return parts[number] if -len(parts) <= number < len(parts) else NOTHING
