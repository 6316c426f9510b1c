"""Subscripts -> values."""

from __future__ import annotations

from typing import Any

from ..forms import CLASS
from ..program import Scope
from ..values import CLS, CONSTANT, FIXED, INSTANCE, MAPPING, NOTHING, OUTER, SELF, SEQUENCE, Value, Values, union
from .contents import at_keys, elements, sequence
from .part import Part
from .sink import Sink

# What stands for a type with something in brackets behind it.
_GENERIC = ("typing.", "collections.abc.", "builtins.")


class Items(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What `value[key]` gives."""
        holders = self.world.expanded(form[1], scope, sink)
        keys = self.world.value(form[2], scope, sink)
        out = []
        for value in holders:
            if value.__class__ is tuple:
                out.append(self._of_tuple(value, self.world.passed.expand(keys), sink, form[3]))
            elif value.__class__ is Scope and value.kind == CLASS:
                out.append(frozenset((value,)))  # a generic class
            elif value.__class__ is str and value.startswith(_GENERIC):
                out.append(self.world.annotations.subscripted(form, scope))
        return union(out)

    def _of_tuple(self, value: Value, keys: Values, sink: Sink | None, place: int) -> Values:
        kind = value[0]
        if kind == MAPPING:
            return at_keys(value, keys)
        if kind == FIXED:
            return _of_fixed(value, keys)
        if kind == SEQUENCE:
            return frozenset((value,)) if _slice_of(keys) is not None else elements(value)
        if kind in (INSTANCE, SELF):
            return self.world.calls.method(value, "__getitem__", [keys], sink, place)
        return frozenset((value,)) if kind == CLS else NOTHING


def _of_fixed(value: Value, keys: Values) -> Values:
    _, name, parts = value
    numbers = [key[1] for key in keys if key.__class__ is tuple and key[0] == CONSTANT and key[1].__class__ is int]
    if numbers and len(numbers) == len(keys):
        return union([parts[number] for number in numbers if -len(parts) <= number < len(parts)])
    cut = _slice_of(keys)
    if cut is None:
        return union(parts)
    if cut.count(":") == 2:
        start, stop = (int(part) if part else None for part in cut.split(":")[1:])
        return frozenset(((FIXED, name, parts[start:stop]),))
    return sequence(name, union(parts))


def _slice_of(keys: Values) -> str | None:
    """`builtins.slice`, with `:start:stop` where they are known; None where no key is a slice."""
    for key in keys:
        if key.__class__ is tuple and key[0] == OUTER and key[1].startswith("builtins.slice"):
            return str(key[1])
    return None
