"""Methods and items of lists, dicts and the like -> what they give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..forms import CLASS
from ..program import Scope
from ..values import (
    BEGINS,
    CLS,
    CONSTANT,
    FIXED,
    INSTANCE,
    MAPPING,
    NOTHING,
    OUTER,
    SELF,
    SEQUENCE,
    Value,
    Values,
    union,
)
from .contents import constants, elements
from .part import Part
from .sink import Sink


class Containers(Part):
    def method(
        self, method: str, receiver: Value, given: list[Values], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int,
    ) -> Values:  # fmt: skip
        """What a method of a list, dict ... gives."""
        kind = receiver[0]
        if kind == BEGINS:
            text = receiver[1].lower() if method in ("lower", "casefold") else receiver[1]
            return frozenset(((BEGINS, text),)) if method in ("lower", "casefold", "strip", "rstrip") else NOTHING
        if method == "sort":
            for key, values in named:
                if key == "key":
                    self.world.outside.callback(self.world.passed.expand(values), [elements(receiver)], sink, place)
            return NOTHING
        if kind == MAPPING:
            values = union([inner for _, inner in receiver[1]])
            keys = frozenset((CONSTANT, key) for key, _ in receiver[1] if key is not None)
            if method in ("get", "pop", "setdefault", "popitem"):
                wanted = constants(given[0]) if given else [None]
                found = union([inner for key, inner in receiver[1] if key is None or key in wanted or None in wanted])
                return found | (given[1] if len(given) > 1 else NOTHING)
            if method == "values":
                return frozenset(((SEQUENCE, "ValuesView", values),))
            if method == "keys":
                return frozenset(((SEQUENCE, "KeysView", keys),))
            if method == "items":
                return frozenset(((SEQUENCE, "ItemsView", frozenset(((FIXED, "tuple", (keys, values)),))),))
            if method == "copy":
                return frozenset((receiver,))
            return NOTHING
        if method in ("pop", "popleft", "__next__", "send", "__getitem__"):
            return elements(receiver)
        if method in ("copy", "union", "__iter__", "difference", "intersection", "__enter__", "reverse"):
            return frozenset((receiver,))
        return NOTHING

    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        holders = self.world.expanded(form[1], scope, sink)
        keys = self.world.value(form[2], scope, sink)
        out = []
        for value in holders:
            if value.__class__ is Scope and value.kind == CLASS:
                out.append(frozenset((value,)))  # a generic class
            elif value.__class__ is str:
                if value.startswith(("typing.", "collections.abc.", "builtins.")):
                    out.append(self.world.annotations.subscripted(form, scope))
            elif value.__class__ is tuple:
                out.append(self._item_of(value, self.world.passed.expand(keys), sink, form[3]))
        return union(out)

    def _item_of(self, value: Value, keys: Values, sink: Sink | None, place: int) -> Values:
        kind = value[0]
        if kind == MAPPING:
            wanted = constants(keys)
            return union([inner for key, inner in value[1] if key is None or key in wanted or None in wanted])
        if kind == FIXED:
            numbers = [
                key[1] for key in keys if key.__class__ is tuple and key[0] == CONSTANT and key[1].__class__ is int
            ]
            if numbers and len(numbers) == len(keys):
                return union([value[2][n] for n in numbers if -len(value[2]) <= n < len(value[2])])
            cut = _slice_of(keys)
            if cut is not None and cut.count(":") == 2:
                start, stop = (int(part) if part else None for part in cut.split(":")[1:])
                return frozenset(((FIXED, value[1], value[2][start:stop]),))
            if cut is not None:
                return frozenset(((SEQUENCE, value[1], union(value[2])),))
            return union(value[2])
        if kind == SEQUENCE:
            return frozenset((value,)) if _slice_of(keys) is not None else elements(value)
        if kind in (INSTANCE, SELF):
            return self.world.calls.method(value, "__getitem__", [keys], sink, place)
        if kind == CLS:
            return frozenset((value,))
        return NOTHING


def _slice_of(keys: Values) -> str | None:
    """`builtins.slice`, with `:start:stop` where they are known; None where no key is a slice."""
    for key in keys:
        if key.__class__ is tuple and key[0] == OUTER and key[1].startswith("builtins.slice"):
            return str(key[1])
    return None
