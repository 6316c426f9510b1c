"""Decorators -> what the name of a definition is bound to, and what they make of a method."""

from __future__ import annotations

from .. import known
from ..forms import CLASS, DECORATORS, last_name
from ..program import Scope
from ..values import OUTER, PROPERTY, Value, Values, limited
from .call import Call
from .part import Part

_ROLES = {
    "staticmethod": "static", "abstractstaticmethod": "static", "classmethod": "class", "abstractclassmethod": "class",
    "setter": "setter", "deleter": "deleter",
}  # fmt: skip


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
            values = self.apply(self.world.value(form, around, None), values, scope)
        # A definition stays reachable by its name, whatever wraps it.
        is_property = any(value.__class__ is tuple and value[0] == PROPERTY for value in values)
        return values if is_property else values | frozenset((scope,))

    def apply(self, decorators: Values, values: Values, scope: Scope) -> Values:
        """What decorators make of `values`, which a definition was until now; what is not known leaves them so."""
        out: Values = frozenset().union(*[self._apply(decorator, values, scope) for decorator in decorators])
        return limited(out) or values

    def _apply(self, decorator: Value, values: Values, scope: Scope) -> Values:
        cls = decorator.__class__
        if cls is str or (cls is tuple and decorator[0] == OUTER):
            name = decorator if cls is str else decorator[1]
            is_property = name in known.PROPERTIES or name.rpartition(".")[2] in known.PROPERTY_NAMES
            return frozenset(((PROPERTY, scope),)) if is_property else values
        if cls is tuple and decorator[0] == PROPERTY:
            return frozenset((decorator,))
        found = self.world.calls.result(decorator, Call([values], None, -1))
        if self._makes_property(decorator):
            return frozenset(((PROPERTY, scope),))
        if scope.kind == CLASS:
            return frozenset([value for value in found if value.__class__ is Scope and value.kind == CLASS])
        return found

    def _makes_property(self, decorator: Value) -> bool:
        """Whether it is a descriptor."""
        if decorator.__class__ is not Scope or decorator.kind != CLASS:
            return False
        return self.world.members.find(decorator, "__get__") is not None or decorator.name in known.PROPERTY_NAMES

    def role(self, scope: Scope) -> str:
        """What a method's decorators make of it: static, class, setter, deleter, or "" for nothing of these."""
        if not scope.summary[DECORATORS]:
            return ""
        key = ("role", scope)
        found: str | None = self.memo.get(key)
        if found is None:
            names = [last_name(form) for form in scope.summary[DECORATORS]]
            found = next((_ROLES[name] for name in names if name in _ROLES), "")
            self.world.memory.remember_shape(key, found)
        return found

    def is_manager(self, function: Scope) -> bool:
        """Whether contextlib makes a context manager of it."""
        around = function.parent
        assert around is not None
        for form in function.summary[DECORATORS]:
            if last_name(form) in ("contextmanager", "asynccontextmanager"):
                return any(value in known.MANAGERS for value in self.world.value(form, around, None))
        return False
