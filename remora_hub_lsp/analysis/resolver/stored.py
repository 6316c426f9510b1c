"""Attributes of self -> what a class's methods assign to them."""

from __future__ import annotations

from ..forms import FUNCTION, NAME, PARAMETERS, STORES, VARARGS, Expression
from ..program import Rest, Scope
from ..values import NOTHING, Values, union
from .part import Part
from .rests import absent

# By name: (method, expression).
Stores = dict[str, list[tuple[Scope, Expression]]]


class Stored(Part):
    def values(self, scope: Scope, name: str) -> Values:
        """What is assigned to an attribute of `self` in the class's methods, and in those of its bases."""
        return self.world.members.look("instance", self._values, scope, name) or NOTHING

    def _values(self, scope: Scope, name: str) -> tuple[Values, tuple[Rest, ...]]:
        """What is found, and what that rests on."""
        parts: list[Values] = []
        rests: list[Rest] = [scope.rest, absent(scope, name)]
        for one in self.world.classes.mro(scope):
            if one.__class__ is Scope and name in self.stores(one):
                rests.append(one.member_rest(name))
                parts.append(self.ask(("stored", one, name), self._stored_values, one, name))
        return union(parts), self.world.members.looked_up(scope, name, rests)

    def stores(self, scope: Scope) -> Stores:
        """The class's assignments to attributes of self or cls: (method, expression) by name."""
        key = ("stores", scope)
        found: Stores | None = self.memo.get(key)
        if found is None:
            found = {}
            for method in methods(scope):
                _collect_stores(method, first_parameter(method), found)
            self.world.memory.remember_shape(key, found)
        return found

    def _stored_values(self, scope: Scope, name: str) -> Values:
        values = union([self.world.value(form, method, None) for method, form in self.stores(scope)[name]])
        items = self.world.assigned.of_attributes(scope).get(name)
        return self.world.assigned.added(values, items) if items else values


def methods(scope: Scope) -> list[Scope]:
    """The functions that stand in a class's body."""
    return [child for fragment in scope.fragments for child in fragment.children if child.kind == FUNCTION]


def first_parameter(method: Scope) -> str | None:
    """The name by which a method knows its receiver."""
    parameters = method.summary[PARAMETERS]
    return parameters[0][0] if parameters and parameters[0][1] < VARARGS else None


def _collect_stores(method: Scope, first: str | None, found: Stores) -> None:
    """Assignments to attributes of the first parameter, in the method and the functions in it."""
    if first is None:
        return
    for entry in method.body[STORES] if method.body else ():
        holder = entry[0]
        if holder == first or (holder.__class__ is list and holder[0] == NAME and holder[1] == first):
            found.setdefault(entry[1], []).append((method, entry[2]))
    for inner in method.children:
        if inner.kind == FUNCTION and first not in inner.parameters:
            _collect_stores(inner, first, found)
