"""The writer's side of the hub: the only code that writes the index. It runs on one thread.

It keeps the segments of open buffers, so that an edit costs what it touches.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..analysis.facts import Item
from ..analysis.segments import SegmentedText
from ..analysis.text import Untouched
from ..index.kv import Changed, NodeStateKV, Stamp
from ..index.rows import LiveRows
from ..models import UpdateSource
from .rules import ChangeType, DeleteFileNodes, RulesEngine
from .worker import Outcome, Task, analyse


class _Live:
    """An open buffer's segments and rows."""

    def __init__(self, path: str, text: SegmentedText) -> None:
        self.text = text
        self.rows = LiveRows(path)


class Recorder:
    """Turns texts and files into rows of the index at `database`."""

    def __init__(self, database: Path, max_file_size: int) -> None:
        self.kv = NodeStateKV(database)
        self._max_file_size = max_file_size
        self._rules = RulesEngine()
        self._live: dict[str, _Live] = {}

    def edit(self, path: str, lines: list[str], untouched: Untouched | None, version: int) -> tuple[Changed, bool]:
        """A buffer's lines now; what changed, and whether part of them does not parse."""
        live = self._live.get(path)
        if live is None:
            live = self._live[path] = _Live(path, SegmentedText(lines))
        else:
            live.text.update(lines, untouched)
        return self._write(path, live, version), live.text.broken

    def adopt(self, path: str, lines: list[str], cut: bytes, version: int) -> tuple[Changed, bool]:
        """The same for lines that a worker cut up (`worker.cut_up`'s pickled answer)."""
        items, _ = _unpickle(cut)
        live = self._live.get(path)
        if live is None:
            live = self._live[path] = _Live(path, SegmentedText([]))
        live.text.replace(lines, items)
        return self._write(path, live, version), live.text.broken

    def settle(self, path: str, lines: list[str], cut: bytes, version: int) -> Changed | None:
        """A worker parsed the buffer's lines as a whole: take that over if it mends what was broken."""
        live = self._live.get(path)
        if live is None or live.text.lines != lines:
            return None
        items, whole = _unpickle(cut)
        if not whole:
            return None
        live.text.replace(lines, items)
        return self._write(path, live, version)

    def close_buffer(self, path: str) -> None:
        """The path has no open buffer any more."""
        self._live.pop(path, None)

    def saved(self, path: str, absolute: str, version: int | None) -> None:
        """The buffer was written to disk: stamp its rows with the file, where they are of the same bytes."""
        known = self.kv.get_file_index(path)
        if known is None:
            return
        outcome = analyse(Task(path, absolute, known.file_hash), self._max_file_size)
        if outcome.rows is None and not outcome.gone:
            stamp = Stamp(outcome.size, outcome.mtime_ns, outcome.scanned_ns, known.origin, version)
            self.kv.restamp([(path, stamp)])

    def disk(self, path: str, absolute: str, included: bool) -> Changed | None:
        """A file that is not open: what it holds on disk now."""
        known = self.kv.get_file_index(path)
        old_hash = known.file_hash if known else ""
        outcome = analyse(Task(path, absolute, old_hash), self._max_file_size)
        change: ChangeType = "deleted" if outcome.gone or not included else "modified" if known else "added"
        new_hash = outcome.rows.file_hash if outcome.rows else old_hash
        actions = self._rules.get_update_actions(change, path, {path: old_hash} if known else {}, new_hash)
        if any(isinstance(action, DeleteFileNodes) for action in actions):
            return self.kv.invalidate_file(path)
        if change == "deleted":
            return None
        return self.outcomes([outcome], "file_change")

    def outcomes(self, outcomes: Iterable[Outcome], source: UpdateSource) -> Changed:
        """Files that were analysed, here or by a worker, in one transaction. Open buffers are left alone."""
        closed = [outcome for outcome in outcomes if outcome.path not in self._live]
        gone = [outcome.path for outcome in closed if outcome.gone]
        same = [outcome for outcome in closed if outcome.rows is None and not outcome.gone]
        new = [(outcome.rows, _stamp(outcome)) for outcome in closed if outcome.rows is not None]
        if same:
            self.kv.restamp((outcome.path, _stamp(outcome)) for outcome in same)
        changed = Changed(self.kv.revision, (), ())
        if gone:
            changed = self.kv.invalidate_files(gone)
        if new:
            written = self.kv.replace_files(new, source)
            changed = Changed(written.revision, written.changed, changed.deleted + written.deleted)
        return changed

    def batch(self, pickled: bytes, skip: frozenset[str]) -> int:
        """A cold start's batch (`worker.analyse_batch`'s pickled answer); gives the revision."""
        outcomes: list[Outcome] = pickle.loads(pickled)
        return self.outcomes([outcome for outcome in outcomes if outcome.path not in skip], "cold_start").revision

    def analyse(self, tasks: Sequence[Task], skip: frozenset[str]) -> int:
        """The same without a worker."""
        found = [analyse(task, self._max_file_size) for task in tasks if task.path not in skip]
        return self.outcomes(found, "cold_start").revision

    def forget(self, paths: Sequence[str]) -> int:
        """Files that are the project's no more."""
        return self.kv.invalidate_files(path for path in paths if path not in self._live).revision

    def close(self) -> None:
        """Close the database."""
        self.kv.close()

    def _write(self, path: str, live: _Live, version: int) -> Changed:
        facts = live.text.facts()
        rows = live.rows.update(facts)
        size = sum(map(len, live.text.lines))
        stamp = Stamp(size, 0, time.time_ns(), "buffer", version)
        return self.kv.replace_file(rows, stamp, "buffer_change")


def _unpickle(cut: bytes) -> tuple[list[Item], bool]:
    found: tuple[list[Item], bool] = pickle.loads(cut)
    return found


def _stamp(outcome: Outcome) -> Stamp:
    return Stamp(outcome.size, outcome.mtime_ns, outcome.scanned_ns)
