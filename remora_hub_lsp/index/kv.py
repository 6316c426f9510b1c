"""NodeStateKV: the index in SQLite. One thread at a time writes; readers have connections of their own.

A file's change is one transaction: its old rows go, its new ones come, the revision rises by one. A node whose
facts stay the same keeps the revision and the time at which they last changed.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ..analysis.pairs import Watched
from ..analysis.resolver.rests import ANY_NAME
from ..errors import KeyFormatError, StoreDamaged, StoreError
from ..models import FileIndex, NodeState, UpdateSource
from . import drift
from .building import Built, write_built
from .differences import names_that_differ
from .drift import Docstrings
from .edges import flows_of, forget_file, is_unresolved, note_unresolved, settle, write_graph
from .keys import node_key, split_key
from .named import row_ids
from .resolving import Resolved, Unresolved
from .rests import write_rests
from .rows import ABSOLUTE, FACT_FIELDS, FileRows, module_of
from .schema import ANALYSIS, failure, open_reader, open_writer, set_aside
from .setup import META, TestSetup
from .told import outdated_tests
from .view import FILE_SHIFT, SEGMENT_SHIFT, IndexView, reading
from .watched import WatchedRow, watched_row

# The path of an index in memory, which ends with its connection.
MEMORY = Path(":memory:")

_SIGNATURE, _IMPORTS = FACT_FIELDS.index("signature"), FACT_FIELDS.index("imports")
# A buffer that does not parse keeps facts of older text: they are not those of a file with the same bytes.
_HASH = "CASE WHEN origin = 'buffer' AND error IS NOT NULL THEN '' ELSE file_hash END"

# How many keys that are gone changesSince can tell of.
_BURIED = 100_000

log = logging.getLogger(__name__)


class Stamp(NamedTuple):
    """Where a file's rows come from. mtime_ns is 0 for a buffer; scanned_ns: when its bytes were read."""

    size: int
    mtime_ns: int
    scanned_ns: int
    origin: str = "disk"
    version: int | None = None
    diverges: bool = False  # the disk changed while a buffer is open


class FileChange(NamedTuple):
    """What a write changed that other files may rest on: see RulesEngine.get_dependency_actions."""

    path: str
    signatures: tuple[str, ...]
    imports_changed: bool
    changed: tuple[str, ...]


class Changed(NamedTuple):
    """What a write did: the revision it made, keys whose facts changed, keys that are gone."""

    revision: int
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    files: tuple[FileChange, ...] = ()
    follows: bool = False  # the call graph of other files has to be worked out, too


