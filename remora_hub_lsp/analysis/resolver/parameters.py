"""Parameters -> what they are, as far as their function tells."""

from __future__ import annotations

from ..forms import EITHER, FUNCTION, KWARGS, PARAMETERS, VARARGS
from ..program import Scope
from ..values import CLS, INSTANCE, MAPPING, OUTER, PARAMETER, SELF, SEQUENCE, Values
from .part import Part

_PROTOCOLS = frozenset(("typing.Protocol", "typing_extensions.Protocol"))


class Parameters(Part):
    def values(self, scope: Scope, number: int) -> Values:
        """What a parameter is, as far as its function tells."""
        key = ("parameter", scope, number)
        found: Values | None = self.memo.get(key)
        if found is not None:
            return found
        return self.ask(key, self._parameter, scope, number)

    def _parameter(self, scope: Scope, number: int) -> Values:
        name, kind, annotation, default = scope.summary[PARAMETERS][number]
        around = scope.parent
        assert around is not None
        if number == 0 and scope.kind == FUNCTION and kind < VARARGS:
            owner = scope.class_around()
            if owner is not None:
                role = self.world.decorators.role(scope)
                if role == "class" or scope.name in ("__new__", "__init_subclass__", "__class_getitem__"):
                    return frozenset(((CLS, owner),))
                if role != "static":
                    if self.world.classes.is_metaclass(owner):
                        return frozenset(((SELF, owner),))
                    return frozenset(((SELF, owner),))
        if annotation is not None:
            declared = self.world.annotations.declared(annotation, around)
            if kind == VARARGS and declared:
                return frozenset(((SEQUENCE, "tuple", declared),))
            if kind == KWARGS and declared:
                return frozenset(((MAPPING, ((None, declared),)),))
            if declared and self.says_little(declared):
                fixture = self.world.fixtures.find(scope, name) if kind == EITHER and scope.kind == FUNCTION else None
                return declared | (
                    frozenset(((PARAMETER, scope, number),)) if fixture is None else self.world.fixtures.given(fixture)
                )
            if declared:
                if any(value.__class__ is not tuple or value[0] != OUTER for value in declared):
                    return declared
                return declared | frozenset(((PARAMETER, scope, number),)) if default is None else declared
        elif (
            kind == EITHER and scope.kind == FUNCTION and (fixture := self.world.fixtures.find(scope, name)) is not None
        ):
            return self.world.fixtures.given(fixture)
        marker = frozenset(((PARAMETER, scope, number),))
        if kind >= VARARGS and kind in (VARARGS, KWARGS):
            return marker
        if default is not None:
            return marker | self.world.value(default, around, None)
        return marker

    def says_little(self, declared: Values) -> bool:
        """Whether there are protocols among these: what fits them is not their subclass."""
        return any(
            value.__class__ is tuple and value[0] == INSTANCE
            and not _PROTOCOLS.isdisjoint(self.world.classes.mro(value[1]))
            for value in declared
        )  # fmt: skip
