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
)  # fmt: skip
from .call import Call
from .contents import elements, sequence
from .part import Part
from .sink import Sink

_REFLECTED = frozenset((
    "add", "sub", "mul", "matmul", "truediv", "mod", "pow", "lshift", "rshift", "or", "xor", "and", "floordiv",
))  # fmt: skip
_IN_PLACE = {f"i{name}": name for name in _REFLECTED}
_JOIN = frozenset(("add", "iadd", "or", "ior"))


class Operators(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What an operator gives; its method is `__eq__` and the like, or `add`, which has `__radd__` beside it."""
        _, left_form, method, place, right_form = form
        left = self.world.expanded(left_form, scope, sink)
        right = self.world.expanded(right_form, scope, sink) if right_form is not None else NOTHING
        if method == "raise":
            return self._raised(left, sink, place)
        if method == "add" and (texts := _beginnings(left)):
            return texts
        if method[:2] == "__":
            return union([self._special(value, method, right, sink, place) for value in _instances(left)])
        return self._binary(left, method, right, sink, place)

    def _raised(self, values: Values, sink: Sink | None, place: int) -> Values:
        """A class is called when it is raised."""
        for value in values:
            if value.__class__ is Scope and value.kind == CLASS:
                self.world.calls.result(value, Call((), sink, place))
        return values

    def _special(self, value: Value, method: str, right: Values, sink: Sink | None, place: int) -> Values:
        if self.world.members.find(value[1], method) is None:
            if method == "__contains__":
                return self._contains(value, right, sink, place)
            if method == "__ne__":
                method = "__eq__"
            elif method in ("__str__", "__format__"):
                texts = (one for one in ("__str__", "__repr__") if self.world.members.find(value[1], one))
                method = next(texts, method)
        return self.world.calls.method(value, method, [right], sink, place)

    def _contains(self, value: Value, right: Values, sink: Sink | None, place: int) -> Values:
        """`in` something without `__contains__`."""
        outside = self.world.classes.outside_base(value[1])
        if outside is None:
            self.world.iteration.iterated(frozenset((value,)), sink, place)
        elif outside.rpartition(".")[2] in ("Mapping", "MutableMapping"):
            self.world.calls.method(value, "__getitem__", [right], sink, place)
        return NOTHING

    def _binary(self, left: Values, method: str, right: Values, sink: Sink | None, place: int) -> Values:
        out = [self._of_instance(value, method, right, sink, place) for value in _instances(left)]
        containers = _containers(left, method)
        if any(value[0] != MAPPING for value in containers):
            return _joined(min(value[1] for value in containers if value[0] != MAPPING), (*left, *right))
        out += [frozenset((value,)) for value in containers]
        out = out or self._reflected(left, _IN_PLACE.get(method, method), right, sink, place)
        if out:
            return union(out)
        return frozenset([value for value in left if value.__class__ is tuple and value[0] in (OUTER, CONSTANT)])

    def _of_instance(self, value: Value, method: str, right: Values, sink: Sink | None, place: int) -> Values:
        name = _IN_PLACE.get(method, method)
        for one in dict.fromkeys((method, name)):
            if self.world.members.find(value[1], f"__{one}__") is not None:
                return self.world.calls.method(value, f"__{one}__", [right], sink, place)
        return union(self._reflected(frozenset((value,)), name, right, sink, place))

    def _reflected(self, left: Values, name: str, right: Values, sink: Sink | None, place: int) -> list[Values]:
        return [self.world.calls.method(value, f"__r{name}__", [left], sink, place) for value in _instances(right)]


def _instances(values: Values) -> list[Value]:
    return [value for value in values if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]


def _containers(values: Values, method: str) -> list[Value]:
    """The containers that a method of that name makes one."""
    kinds = (SEQUENCE, FIXED, MAPPING) if method in ("or", "ior") else (SEQUENCE, FIXED) if method in _JOIN else ()
    return [value for value in values if value.__class__ is tuple and value[0] in kinds]


def _beginnings(values: Values) -> Values:
    """What texts begin with to which something is added; nothing where there are others."""
    texts = [value[1] for value in values if value.__class__ is tuple and value[0] in (CONSTANT, BEGINS)]
    if len(texts) != len(values) or any(text.__class__ is not str for text in texts):
        return NOTHING
    return frozenset([(BEGINS, text) for text in texts])


def _joined(name: str, values: tuple[Value, ...]) -> Values:
    return shallow(sequence(name, union([elements(value) for value in values if value.__class__ is tuple])))
