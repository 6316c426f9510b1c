"""The writer's side of the hub: the only code that writes the index. It runs on one thread.

It keeps the segments of open buffers, so that an edit costs what it touches.
"""

from __future__ import annotations

import gc
import hashlib
import pickle
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..analysis.facts import Item
from ..analysis.segments import SegmentedText
from ..analysis.source import encode
from ..analysis.text import Untouched
from ..errors import StoreLocked
from ..index.building import Builder, Built, unpacked
from ..index.drift import Seed
from ..index.keys import node_key
from ..index.kv import Changed, FileChange, NodeStateKV, Stamp
from ..index.lock import WriteLock
from ..index.resolver import Followed, Resolver
from ..index.rows import FileRows, LiveRows
from ..index.setup import TestSetup
from ..index.watched import WatchedRow
from ..models import UpdateSource
from ..regular import open_regular
from .driftrules import DriftRules
from .rules import (
    ChangeType,
    DeleteFileNodes,
    ExtractSignatures,
    RefreshDependants,
    RefreshTests,
    RestampFile,
    RulesEngine,
    UpdateAction,
)
from .worker import Outcome, Task, analyse


class Buffer(NamedTuple):
    """An open document as the writer needs it."""

    path: str
    absolute: str
    version: int


class DiskFile(NamedTuple):
    """A path that changed on disk; not included: it is not (any more) the project's."""

    path: str
    absolute: str
    included: bool


class _Live:
    """An open buffer's segments and rows.

    base: hash of the file when it was opened or saved; diverges: it is another one now.
    """

    def __init__(self, path: str, text: SegmentedText, base: str) -> None:
        self.text = text
        self.rows = LiveRows(path)
        self.base = base
        self.diverges = False
        self.hash = ""
        self.known = False  # whether the memory of docstrings has seen the file that it was opened from


