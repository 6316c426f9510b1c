"""The call graph as it is worked out: summaries from the index -> edges, flows and what they rest on, to be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import orjson

from ..analysis.edges import FileGraph, Flows, decode, file_graph
from ..analysis.modules import Modules
from ..analysis.program import Module, Scope
from ..analysis.resolver import World

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
# Modules that stay in memory between two changes.
MOST_MODULES = 200


class Resolved(NamedTuple):
    """What one file adds to the graph.

    rests: (path, name) of what that rests on, by file and name ("": its edges) of what does.
    """

    graph: FileGraph
    rests: dict[tuple[str, str], set[tuple[str, str]]]


class IndexedProgram:
    """The program as the index has it (an analysis.resolver.Program): modules are read when they are asked for."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = dict(db.execute("SELECT path, id FROM files WHERE file_hash != ''").fetchall())
        self._modules: dict[str, Module | None] = {}
        self._flows: dict[str, list[dict[str, dict[str, list[Any]]]]] = {}
        self.newer: dict[str, Flows] = {}  # flows that are not written yet, by the file that passes
        self.names = Modules(self._ids)

    def forget(self, path: str) -> None:
        """The file changed."""
        self._modules.pop(path, None)
        found = self._db.execute("SELECT id FROM files WHERE path = ? AND file_hash != ''", (path,)).fetchone()
        if found is None:
            if self._ids.pop(path, None) is not None:
                self.names.remove(path)
        elif self._ids.get(path) != found[0]:
            self._ids[path] = found[0]
            self.names.add(path)
            self._modules.clear()  # packages may be others now

    def shrink(self) -> None:
        """Let go of what is kept, if it is much. Scopes from before are of no use afterwards."""
        self._flows.clear()
        if len(self._modules) > MOST_MODULES:
            self._modules.clear()

    def module(self, path: str) -> Module | None:
        """The module of a file."""
        if path not in self._modules:
            self._modules[path] = self._read(path)
        return self._modules[path]

    def _read(self, path: str) -> Module | None:
        number = self._ids.get(path)
        if number is None:
            return None
        row = self._db.execute("SELECT starts FROM files WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        low, high = number << FILE_SHIFT, ((number + 1) << FILE_SHIFT) - 1
        sql = "SELECT id >> 16 & 16777215, data FROM summaries WHERE id BETWEEN ? AND ?"
        summaries = dict(self._db.execute(sql, (low, high)).fetchall())
        segments = [(segment, orjson.loads(summaries[segment])) for segment in orjson.loads(row[0])[::2]
                    if segment in summaries]  # fmt: skip
        return Module(path, self.names.package(path), segments)

    def find(self, dotted: str, importer: str) -> str | None:
        """The file of a module."""
        return self.names.find(dotted, importer)

    def passed(self, function: Scope, number: int) -> Iterable[Any]:
        """What callers pass for a parameter."""
        path, unique = function.module.path, function.unique
        for flows in self._flows_to(path):
            for code in flows.get(unique, {}).get(str(number), ()):
                value = decode(code, self.module)
                if value is not None:
                    yield value

    def _flows_to(self, path: str) -> list[dict[str, dict[str, list[Any]]]]:
        if path not in self._flows:
            sql = "SELECT file, data FROM flows WHERE target = ?"
            rows = self._db.execute(sql, (self._ids.get(path, -1),)).fetchall()
            newer = {self._ids.get(one): flows for one, flows in self.newer.items()}
            found = [orjson.loads(data) for number, data in rows if number not in newer]
            for flows in self.newer.values():
                if path in flows:
                    found.append({unique: {str(n): codes for n, codes in numbers.items()}
                                  for unique, numbers in flows[path].items()})  # fmt: skip
            self._flows[path] = found
        return self._flows[path]

    def give_flows(self, path: str, flows: Flows) -> None:
        """What a file passes, before it is written."""
        for target in {*self.newer.get(path, ()), *flows}:
            self._flows.pop(target, None)
        self.newer[path] = flows


class Resolver:
    """Works files' graphs out, several at once."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.program = IndexedProgram(db)
        self.plain = World(self.program, flows=False)

    def changed(self, paths: Collection[str]) -> None:
        """These files are others now."""
        for path in paths:
            self.program.forget(path)
        self.program.shrink()
        self.program.newer.clear()
        self.plain = World(self.program, flows=False)

    def flows(self, paths: Iterable[str]) -> None:
        """What the files' calls pass to parameters: before any edges are asked for."""
        for path in paths:
            module = self.program.module(path)
            if module is not None:
                self.program.give_flows(path, file_graph(self.plain, module).flows)
        self.world = World(self.program, flows=True)

    def edges(self, paths: Iterable[str]) -> list[Resolved]:
        """The files' graphs."""
        out = []
        for path in paths:
            module = self.program.module(path)
            if module is None:
                continue
            graph = file_graph(self.world, module)
            rests: dict[tuple[str, str], set[tuple[str, str]]] = {}
            for world in (self.plain, self.world):
                for owner, names in world.rests.items():
                    rests.setdefault(owner, set()).update(names)
                world.rests = {}
            out.append(Resolved(graph._replace(flows=self.program.newer.get(path, {})), rests))
        return out
