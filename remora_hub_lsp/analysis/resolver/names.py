"""Names as code sees them -> where they are bound, and their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import known
from ..forms import CLASS, LAMBDA_KIND
from ..program import FRAGMENT, MODULE_KIND, Import, Module, Scope
from ..values import NOTHING, Values, union
from .part import Part
from .rests import rest_of
from .sink import EXACT, INFERRED, REFERENCE, Sink


class Names(Part):
    def lookup(self, name: str, scope: Scope) -> Scope | str | None:
        """Where a name is bound as code in `scope` sees it: the scope; a builtin's dotted name; None."""
        at: Scope | None = scope
        while at is not None:
            kind = at.kind
            bound = name in at.names or (kind <= LAMBDA_KIND and kind != CLASS and name in at.parameters)
            if kind == CLASS and at is scope.parent:
                self.rests.into.add(at.member_rest(name))
            if bound and (kind != CLASS or at is scope.parent):  # functions do not see their class's names
                return at
            if at.outer and at.outer.get(name):
                at = at.module.scope
                if name in at.names:
                    return at
                break
            at = at.parent
        module = scope.module.scope
        if module.stars and any(self._starred(module, name)):
            return module
        return f"builtins.{name}" if name in known.BUILTINS else None

    def variable(self, scope: Scope, name: str) -> Values:
        """All values of a name bound in `scope`."""
        key = ("name", scope, name)
        found: Values | None = self.memo.get(key)
        if scope.kind == MODULE_KIND:
            self.rests.on_name(scope.module, name)
        elif scope.kind == CLASS:
            self.rests.into.add(scope.member_rest(name))
        if found is not None:
            return found
        return self.ask(key, self._variable, scope, name)

    def _variable(self, scope: Scope, name: str) -> Values:
        bindings = scope.names.get(name, ())
        parts = [self.world.parameters.values(scope, scope.parameters[name])] if name in scope.parameters else []
        parts += [self.bound(value, part) for part, value in bindings]
        if not bindings and scope.stars:
            parts += [self.world.imports.member(module, name) for module in self._starred(scope, name)]
        values = union(parts)
        items = self.world.assigned.of_scope(scope).get(name) if values and scope.kind == MODULE_KIND else None
        return self.world.assigned.added(values, items) if items else values

    def _starred(self, scope: Scope, name: str) -> Iterator[Module]:
        """The modules of which star imports bring the name."""
        for star in scope.stars:
            module = self.world.imports.resolve(star, scope.module)
            if isinstance(module, Module) and self.world.imports.exports(module, name):
                yield module

    def bound(self, value: Any, scope: Scope) -> Values:
        """What a binding gives (see `program.Binding`)."""
        cls = value.__class__
        if cls is Scope:
            return self.world.decorators.decorated(value)
        if cls is Import:
            return self.world.imports.imported(value, scope.module)
        return self.world.value(value, scope, None)

    def state(self, scope: Scope, state: str) -> Values:
        """The values of a variable's state in its own scope."""
        key = ("state", scope, state)
        found: Values | None = self.memo.get(key)
        if scope.kind == FRAGMENT:
            self.rests.into.add(rest_of(key))
        if found is not None:
            return found
        if state in scope.states:
            return self.ask(key, self._state, scope, state)
        at = scope.parameters.get(state)
        return self.world.parameters.values(scope, at) if at is not None else NOTHING

    def _state(self, scope: Scope, state: str) -> Values:
        values = self.world.value(scope.states[state], scope, None)
        items = self.world.assigned.of_scope(scope).get(state.partition("%")[0])
        return self.world.assigned.added(values, items) if items else values

    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What a name stands for."""
        name = form[1]
        found = self.lookup(name, scope)
        if found is None:
            return NOTHING
        if isinstance(found, str):
            return frozenset((found,))
        values = self.variable(found, name)
        if sink is not None and form[2] >= 0:
            self._refer(values, form, scope, sink)
        return values

    def _refer(self, values: Values, form: list[Any], scope: Scope, sink: Sink) -> None:
        """A definition's name is used without calling it."""
        for value in values:
            if value.__class__ is Scope and value.kind != LAMBDA_KIND:
                sink.edge(value, REFERENCE, EXACT if self.world.exactness.is_exact(form, scope) else INFERRED, form[2])