class Recorder:
    """Turns texts and files into rows of the index at `database`. Raises StoreError, and StoreLocked where another
    process does so already."""

    def __init__(self, database: Path, max_file_size: int, drift: DriftRules | None = None) -> None:
        self._lock = WriteLock(database)
        if not self._lock.take():
            raise StoreLocked(f"another process writes the index {database}")
        try:
            self.kv = NodeStateKV(database, (drift or DriftRules()).docstrings(database))
        except BaseException:
            self._lock.release()
            raise
        self.max_file_size = max_file_size
        self._rules = RulesEngine()
        self._live: dict[str, _Live] = {}
        self._resolver: Resolver | None = None
        self._builder: Builder | None = None
        self._refused: Sequence[str] = ()  # files whose part of the graph came too late
        self._tests_of: set[str] = set()  # what changed in the graph since `refresh_tests`

    # ---- open buffers

    def edit(self, buffer: Buffer, lines: list[str], untouched: Untouched | None) -> tuple[Changed, bool]:
        """A buffer's lines now; what changed, and whether part of them does not parse."""
        live = self._live.get(buffer.path)
        if live is None:
            live = self._begin(buffer, SegmentedText(lines))
        else:
            live.text.update(lines, untouched)
        return self._write(buffer, live), live.text.broken

    def adopt(self, buffer: Buffer, lines: list[str], cut: bytes) -> tuple[Changed, bool]:
        """The same for lines that a worker cut up (`worker.cut_up`'s pickled answer)."""
        items, _ = _unpickle(cut)
        live = self._live.get(buffer.path) or self._begin(buffer, SegmentedText([]))
        live.text.replace(lines, items)
        return self._write(buffer, live), live.text.broken

    def settle(self, buffer: Buffer, lines: list[str], cut: bytes | None) -> Changed | None:
        """A worker parsed the buffer's lines as a whole: take that over if it mends what was broken.

        cut: the worker's answer; None where there is no worker and the lines have to be parsed here.
        """
        live = self._live.get(buffer.path)
        if live is None or live.text.lines != lines:
            return None
        if cut is None:
            return self._write(buffer, live) if live.text.settle() else None
        items, whole = _unpickle(cut)
        if not whole:
            return None
        live.text.replace(lines, items)
        return self._write(buffer, live)

    def close_buffer(self, path: str) -> None:
        """The path has no open buffer any more."""
        self._live.pop(path, None)

    def saved(self, buffer: Buffer) -> Changed:
        """The buffer was written to disk: stamp its rows with the file, where they are of the same bytes."""
        live = self._live.get(buffer.path)
        if live is None:
            return Changed(self.kv.revision, (), ())
        outcome = analyse(Task(buffer.path, buffer.absolute, live.hash), self.max_file_size)
        if outcome.rows is not None:
            # An edit came since, or the file has another encoding than UTF-8: its text came from this editor even so.
            live.base = outcome.rows.file_hash
            self._set_diverging(buffer.path, live, False)
            self._remember(outcome.rows)
        elif not outcome.gone:
            live.base, live.diverges = live.hash, False
            # Facts from before the text broke are not the file's: without a time stamp it is read again.
            mtime = 0 if live.text.broken else outcome.mtime_ns
            stamp = Stamp(outcome.size, mtime, outcome.scanned_ns, "buffer", buffer.version)
            self.kv.restamp([(buffer.path, stamp)])
            self._remember_live(buffer.path, live)
        return self.kv.judge_again([(buffer.path, live.rows.watched, live.rows.names)])

    def disk_under_buffer(self, buffer: Buffer) -> Changed:
        """The file of an open buffer changed on disk: note whether the two have come apart."""
        live = self._live.get(buffer.path)
        if live is None:
            return Changed(self.kv.revision, (), ())
        now = file_hash(buffer.absolute)
        if now == live.hash:
            live.base = now
            self._remember_live(buffer.path, live)
        self._set_diverging(buffer.path, live, now not in (live.base, live.hash))
        return self.kv.judge_again([(buffer.path, live.rows.watched, live.rows.names)])

    # ---- docstrings

    def acknowledge(self, file: DiskFile, qualname: str, undo: bool) -> Changed | None:
        """A docstring is accurate as it is (undo: that was said too soon); None where there is no such docstring, or
        nothing to undo."""
        rows, names = self._pairs(file)
        row = next((row for row in rows if row.qualname == qualname), None)
        if row is None or not self.kv.acknowledge(file.path, row, undo=undo):
            return None
        return self.kv.judge_again([(file.path, rows, names)])

    def watch_docstrings(self, drift: DriftRules) -> Changed:
        """Other settings for docstrings. Open buffers are judged at once; files have to be written anew."""
        self.kv.watch_docstrings(drift.docstrings(self.kv.path))
        return self.kv.judge_again([(path, live.rows.watched, live.rows.names) for path, live in self._live.items()])

    def seed(self, seeds: Iterable[tuple[DiskFile, Sequence[Seed]]]) -> Changed:
        """What history tells of docstrings, by file, in one revision."""
        again = []
        for file, of_file in seeds:
            rows, names = self._pairs(file)
            by_name = {row.qualname: row for row in rows}
            known = [seed for seed in of_file if seed.qualname in by_name]
            news = [self.kv.seed(file.path, seed, by_name[seed.qualname]) for seed in known]
            if any(news):
                again.append((file.path, rows, names))
        return self.kv.judge_again(again)

    def _pairs(self, file: DiskFile) -> tuple[Sequence[WatchedRow], Collection[str]]:
        """All pairs of signature and docstring in a file as it is now, and all that it defines."""
        live = self._live.get(file.path)
        if live is not None:
            return live.rows.watched, live.rows.names
        rows = analyse(Task(file.path, file.absolute, ""), self.max_file_size).rows
        return (rows.watched, rows.names) if rows is not None else ((), ())

    def _remember(self, rows: FileRows) -> None:
        """The file was saved like this."""
        self.kv.docstrings_saved(rows.path, rows.watched, rows.names, whole=rows.error is None)

    def _remember_live(self, path: str, live: _Live) -> None:
        """What is open was saved like this."""
        self.kv.docstrings_saved(path, live.rows.sound, live.rows.names, whole=not live.text.broken)

    def _remember_file(self, buffer: Buffer, live: _Live) -> None:
        """A file was opened: what it holds is what was saved, whatever the buffer holds."""
        live.known = True
        if live.hash == live.base:
            self._remember_live(buffer.path, live)
        elif (rows := analyse(Task(buffer.path, buffer.absolute, ""), self.max_file_size).rows) is not None:
            self._remember(rows)

    def _set_diverging(self, path: str, live: _Live, diverges: bool) -> None:
        live.diverges = diverges
        self.kv.set_diverging(path, diverges)

    # ---- files that are not open

    def disk(self, files: Sequence[DiskFile]) -> Changed:
        """Files that are not open, as they are on disk now, in one transaction."""
        known = self.kv.hashes([file.path for file in files])
        outcomes = []
        for file in files:
            old_hash = known.get(file.path, "")
            outcome = Outcome(file.path, 0, 0, 0, None, gone=True)
            if file.included:
                outcome = analyse(Task(file.path, file.absolute, old_hash), self.max_file_size)
            outcomes.append(outcome)
        return self.outcomes(outcomes, "file_change", known)

    def batches(self, pickled: Sequence[bytes], gone: Sequence[str]) -> Changed:
        """The same, analysed by workers (`worker.analyse_batch`'s pickled answers)."""
        outcomes = [Outcome(path, 0, 0, 0, None, gone=True) for path in gone]
        for answer in pickled:
            outcomes += pickle.loads(answer)
        return self.outcomes(outcomes, "file_change", self.kv.hashes([outcome.path for outcome in outcomes]))

    def outcomes(self, outcomes: Iterable[Outcome], source: UpdateSource, known: Mapping[str, str]) -> Changed:
        """Do what the rules say for files that were analysed, here or by a worker, in one transaction.

        known: hashes that the index has of them. Open buffers are left alone.
        """
        gone, same, new = [], [], []
        for outcome in outcomes:
            if outcome.path in self._live:
                continue
            for action in self._actions(outcome, known.get(outcome.path)):
                match action:
                    case DeleteFileNodes(path):
                        gone.append(path)
                    case RestampFile(path):
                        same.append((path, _stamp(outcome)))
                    case ExtractSignatures() if outcome.rows is not None and not self._fails_as_before(outcome):
                        # Its rows hold the imports' scan, too.
                        new.append((outcome.rows, _stamp(outcome)))
        if same:
            self.kv.restamp(same)
        changed = Changed(self.kv.revision, (), ())
        if gone:
            changed = self.kv.invalidate_files(gone)
        if new:
            written = self.kv.replace_files(new, source)
            changed = written._replace(deleted=changed.deleted + written.deleted, files=changed.files + written.files)
        return self._graph_follows(changed)

    def _fails_as_before(self, outcome: Outcome) -> bool:
        """Whether the file gives no facts, and the index says so already with the same reason."""
        rows = outcome.rows
        return rows is not None and not rows.file_hash and rows.error == self.kv.error_without_facts(outcome.path)

    def follow(self, changes: Iterable[FileChange]) -> Changed:
        """Refresh what rests on what changed."""
        actions = [action for change in changes for action in self._rules.get_dependency_actions(*change)]
        changed = self.kv.refresh_dependants(
            (action.file_path, action.names) for action in actions if isinstance(action, RefreshDependants)
        )
        for action in actions:
            if isinstance(action, RefreshTests):
                self._tests_of.update(node_key(action.file_path, name) for name in action.names)
        return changed

    def refresh_tests(self) -> Changed:
        """Refresh the related tests of what stands below all that changed since the last time."""
        changed, self._tests_of = self._tests_of, set()
        return self.kv.refresh_tests(changed)

    # ---- the call graph

    def resolve(self, most: int) -> Changed:
        """Work out what is left of the call graph, `most` files of it."""
        if self._resolver is None:
            self._resolver = Resolver(self.kv.connection)
        try:
            with self.kv.reported(), _no_collection():
                followed = self._resolver.follow(most, self._refused)
            return self._take(followed)
        except BaseException:
            self._resolver = None  # it knows what is not written
            raise

    def take_followed(self, pickled: bytes) -> tuple[Changed, Sequence[str]]:
        """The same, worked out by a worker; and the files for which that came too late."""
        with _no_collection():
            changed = self._take(pickle.loads(pickled))
        return changed, self._refused

    def _take(self, followed: Followed) -> Changed:
        changed, self._refused = self.kv.write_graph(*followed)
        self._tests_of.update(changed.changed)
        return changed

    def begin_graph(self) -> None:
        """Begin to work the whole graph out, here."""
        self._builder = Builder(self.kv.connection)

    def graph_flows(self, paths: Sequence[str]) -> None:
        """What files pass to parameters: all of them before the first edges."""
        assert self._builder is not None
        with _no_collection():
            self._builder.flows(paths)

    def graph_edges(self, paths: Sequence[str], hashes: Mapping[str, str]) -> None:
        """The graphs of files, which had these hashes."""
        assert self._builder is not None
        with _no_collection():
            self.kv.write_built(self.kv.unchanged(paths, hashes), self._builder.edges(paths))

    def graph_rests(self) -> bool:
        """Some of what they rest on; False when there is no more."""
        assert self._builder is not None
        rows = unpacked(self._builder.rests())
        self.kv.write_rests(rows)
        if not rows:
            self._builder = None  # it holds the whole program
        return bool(rows)

    def take_graph(self, pickled: bytes, hashes: Mapping[str, str]) -> None:
        """The graphs of files, worked out by a worker."""
        with _no_collection():
            found: list[Built] = pickle.loads(pickled)
            self.kv.write_built(self.kv.unchanged([one.path for one in found], hashes), found)

    def take_rests(self, pickled: bytes) -> bool:
        """The same for what they rest on."""
        rows = unpacked(pickle.loads(pickled))
        self.kv.write_rests(rows)
        return bool(rows)

    def _actions(self, outcome: Outcome, old_hash: str | None) -> list[UpdateAction]:
        kind: ChangeType = "deleted" if outcome.gone else "added" if old_hash is None else "modified"
        new_hash = outcome.rows.file_hash if outcome.rows is not None else old_hash
        return self._rules.get_update_actions(
            kind, outcome.path, {} if old_hash is None else {outcome.path: old_hash}, new_hash or None
        )

    def batch(self, pickled: bytes, skip: frozenset[str], anew: bool = False) -> Changed:
        """A cold start's batch (`worker.analyse_batch`'s pickled answer). anew: written whatever the index has."""
        with _no_collection():
            outcomes: list[Outcome] = pickle.loads(pickled)
            return self._cold([outcome for outcome in outcomes if outcome.path not in skip], anew)

    def analyse(self, tasks: Sequence[Task], skip: frozenset[str], anew: bool = False) -> Changed:
        """The same without a worker."""
        found = [analyse(task, self.max_file_size) for task in tasks if task.path not in skip]
        return self._cold(found, anew)

    def forget(self, paths: Sequence[str]) -> Changed:
        """Files that are the project's no more."""
        return self.kv.invalidate_files(path for path in paths if path not in self._live)

    def note_tests(self, setup: TestSetup) -> None:
        """How the project's tests are found."""
        self.kv.note_tests(setup)

    def close(self) -> None:
        """Close the database."""
        self.kv.close()
        self._lock.release()

    def _cold(self, outcomes: Sequence[Outcome], anew: bool) -> Changed:
        known = {} if anew else self.kv.hashes([outcome.path for outcome in outcomes])
        return self.outcomes(outcomes, "manual" if anew else "cold_start", known)

    def _begin(self, buffer: Buffer, text: SegmentedText) -> _Live:
        live = self._live[buffer.path] = _Live(buffer.path, text, file_hash(buffer.absolute))
        return live

    def _write(self, buffer: Buffer, live: _Live) -> Changed:
        try:
            return self._write_live(buffer, live)
        except BaseException:
            # What it knows is ahead of the index now: the next change is written as a whole.
            self._live.pop(buffer.path, None)
            raise

    def _write_live(self, buffer: Buffer, live: _Live) -> Changed:
        data = encode("".join(live.text.lines))
        live.hash = hashlib.sha256(data).hexdigest()
        rows = live.rows.update(live.text.facts(live.hash))
        if live.diverges and live.hash == file_hash(buffer.absolute):
            live.base, live.diverges, live.known = live.hash, False, False
        if not live.known:
            self._remember_file(buffer, live)
        stamp = Stamp(len(data), 0, time.time_ns(), "buffer", buffer.version, live.diverges)
        return self._graph_follows(self.kv.replace_file(rows, stamp, "buffer_change"))

    def _graph_follows(self, changed: Changed) -> Changed:
        """The graph follows once the typing rests, or somebody asks."""
        return changed._replace(follows=self.kv.graph_ready and self.kv.is_unresolved)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the garbage collector, which would walk many new rows that are no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def file_hash(absolute: str) -> str:
    """SHA-256 (hex) of a file's bytes; empty where it cannot be read."""
    try:
        with open_regular(absolute) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def _unpickle(cut: bytes) -> tuple[list[Item], bool]:
    found: tuple[list[Item], bool] = pickle.loads(cut)
    return found


def _stamp(outcome: Outcome) -> Stamp:
    return Stamp(outcome.size, outcome.mtime_ns, outcome.scanned_ns)
