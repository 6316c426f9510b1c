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
        """What a variable is where a test holds; or where it does not, if the form says so."""
        kinds = self._classes(form[2], scope)
        values = self.world.expanded(form[1], scope, None) if form[1] is not None else NOTHING
        fitting = frozenset([value for value in values if kinds and self._is_one(value, kinds)])
        if form[3]:
            return values - fitting
        return fitting or _assumed(kinds, values)

    def _is_one(self, value: Value, kinds: set[Any]) -> bool:
        if value.__class__ is not tuple or value[0] not in (INSTANCE, SELF):
            return False
        return not kinds.isdisjoint(self.world.classes.mro(value[1]))

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


def _assumed(kinds: set[Any], values: Values) -> Values:
    """What the test tells where nothing was known. A container keeps what is known of it."""
    containers = [one for one in values if one.__class__ is tuple and one[0] in (SEQUENCE, FIXED, MAPPING)]
    out: set[Value] = set()
    for kind in kinds:
        if kind.__class__ is Scope:
            out.add((INSTANCE, kind))
        else:
            out |= {one for one in containers if f"builtins.{type_of(one)}" == kind} or {(OUTER, kind)}
    return limited(frozenset(out))