class NodeStateKV:
    """The index's database at `path` (created if absent). Raises StoreError.

    warning: what happened to an old database that could not be used, else None.
    """

    def __init__(self, path: Path, docstrings: Docstrings | None = None) -> None:
        """docstrings: how they are watched; by default as the settings have it, with a memory beside the index."""
        self.path = path
        self.docstrings = docstrings or Docstrings(None if path == MEMORY else path)
        self._db, self.warning = open_writer(path)
        self._reader: sqlite3.Connection | None = None
        self.revision = 0
        try:
            self._prepare()
        except StoreDamaged as error:
            self._db.close()
            self.warning = f"{error}; it was moved to {set_aside(path)} and is rebuilt"
            log.warning(self.warning)
            self._db, _ = open_writer(path)
            self._prepare()
        except StoreError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """Bring what an earlier process left into the state from which this one goes on."""
        with self._reported("prepare"):
            self._begin()

    def _begin(self) -> None:
        self.revision = self._meta("revision", 0)
        told = [self._meta("analysis", ANALYSIS), self._meta("docstrings", self.docstrings.rules)]
        if told != [ANALYSIS, self.docstrings.rules]:
            # Another Python wrote the rows, or by other rules: no hash matches, so that every file is read again.
            self._db.execute("UPDATE files SET file_hash = '', mtime_ns = 0")
        # No buffer is open yet. Where one was saved the row is that of the file; the others are read again.
        self._db.execute("UPDATE files SET origin = 'disk', version = NULL WHERE origin = 'buffer' AND mtime_ns != 0")
        self._db.execute("UPDATE files SET diverges = 0 WHERE diverges")
        self._set_meta("analysis", ANALYSIS)
        self._set_meta("docstrings", self.docstrings.rules)
        if self._meta("identity", None) is None:
            self._set_meta("identity", uuid.uuid4().hex)
        self._forget_deleted()

    # ---- nodes by key

    def get(self, key: str) -> NodeState | None:
        """The node of that key."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, NodeState]:
        """Those of the keys that exist."""
        with self.view() as view:
            names = {key: split_key(key) for key in keys}
            found = view.nodes(names.values())
        return {key: NodeState.model_validate(found[name]) for key, name in names.items() if name in found}

    def get_by_file(self, path: str) -> list[NodeState]:
        """A file's nodes in source order, the module first."""
        with self.view() as view:
            return [NodeState.model_validate(state) for state in view.nodes_of(path)]

    def list(self, prefix: str = "") -> Iterator[str]:
        """All keys that start with `prefix`, ordered by file and name."""
        rows = self._db.execute(
            "SELECT path, qualname FROM nodes JOIN files ON files.id = nodes.file ORDER BY path, qualname"
        )
        for path, qualname in rows.fetchall():
            if (key := node_key(path, qualname)).startswith(prefix):
                yield key

    def set(self, state: NodeState) -> int:
        """Write one node; gives the revision."""
        return self.set_many([state])

    def set_many(self, states: Iterable[NodeState]) -> int:
        """Write nodes in one transaction; gives the revision. A file that has no row yet gets one."""
        by_file: dict[str, list[NodeState]] = {}
        for state in states:
            if split_key(state.key) != (state.file_path, state.qualname):
                raise KeyFormatError(f"key {state.key!r} does not name {state.file_path}, {state.qualname}")
            by_file.setdefault(state.file_path, []).append(state)
        if not by_file:
            return self.revision
        with self._transaction() as revision:
            for path, group in by_file.items():
                self._set_in_file(path, group, revision)
        return self.revision

    def delete(self, key: str) -> bool:
        """Remove one node; whether there was one."""
        if self.get(key) is None:
            return False
        path, qualname = split_key(key)
        with self._transaction() as revision:
            self._bury([key], revision)
            self._db.execute(
                "DELETE FROM nodes WHERE qualname = ? AND file = (SELECT id FROM files WHERE path = ?)",
                (qualname, path),
            )
            self._recount(path, revision)
        return True

    # ---- files

    def replace_file(self, rows: FileRows, stamp: Stamp, source: UpdateSource = "file_change") -> Changed:
        """Write what a file's rows are now, in one transaction."""
        return self.replace_files([(rows, stamp)], source)

    def replace_files(self, files: Iterable[tuple[FileRows, Stamp]], source: UpdateSource) -> Changed:
        """Several files in one transaction and one revision."""
        changed: list[str] = []
        deleted: list[str] = []
        touched: list[FileChange] = []
        with self._transaction() as revision, self.docstrings.memory.batch():
            for rows, stamp in files:
                before = drift.told(self._db, rows.path, [*rows.judged, *rows.deleted] if rows.partial else None)
                write = _FileWrite(self._db, rows, stamp, revision, source).run()
                self._tell_drift(write, before, revision)
                changed += [node_key(rows.path, name) for name in write.changed]
                deleted += [node_key(rows.path, name) for name in write.gone]
                if source != "cold_start" and (write.signatures or write.imports_changed):
                    touched.append(
                        FileChange(rows.path, tuple(write.signatures), write.imports_changed, tuple(write.changed))
                    )
            self._bury(deleted, revision)
        return Changed(self.revision, tuple(changed), tuple(deleted), tuple(touched))

    def _tell_drift(self, write: _FileWrite, before: Mapping[str, drift.Told], revision: int) -> None:
        """Which of a file's docstrings do not fit, after its rows were written."""
        rows, now = write.rows, write.stamp.scanned_ns
        verdicts = self.docstrings.judge(rows, now, saved=write.stamp.origin == "disk")
        affected = {*rows.judged, *rows.deleted} if rows.partial else {*before, *verdicts}
        changed = drift.tell(self._db, write.file, affected, before, drift.to_tell(before, verdicts, now))
        others = [name for name in changed if name not in write.changed]
        self._touch([changed[name] for name in others], revision)
        write.changed += others

    def docstrings_saved(self, path: str, rows: Sequence[WatchedRow], names: Collection[str], *, whole: bool) -> None:
        """What `path` holds was saved, and these are its pairs. whole: all of it parses."""
        if self.docstrings.watches(path):
            self.docstrings.memory.save(path, rows, names, time.time_ns(), whole=whole)

    def watch_docstrings(self, docstrings: Docstrings) -> None:
        """From now on docstrings are watched in another way. What is told of files stays until they are written."""
        self.docstrings.memory.close()
        self.docstrings = docstrings
        self._set_meta("docstrings", docstrings.rules)

    def acknowledge(self, path: str, row: WatchedRow, *, undo: bool) -> bool:
        """Its docstring is accurate as it is (undo: is not, even so); False where there is nothing to undo."""
        if undo:
            return self.docstrings.memory.take_back(path, row.qualname)
        self.docstrings.memory.acknowledge(path, row, time.time_ns())
        return True

    def seed(self, path: str, seed: drift.Seed, now: WatchedRow) -> bool:
        """Take what history tells of a node, whose pair is `now`; whether that was news (see Memory.seed)."""
        row = watched_row(seed.qualname, Watched(seed.pair, now.body))
        return self.docstrings.memory.seed(
            path, row, now, since_ns=seed.since_ns, revision=seed.revision, author=seed.author
        )

    def judge_again(self, files: Iterable[tuple[str, Sequence[WatchedRow], Collection[str]]]) -> Changed:
        """What is remembered of docstrings has changed: tell what follows, in one revision.

        files: path, all pairs of the file as they are now, all that it defines.
        """
        work, now = [], time.time_ns()
        with self._reported():
            for path, rows, names in files:
                found = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
                before = drift.told(self._db, path)
                verdicts = self.docstrings.memory.judge(path, rows, names, now) if self.docstrings.watches(path) else {}
                after = drift.to_tell(before, verdicts, now)
                if found is not None and drift.different({*before, *after}, before, after):
                    work.append((path, found[0], before, after))
        if not work:
            return Changed(self.revision, (), ())
        keys: list[str] = []
        with self._transaction() as revision:
            for path, file, before, after in work:
                changed = drift.tell(self._db, file, {*before, *after}, before, after)
                self._touch(list(changed.values()), revision)
                keys += [node_key(path, name) for name in changed]
        return Changed(self.revision, tuple(keys), ())

    def refresh_dependants(self, changes: Iterable[tuple[str, Collection[str]]]) -> Changed:
        """Mark what imports some names of a file (none: anything of it) as changed by a dependency, in one revision.

        Dependants are found by the import index: nodes of other files that use an import of these names, or of
        their module.
        """
        found: dict[int, str] = {}
        with self._reported():
            for path, names in changes:
                found |= self._dependants(path, names)
        if not found:
            return Changed(self.revision, (), ())
        with self._transaction() as revision:
            self._touch(found, revision)
        return Changed(self.revision, tuple(found.values()), ())

    # ---- the call graph

    @property
    def graph_ready(self) -> bool:
        """Whether the graph of the whole project has been worked out."""
        return bool(self._meta("graph", 0))

    @property
    def connection(self) -> sqlite3.Connection:
        """The writer's own connection."""
        return self._db

    def reported(self) -> AbstractContextManager[None]:
        """SQLite's errors as StoreError."""
        return self._reported()

    def all_hashes(self) -> dict[str, str]:
        """path -> hash of every file that gave facts."""
        with self._reported():
            return dict(self._db.execute("SELECT path, file_hash FROM files WHERE file_hash != ''").fetchall())

    def unchanged(self, paths: Sequence[str], hashes: Mapping[str, str]) -> Sequence[Unresolved]:
        """Those of the files that still have these hashes."""
        out = []
        for path in paths:
            row = self._db.execute("SELECT id, file_hash FROM files WHERE path = ?", (path,)).fetchone()
            if row is not None and row[1] == hashes.get(path):
                out.append(Unresolved(row[0], path, frozenset()))
        return out

    @property
    def is_unresolved(self) -> bool:
        """Whether the graph of some file has to be worked out."""
        with self._reported():
            return is_unresolved(self._db)

    def write_graph(
        self,
        asked: Sequence[Unresolved],
        found: Iterable[Resolved],
        concerned: Collection[str] = (),
        newest: int = 0,
    ) -> tuple[Changed, Sequence[str]]:
        """Write the graphs of files; gives, too, the files of which that came too late: they have changed again.

        concerned: other files that have to be worked out for what changed in these. newest: stamp of the last change
        that is seen; whether the graph of some file is left to be worked out says nothing of newer ones. Once the graph
        of the whole project is known, nodes whose callers or callees changed are so by a dependency.
        """
        by_path = {resolved.graph.path: resolved for resolved in found}
        ready = self.graph_ready
        with self._transaction(raise_revision=False) as before_this:
            revision, began = before_this + 1, time.monotonic_ns()
            callers: set[str] = set()
            targets: set[str] = set()
            settled = {one.path: one for one in asked if settle(self._db, one)}
            for path in by_path.keys() - settled.keys():  # what it tells of others holds even so
                by_path[path].rests.pop((path, ""), None)
                write_rests(self._db, by_path[path].rests, {})
            self._let_follow(concerned)
            for one in settled.values():
                if ready and ANY_NAME in one.names and one.path.rpartition("/")[2].startswith("__init__."):
                    self._package_changed(one.path)
                resolved = by_path.get(one.path)
                if resolved is None:
                    continue
                owners, called = write_graph(self._db, one.file, resolved, one.names)
                callers |= {node_key(one.path, owner) for owner in owners}
                targets |= called
            changed = self._changed_graph(callers, targets, revision, asked) if ready else []
            if changed:
                self._set_meta("revision", revision)
            refused = [one.path for one in asked if one.path not in settled]
            left = bool(refused) or is_unresolved(self._db, newest, began)
        if changed:
            self.revision = revision
        return Changed(self.revision, tuple(changed), (), follows=left), refused

    def write_built(self, asked: Sequence[Unresolved], found: Iterable[Built]) -> None:
        """Write the graphs of files, while the whole is worked out and nobody is told of it."""
        files = {one.path: one.file for one in asked}
        with self._transaction(raise_revision=False):
            self._db.executemany("DELETE FROM unresolved WHERE path = ?", [(path,) for path in files])
            write_built(self._db, {files[built.path]: built for built in found if built.path in files})

    def write_rests(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Write what graphs rest on (rows of `rests`)."""
        with self._transaction(raise_revision=False):
            self._db.executemany("INSERT OR IGNORE INTO rests VALUES (?, ?, ?)", rows)

    def _let_follow(self, paths: Iterable[str]) -> None:
        """Have files worked out."""
        for path in paths:
            row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            if row is not None:
                note_unresolved(self._db, row[0], path, ())

    def _package_changed(self, path: str) -> None:
        """A folder became a package, or is none any more: imports in it mean something else."""
        folder = path.rpartition("/")[0] + "/"
        sql = "SELECT id, path FROM files WHERE substr(path, 1, ?) = ? AND path != ?"
        for number, inside in self._db.execute(sql, (len(folder), folder, path)).fetchall():
            note_unresolved(self._db, number, inside, ())

    def _flows_changed(self, file: int, before: Mapping[int, bytes]) -> None:
        """Functions that are passed other things than before by a file have to be worked out anew."""
        after = flows_of(self._db, file)
        for number in before.keys() | after.keys():
            if before.get(number) != after.get(number):
                row = self._db.execute("SELECT path FROM files WHERE id = ?", (number,)).fetchone()
                if row is not None:
                    was, now = (orjson.loads(flows.get(number, b"{}")) for flows in (before, after))
                    names = [f"({name})" for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
                    note_unresolved(self._db, number, row[0], names)

    def _changed_graph(
        self, callers: Collection[str], targets: Collection[str], revision: int, asked: Sequence[Unresolved]
    ) -> Sequence[str]:
        """Raise the revision of the nodes; those of files that changed themselves keep what changed them."""
        own = {one.path for one in asked if any(name[0] != "(" for name in one.names)}
        changed = []
        for key in sorted({*callers, *(target for target in targets if target.startswith("node:"))}):
            path, qualname = split_key(key)
            row = self._db.execute(
                "SELECT nodes.id FROM nodes JOIN files ON files.id = file WHERE path = ? AND qualname = ?",
                (path, qualname),
            ).fetchone()
            if row is None:
                continue
            changed.append(key)
            if path in own:
                self._db.execute("UPDATE nodes SET revision = ? WHERE id = ?", (revision, row[0]))
                self._db.execute("UPDATE files SET revision = ? WHERE id = ?", (revision, row[0] >> FILE_SHIFT))
            else:
                self._touch([row[0]], revision)
        return changed

    def graph_is_ready(self, ready: bool = True) -> Changed:
        """The graph of the whole project has been worked out (or is not to be told): all nodes tell other things."""
        if self.graph_ready == ready:
            return Changed(self.revision, (), ())
        with self._transaction() as revision:
            self._set_meta("graph", int(ready))
            self._db.execute("UPDATE nodes SET revision = ?", (revision,))
            self._db.execute("UPDATE files SET revision = ?", (revision,))
            keys = self._db.execute("SELECT path, qualname FROM nodes JOIN files ON files.id = file").fetchall()
        return Changed(self.revision, tuple(node_key(*key) for key in keys), ())

    def refresh_tests(self, changed: Collection[str]) -> Changed:
        """Mark the nodes that have been told to have other tests than they have now as changed by a dependency.

        changed: keys of nodes that changed, or whose callers or callees did.
        """
        if not self.graph_ready:
            return Changed(self.revision, (), ())
        with self.view() as view:
            rows = row_ids(view, outdated_tests(view, changed))
        if rows:
            with self._transaction() as revision:
                self._touch(list(rows.values()), revision)
        return Changed(self.revision, tuple(rows), ())

    def _touch(self, row_ids: Collection[int], revision: int) -> None:
        """What these nodes' answers are joined from has changed (see index.joined): they have, too."""
        now = time.time_ns()
        self._db.executemany(
            "UPDATE nodes SET revision = ?, updated_ns = ?, source = 'dependency_change' WHERE id = ?",
            [(revision, now, row_id) for row_id in row_ids],
        )
        numbers = {(revision, row_id >> FILE_SHIFT) for row_id in row_ids}
        self._db.executemany("UPDATE files SET revision = ? WHERE id = ?", sorted(numbers))

    def _dependants(self, path: str, names: Collection[str]) -> dict[int, str]:
        """Row and key of the nodes that rest on these names of the file."""
        module = module_of(path)
        targets = {module, *(f"{module}.{name.partition('.')[0]}" for name in names)}
        importers = self._db.execute(
            "SELECT DISTINCT files.id, path FROM imports JOIN files ON files.id = imports.file"
            " WHERE target IN (SELECT value FROM json_each(?)) AND path != ? ORDER BY path",
            (orjson.dumps(list(targets)).decode(), path),
        ).fetchall()
        found = {}
        for number, importer in importers:
            for row_id, qualname, facts in self._db.execute(
                "SELECT id, qualname, facts FROM nodes WHERE file = ? AND kind != 'module'", (number,)
            ):
                if not targets.isdisjoint(orjson.loads(facts)[_IMPORTS]):
                    found[row_id] = node_key(importer, qualname)
        return found

    def restamp(self, stamps: Iterable[tuple[str, Stamp]]) -> None:
        """New stamps for files whose bytes did not change; the revision stays where no node tells anything new."""
        stamps = list(stamps)
        new = self._that_tell_new(stamps)
        with self._transaction(raise_revision=bool(new)) as revision:
            self._db.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, scanned_ns = ?, origin = ?, version = ?, diverges = ?"
                " WHERE path = ?",
                [(*stamp, path) for path, stamp in stamps],
            )
            self._db.executemany("UPDATE files SET revision = ? WHERE path = ?", [(revision, path) for path in new])

    def _that_tell_new(self, stamps: Sequence[tuple[str, Stamp]]) -> Sequence[str]:
        """The files of which nodes say another thing, with these stamps, of where they come from."""
        with self._reported():
            return [
                path
                for path, stamp in stamps
                if self._db.execute("SELECT origin, version, diverges FROM files WHERE path = ?", (path,)).fetchone()
                not in (None, stamp[3:])
            ]

    def invalidate_file(self, path: str) -> Changed:
        """Remove a file with all its nodes."""
        return self.invalidate_files([path])

    def invalidate_files(self, paths: Iterable[str]) -> Changed:
        """Remove files with all their nodes, in one transaction and one revision."""
        deleted: list[str] = []
        touched: list[FileChange] = []
        paths = list(paths)
        self.docstrings.memory.forget_files(paths, time.time_ns())
        called: set[str] = set()
        changed: Sequence[str] = ()
        with self._transaction() as revision:
            for path in paths:
                row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
                if row is not None:
                    names = [name for (name,) in self._db.execute("SELECT qualname FROM nodes WHERE file = ?", row)]
                    deleted += [node_key(path, name) for name in names]
                    touched.append(FileChange(path, tuple(names), False, ()))
                    passed = flows_of(self._db, row[0])
                    called |= forget_file(self._db, row[0])
                    self._flows_changed(row[0], passed)
                    note_unresolved(self._db, row[0], path, [ANY_NAME])
                    _delete_rows(self._db, row[0])
                    self._db.execute("DELETE FROM imports WHERE file = ?", row)
                    self._db.execute("DELETE FROM files WHERE id = ?", row)
            self._bury(deleted, revision)
            if self.graph_ready:
                changed = self._changed_graph(set(), called, revision, ())
        return Changed(self.revision, tuple(changed), tuple(deleted), tuple(touched))

    def set_diverging(self, path: str, diverges: bool) -> None:
        """Note whether the disk has changed while a buffer of the path is open; a change of that is a revision."""
        with self._reported():
            row = self._db.execute("SELECT diverges FROM files WHERE path = ?", (path,)).fetchone()
        if row is not None and bool(row[0]) != diverges:
            with self._transaction() as revision:
                self._db.execute(
                    "UPDATE files SET diverges = ?, revision = ? WHERE path = ?", (diverges, revision, path)
                )

    def note_tests(self, setup: TestSetup) -> None:
        """How the project's tests are found; a revision where that is news, since nodes name them."""
        with self._reported():
            known = self._meta(META, None)
        if known != (noted := setup.encode()):
            with self._transaction():
                self._set_meta(META, noted)

    def continue_from(self, revision: int) -> None:
        """Count on from the revision of another index that this one replaces."""
        if revision > self.revision:
            with self._transaction(raise_revision=False):
                self._set_meta("revision", revision)
                self._set_meta("deleted_since", revision)
            self.revision = revision

    def gc_orphans(self, exists: Callable[[str], bool], is_open: Collection[str] = ()) -> Changed:
        """Remove the files that are gone from disk and not open in an editor."""
        gone = [path for (path,) in self._db.execute("SELECT path FROM files").fetchall()
                if path not in is_open and not exists(path)]  # fmt: skip
        return self.invalidate_files(gone) if gone else Changed(self.revision, (), ())

    def get_file_index(self, path: str) -> FileIndex | None:
        """What is known of one file."""
        with self.view() as view:
            found = view.file(path)
        return FileIndex.model_validate(found) if found else None

    def set_file_index(self, index: FileIndex) -> int:
        """Write a file's own row without its nodes; gives the revision."""
        with self._transaction() as revision:
            scanned = int(index.last_scanned.timestamp() * 1e9)
            stamp = Stamp(index.size, 0, scanned, index.origin, index.version)
            rows = FileRows(
                index.file_path,
                index.file_hash,
                0,
                index.node_count,
                index.error,
                index.error_line,
                b"[]",
                b"[]",
                [],
                [],
            )
            _put_file(self._db, rows, stamp, revision, keep_places=True)
        return self.revision

    def stamps(self) -> dict[str, tuple[int, int, int, str]]:
        """path -> (mtime_ns, size, scanned_ns, file_hash) of every file."""
        with self._reported():
            rows = self._db.execute(f"SELECT path, mtime_ns, size, scanned_ns, {_HASH} FROM files").fetchall()
        return {path: (mtime, size, scanned, digest) for path, mtime, size, scanned, digest in rows}

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """path -> file hash of those that the index has; empty where the file has to be analysed in any case."""
        found = {}
        with self._reported():
            for path in paths:
                row = self._db.execute(f"SELECT {_HASH} FROM files WHERE path = ?", (path,)).fetchone()
                if row is not None:
                    found[path] = row[0]
        return found

    def error_without_facts(self, path: str) -> str | None:
        """Why nothing at all is known of a file; None where something is, or the file is unknown."""
        with self._reported():
            row = self._db.execute("SELECT error FROM files WHERE path = ? AND file_hash = ''", (path,)).fetchone()
        return row[0] if row else None

    def stats(self) -> dict[str, int]:
        """files, nodes, failed (files with an error), revision, bytes (of the database)."""
        files, nodes, failed = self._db.execute(
            "SELECT count(*), coalesce(sum(node_count), 0), count(error) FROM files"
        ).fetchone()
        size = sum(
            candidate.stat().st_size
            for suffix in ("", "-wal")
            if (candidate := self.path.with_name(self.path.name + suffix)).exists()
        )
        return {"files": files, "nodes": nodes, "failed": failed, "revision": self.revision, "bytes": size}

    # ---- life

    @contextmanager
    def view(self) -> Iterator[IndexView]:
        """One read transaction of the writer's own thread."""
        if self._reader is None:
            self._reader = self._db if self.path == MEMORY else open_reader(self.path)
        with reading(self._reader) as view:
            yield view

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the database, as far as readers allow."""
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._close_index()
        self.docstrings.memory.close()

    def _close_index(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        with contextlib.suppress(sqlite3.Error):  # an unwritable log stays beside the database, and is read again
            self._db.execute("PRAGMA optimize")
        self._db.close()

    def rebuild(self) -> None:
        """Set a database that proved damaged aside and start an empty one. The revision goes on."""
        revision = self.revision
        self._close_index()
        set_aside(self.path)
        self.__init__(self.path, self.docstrings)  # type: ignore[misc]
        self._set_meta("revision", revision)
        self.revision = revision

    @contextmanager
    def _transaction(self, raise_revision: bool = True) -> Iterator[int]:
        """A write transaction that raises the revision; gives the new one. Nothing is written if it fails."""
        with self._reported("write"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                # Read anew: another process may have written, too.
                revision = self._meta("revision", 0) + raise_revision
                yield revision
                if raise_revision:
                    self._set_meta("revision", revision)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self.revision = revision

    @contextmanager
    def _reported(self, doing: str = "read") -> Iterator[None]:
        """SQLite's errors as StoreError."""
        try:
            yield
        except (sqlite3.Error, orjson.JSONDecodeError) as error:
            raise failure(f"cannot {doing} the index {self.path}", error) from error

    def _meta(self, key: str, default: Any) -> Any:
        with self._reported():
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else default

    def _set_meta(self, key: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _set_in_file(self, path: str, states: Sequence[NodeState], revision: int) -> None:
        row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if row is None:
            rows = FileRows(path, states[0].file_hash, 0, 0, None, None, b"[]", b"[]", [], [])
            file = _put_file(self._db, rows, Stamp(0, 0, time.time_ns()), revision)
        else:
            file = row[0]
        base = file << FILE_SHIFT | ABSOLUTE << SEGMENT_SHIFT
        used = {n for (n,) in self._db.execute("SELECT id FROM nodes WHERE id >= ? AND id <= ?", (base, base | 0xFFFF))}
        index = 1
        for state in states:
            self._db.execute("DELETE FROM nodes WHERE file = ? AND qualname = ?", (file, state.qualname))
            while base | index in used:
                index += 1
            number = base if state.node_type == "module" else base | index
            used.add(number)
            updated = int(state.last_updated.timestamp() * 1e9)
            self._db.execute(
                "INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, file, state.qualname, state.node_name, state.kind, revision, updated, state.update_source,
                 _facts_of(state)),
            )  # fmt: skip
        self._recount(path, revision)

    def _bury(self, keys: Iterable[str], revision: int) -> None:
        rows = [(revision, key) for key in keys]
        self._db.executemany("INSERT INTO deleted VALUES (?, ?)", rows)
        self._buried += len(rows)
        if self._buried > _BURIED // 10:
            self._forget_deleted()

    def _forget_deleted(self) -> None:
        """Keep the newest keys that are gone; cursors from before the others' revision have to begin anew."""
        self._buried = 0  # since then
        row = self._db.execute(
            "SELECT revision FROM deleted ORDER BY revision DESC LIMIT 1 OFFSET ?", (_BURIED,)
        ).fetchone()
        if row is not None:
            self._db.execute("DELETE FROM deleted WHERE revision <= ?", row)
            self._set_meta("deleted_since", row[0])

    def _recount(self, path: str, revision: int) -> None:
        self._db.execute(
            "UPDATE files SET node_count = (SELECT count(*) FROM nodes WHERE file = files.id), revision = ?"
            " WHERE path = ?",
            (revision, path),
        )


