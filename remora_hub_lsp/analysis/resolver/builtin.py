"""Calls of builtins -> what they give, and the special methods they call."""

from __future__ import annotations

from collections.abc import Sequence

from .. import known
from ..program import Scope
from ..values import (
    CLS,
    FIXED,
    INSTANCE,
    MAPPING,
    NOTHING,
    OUTER,
    PROPERTY,
    SELF,
    SEQUENCE,
    Value,
    Values,
    shallow,
    union,
)
from .contents import elements, mapping
from .part import Part
from .sink import Sink


class Builtin(Part):
    def call(
        self, name: str, given: list[Values], named: Sequence[tuple[str, Values]], sink: Sink | None, place: int
    ) -> Values:
        first = given[0] if given else NOTHING
        if name in known.METHOD_OF_FIRST and first:
            method = known.METHOD_OF_FIRST[name]
            found = []
            for values in given if name == "print" else [first]:
                for value in values:
                    if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                        found.append(self._special_method(value, name, method, sink, place))
            if name in known.GIVES_RESULT and name not in ("next", "iter", "reversed"):
                return union(found)
            if name == "next":
                parts = [elements(value) for value in first if value.__class__ is tuple]
                return union([*found, *parts])
            if name == "iter" and found:
                return union(found)
        if name == "type" and len(given) == 1:
            return frozenset(
                [(CLS, value[1]) for value in first if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]
            )
        if name in ("property", "cached_property"):
            return frozenset([(PROPERTY, value) for value in first if value.__class__ is Scope])
        if name in ("staticmethod", "classmethod"):
            return first
        if name == "map":
            over = [self.world.iteration.iterated(values, sink, place) for values in given[1:]]
            return frozenset(((SEQUENCE, "Iterator", self.world.outside.callback(first, over, sink, place)),))
        if name == "filter" and len(given) > 1:
            over_ = self.world.iteration.iterated(given[1], sink, place)
            self.world.outside.callback(first, [over_], sink, place)
            return frozenset(((SEQUENCE, "Iterator", over_),))
        if name == "zip":
            return frozenset(
                (
                    (
                        SEQUENCE,
                        "Iterator",
                        frozenset(
                            (
                                (
                                    FIXED,
                                    "tuple",
                                    tuple([self.world.iteration.iterated(one, sink, place) for one in given]),
                                ),
                            )
                        ),
                    ),
                )
            )
        if name == "enumerate":
            return frozenset(
                (
                    (
                        SEQUENCE,
                        "Iterator",
                        frozenset(((FIXED, "tuple", (NOTHING, self.world.iteration.iterated(first, sink, place))),)),
                    ),
                )
            )
        if name == "dict":
            found_ = {key: values for key, values in named if key}
            copied = [value for value in first if value.__class__ is tuple and value[0] == MAPPING]
            return shallow(frozenset((mapping(found_), *copied)))
        if name in known.ITERATE:
            elements_ = (
                self.world.iteration.iterated(first, sink, place)
                if len(given) <= 1 or name not in ("min", "max")
                else union(given)
            )
            for key, values in named:
                if key == "key":
                    self.world.outside.callback(self.world.passed.expand(values), [elements_], sink, place)
            if name in known.CONTAINERS:
                return frozenset(((SEQUENCE, known.CONTAINERS[name], elements_),))
            return elements_ if name in ("min", "max", "sum") else NOTHING
        if name in ("str", "int", "float", "bytes", "bool", "repr"):
            return frozenset(((OUTER, f"builtins.{'str' if name == 'repr' else name}"),))
        if name[:1].isupper():
            return frozenset(((OUTER, f"builtins.{name}"),))
        return NOTHING

    def _special_method(self, value: Value, name: str, method: str, sink: Sink | None, place: int) -> Values:
        if name in ("str", "print", "format") and self.world.members.find(value[1], method) is None:
            method = "__str__" if self.world.members.find(value[1], "__str__") else "__repr__"
        if name == "bool" and self.world.members.find(value[1], method) is None:
            method = "__len__"
        return self.world.calls.method(value, method, [], sink, place)
