"""Parameters -> what callers pass for them."""

from __future__ import annotations

from collections.abc import Mapping

from ..forms import EITHER, KEYWORD, KWARGS, PARAMETERS, VARARGS
from ..program import SUBCLASSES, Scope
from ..values import NOTHING, PARAMETER, Value, Values, limited, shallow, union
from .contents import mapping, sequence
from .part import Part


class Passed(Part):
    def expand(self, values: Values) -> Values:
        """The values with parameters replaced by what callers pass for them."""
        for value in values:
            if value.__class__ is tuple and value[0] == PARAMETER:
                return self.replaced(values)
        return values

    def replaced(self, values: Values) -> Values:
        """The same where there are some."""
        out: set[Value] = set()
        todo, seen = list(values), set()
        while todo:
            value = todo.pop()
            if value.__class__ is tuple and value[0] == PARAMETER:
                if value not in seen:
                    seen.add(value)
                    todo += self.values(value[1], value[2])
            else:
                out.add(value)
        return limited(frozenset(out))

    def values(self, function: Scope, number: int) -> Values:
        """What callers pass for a parameter."""
        self.rests.on_name(function.module, f"({function.unique})")
        if not self.world.flows:
            self.world.questions.read(("passed", function, number))
            return NOTHING
        return self.known(function, number)

    def known(self, function: Scope, number: int) -> Values:
        """The same, as the program knows it."""
        key = ("passed", function, number)
        found: Values | None = self.memo.get(key)
        if found is None:
            found = _for_parameter(function, number, self._given(function))
            self.world.memory.remember_passed(key, found)
        return found

    def _given(self, function: Scope) -> Mapping[str, Values]:
        """All that callers pass to a function."""
        key = ("given", function)
        found: Mapping[str, Values] | None = self.memo.get(key)
        if found is None:
            found = self.world.program.passed(function)
            self.world.memory.remember_passed(key, found)
        return found


def _for_parameter(function: Scope, number: int, given: Mapping[str, Values]) -> Values:
    """What is passed for a parameter, of all that is passed to its function."""
    if number == SUBCLASSES:
        return given.get(str(SUBCLASSES), NOTHING)
    parameters = function.summary[PARAMETERS]
    name, kind = parameters[number][:2]
    if kind == KWARGS:
        extra = {key: values for key, values in given.items() if key.isidentifier() and key not in function.parameters}
        return shallow(frozenset((mapping(extra),))) if extra else NOTHING
    last = next((i for i, parameter in enumerate(parameters) if parameter[1] >= VARARGS), len(parameters))
    found = [values for key, values in given.items() if key[0].isdigit() and _is_for(key, number, kind, last)]
    if kind == VARARGS:
        return shallow(sequence("tuple", union(found))) if found else NOTHING
    if kind in (EITHER, KEYWORD) and name in given:
        found.append(given[name])
    return union(found)


def _is_for(key: str, number: int, kind: int, last: int) -> bool:
    """Whether what is passed at a position is for a parameter. last: the number behind those by position."""
    at, open_ended = int(key.rstrip("*")), key[-1] == "*"
    if number < last:
        return at == number or (open_ended and at <= number)
    return kind == VARARGS and number == last and (at >= last or open_ended)
