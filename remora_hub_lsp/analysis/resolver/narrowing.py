"""isinstance and class patterns -> the values that are left."""

from __future__ import annotations

from typing import Any

from ..forms import CLASS, Expression
from ..program import Scope
from ..values import FIXED, INSTANCE, MAPPING, NOTHING, OUTER, SELF, SEQUENCE, Value, Values, limited
from .contents import type_of
from .part import Part
from .sink import Sink


class Narrowing(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        kinds = self._classes(form[2], scope)
        values = self.world.expanded(form[1], scope, None) if form[1] is not None else NOTHING
        if form[3]:  # it is none of these
            if not kinds:
                return values
            return frozenset(
                value
                for value in values
                if not (
                    value.__class__ is tuple
                    and value[0] in (INSTANCE, SELF)
                    and any(kind in self.world.classes.mro(value[1]) for kind in kinds)
                )
            )
        kept = set()
        for value in values:
            is_instance = value.__class__ is tuple and value[0] in (INSTANCE, SELF)
            if is_instance and any(kind in self.world.classes.mro(value[1]) for kind in kinds):
                kept.add(value)
        if kept:
            return frozenset(kept)
        out: set[Value] = set()
        for kind in kinds:
            if kind.__class__ is Scope:
                out.add((INSTANCE, kind))
            elif kind.__class__ is str:
                # A container keeps what is known of it.
                same = {value for value in values if value.__class__ is tuple and value[0] in (SEQUENCE, FIXED, MAPPING)
                        and f"builtins.{type_of(value)}" == kind}  # fmt: skip
                out |= same or {(OUTER, kind)}
        return limited(frozenset(out))

    def _classes(self, form: Expression, scope: Scope) -> set[Any]:
        """The classes that an argument of isinstance names."""
        out = set()
        for value in self.world.value(form, scope, None):
            if (value.__class__ is Scope and value.kind == CLASS) or value.__class__ is str:
                out.add(value)
            elif value.__class__ is tuple and value[0] == FIXED:
                for part in value[2]:
                    out |= {inner for inner in part if inner.__class__ in (Scope, str)}
        return out
