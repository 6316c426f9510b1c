"""The call graph as it is worked out: summaries from the index -> edges, flows and what they rest on, to be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from ..analysis.edges import FileGraph, Flows, decoded, file_graph
from ..analysis.meaning import meaning
from ..analysis.modules import Modules
from ..analysis.program import Module, Scope
from ..analysis.resolver import World
from ..analysis.values import Values

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
# A name that stands for all of a file's.
ANY_NAME = "*"
# Modules that stay in memory between two changes.
MOST_MODULES = 200


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


class IndexedProgram:
    """The program as the index has it (an analysis.resolver.Program): modules are read when they are asked for."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = dict(db.execute("SELECT path, id FROM files WHERE file_hash != ''").fetchall())
        self._modules: dict[str, Module | None] = {}
        self._flows: dict[str, Given] = {}
        self._newer_to: dict[str, set[str]] = {}
        self.newer: dict[str, Flows] = {}  # flows that are not written yet, by the file that passes
        self._given: set[int | None] = set()  # the numbers of those files
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
        if len(self._modules) > MOST_MODULES:
            self._modules.clear()

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
        row = self._db.execute("SELECT starts FROM files WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        low, high = number << FILE_SHIFT, ((number + 1) << FILE_SHIFT) - 1
        sql = "SELECT id >> 16 & 16777215, data FROM summaries WHERE id BETWEEN ? AND ?"
        summaries = dict(self._db.execute(sql, (low, high)).fetchall())
        present = [segment for segment in orjson.loads(row[0])[::2] if segment in summaries]
        read = orjson.loads(b"[%b]" % b",".join([summaries[segment] for segment in present]))
        segments = zip(present, read, strict=True)
        return Module(path, self.names.package(path), segments)

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


class Resolver:
    """Works files' graphs out, several at once: `flows` of all of them, then their `edges`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.program = IndexedProgram(db)
        self._plain: World | None = None  # in which nothing is known of what callers pass
        self._world: World | None = None
        self._rests: Rests = {}

    def work(self, asked: Mapping[str, Collection[str]]) -> tuple[list[Resolved], dict[str, set[str]]]:
        """The graphs of files that are others now, of which these names may mean something else; and those that do."""
        before = self._meanings(asked) if self._world is not None else {}
        self.changed(asked)
        self.flows(asked)
        found = self.edges(asked)
        after = self._meanings(asked)
        if found and self._world is not None:  # what that rests on, too
            for owner, rested in self._world.rests.items():
                found[-1].rests.setdefault(owner, set()).update(rested)
            self._world.rests = {}
        unlike = {(path, name) for path, names in asked.items() for name in names}
        unlike -= {key for key in after if key in before and before[key] == after[key]}
        return found, {path: {name for where, name in unlike if where == path} for path in asked}

    def _meanings(self, asked: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
        """What names mean in the world as it was last, as far as that is known."""
        world = self._world
        out: dict[tuple[str, str], str] = {}
        if world is None:
            return out
        for path, names in asked.items():
            module = self.program.known(path)
            if module is None or ANY_NAME in names:
                continue
            world.begin(path)
            for name in names:
                if name[0] != "(":  # what is passed to a function
                    out[path, name] = meaning(world, module, name)
        return out

    def changed(self, paths: Iterable[str]) -> None:
        """These files are others now."""
        for path in paths:
            self.program.forget(path)
        self.program.shrink()
        self.program.forget_flows()
        self._plain = self._world = None
        self._rests = {}

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
            self._rests, self._plain = self._plain.rests, None
        if self._world is None:
            self._world = World(self.program, flows=True)
        return [self._resolved(self._world, module) for path in paths if (module := self.program.module(path))]

    def _resolved(self, world: World, module: Module) -> Resolved:
        graph = file_graph(world, module)
        rests, self._rests = self._rests, {}
        for owner, names in world.rests.items():
            rests.setdefault(owner, set()).update(names)
        world.rests = {}
        return Resolved(graph._replace(flows=self.program.newer.get(module.path, {})), rests)
