"""The index as if all files were analysed now: the rows on disk where they still tell the truth, else rows in memory.

Each question about a file looks at that file first. Nothing is written but memory.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..config import Config
from ..hub.compare import unchanged
from ..hub.driftrules import DriftRules
from ..hub.paths import Paths
from ..hub.tree import SourceTree
from ..hub.worker import Task, analyse
from ..index.kv import MEMORY, NodeStateKV, Stamp
from ..index.schema import peek
from ..index.view import IndexView, Json, reading


class Layered(IndexView):
    """Two indexes as one. `disk` is None where there is no index that this version can read."""

    def __init__(self, paths: Paths, config: Config, database: Path, disk: IndexView | None) -> None:
        self.revision = disk.revision if disk else 0
        self.tree = SourceTree(paths.root, config)
        self._paths = paths
        self._most = config.max_file_size
        self._disk = disk
        self._fresh = NodeStateKV(MEMORY, DriftRules.of(config).docstrings(database, read_only=True))
        self._true: dict[str, bool] = {}
        """Whether the rows on disk are true, of each file that was looked at."""
        self._unchanged: dict[str, bool] = {}

    def close(self) -> None:
        self._fresh.close()

    def look_at(self, path: str) -> None:
        """Analyse the file if its rows on disk are not true."""
        if path not in self._true:
            self._true[path] = self._disk is not None and self._is_true(path)
            if not self._true[path] and self.tree.includes(path):
                self._analyse(path)

    def is_known(self, path: str) -> bool:
        """Whether the file needs no analysis any more."""
        return path in self._true or (self._disk is not None and self._is_true(path))

    @property
    def joins_tests(self) -> bool:
        """As IndexView has it."""
        return self._disk is not None and self._disk.joins_tests

    @joins_tests.setter
    def joins_tests(self, wanted: bool) -> None:
        if self._disk is not None:
            self._disk.joins_tests = wanted

    # -- what a view answers -------------------------------------------------------------------------------

    def nodes(self, names: Iterable[tuple[str, str]], *, joined: bool = True) -> dict[tuple[str, str], Json]:
        fresh: list[tuple[str, str]] = []
        true: list[tuple[str, str]] = []
        for name in names:
            (true if self._is_of_disk(name[0]) else fresh).append(name)
        with self._fresh.view() as view:
            found = view.nodes(fresh, joined=joined)
        return found | self._disk.nodes(true, joined=joined) if self._disk else found

    def nodes_of(self, path: str, *, joined: bool = True) -> list[Json]:
        with self._of(path) as view:
            return view.nodes_of(path, joined=joined)

    def node_at(self, path: str, line: int, character: int) -> Json | None:
        with self._of(path) as view:
            return view.node_at(path, line, character)

    def file(self, path: str) -> Json | None:
        with self._of(path) as view:
            return view.file(path)

    def qualnames(self, path: str) -> list[str]:
        with self._of(path) as view:
            return view.qualnames(path)

    def bindings(self, path: str) -> list[tuple[str, str]]:
        with self._of(path) as view:
            return view.bindings(path)

    def has(self, path: str, qualname: str) -> bool:
        with self._of(path) as view:
            return view.has(path, qualname)

    def paths(self, suffix: str) -> list[str]:
        """Those of the index, of what was analysed, and one that lies where the suffix says."""
        found = set(self._disk.paths(suffix)) if self._disk else set()
        with self._fresh.view() as view:
            found |= set(view.paths(suffix))
        found |= {path for path in (suffix, f"src/{suffix}") if os.path.isfile(self._paths.absolute(path))}
        return sorted((path for path in found if self.file(path) is not None), key=lambda path: (len(path), path))

    def symbols(self, where: str, parameters: tuple[Any, ...], limit: int) -> list[tuple[int, str, str]]:
        """Numbers below zero are those of the index in memory."""
        found = []
        if self._disk is not None:
            found = [entry for entry in self._disk.symbols(where, parameters, limit) if self._is_current(entry[0])]
        with self._fresh.view() as view:
            return found + [(-number, name, kind) for number, name, kind in view.symbols(where, parameters, limit)]

    def by_ids(self, node_ids: Iterable[int]) -> dict[int, Json]:
        numbers = list(node_ids)
        with self._fresh.view() as view:
            found = {-number: state for number, state in view.by_ids(-n for n in numbers if n < 0).items()}
        return found | self._disk.by_ids(n for n in numbers if n >= 0) if self._disk else found

    # -- inside --------------------------------------------------------------------------------------------

    @contextmanager
    def _of(self, path: str) -> Iterator[IndexView]:
        """The index that tells the truth about the file."""
        if self._is_of_disk(path) and self._disk is not None:
            yield self._disk
        else:
            with self._fresh.view() as view:
                yield view

    def _is_of_disk(self, path: str) -> bool:
        """Whether the index on disk tells the truth about the file."""
        self.look_at(path)
        return self._true[path] and self._disk is not None

    def _is_true(self, path: str) -> bool:
        assert self._disk is not None
        known = self._disk.stamps([path]).get(path)
        if known is None:
            return False
        try:
            found = os.stat(self._paths.absolute(path))
        except OSError:
            return False
        return unchanged(known, found.st_mtime_ns, found.st_size)

    def _is_current(self, node_id: int) -> bool:
        state = self._disk.by_id(node_id) if self._disk else None
        if state is None:
            return False
        path = state["file_path"]
        if path not in self._unchanged:
            self._unchanged[path] = self._true[path] if path in self._true else self._is_true(path)
        return self._unchanged[path]

    def _analyse(self, path: str) -> None:
        file = self._disk.file(path) if self._disk else None
        known = file["file_hash"] if file and file["origin"] == "disk" else ""
        outcome = analyse(Task(path, self._paths.absolute(path), known), self._most)
        if outcome.rows is not None:
            stamp = Stamp(outcome.size, outcome.mtime_ns, outcome.scanned_ns)
            self._fresh.replace_files([(outcome.rows, stamp)], "manual")
        elif not outcome.gone:
            self._true[path] = True  # touched, and the same


@contextmanager
def opened(paths: Paths, config: Config, database: Path) -> Iterator[Layered]:
    """The view for one question. Raises StoreError."""
    with peek(database) as connection, contextlib.ExitStack() as stack:
        view = Layered(paths, config, database, stack.enter_context(reading(connection)) if connection else None)
        stack.callback(view.close)
        yield view
