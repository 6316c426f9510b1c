"""Literals and the like -> values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..forms import STAR, Expression
from ..program import Scope
from ..values import BEGINS, CONSTANT, FIXED, MAPPING, NOTHING, OUTER, Values, shallow, union
from .contents import constants, mapping, sequence
from .part import Part
from .sink import Sink

# Of a longer one it is not kept what stands where.
MOST_PARTS = 64


class Literals(Part):
    def constant(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """A short text or number."""
        return _constant(form[1])

    def of_type(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """An instance of a builtin."""
        return _instance_of_builtin(form[1])

    def tuple_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """A tuple, or a list of which it is known what stands where."""
        name, parts = form[2] if len(form) > 2 else "tuple", form[1]
        if len(parts) > MOST_PARTS or any(part.__class__ is list and part[0] == STAR for part in parts):
            return self._container(name, parts, scope, sink)
        value = self.world.value
        return shallow(frozenset(((FIXED, name, tuple([value(part, scope, sink) for part in parts])),)))

    def list_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """Some other container."""
        return self._container(form[1], form[2], scope, sink)

    def _container(self, name: str, parts: list[Expression], scope: Scope, sink: Sink | None) -> Values:
        return shallow(sequence(name, union([self.world.value(part, scope, sink) for part in parts])))

    def dict_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """A dict."""
        found: dict[Any, Values] = {}
        pairs, value = form[1], self.world.value
        for i in range(0, len(pairs), 2):
            key = pairs[i]
            if key.__class__ is list and key[0] == STAR:
                items = self._items(key[1], scope, sink)
            else:
                values = value(pairs[i + 1], scope, sink)
                items = [(constant, values) for constant in constants(value(key, scope, sink))]
            for constant, values in items:
                found[constant] = found.get(constant, NOTHING) | values
        return shallow(frozenset((mapping(found),)))

    def _items(self, form: Expression, scope: Scope, sink: Sink | None) -> list[tuple[Any, Values]]:
        """What `**form` adds."""
        values = self.world.expanded(form, scope, sink)
        return [item for value in values if value.__class__ is tuple and value[0] == MAPPING for item in value[1]]

    def any_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """One of several."""
        return union([self.world.value(part, scope, sink) for part in form[1]])

    def prefix(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """A text of which the beginning is known."""
        return frozenset(((BEGINS, form[1]),))

    def lambda_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """A function without a name."""
        return frozenset((scope.children[form[1]],))


@lru_cache(maxsize=4096)
def _constant(value: str | int) -> Values:
    return frozenset(((CONSTANT, value),))


@lru_cache(maxsize=256)
def _instance_of_builtin(name: str) -> Values:
    return frozenset(((OUTER, f"builtins.{name}"),))
