"""Which files' graphs a change concerns: found name by name, going on only where a name does mean something else.

What rests on a name that changed, and means what it meant before, passes nothing on to what rests on it in turn. (The
same early end as in build systems and in query systems such as Salsa.)
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Collection, Iterable

from ..analysis.forms import CLASS, STORES
from ..analysis.meaning import meanings
from ..analysis.program import Module, Rest, Scope
from ..analysis.resolver.rests import ANY_NAME, BELOW, PRESENCE
from ..analysis.resolver.world import World
from .resolving import IndexedProgram
from .rests import numbers_of_file, reaching, rest_number, resting_on, resting_on_presence

# What more names than that mean is not compared.
MOST_OWNERS = 200


class Affected:
    """Knows what names meant, so that it can tell whether they mean something else."""

    def __init__(self, db: sqlite3.Connection, program: IndexedProgram) -> None:
        self._db = db
        self._program = program
        self._meant: dict[Rest, str] = {}
        self._names: dict[str, dict[int, Rest]] = {}  # the names of each file by their numbers

    def look(self, world: World, start: Iterable[Rest]) -> None:
        """Remember what that means which rests on these names, before they change."""
        seen = set(start)
        todo = deque(sorted(seen))
        while todo and len(seen) < MOST_OWNERS:  # the nearest first
            for file, number in self._resting_on(todo.popleft()):
                owner = self._owner(file, number) if number else None
                if owner is not None and owner not in seen:
                    seen.add(owner)
                    todo.append(owner)
                    if owner not in self._meant:
                        self._meant[owner] = self._meaning(world, owner)

    def files(self, world: World, changed: Collection[Rest]) -> set[int]:
        """The files whose graph rests on these names, which do mean something else, or on names that do so then."""
        found: set[int] = set()
        wide = {n for path, name in changed if name == ANY_NAME for n in numbers_of_file(self._db, path)}
        todo = [rest for rest in changed if rest[1] != ANY_NAME]
        seen = set(todo)
        while todo:
            for file, number in self._resting_on(todo.pop()):
                owner = self._owner(file, number) if number else None
                if owner is not None and owner in self._meant:
                    if owner in seen or not self._is_unlike(world, owner):
                        continue
                    seen.add(owner)
                    todo.append(owner)
                elif number:  # nobody knows what it meant
                    wide.add(number)
                found.add(file)  # also of a name: what the file's code uses of the file itself is not noted
        if wide:
            self._meant.clear()  # any of them may mean something else
            found |= reaching(self._db, wide)
        return found

    def read_again(self, path: str) -> None:
        """A file has other names."""
        self._names.pop(path, None)

    def _is_unlike(self, world: World, owner: Rest) -> bool:
        before, now = self._meant[owner], self._meaning(world, owner)
        self._meant[owner] = now
        return before != now

    def _meaning(self, world: World, owner: Rest) -> str:
        module = self._program.module(owner[0])
        if module is None:
            return ""
        world.rests.begin(owner[0])
        return meanings(world, module, owner[1])[owner[1]]

    def _resting_on(self, rest: Rest) -> list[tuple[int, int]]:
        return resting_on_presence(self._db, *rest) if PRESENCE in rest[1] else resting_on(self._db, rest)

    def _owner(self, file: int, number: int) -> Rest | None:
        path = self._program.path_of(file)
        if path is None:
            return None
        names = self._names.get(path)
        if names is None:
            module = self._program.module(path)
            names = self._names[path] = {rest_number(rest): rest for rest in _rests_in(module)} if module else {}
        return names.get(number)


def _rests_in(module: Module) -> set[Rest]:
    """All that can be rested on in a file."""
    path = module.path
    found = {scope.rest for scope in module.by_unique.values()}
    found |= {(path, name) for name in module.scope.names}
    for bindings in module.scope.names.values():
        for _, value in bindings:
            if value.__class__ is Scope and value.kind == CLASS:
                found |= {value.member_rest(name) for name in (*value.names, *value.members, *_stored(value), BELOW)}
    return found


def _stored(cls: Scope) -> set[str]:
    """Attributes that methods may set."""
    methods = [child for fragment in cls.fragments for child in fragment.children if child.body]
    return {entry[1] for method in methods for entry in method.body[STORES]}  # type: ignore[index]
