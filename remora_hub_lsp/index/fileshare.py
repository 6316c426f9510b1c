"""What one file says by itself: its definitions, fixtures and imports. It is kept until the file changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from ..analysis.fixtures import Fixture, fixture_of, requested
from ..analysis.testing import name_of, owner_of

Place = tuple[str, str]  # path, qualname


class Definition(NamedTuple):
    """A class or function as the index has it."""

    key: str
    qualname: str
    kind: str
    signature: str | None
    decorators: tuple[str, ...]


class FileShare:
    """bindings: (name, dotted target) of its imports."""

    def __init__(self, path: str, definitions: Sequence[Definition], bindings: Iterable[tuple[str, str]]) -> None:
        self.path = path
        self.bindings: dict[str, str] = {}
        self.stars: list[str] = []
        for name, target in bindings:
            if name == "*":
                self.stars.append(target)
            else:
                self.bindings[name] = target
        self.definitions = {one.qualname: one for one in definitions}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileShare) and self._said == other._said

    __hash__ = None  # type: ignore[assignment]

    @property
    def _said(self) -> tuple[object, ...]:
        return self.path, self.bindings, self.stars, self.definitions

    @cached_property
    def classes(self) -> dict[str, Definition]:
        return {name: one for name, one in self.definitions.items() if one.kind == "class"}

    @cached_property
    def members(self) -> dict[str, dict[str, Definition]]:
        """The functions of the module ('') and of each class, by their own names; the last definition counts."""
        found: dict[str, dict[str, Definition]] = {"": {}}
        for name, one in self.definitions.items():
            owner = owner_of(name)
            if one.kind != "class" and one.kind != "module" and (not owner or owner in self.classes):
                found.setdefault(owner, {})[name_of(name)] = one
        return found

    @cached_property
    def fixtures(self) -> dict[str, dict[str, tuple[Definition, Fixture]]]:
        """The fixtures of the module ('') and of each class, by the names that tests ask by."""
        found: dict[str, dict[str, tuple[Definition, Fixture]]] = {}
        for owner, members in self.members.items():
            for name, one in members.items():
                fixture = fixture_of(name, one.decorators)
                if fixture is not None:
                    found.setdefault(owner, {})[fixture.name] = one, fixture
        return found

    def asks(self, one: Definition) -> tuple[str, ...]:
        """The fixtures that one of its functions asks for by itself."""
        static = one.kind == "staticmethod"
        return requested(one.signature, one.decorators, bool(owner_of(one.qualname)) and not static)
