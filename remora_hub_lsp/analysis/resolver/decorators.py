"""Decorators -> what the name of a definition is bound to, and what they make of a method."""

from __future__ import annotations

from .. import known
from ..forms import ATTR, CLASS, DECORATORS, NAME
from ..program import Scope
from ..values import OUTER, PROPERTY, Values, limited
from .part import Part
from .sink import Sink


class Decorators(Part):
    def decorated(self, scope: Scope) -> Values:
        """What the name of a definition is bound to."""
        if not scope.summary[DECORATORS]:
            return frozenset((scope,))
        return self.ask(("decorated", scope), self._decorated, scope)

    def _decorated(self, scope: Scope) -> Values:
        values: Values = frozenset((scope,))
        around = scope.parent
        assert around is not None
        for form in reversed(scope.summary[DECORATORS]):
            decorator = self.world.value(form, around, None)
            values = self.apply(decorator, values, scope, None)
        # A definition stays reachable by its name, whatever wraps it.
        is_property = any(value.__class__ is tuple and value[0] == PROPERTY for value in values)
        return values if is_property else values | frozenset((scope,))

    def apply(self, decorators: Values, values: Values, scope: Scope, sink: Sink | None) -> Values:
        """What decorators make of `values`; what is not known leaves them as they are."""
        out = set()
        for decorator in decorators:
            if decorator.__class__ is str or (decorator.__class__ is tuple and decorator[0] == OUTER):
                name = decorator if decorator.__class__ is str else decorator[1]
                if name in known.PROPERTIES or (name.rpartition(".")[2] in known.PROPERTY_NAMES):
                    out.add((PROPERTY, scope))
                elif name in known.MANAGERS:
                    out |= values
                else:
                    out |= values
            elif decorator.__class__ is tuple and decorator[0] == PROPERTY:
                out.add(decorator)
            else:
                found = self.world.calls.result(decorator, [values], (), sink, -1)
                if scope.kind == CLASS:
                    found = frozenset(value for value in found if value.__class__ is Scope and value.kind == CLASS)
                if (
                    decorator.__class__ is Scope
                    and decorator.kind == CLASS
                    and (self.world.members.find(decorator, "__get__") or decorator.name in known.PROPERTY_NAMES)
                ):
                    out.add((PROPERTY, scope))
                else:
                    out |= found
        return limited(frozenset(out)) or values

    def role(self, scope: Scope) -> str:
        """What a method's decorators make of it: static, class, property, or nothing of these."""
        if not scope.summary[DECORATORS]:
            return ""
        key = ("role", scope)
        found: str | None = self.memo.get(key)
        if found is None:
            found = _role(scope)
            self.world.memory.remember_shape(key, found)
        return found

    def is_manager(self, function: Scope) -> bool:
        around = function.parent
        assert around is not None
        for form in function.summary[DECORATORS]:
            if form.__class__ is list and form[0] in (NAME, ATTR):
                last = form[1] if form[0] == NAME else form[2]
                if last in ("contextmanager", "asynccontextmanager"):
                    return any(value in known.MANAGERS for value in self.world.value(form, around, None))
        return False


def _role(scope: Scope) -> str:
    for form in scope.summary[DECORATORS]:
        last = form[1] if form and form[0] == NAME else form[2] if form and form[0] == ATTR else ""
        if last in ("staticmethod", "abstractstaticmethod"):
            return "static"
        if last in ("classmethod", "abstractclassmethod"):
            return "class"
        if last in ("setter", "deleter"):
            return last
    return ""
