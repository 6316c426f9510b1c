"""Functions -> what they give, in terms of their parameters."""

from __future__ import annotations

from ..forms import ASYNC, GENERATOR, RETURN_TYPE, RETURNS, YIELDS
from ..program import Scope, flags
from ..values import MANAGED, NOTHING, OUTER, Values, shallow, union
from .contents import sequence
from .part import Part


class Returns(Part):
    def values(self, function: Scope) -> Values:
        """What a function gives."""
        self.rests.into.add(function.rest)
        key = ("returned", function)
        found: Values | None = self.memo.get(key)
        return found if found is not None else self.ask(key, self._returned, function)

    def _returned(self, function: Scope) -> Values:
        manager = self.world.decorators.is_manager(function)
        declared = self._declared(function)
        if declared and not all(value.__class__ is tuple and value[0] == OUTER for value in declared):
            if manager:
                return frozenset(((MANAGED, self.world.iteration.iterated(declared, None, -1)),))
            return declared if function.summary[YIELDS] else self._more_than(declared, function)
        if declared and not function.summary[YIELDS]:
            return declared | self._written(function, RETURNS)
        if flags(function) & GENERATOR:
            return self._generated(function, manager)
        return shallow(self._written(function, RETURNS))

    def _declared(self, function: Scope) -> Values:
        annotation, around = function.summary[RETURN_TYPE], function.parent
        assert around is not None
        return NOTHING if annotation is None else self.world.annotations.declared(annotation, around)

    def _more_than(self, declared: Values, function: Scope) -> Values:
        """What is declared to be returned, and what is, where that tells more."""
        if self.world.parameters.says_little(declared):
            return declared | self._written(function, RETURNS)
        if not function.children:
            return declared
        given = self._written(function, RETURNS)  # annotations do not tell which function is returned
        return declared | frozenset([one for one in given if one.__class__ is Scope and one.parent is function])

    def _generated(self, function: Scope, manager: bool) -> Values:
        values = self._written(function, YIELDS)
        if manager:
            return frozenset(((MANAGED, values),))
        return shallow(sequence("AsyncGenerator" if flags(function) & ASYNC else "Generator", values))

    def _written(self, function: Scope, part: int) -> Values:
        return union([self.world.value(form, function, None) for form in function.summary[part]])
