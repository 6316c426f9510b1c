"""Whether scopes and imports alone decide what an expression is."""

from __future__ import annotations

from ..forms import ATTR, CLASS, NAME, Expression
from ..program import Import, Module, Scope
from ..values import Value
from .part import Part


class Exactness(Part):
    def is_exact(self, form: Expression, scope: Scope) -> bool:
        """Whether scopes and imports alone decide what a name or dotted name is."""
        if form.__class__ is not list:
            return False
        if form[0] == NAME:
            found = self.world.names.lookup(form[1], scope)
            return found is not None and (isinstance(found, str) or _defined(found, form[1]))
        if form[0] == ATTR and self.is_exact(form[1], scope):
            values = self.world.value(form[1], scope, None)
            return bool(values) and all(self._decides(value, form[2]) for value in values)
        return False

    def _decides(self, value: Value, name: str) -> bool:
        """Whether it is certain what an attribute of a value is."""
        if value.__class__ is Module:
            return name not in value.scope.names or _defined(value.scope, name)
        if value.__class__ is Scope and value.kind == CLASS:
            found = self.world.members.find(value, name)
            return found is not None and all(one.__class__ is Scope for _, one in found[1])
        return value.__class__ is str


def _defined(scope: Scope, name: str) -> bool:
    """Whether only definitions and imports bind the name."""
    bindings = scope.names.get(name)
    if not bindings:
        return name not in scope.parameters
    return all(value.__class__ is Scope or value.__class__ is Import for _, value in bindings)
