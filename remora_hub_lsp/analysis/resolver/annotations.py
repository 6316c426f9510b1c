"""Annotations -> instances of what they name."""

from __future__ import annotations

from typing import Any

from .. import known
from ..forms import CLASS, CONST, ITEM, OPERATOR, TUPLE, Expression
from ..program import Scope
from ..values import (
    CLS,
    FIXED,
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
)
from .part import Part
from .sink import Sink


class Annotations(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
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
            return union([self.declared(part, scope) for part in form[1]])
        if kind == CONST and form[1].__class__ is str:
            return NOTHING
        return union([self._instances(value) for value in self.world.value(form, scope, None)])

    def _instances(self, value: Value) -> Values:
        if value.__class__ is Scope:
            return frozenset(((INSTANCE, value),)) if value.kind == CLASS else NOTHING
        if value.__class__ is str:
            last = value.rpartition(".")[2]
            if last in ("Any", "object", "Callable", "None"):
                return NOTHING
            if last in known.ITERABLES:
                return frozenset(((SEQUENCE, last, NOTHING),))
            if last in known.MAPPINGS:
                return frozenset(((MAPPING, ()),))
            return frozenset(((OUTER, value),))
        if value.__class__ is tuple and value[0] == CLS:
            return frozenset(((SELF, value[1]),))
        if value.__class__ is tuple and value[0] in (SEQUENCE, MAPPING, INSTANCE):
            return frozenset((value,))  # an alias of a subscripted type
        return NOTHING

    def subscripted(self, form: list[Any], scope: Scope) -> Values:
        inner = form[2]
        parts = inner[1] if inner.__class__ is list and inner[0] == TUPLE else [inner]
        out: Values = NOTHING
        for value in self.world.value(form[1], scope, None):
            if value.__class__ is Scope and value.kind == CLASS:
                out |= frozenset(((INSTANCE, value),))
                continue
            name = value.rpartition(".")[2] if value.__class__ is str else ""
            if name == "Annotated" and parts:
                out |= self.declared(parts[0], scope)
            elif name in ("Coroutine",) and parts:
                out |= self.declared(parts[-1], scope)
            elif name in known.OPTIONAL:
                out |= union([self.declared(part, scope) for part in parts])
            elif name in ("tuple", "Tuple"):
                if len(parts) == 2 and parts[1] is None:
                    out |= frozenset(((SEQUENCE, "tuple", self.declared(parts[0], scope)),))
                else:
                    out |= frozenset(((FIXED, "tuple", tuple([self.declared(part, scope) for part in parts])),))
            elif name in known.ITERABLES and parts:
                out |= frozenset(((SEQUENCE, name, self.declared(parts[0], scope)),))
            elif name in known.MAPPINGS and parts:
                out |= frozenset(((MAPPING, ((None, self.declared(parts[-1], scope)),)),))
            elif name in known.TYPES and parts:
                out |= frozenset([(CLS, one[1]) for one in self.declared(parts[0], scope)
                           if one.__class__ is tuple and one[0] in (INSTANCE, SELF)])  # fmt: skip
            elif name in known.MANAGER_TYPES and parts:
                out |= frozenset(((MANAGED, self.declared(parts[0], scope)),))
            elif name:
                out |= self._instances(value)
        return shallow(out)
