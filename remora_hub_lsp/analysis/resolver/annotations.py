"""Annotations -> instances of what they name."""

from __future__ import annotations

from typing import Any

from .. import known
from ..forms import CLASS, CONST, ITEM, OPERATOR, TUPLE, Expression
from ..program import Scope
from ..values import (
    CLS,
    INSTANCE,
    MANAGED,
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
from .contents import fixed, sequence
from .part import Part
from .sink import Sink

# Annotations that tell nothing.
_VAGUE = frozenset(("Any", "object", "Callable", "None"))


class Annotations(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What a variable with this annotation is."""
        if sink is not None:
            self.world.value(form[1], scope, sink)
        return self.declared(form[1], scope)

    def declared(self, form: Expression, scope: Scope) -> Values:
        """Instances of what an annotation names."""
        if form.__class__ is not list:
            return NOTHING
        kind = form[0]
        if kind == OPERATOR and form[2] == "or":
            return self.declared(form[1], scope) | self.declared(form[4], scope)
        if kind == ITEM:
            return self.subscripted(form, scope)
        if kind == TUPLE:
            return self._any(form[1], scope)
        if kind == CONST and form[1].__class__ is str:
            return NOTHING
        return union([_instances(value) for value in self.world.value(form, scope, None)])

    def _any(self, parts: list[Expression], scope: Scope) -> Values:
        return union([self.declared(part, scope) for part in parts])

    def subscripted(self, form: list[Any], scope: Scope) -> Values:
        """Instances of a type with something in brackets behind it."""
        inner = form[2]
        parts = inner[1] if inner.__class__ is list and inner[0] == TUPLE else [inner]
        out: Values = NOTHING
        for value in self.world.value(form[1], scope, None):
            if value.__class__ is Scope and value.kind == CLASS:
                out |= frozenset(((INSTANCE, value),))
            elif value.__class__ is str:
                out |= self._generic(value, parts, scope)
        return shallow(out)

    def _generic(self, dotted: str, parts: list[Expression], scope: Scope) -> Values:
        """Of something outside the project."""
        name = dotted.rpartition(".")[2]
        if name in known.OPTIONAL:
            wanted = {"Annotated": parts[:1], "Coroutine": parts[-1:]}.get(name, parts)
            return self._any(wanted, scope)
        if name in ("tuple", "Tuple"):
            return self._tuple(parts, scope)
        if name in known.MAPPINGS and parts:
            return frozenset(((MAPPING, ((None, self.declared(parts[-1], scope)),)),))
        if parts and (name in known.ITERABLES or name in known.TYPES or name in known.MANAGER_TYPES):
            return _holding(name, self.declared(parts[0], scope))
        return _instances(dotted) if name else NOTHING

    def _tuple(self, parts: list[Expression], scope: Scope) -> Values:
        if len(parts) == 2 and parts[1] is None:  # tuple[int, ...]
            return sequence("tuple", self.declared(parts[0], scope))
        return fixed("tuple", [self.declared(part, scope) for part in parts])


def _holding(name: str, values: Values) -> Values:
    """Instances of what holds these, is their type, or enters into them."""
    if name in known.ITERABLES:
        return sequence(name, values)
    if name in known.TYPES:
        own = [value for value in values if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]
        return frozenset([(CLS, value[1]) for value in own])
    return frozenset(((MANAGED, values),))


def _instances(value: Value) -> Values:
    """Instances of a type."""
    if value.__class__ is Scope:
        return frozenset(((INSTANCE, value),)) if value.kind == CLASS else NOTHING
    if value.__class__ is str:
        return _of_outside(value)
    if value.__class__ is tuple and value[0] == CLS:
        return frozenset(((SELF, value[1]),))
    if value.__class__ is tuple and value[0] in (SEQUENCE, MAPPING, INSTANCE):
        return frozenset((value,))  # an alias of a subscripted type
    return NOTHING


def _of_outside(dotted: str) -> Values:
    last = dotted.rpartition(".")[2]
    if last in _VAGUE:
        return NOTHING
    if last in known.ITERABLES:
        return sequence(last, NOTHING)
    return frozenset(((MAPPING, ()),)) if last in known.MAPPINGS else frozenset(((OUTER, dotted),))