class _FileWrite:
    """Writing one file's rows within a transaction."""

    def __init__(
        self, db: sqlite3.Connection, rows: FileRows, stamp: Stamp, revision: int, source: UpdateSource
    ) -> None:
        self.db = db
        self.rows = rows
        self.stamp = stamp
        self.revision = revision
        self.source = source
        self.changed: list[str] = []  # qualnames whose facts changed
        self.gone: list[str] = []
        self.signatures: list[str] = []  # whose signature changed, appeared or vanished
        self.imports_changed = False
        self.file = 0

    def run(self) -> _FileWrite:
        """Write, and know what that changed."""
        rows = self.rows
        known = self.db.execute("SELECT id, bindings FROM files WHERE path = ?", (rows.path,)).fetchone()
        self.file = file = _put_file(self.db, rows, self.stamp, self.revision)
        old: dict[str, tuple[int, int, str, bytes]] = {}
        if known is not None:
            old = self._partial_old(file) if rows.partial else self._old(file)
            new = {row[2] for row in rows.nodes}
            self.gone = [name for name in (rows.deleted if rows.partial else old) if name not in new]
            self.signatures += self.gone
        changed = self._changed_summaries(file, known is not None)
        if known is not None and not rows.partial:
            _delete_rows(self.db, file)
        if changed is not None:
            note_unresolved(self.db, file, rows.path, changed if known is not None else [ANY_NAME])
        if known is None or known[1] != rows.bindings:
            self._imports(file, known is not None)
        self._insert(file, old, known is not None)
        return self

    def _changed_summaries(self, file: int, known: bool) -> set[str] | None:
        """The names whose meaning may change; None where the graph stays as it is. Old summaries of an edit go."""
        rows = self.rows
        if not known:
            return set()
        base = file << FILE_SHIFT
        if not rows.partial:
            bounds = (base, base | (1 << FILE_SHIFT) - 1)
            old = dict(self.db.execute("SELECT id, data FROM summaries WHERE id BETWEEN ? AND ?", bounds))
            new = {base | segment << SEGMENT_SHIFT: data for segment, data, _ in rows.summaries}
            nodes = dict(self.db.execute("SELECT id, qualname FROM nodes WHERE id BETWEEN ? AND ?", bounds))
            if old == new and nodes == {base | row[0] << SEGMENT_SHIFT | row[1]: row[2] for row in rows.nodes}:
                return None  # a file is opened as it is, or its text comes back
            return names_that_differ(old.values(), new.values())
        gone = [base | segment << SEGMENT_SHIFT for segment in rows.deleted_summaries]
        written = {base | segment << SEGMENT_SHIFT: data for segment, data, _ in rows.summaries}
        before: dict[int, bytes] = {}
        for row_id in (*gone, *written):
            found = self.db.execute("SELECT data FROM summaries WHERE id = ?", (row_id,)).fetchone()
            if found is not None:
                before[row_id] = found[0]
        self.db.executemany("DELETE FROM summaries WHERE id = ?", [(row_id,) for row_id in gone])
        if not gone and written == before:
            return None  # things only stand elsewhere
        return names_that_differ(list(before.values()), list(written.values()))

    def _old(self, file: int) -> dict[str, tuple[int, int, str, bytes]]:
        sql = "SELECT qualname, revision, updated_ns, source, facts FROM nodes WHERE file = ?"
        return {name: (revision, updated, source, facts)
                for name, revision, updated, source, facts in self.db.execute(sql, (file,))}  # fmt: skip

    def _partial_old(self, file: int) -> dict[str, tuple[int, int, str, bytes]]:
        """The old rows of what changes, removed on the way."""
        old = {}
        for name in [*self.rows.deleted, *(row[2] for row in self.rows.nodes)]:
            found = self.db.execute(
                "SELECT revision, updated_ns, source, facts FROM nodes WHERE file = ? AND qualname = ?", (file, name)
            ).fetchone()
            if found:
                old[name] = found
                self.db.execute("DELETE FROM nodes WHERE file = ? AND qualname = ?", (file, name))
        return old

    def _imports(self, file: int, known: bool) -> None:
        self.imports_changed = known
        if known:
            self.db.execute("DELETE FROM imports WHERE file = ?", (file,))
        targets = {target for _, target in orjson.loads(self.rows.bindings)}
        self.db.executemany("INSERT INTO imports VALUES (?, ?)", [(target, file) for target in targets])

    def _insert(self, file: int, old: dict[str, tuple[int, int, str, bytes]], known: bool) -> None:
        base = file << FILE_SHIFT
        fresh: tuple[int, int, str] = (self.revision, self.stamp.scanned_ns, self.source)
        values = []
        for segment, number, qualname, name, kind, facts in self.rows.nodes:
            stamp = fresh
            before = old.get(qualname) if known else None
            if before is not None and before[3] == facts:
                stamp = before[:3]
            else:
                self.changed.append(qualname)
                if before is None or _signature(before[3]) != _signature(facts):
                    self.signatures.append(qualname)
            row_id = _row_id(base, segment, number, self.rows.path)
            values.append((row_id, file, qualname, name, kind, *stamp, facts))
        self.db.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self.db.executemany(
            "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)",
            [(base | segment << SEGMENT_SHIFT, data, places) for segment, data, places in self.rows.summaries],
        )


