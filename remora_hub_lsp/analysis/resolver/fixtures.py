"""Parameters of tests -> the pytest fixtures they are named after."""

from __future__ import annotations

from collections.abc import Iterator

from ..forms import CALL, CLASS, DECORATORS, FUNCTION, GENERATOR, last_name
from ..program import Scope, flags
from ..values import Values
from .part import Part
from .rests import absent


class Fixtures(Part):
    def find(self, scope: Scope, name: str) -> Scope | None:
        """The pytest fixture that a parameter of a test, or of another fixture, is named after."""
        if not scope.name.startswith("test") and not is_fixture(scope):
            return None
        for place in self._places(scope):
            self.rests.into.update(
                (place.rest, absent(place, name)) if place.kind == CLASS else ((place.module.path, name),)
            )
            for _, found in reversed(place.names.get(name, ())):
                if isinstance(found, Scope) and is_fixture(found) and found is not scope:
                    return found
        self.rests.on_absent("conftest")
        return None

    def _places(self, scope: Scope) -> Iterator[Scope]:
        """Where fixtures are looked for: class, module, the conftest of each folder above."""
        owner = scope.class_around()
        if owner is not None:
            yield from [one for one in self.world.classes.mro(owner) if one.__class__ is Scope]
        yield scope.module.scope
        folder = scope.module.path
        while folder:
            folder = folder.rpartition("/")[0]
            module = self.world.program.module(f"{folder}/conftest.py".lstrip("/"))
            if module is not None:
                yield module.scope

    def given(self, fixture: Scope) -> Values:
        """What a fixture gives to tests."""
        values = self.world.returns.values(fixture)
        return self.world.iteration.iterated(values, None, -1) if flags(fixture) & GENERATOR else values


def is_fixture(scope: Scope) -> bool:
    """Whether a function is decorated as a pytest fixture."""
    if scope.kind != FUNCTION:
        return False
    forms = [form[1] if form.__class__ is list and form[0] == CALL else form for form in scope.summary[DECORATORS]]
    return any(last_name(form) == "fixture" for form in forms)
