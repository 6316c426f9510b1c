"""Functions -> what they give, in terms of their parameters."""

from __future__ import annotations

from ..forms import ASYNC, GENERATOR, RETURN_TYPE, RETURNS, YIELDS
from ..program import Scope, flags
from ..values import MANAGED, OUTER, SEQUENCE, Values, shallow, union
from .part import Part


class Returns(Part):
    def values(self, function: Scope) -> Values:
        """What a function gives, in terms of its parameters."""
        self.rests.into.add(function.rest)
        key = ("returned", function)
        found: Values | None = self.memo.get(key)
        if found is not None:
            return found
        return self.ask(key, self._returned, function)

    def _returned(self, function: Scope) -> Values:
        summary = function.summary
        around = function.parent
        assert around is not None
        annotation = summary[RETURN_TYPE]
        manager = self.world.decorators.is_manager(function)
        if annotation is not None:
            declared = self.world.annotations.declared(annotation, around)
            if declared and not all(value.__class__ is tuple and value[0] == OUTER for value in declared):
                if manager:
                    return frozenset(((MANAGED, self.world.iteration.iterated(declared, None, -1)),))
                if not summary[YIELDS] and self.world.parameters.says_little(declared):
                    return declared | union([self.world.value(form, function, None) for form in summary[RETURNS]])
                if function.children and not summary[YIELDS]:  # annotations do not tell which function is returned
                    given = union([self.world.value(form, function, None) for form in summary[RETURNS]])
                    declared |= frozenset(
                        value for value in given if value.__class__ is Scope and value.parent is function
                    )
                return declared
            if declared and not summary[YIELDS]:
                return declared | union([self.world.value(form, function, None) for form in summary[RETURNS]])
        if flags(function) & GENERATOR:
            values = union([self.world.value(form, function, None) for form in summary[YIELDS]])
            if manager:
                return frozenset(((MANAGED, values),))
            kind = "AsyncGenerator" if flags(function) & ASYNC else "Generator"
            return shallow(frozenset(((SEQUENCE, kind, values),)))
        return shallow(union([self.world.value(form, function, None) for form in summary[RETURNS]]))
