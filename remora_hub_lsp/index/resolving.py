"""The call graph as it is worked out: summaries from the index -> edges, flows and what they rest on, to be written."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson

from ..analysis.edges import FileGraph, Flows, decoded, file_graph
from ..analysis.meaning import meanings
from ..analysis.modules import Modules
from ..analysis.program import Module, Rest, Scope
from ..analysis.resolver import ANY_NAME, World
from ..analysis.values import Values

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
# Of more names that change at once it is not looked which do mean something else.
MOST_NAMES = 500
# Modules that stay in memory between two changes.
MOST_MODULES = 1500


# (path, name) of what something rests on, by file and name of what does; "": the edges of the file's code.
Rests = dict[tuple[str, str], set[tuple[str, str]]]

# What is passed to the functions of a file: by function, as `Flows` has it, each value once.
Given = dict[str, dict[str, dict[bytes, Any]]]


class Resolved(NamedTuple):
    """What one file adds to the graph.

    rests: (path, name) of what that rests on, by file and name ("": its edges) of what does.
    """

    graph: FileGraph
    rests: Rests


class Unresolved(NamedTuple):
    """A file whose graph has to be worked out.

    names: of it (see `program.Rest`), whose meaning may have changed; `(function)`: what is passed to one. stamp: tells
    one change from the next.
    """

    file: int
    path: str
    names: frozenset[str]
    stamp: int = 0


class IndexedProgram:
    """The program as the index has it (an analysis.resolver.Program): modules are read when they are asked for."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = dict(db.execute("SELECT path, id FROM files WHERE file_hash != ''").fetchall())
        self._modules: dict[str, Module | None] = {}
        self._hashes: dict[str, str] = {}
        self._flows: dict[str, Given] = {}
        self._newer_to: dict[str, set[str]] = {}
        self.newer: dict[str, Flows] = {}  # flows that are not written yet, by the file that passes
        self._given: set[int | None] = set()  # the numbers of those files
        self.names = Modules(self._ids)

    def read_again(self, path: str) -> bool:
        """See whether the file's text is another one than it was, and what it is."""
        module = self._modules.get(path)
        if module is None or self._hashes[path] == (now := self._hash(self._ids[path])):
            return False
        self._hashes[path] = now
        module.read(self._segments(self._ids[path]))
        return True

    def is_outdated(self, changed: Iterable[Unresolved]) -> bool:
        """Whether there are other files now, so that the same import may find something else."""
        for row in changed:
            found = self._db.execute("SELECT id FROM files WHERE path = ? AND file_hash != ''", (row.path,)).fetchone()
            if self._ids.get(row.path) != (found[0] if found else None):
                return True
        return False

    @property
    def is_much(self) -> bool:
        """Whether more is kept in memory than is worth it."""
        return len(self._modules) > MOST_MODULES

    def known(self, path: str) -> Module | None:
        """The module of a file, if it was read already: as the file was then."""
        return self._modules.get(path)

    def module(self, path: str) -> Module | None:
        """The module of a file."""
        if path not in self._modules:
            self._modules[path] = self._read(path)
        return self._modules[path]

    def _read(self, path: str) -> Module | None:
        number = self._ids.get(path)
        if number is None:
            return None
        self._hashes[path] = self._hash(number)
        return Module(path, self.names.package(path), self._segments(number))

    def _hash(self, number: int) -> str:
        found: tuple[str] = self._db.execute("SELECT file_hash FROM files WHERE id = ?", (number,)).fetchone()
        return found[0]

    def _segments(self, number: int) -> Iterable[tuple[int, list[Any]]]:
        """A file's summaries in source order."""
        row = self._db.execute("SELECT starts FROM files WHERE id = ?", (number,)).fetchone()
        low, high = number << FILE_SHIFT, ((number + 1) << FILE_SHIFT) - 1
        sql = "SELECT id >> 16 & 16777215, data FROM summaries WHERE id BETWEEN ? AND ?"
        summaries = dict(self._db.execute(sql, (low, high)).fetchall())
        present = [segment for segment in orjson.loads(row[0])[::2] if segment in summaries]
        read = orjson.loads(b"[%b]" % b",".join([summaries[segment] for segment in present]))
        return zip(present, read, strict=True)

    def find(self, dotted: str, importer: str) -> str | None:
        """The file of a module."""
        return self.names.find(dotted, importer)

    def passed(self, function: Scope) -> dict[str, Values]:
        """What callers pass to a function."""
        path = function.module.path
        if path not in self._flows:
            self._flows[path] = self._flows_to(path)
        given = self._flows[path].get(function.unique, {})
        return {key: decoded(codes.values(), self.module) for key, codes in given.items()}

    def _flows_to(self, path: str) -> Given:
        rows = self._db.execute("SELECT file, data FROM flows WHERE target = ?", (self._ids.get(path, -1),)).fetchall()
        every = [orjson.loads(data) for number, data in rows if number not in self._given]
        every += [self.newer[passing][path] for passing in self._newer_to.get(path, ())]
        out: Given = {}
        for functions in every:
            for unique, passed in functions.items():
                known = out.setdefault(unique, {})
                for key, codes in passed.items():
                    found = known.setdefault(key, {})
                    for code in codes:
                        found[orjson.dumps(code)] = code
        return out

    def passed_anew(self, path: str) -> set[Rest]:
        """Functions to which a file passes other things than is written, as names that one can rest on."""
        sql = "SELECT path, data FROM flows JOIN files ON files.id = target WHERE file = ?"
        was = {target: orjson.loads(data) for target, data in self._db.execute(sql, (self._ids.get(path, -1),))}
        now = orjson.loads(orjson.dumps(self.newer.get(path, {})))
        return {
            (target, f"({name})")
            for target in was.keys() | now.keys()
            for name in was.get(target, {}).keys() | now.get(target, {}).keys()
            if was.get(target, {}).get(name) != now.get(target, {}).get(name)
        }

    def give_flows(self, path: str, flows: Flows) -> None:
        """What a file passes, before it is written."""
        for target in self.newer.get(path, ()):
            self._newer_to[target].discard(path)
            self._flows.pop(target, None)
        for target in flows:
            self._newer_to.setdefault(target, set()).add(path)
            self._flows.pop(target, None)
        self.newer[path] = flows
        self._given.add(self._ids.get(path))

    def forget_flows(self) -> None:
        """What was given is written."""
        self.newer.clear()
        self._given.clear()
        self._newer_to.clear()
        self._flows.clear()


