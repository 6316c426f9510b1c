"""`with` and `await` -> values."""

from __future__ import annotations

from typing import Any

from ..forms import AENTER
from ..program import Scope
from ..values import INSTANCE, MANAGED, OUTER, SELF, Values, union
from .part import Part
from .sink import Sink


class Contexts(Part):
    def enter(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What `with value as` binds."""
        enter, leave = ("__aenter__", "__aexit__") if form[0] == AENTER else ("__enter__", "__exit__")
        out: list[Values] = []
        for value in self.world.expanded(form[1], scope, sink):
            if value.__class__ is not tuple:
                continue
            if value[0] in (INSTANCE, SELF):
                out.append(self.world.calls.method(value, enter, [], sink, form[2]))
                self.world.calls.method(value, leave, [], sink, form[2])
            elif value[0] == MANAGED:
                out.append(value[1])
            elif value[0] == OUTER:
                out.append(frozenset((value,)))
        return union(out)

    def await_(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What an awaited value gives: functions that are awaited give what they return."""
        values = self.world.value(form[1], scope, sink)
        own = [value for value in values if value.__class__ is tuple and value[0] in (INSTANCE, SELF)]
        if not own:
            return values
        return union([values, *[self.world.calls.method(value, "__await__", [], sink, -1) for value in own]])
