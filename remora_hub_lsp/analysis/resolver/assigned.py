"""Assignments to items of variables and attributes -> what their containers hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..forms import ATTR, ITEMS, NAME
from ..program import Scope
from ..values import MAPPING, Values, shallow
from .contents import constants, with_item
from .part import Part
from .stored import first_parameter, methods

# By name: (the assignment, see `forms`; the scope that it stands in).
Items = dict[str, list[tuple[list[Any], Scope]]]


class Assigned(Part):
    def added(self, values: Values, items: Sequence[tuple[list[Any], Scope]]) -> Values:
        """Containers with what is assigned to their items."""
        pairs = [
            (self.world.value(entry[1], part, None), self.world.value(entry[2], part, None)) for entry, part in items
        ]
        again = {key for keys, assigned in pairs if assigned for key in constants(keys)} - {None}
        out = set()
        for value in values:
            if value.__class__ is tuple and value[0] == MAPPING and again:
                value = (MAPPING, tuple(entry for entry in value[1] if entry[0] not in again))
            for keys, assigned in pairs:
                value = with_item(value, keys, assigned)
            out.add(value)
        return shallow(frozenset(out))

    def of_scope(self, scope: Scope) -> Items:
        """What a scope assigns to items of its variables, by name."""
        key = ("items", scope)
        found: Items | None = self.memo.get(key)
        if found is None:
            found = {}
            for part in scope.fragments or (scope,):
                for entry in part.body[ITEMS] if part.body else ():
                    holder = entry[0]
                    if holder.__class__ is str:
                        found.setdefault(holder.partition("%")[0], []).append((entry, part))
                    elif holder.__class__ is list and holder[0] == NAME:
                        found.setdefault(holder[1], []).append((entry, part))
            self.world.memory.remember_shape(key, found)
        return found

    def of_attributes(self, scope: Scope) -> Items:
        """What the class's methods assign to items of attributes of self."""
        key = ("self items", scope)
        found: Items | None = self.memo.get(key)
        if found is None:
            found = {}
            for method in methods(scope):
                first = first_parameter(method)
                for entry in method.body[ITEMS] if first and method.body else ():
                    holder = entry[0]
                    if holder.__class__ is list and holder[0] == ATTR and holder[1] == first:
                        found.setdefault(holder[2], []).append((entry, method))
            self.world.memory.remember_shape(key, found)
        return found
