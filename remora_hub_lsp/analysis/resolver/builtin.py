"""Calls of builtins -> what they give, and the special methods that they call."""

from __future__ import annotations

from collections.abc import Callable

from .. import known
from ..program import Scope
from ..values import CLS, INSTANCE, MAPPING, NOTHING, OUTER, PROPERTY, SELF, Value, Values, shallow, union
from .call import Call
from .contents import elements, fixed, mapping, sequence
from .part import Part

_SCALARS = {"str": "str", "repr": "str", "int": "int", "float": "float", "bytes": "bytes", "bool": "bool"}


class Builtin(Part):
    def call(self, name: str, given: list[Values], call: Call) -> Values:
        """What a builtin of that name gives."""
        first = given[0] if given else NOTHING
        if first and name in known.METHOD_OF_FIRST:
            found = self._methods(name, given, call)
            if name == "next":
                return union([*found, *[elements(value) for value in first if value.__class__ is tuple]])
            if name in known.GIVES_RESULT or (name == "iter" and found):
                return union(found)
        result = _RESULTS.get(name)
        if result is not None:
            return result(self, given, call)
        if name in known.ITERATE:
            return self._iterate(name, given, call)
        kind = _SCALARS.get(name) or (name if name[:1].isupper() else None)
        return NOTHING if kind is None else frozenset(((OUTER, f"builtins.{kind}"),))

    def _methods(self, name: str, given: list[Values], call: Call) -> list[Values]:
        """What the special method of the first argument gives, for each of its values."""
        values = [value for one in (given if name == "print" else given[:1]) for value in one]
        own = [value for value in values if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]
        return [self.world.calls.method(value, self._method(name, value), [], call.sink, call.place) for value in own]

    def _method(self, name: str, value: Value) -> str:
        method = known.METHOD_OF_FIRST[name]
        if name in ("str", "print", "format") and self.world.members.find(value[1], method) is None:
            return "__str__" if self.world.members.find(value[1], "__str__") else "__repr__"
        if name == "bool" and self.world.members.find(value[1], method) is None:
            return "__len__"
        return method

    def _iterate(self, name: str, given: list[Values], call: Call) -> Values:
        over = union(given) if name in ("min", "max") and len(given) > 1 else self._iterated(given[:1], call)
        self.world.outside.call_keyword("key", [over], call)
        if name in known.CONTAINERS:
            return sequence(known.CONTAINERS[name], over)
        return over if name in ("min", "max", "sum") else NOTHING

    def _iterated(self, given: list[Values], call: Call) -> Values:
        return self.world.iteration.iterated(given[0] if given else NOTHING, call.sink, call.place)

    def _type(self, given: list[Values], call: Call) -> Values:
        if len(given) != 1:
            return NOTHING
        own = [value for value in given[0] if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]
        return frozenset([(CLS, value[1]) for value in own])

    def _property(self, given: list[Values], call: Call) -> Values:
        return frozenset([(PROPERTY, value) for value in _first(self, given, call) if value.__class__ is Scope])

    def _map(self, given: list[Values], call: Call) -> Values:
        over = [self._iterated([values], call) for values in given[1:]]
        return sequence("Iterator", self.world.outside.callback(_first(self, given, call), over, call))

    def _filter(self, given: list[Values], call: Call) -> Values:
        if len(given) < 2:
            return self._iterate("filter", given, call)
        over = self._iterated(given[1:2], call)
        self.world.outside.callback(given[0], [over], call)
        return sequence("Iterator", over)

    def _zip(self, given: list[Values], call: Call) -> Values:
        return sequence("Iterator", fixed("tuple", [self._iterated([one], call) for one in given]))

    def _enumerate(self, given: list[Values], call: Call) -> Values:
        return sequence("Iterator", fixed("tuple", [NOTHING, self._iterated(given[:1], call)]))

    def _dict(self, given: list[Values], call: Call) -> Values:
        own = {key: values for key, values in call.named if key}
        copied = [value for value in _first(self, given, call) if value.__class__ is tuple and value[0] == MAPPING]
        return shallow(frozenset((mapping(own), *copied)))


def _first(self: Builtin, given: list[Values], call: Call) -> Values:
    return given[0] if given else NOTHING


_RESULTS: dict[str, Callable[[Builtin, list[Values], Call], Values]] = {
    "staticmethod": _first, "classmethod": _first, "type": Builtin._type, "property": Builtin._property,
    "cached_property": Builtin._property, "map": Builtin._map, "filter": Builtin._filter, "zip": Builtin._zip,
    "enumerate": Builtin._enumerate, "dict": Builtin._dict,
}  # fmt: skip
