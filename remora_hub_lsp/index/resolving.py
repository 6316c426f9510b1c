"""The call graph as it is worked out: summaries from the index -> edges, flows and what they rest on, to be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from ..analysis.collected import Flows
from ..analysis.edges import FileGraph
from ..analysis.encoding import decoded
from ..analysis.modules import Modules
from ..analysis.program import Module, Rest, Scope
from ..analysis.values import Values

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
# Modules that stay in memory between two changes.
MOST_MODULES = 6000


# (path, name) of what something rests on, by file and name of what does; "": the edges of the file's code.
Rests = dict[Rest, set[Rest]]

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
        self._paths: dict[int, str] = {}
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
        row = self._row(self._ids[path]) if module is not None else None
        if module is None or row is None or self._hashes[path] == row[0]:
            return False
        self._hashes[path] = row[0]
        module.read(self._segments(self._ids[path], row[1]))
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

    def path_of(self, file: int) -> str | None:
        """The path of the file with that number."""
        if not self._paths:
            self._paths = {number: path for path, number in self._ids.items()}
        return self._paths.get(file)

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
        row = self._row(number)
        if row is None:  # it went while the whole graph is worked out
            return None
        self._hashes[path] = row[0]
        return Module(path, self.names.package(path), self._segments(number, row[1]))

    def _row(self, number: int) -> tuple[str, bytes] | None:
        """A file's hash, and where its segments start."""
        sql = "SELECT file_hash, starts FROM files WHERE id = ?"
        found: tuple[str, bytes] | None = self._db.execute(sql, (number,)).fetchone()
        return found

    def _segments(self, number: int, starts: bytes) -> Iterable[tuple[int, list[Any]]]:
        """A file's summaries in source order."""
        summaries = self._summaries(number)
        present = [segment for segment in orjson.loads(starts)[::2] if segment in summaries]
        read = orjson.loads(b"[%b]" % b",".join([summaries[segment] for segment in present]))
        return zip(present, read, strict=True)

    def data(self, path: str) -> dict[int, bytes]:
        """The summary of each segment of a file."""
        return self._summaries(self._ids[path])

    def _summaries(self, number: int) -> dict[int, bytes]:
        low = number << FILE_SHIFT
        sql = "SELECT id >> 16 & 16777215, data FROM summaries WHERE id BETWEEN ? AND ?"
        return dict(self._db.execute(sql, (low, low | (1 << FILE_SHIFT) - 1)).fetchall())

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

    def passed_anew(self, path: str, flows: Flows) -> set[Rest]:
        """Functions to which a file passes other things (`flows`) than is written, as names that one can rest on."""
        sql = "SELECT path, data FROM flows JOIN files ON files.id = target WHERE file = ?"
        was = {target: orjson.loads(data) for target, data in self._db.execute(sql, (self._ids.get(path, -1),))}
        now = orjson.loads(orjson.dumps(flows))
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

    def reread_flows(self) -> None:
        """What was read of what is passed may be others' now."""
        self._flows.clear()

    def forget_flows(self) -> None:
        """What was given is written."""
        self.newer.clear()
        self._given.clear()
        self._newer_to.clear()
        self._flows.clear()
