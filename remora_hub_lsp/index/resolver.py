"""Letting the call graph follow changes: from what the index has of the files to what is to be written."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import orjson

from ..analysis.collected import Flows
from ..analysis.edges import FileGraph, file_graph
from ..analysis.meaning import meanings
from ..analysis.program import Module
from ..analysis.resolver.rests import ANY_NAME
from ..analysis.resolver.world import World
from .affected import Affected
from .resolving import IndexedProgram, Resolved, Unresolved

# Of more names that change at once it is not looked which do mean something else.
MOST_NAMES = 500
# Files of which it is kept what each of their codes gives.
MOST_WALKED = 30


class Followed(NamedTuple):
    """What came of files' graphs. asked: the files; concerned: the paths of others that have to be worked out for that;
    newest: stamp of the last change that it has seen."""

    asked: list[Unresolved]
    found: list[Resolved]
    concerned: list[str]
    newest: int


class Resolver:
    """Works out what changes have left to be done of the graph, and keeps what it knows of all else."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._begin()

    def _begin(self) -> None:
        self.program = IndexedProgram(self._db)
        self._plain: World | None = None  # in which nothing is known of what callers pass
        self._world: World | None = None
        self._affected = Affected(self._db, self.program)
        self._stamps: dict[str, int] = {}  # of changes that are known, by path
        self._before: dict[str, dict[str, str]] = {}  # what names meant when the file's graph was last taken, by path
        self._asked: set[str] = set()

    def follow(self, most: int, refused: Collection[str] = ()) -> Followed:
        """The graphs of at most so many of the files that are to be worked out, those first that changed themselves.

        refused: of what came of this the last time, the files that had changed meanwhile.
        """
        with _snapshot(self._db):
            rows = unresolved(self._db)
            try:
                self._take_note(rows, refused)
                asked = sorted(rows, key=lambda row: (not row.names, row.path))[:most]
                return self._work(asked, max((row.stamp for row in rows), default=0))
            except BaseException:
                self._begin()  # it may know half of it
                raise

    def warm(self, path: str) -> None:
        """Know what there is to know of a file that is going to be edited."""
        with _snapshot(self._db):
            self._take_note(unresolved(self._db), self._asked)
            self._give(self._flows([path]))
            self._edges([path])

    def _take_note(self, rows: Iterable[Unresolved], refused: Collection[str]) -> None:
        """See how the files are now."""
        for path in self._asked.difference(refused):
            self._before.pop(path, None)
        self._asked = set()
        news = [row for row in rows if self._stamps.get(row.path) != row.stamp]
        if self.program.is_outdated(news) or self.program.is_much:
            self._begin()
            gc.collect()  # which may be off, and modules and scopes know each other
        self._stamps = {row.path: row.stamp for row in rows}
        names = {(row.path, name) for row in news for name in row.names}
        # Of a file that is not known it would be read how it is now, not how it was.
        if all(self.program.known(row.path) for row in news if row.names) and len(names) <= MOST_NAMES:
            for row in news:
                self._before[row.path] = self._meanings(row.path, row.names) | self._before.get(row.path, {})
            if self._world is not None:
                self._affected.look(self._world, names | {(path, f"({name})") for path, name in names})
        self.program.forget_flows()
        read = [row.path for row in news if self.program.read_again(row.path)]
        for path in read:
            self._affected.read_again(path)
        for world in (self._plain, self._world):
            if world is not None:
                world.forget(names, read)

    def _work(self, asked: list[Unresolved], newest: int) -> Followed:
        paths = [row.path for row in asked]
        flows = self._flows(paths)
        changed = set().union(*(self.program.passed_anew(path, found) for path, found in flows.items()))
        world = self._world
        if world is not None:
            self._affected.look(world, changed)
            world.forget(changed, ())
        self._give(flows)
        found = self._edges(paths)
        targets = {path for path, _ in changed}
        for row in asked:
            changed |= {(row.path, name) for name in self._unlike(row)} if row.names else set()
        concerned = set(filter(None, map(self.program.path_of, self._affected.files(self._known, changed)))) | targets
        _add_rests(found, self._known)  # what the meanings rest on, too
        self._asked = set(paths)
        return Followed(asked, found, sorted(concerned.difference(paths)), newest)

    @property
    def _known(self) -> World:
        """In which it is known what callers pass."""
        if self._world is None:
            self._world = World(self.program, flows=True)
        return self._world

    def _unlike(self, row: Unresolved) -> set[str]:
        """Which names of a file do mean something else now."""
        if ANY_NAME in row.names:
            return {ANY_NAME}
        before, after = self._before.get(row.path, {}), self._meanings(row.path, row.names)
        passed = {name for name in row.names if name[0] == "("}
        return passed | {name for name in {*after, *row.names} - passed if before.get(name, "") != after.get(name)}

    def _meanings(self, path: str, names: Collection[str]) -> dict[str, str]:
        """What names mean, as far as the file is known."""
        module, world = self.program.known(path), self._world
        if module is None or world is None or ANY_NAME in names or len(names) > MOST_NAMES:
            return {}
        world.rests.begin(path)
        out: dict[str, str] = {}
        for name in names:
            if name[0] != "(":  # what is passed to a function
                out |= meanings(world, module, name)
        return out

    def _flows(self, paths: Iterable[str]) -> dict[str, Flows]:
        """What the files' calls pass to parameters."""
        if self._plain is None:
            self._plain = World(self.program, flows=False)
        modules = [module for path in paths if (module := self.program.module(path))]
        return {module.path: self._graph(self._plain, module).flows for module in modules}

    def _give(self, flows: Mapping[str, Flows]) -> None:
        self.program.reread_flows()
        for path, found in flows.items():
            self.program.give_flows(path, found)

    def _edges(self, paths: Iterable[str]) -> list[Resolved]:
        """The files' graphs."""
        modules = [module for path in paths if (module := self.program.module(path))]
        found = [self._resolved(module) for module in modules]
        if self._plain is not None:
            _add_rests(found, self._plain)
        return found

    def _resolved(self, module: Module) -> Resolved:
        graph = self._graph(self._known, module)
        return Resolved(graph._replace(flows=self.program.newer.get(module.path, {})), self._known.rests.take())

    def _graph(self, world: World, module: Module) -> FileGraph:
        before = world.walked.pop(module.path, None)
        while len(world.walked) >= MOST_WALKED:
            del world.walked[next(iter(world.walked))]  # the one that was looked at first
        return file_graph(world, module, self.program.data(module.path), before)  # type: ignore[arg-type]


def _add_rests(found: list[Resolved], world: World) -> None:
    """What was found out meanwhile to rest on what goes with the last file, if there is one."""
    if found:
        for owner, rested in world.rests.take().items():
            found[-1].rests.setdefault(owner, set()).update(rested)


@contextmanager
def _snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """All that is read is as it was at one moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def unresolved(db: sqlite3.Connection) -> list[Unresolved]:
    """Files whose graph has to be worked out."""
    rows = db.execute("SELECT file, path, names, stamp FROM unresolved").fetchall()
    return [Unresolved(file, path, frozenset(orjson.loads(names)), stamp) for file, path, names, stamp in rows]
