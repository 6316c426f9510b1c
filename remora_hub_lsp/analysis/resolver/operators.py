"""Operators -> the special methods that they call, and what these give."""

from __future__ import annotations

from typing import Any

from ..forms import CLASS
from ..program import Scope
from ..values import (
    BEGINS,
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
    shallow,
    union,
)
from .contents import elements
from .part import Part
from .sink import INFERRED, Sink


class Operators(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        _, left_form, method, place, right_form = form
        left = self.world.expanded(left_form, scope, sink)
        right = self.world.expanded(right_form, scope, sink) if right_form is not None else NOTHING
        if method == "raise":
            for value in left:
                if value.__class__ is Scope and value.kind == CLASS:
                    self.world.calls.result(value, (), (), sink, place, INFERRED)
            return left
        if method == "add" and left:
            texts = [value[1] for value in left if value.__class__ is tuple and value[0] in (CONSTANT, BEGINS)]
            if len(texts) == len(left) and all(text.__class__ is str for text in texts):
                return frozenset((BEGINS, text) for text in texts)
        out = []
        special = method[:2] == "__"
        for value in left:
            if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                out.append(self._operate(value, method, special, right, sink, place))
            elif value.__class__ is tuple and value[0] in (SEQUENCE, FIXED) and method in ("add", "iadd", "or", "ior"):
                parts = [part for part in (*left, *right) if part.__class__ is tuple]
                return shallow(frozenset(((SEQUENCE, value[1], union([elements(part) for part in parts])),)))
            elif value.__class__ is tuple and value[0] == MAPPING and method in ("or", "ior"):
                out.append(frozenset((value,)))
        if not special and not out:
            for value in right:
                if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                    name = method[1:] if method[0] == "i" and method[1:] in _REFLECTED else method
                    out.append(self.world.calls.method(value, f"__r{name}__", [left], sink, place))
        if not out and not special:
            return frozenset(value for value in left if value.__class__ is tuple and value[0] in (OUTER, CONSTANT))
        return union(out)

    def _operate(
        self, value: Value, method: str, special: bool, right: Values, sink: Sink | None, place: int
    ) -> Values:
        if special:
            found = self.world.members.find(value[1], method)
            if found is None and method == "__contains__":
                outside = self.world.classes.outside_base(value[1])
                if outside is None:
                    self.world.iteration.iterated(frozenset((value,)), sink, place)
                elif outside.rpartition(".")[2] in ("Mapping", "MutableMapping"):
                    self.world.calls.method(value, "__getitem__", [right], sink, place)
                return NOTHING
            if found is None and method == "__ne__":
                method = "__eq__"
            if found is None and method in ("__str__", "__format__"):
                method = next(
                    (one for one in ("__str__", "__repr__") if self.world.members.find(value[1], one)), method
                )
            return self.world.calls.method(value, method, [right], sink, place)
        name = method
        if method[0] == "i" and method[1:] in _REFLECTED:
            if self.world.members.find(value[1], f"__{method}__") is not None:
                return self.world.calls.method(value, f"__{method}__", [right], sink, place)
            name = method[1:]
        if self.world.members.find(value[1], f"__{name}__") is not None:
            return self.world.calls.method(value, f"__{name}__", [right], sink, place)
        out = []
        for other in right:
            if other.__class__ is tuple and other[0] in (INSTANCE, SELF):
                out.append(self.world.calls.method(other, f"__r{name}__", [frozenset((value,))], sink, place))
        return union(out)


_REFLECTED = frozenset((
    "add", "sub", "mul", "matmul", "truediv", "mod", "pow", "lshift", "rshift", "or", "xor", "and", "floordiv",
))  # fmt: skip