def _signature(facts: bytes) -> Any:
    return orjson.loads(facts)[_SIGNATURE]


def _row_id(base: int, segment: int, number: int, path: str) -> int:
    if number > 0xFFFF or segment > ABSOLUTE:
        raise StoreError(f"{path}: more than 65,536 definitions in one statement cannot be indexed")
    return base | segment << SEGMENT_SHIFT | number


def _put_file(db: sqlite3.Connection, rows: FileRows, stamp: Stamp, revision: int, keep_places: bool = False) -> int:
    columns = () if keep_places else ("line_count", "starts", "bindings")
    places = "".join(f", {column} = excluded.{column}" for column in columns)
    row = db.execute(
        "INSERT INTO files (path, file_hash, size, mtime_ns, scanned_ns, origin, version, line_count, node_count,"
        " diverges, error, error_line, revision, starts, bindings)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (path) DO UPDATE SET file_hash = excluded.file_hash, size = excluded.size,"
        " mtime_ns = excluded.mtime_ns, scanned_ns = excluded.scanned_ns, origin = excluded.origin,"
        " version = excluded.version, diverges = excluded.diverges, node_count = excluded.node_count,"
        f" error = excluded.error, error_line = excluded.error_line, revision = excluded.revision{places} RETURNING id",
        (rows.path, rows.file_hash, *stamp[:5], rows.line_count, rows.node_count, stamp.diverges, rows.error,
         rows.error_line, revision, rows.starts, rows.bindings),
    ).fetchone()  # fmt: skip
    return int(row[0])


def _delete_rows(db: sqlite3.Connection, file: int) -> None:
    low, high = file << FILE_SHIFT, ((file + 1) << FILE_SHIFT) - 1
    db.execute("DELETE FROM nodes WHERE id BETWEEN ? AND ?", (low, high))
    db.execute("DELETE FROM summaries WHERE id BETWEEN ? AND ?", (low, high))
    db.execute("DELETE FROM drift WHERE id BETWEEN ? AND ?", (low, high))


def _facts_of(state: NodeState) -> bytes:
    start, end, name = state.range.start, state.range.end, state.name_range
    return orjson.dumps(
        (
            state.node_type, state.kind, start.line, start.character, end.line, end.character,
            name.start.line, name.start.character, name.end.line, name.end.character,
            state.source_hash, state.signature, state.docstring, state.docstring_full, state.imports, state.decorators,
            state.line_count, state.complexity, state.has_type_hints, state.broken,
            state.callers, state.callees, state.related_tests, state.docstring_outdated,
            state.docstring_outdated_reason, state.extra,
            state.drift.model_dump(mode="json") if state.drift else None,
        )
    )  # fmt: skip
