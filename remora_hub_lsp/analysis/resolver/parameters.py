"""Parameters -> what they are, as far as their function tells."""

from __future__ import annotations

from ..forms import EITHER, FUNCTION, KWARGS, PARAMETERS, VARARGS, Expression
from ..program import Scope
from ..values import CLS, INSTANCE, MAPPING, NOTHING, OUTER, PARAMETER, SELF, Values
from .contents import sequence
from .part import Part

_PROTOCOLS = frozenset(("typing.Protocol", "typing_extensions.Protocol"))
# Methods of which the first parameter is the class without a decorator.
_GET_CLASS = frozenset(("__new__", "__init_subclass__", "__class_getitem__"))


class Parameters(Part):
    def values(self, scope: Scope, number: int) -> Values:
        """What a parameter is; what callers pass for it stands there as PARAMETER."""
        key = ("parameter", scope, number)
        found: Values | None = self.memo.get(key)
        return found if found is not None else self.ask(key, self._values, scope, number)

    def _values(self, scope: Scope, number: int) -> Values:
        name, kind, annotation, default = scope.summary[PARAMETERS][number]
        if number == 0 and kind < VARARGS and (first := self._first(scope)):
            return first
        declared = self._declared(annotation, scope)
        if declared and kind in (VARARGS, KWARGS):
            return sequence("tuple", declared) if kind == VARARGS else frozenset(((MAPPING, ((None, declared),)),))
        passed: Values = frozenset(((PARAMETER, scope, number),))
        if declared:
            if self.says_little(declared):
                fixture = self._fixture(scope, name, kind)
                return declared | (passed if fixture is None else fixture)
            is_known = any(value.__class__ is not tuple or value[0] != OUTER for value in declared)
            return declared if is_known or default is not None else declared | passed
        if annotation is None and (fixture := self._fixture(scope, name, kind)) is not None:
            return fixture
        return passed | self._default(default, scope)

    def _first(self, scope: Scope) -> Values:
        """What `self` or `cls` is; nothing of other parameters."""
        owner = scope.class_around() if scope.kind == FUNCTION else None
        if owner is None:
            return NOTHING
        role = self.world.decorators.role(scope)
        if role == "class" or scope.name in _GET_CLASS:
            return frozenset(((CLS, owner),))
        if role == "static":
            return NOTHING
        return frozenset(((SELF, owner),))

    def _declared(self, annotation: Expression, scope: Scope) -> Values:
        around = scope.parent
        assert around is not None
        return NOTHING if annotation is None else self.world.annotations.declared(annotation, around)

    def _default(self, default: Expression, scope: Scope) -> Values:
        around = scope.parent
        assert around is not None
        return NOTHING if default is None else self.world.value(default, around, None)

    def _fixture(self, scope: Scope, name: str, kind: int) -> Values | None:
        """What pytest passes."""
        fixture = self.world.fixtures.find(scope, name) if kind == EITHER and scope.kind == FUNCTION else None
        return None if fixture is None else self.world.fixtures.given(fixture)

    def says_little(self, declared: Values) -> bool:
        """Whether there are protocols among these: what fits them is not their subclass."""
        own = [value for value in declared if value.__class__ is tuple and value[0] == INSTANCE]
        return any(not _PROTOCOLS.isdisjoint(self.world.classes.mro(value[1])) for value in own)
