"""The call graph of all files at once: what they have in common is found out once, and written without comparing."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from ..analysis.edges import Draft, FileGraph, draft, finished
from ..analysis.resolver.world import World
from .edges import called_by, forget_file
from .resolving import FILE_SHIFT, SEGMENT_SHIFT, IndexedProgram
from .rests import rest_rows

# What rests on what is written so many rows at once.
RESTS_AT_ONCE = 20_000


class Built(NamedTuple):
    """A file's part of the graph as rows.

    edges: (place of the caller in the file, its unique name, JSON); called: (target, place of the caller, flags);
    hierarchy: (base, class, place); flows: (path, JSON).
    """

    path: str
    edges: list[tuple[int, str, bytes]]
    called: list[tuple[int, int, int]]
    hierarchy: list[tuple[str, str, int]]
    flows: list[tuple[str, bytes]]


class Builder:
    """Works out the graphs of all files: `flows` of all of them, then their `edges`, then what they rest on."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._program = IndexedProgram(db)
        self._world = World(self._program, flows=False, forgets=False)
        self._drafts: dict[str, Draft] = {}
        self._rests: list[tuple[int, int, int]] | None = None

    def flows(self, paths: Iterable[str]) -> None:
        """What the files' calls pass to parameters, and their graphs as far as they are known without that."""
        for path in paths:
            module = self._program.module(path)
            if module is not None:
                made = self._drafts[path] = draft(self._world, module)
                self._program.give_flows(path, made.graph.flows)

    def edges(self, paths: Iterable[str]) -> list[Built]:
        """The files' graphs."""
        if not self._world.flows:
            self._world.know_passed()
        return [_built(finished(self._world, self._drafts.pop(path))) for path in paths if path in self._drafts]

    def rests(self) -> bytes:
        """Some of the rows of `rests`, as 64-bit numbers; empty when there are no more."""
        if self._rests is None:
            self._rests = self._sorted_rests()
        rows, self._rests = self._rests[-RESTS_AT_ONCE:], self._rests[:-RESTS_AT_ONCE]
        return array("q", [number for row in rows for number in row]).tobytes()

    def _sorted_rests(self) -> list[tuple[int, int, int]]:
        """In the order of the table's key, which is quicker to write."""
        ids = dict(self._db.execute("SELECT path, id FROM files").fetchall())
        rows = []
        for owner, found in self._world.rests.take().items():
            file = ids.get(owner[0])
            if file is not None:
                rows += rest_rows(owner, found, file)
        rows.sort(reverse=True)
        return rows


def _built(graph: FileGraph) -> Built:
    edges, called = [], []
    for segment, slot, owner, rows in graph.callers:
        place = segment << SEGMENT_SHIFT | slot
        edges.append((place, owner, orjson.dumps(rows)))
        called += called_by(place, rows)
    hierarchy = [(base, name, place) for name, bases in graph.bases.items() for place, base in enumerate(bases)]
    flows = [(path, orjson.dumps(functions, option=orjson.OPT_SORT_KEYS)) for path, functions in graph.flows.items()]
    return Built(graph.path, edges, called, hierarchy, flows)


def write_built(db: sqlite3.Connection, built: Mapping[int, Built]) -> None:
    """Write files' graphs, by file. Of none of them anything is told yet."""
    for file in built:
        forget_file(db, file)  # of a build that did not come to its end
    bases = [(file << FILE_SHIFT, one) for file, one in built.items()]
    edges = [(base | place, owner, data) for base, one in bases for place, owner, data in one.edges]
    db.executemany("INSERT INTO edges VALUES (?, ?, ?)", edges)
    called = [(target, base | place, flags) for base, one in bases for target, place, flags in one.called]
    called.sort()
    db.executemany("INSERT OR REPLACE INTO called VALUES (?, ?, ?)", called)
    hierarchy = [(base, file, name, place) for file, one in built.items() for base, name, place in one.hierarchy]
    db.executemany("INSERT OR REPLACE INTO hierarchy VALUES (?, ?, ?, ?)", hierarchy)
    paths = orjson.dumps(list({path for one in built.values() for path, _ in one.flows})).decode()
    sql = "SELECT path, id FROM files WHERE path IN (SELECT value FROM json_each(?))"
    ids = dict(db.execute(sql, (paths,)).fetchall())
    flows = [(ids[path], file, data) for file, one in built.items() for path, data in one.flows if path in ids]
    db.executemany("INSERT OR REPLACE INTO flows VALUES (?, ?, ?)", flows)


def unpacked(numbers: bytes) -> Sequence[tuple[int, int, int]]:
    """The rows that `Builder.rests` gave."""
    flat = array("q")
    flat.frombytes(numbers)
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
