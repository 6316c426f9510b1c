"""Parameters of tests -> the pytest fixtures they are named after."""

from __future__ import annotations

from ..forms import ATTR, CALL, CLASS, DECORATORS, FUNCTION, GENERATOR, NAME
from ..program import Module, Scope, flags
from ..values import Values
from .part import Part
from .rests import without


class Fixtures(Part):
    def find(self, scope: Scope, name: str) -> Scope | None:
        """The pytest fixture that a parameter of a test, or of another fixture, is named after."""
        if not scope.name.startswith("test") and not is_fixture(scope):
            return None
        owner = scope.class_around()
        places = [one for one in (self.world.classes.mro(owner) if owner is not None else ()) if one.__class__ is Scope]
        folder = scope.module.path
        module: Module | None = scope.module
        while True:
            places += [module.scope] if module is not None else ()
            for place in places:
                self.rests.into.update(
                    (place.rest, without(name)) if place.kind == CLASS else ((place.module.path, name),)
                )
                for _, found in reversed(place.names.get(name, ())):
                    if found.__class__ is Scope and is_fixture(found) and found is not scope:
                        return found
            if not folder:
                self.rests.on_absent("conftest")
                return None
            folder = folder.rpartition("/")[0]
            module, places = self.world.program.module(f"{folder}/conftest.py".lstrip("/")), []

    def given(self, fixture: Scope) -> Values:
        """What a fixture gives to tests."""
        values = self.world.returns.values(fixture)
        return self.world.iteration.iterated(values, None, -1) if flags(fixture) & GENERATOR else values


def is_fixture(scope: Scope) -> bool:
    """Whether a function is decorated as a pytest fixture."""
    if scope.kind != FUNCTION:
        return False
    for form in scope.summary[DECORATORS]:
        if form.__class__ is list and form[0] == CALL:
            form = form[1]
        if form.__class__ is list and (form[1] if form[0] == NAME else form[2] if form[0] == ATTR else "") == "fixture":
            return True
    return False