class Followed(NamedTuple):
    """What came of files' graphs. asked: the files; unlike: by path, which of its names do mean something else now;
    newest: stamp of the last change that it has seen."""

    asked: list[Unresolved]
    found: list[Resolved]
    unlike: dict[str, set[str]]
    newest: int


class Resolver:
    """Works files' graphs out, from what the index has of them.

    At first for all files: `flows` of all of them, then their `edges`. Later `follow` works out what changes have left
    to be done, with what is known of all else.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._begin()

    def _begin(self) -> None:
        self.program = IndexedProgram(self._db)
        self._plain: World | None = None  # in which nothing is known of what callers pass
        self._world: World | None = None
        self._rests: Rests = {}  # of the plain world
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
            self.flows([path])
            self.edges([path])

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
        for row in news:
            self._before[row.path] = self._meanings(row.path, row.names) | self._before.get(row.path, {})
        self.program.forget_flows()
        read = [row.path for row in news if self.program.read_again(row.path)]
        names = {(row.path, name) for row in news for name in row.names}
        for world in (self._plain, self._world):
            if world is not None:
                world.forget(names, read)

    def _work(self, asked: list[Unresolved], newest: int) -> Followed:
        paths = [row.path for row in asked]
        self.flows(paths)
        if self._world is not None:
            self._world.forget(set().union(*map(self.program.passed_anew, paths)), ())
        found = self.edges(paths)
        unlike = {row.path: self._unlike(row) for row in asked if row.names}
        if found and self._world is not None:  # what the meanings rest on, too
            for owner, rested in self._world.take_rests().items():
                found[-1].rests.setdefault(owner, set()).update(rested)
        self._asked = set(paths)
        return Followed(asked, found, unlike, newest)

    def _unlike(self, row: Unresolved) -> set[str]:
        if ANY_NAME in row.names:
            return {ANY_NAME, *row.names}
        before, after = self._before.get(row.path, {}), self._meanings(row.path, row.names)
        passed = {name for name in row.names if name[0] == "("}
        return passed | {name for name in {*after, *row.names} - passed if before.get(name, "") != after.get(name)}

    def _meanings(self, path: str, names: Collection[str]) -> dict[str, str]:
        """What names mean, as far as the file is known."""
        module, world = self.program.known(path), self._world
        if module is None or world is None or ANY_NAME in names or len(names) > MOST_NAMES:
            return {}
        world.begin(path)
        out: dict[str, str] = {}
        for name in names:
            if name[0] != "(":  # what is passed to a function
                out |= meanings(world, module, name)
        return out

    def flows(self, paths: Iterable[str]) -> None:
        """What the files' calls pass to parameters."""
        if self._plain is None:
            self._plain = World(self.program, flows=False)
        for path in paths:
            module = self.program.module(path)
            if module is not None:
                self.program.give_flows(path, file_graph(self._plain, module).flows)

    def edges(self, paths: Iterable[str]) -> list[Resolved]:
        """The files' graphs."""
        if self._plain is not None:
            self._rests = self._plain.take_rests()
        if self._world is None:
            self._world = World(self.program, flows=True)
        return [self._resolved(self._world, module) for path in paths if (module := self.program.module(path))]

    def _resolved(self, world: World, module: Module) -> Resolved:
        graph = file_graph(world, module)
        rests, self._rests = self._rests, {}
        for owner, names in world.take_rests().items():
            rests.setdefault(owner, set()).update(names)
        return Resolved(graph._replace(flows=self.program.newer.get(module.path, {})), rests)


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
