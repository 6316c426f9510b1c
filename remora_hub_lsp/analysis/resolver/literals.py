"""Literals and the like -> values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..forms import STAR, Expression
from ..program import Scope
from ..values import BEGINS, CONSTANT, FIXED, MAPPING, NOTHING, OUTER, SEQUENCE, Values, shallow, union
from .contents import constants, mapping
from .part import Part
from .sink import Sink


class Literals(Part):
    def constant(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return _constant(form[1])

    def of_type(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return _instance_of_builtin(form[1])

    def tuple_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        name = form[2] if len(form) > 2 else "tuple"
        if any(part.__class__ is list and part[0] == STAR for part in form[1]) or len(form[1]) > 64:
            return shallow(
                frozenset(((SEQUENCE, name, union([self._element(part, scope, sink) for part in form[1]])),))
            )
        return shallow(frozenset(((FIXED, name, tuple([self.world.value(part, scope, sink) for part in form[1]])),)))

    def list_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return shallow(frozenset(((SEQUENCE, form[1], union([self._element(part, scope, sink) for part in form[2]])),)))

    def dict_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        found: dict[Any, Values] = {}
        pairs = form[1]
        for i in range(0, len(pairs), 2):
            key = pairs[i]
            if key.__class__ is list and key[0] == STAR:
                for value in self.world.expanded(key[1], scope, sink):
                    if value.__class__ is tuple and value[0] == MAPPING:
                        for inner, values in value[1]:
                            found[inner] = found.get(inner, NOTHING) | values
                continue
            values = self.world.value(pairs[i + 1], scope, sink)
            for constant in constants(self.world.value(key, scope, sink)):
                found[constant] = found.get(constant, NOTHING) | values
        return shallow(frozenset((mapping(found),)))

    def any_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return union([self.world.value(part, scope, sink) for part in form[1]])

    def prefix(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return frozenset(((BEGINS, form[1]),))

    def lambda_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return frozenset((scope.children[form[1]],))

    def _element(self, part: Expression, scope: Scope, sink: Sink | None) -> Values:
        if part.__class__ is list and part[0] == STAR:
            return self.world.iteration.iterated(self.world.value(part[1], scope, sink), sink, -1)
        return self.world.value(part, scope, sink)


@lru_cache(maxsize=4096)
def _constant(value: str | int) -> Values:
    return frozenset(((CONSTANT, value),))


@lru_cache(maxsize=256)
def _instance_of_builtin(name: str) -> Values:
    return frozenset(((OUTER, f"builtins.{name}"),))
