"""The call graph of all files at once: what they have in common is found out once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..analysis.edges import Draft, draft, finished
from ..analysis.resolver import World
from .resolving import IndexedProgram, Resolved, Rests


class Builder:
    """Works out the graphs of all files: `flows` of all of them, then their `edges`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._program = IndexedProgram(db)
        self._world = World(self._program, flows=False)
        self._drafts: dict[str, Draft] = {}
        self._rests: dict[str, Rests] = {}  # by the file that does
        self._given: set[str] = set()

    def flows(self, paths: Iterable[str]) -> None:
        """What the files' calls pass to parameters, and their graphs as far as they are known without that."""
        for path in paths:
            module = self._program.module(path)
            if module is not None:
                made = self._drafts[path] = draft(self._world, module)
                self._program.give_flows(path, made.graph.flows)

    def edges(self, paths: Iterable[str]) -> list[Resolved]:
        """The files' graphs."""
        if not self._world.flows:
            self._world.know_passed()
        return [self._resolved(self._drafts.pop(path)) for path in paths if path in self._drafts]

    def _resolved(self, made: Draft) -> Resolved:
        graph = finished(self._world, made)
        self._sort_rests()
        rests = self._rests.pop(graph.path, {})
        self._given.add(graph.path)
        for path in self._given & self._rests.keys():  # found out of files that have been given already
            rests |= self._rests.pop(path)
        return Resolved(graph, rests)

    def _sort_rests(self) -> None:
        """What rests on what goes with the file that does."""
        found, self._world.rests = self._world.rests, {}
        for owner, names in found.items():
            known = self._rests.setdefault(owner[0], {}).setdefault(owner, names)
            known |= names
