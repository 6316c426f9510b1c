"""What is read from the index: one `IndexView` is one read transaction.

All answers are JSON-native (dict, list, str, int, bool, None), columns in UTF-16 code units.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from . import graph, joined
from .graph import CALLS, COUNTED, Edge
from .rows import ABSOLUTE, FACT_FIELDS, LATER_FIELDS
from .schema import failure

Json = dict[str, Any]

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
_FACT = {name: number for number, name in enumerate(FACT_FIELDS)}
_Row = tuple[Any, ...]
_NOTHING: Json = {}  # as long as nothing was joined, nor written by hand
_NODE = "SELECT id, qualname, name, updated_ns, source, facts FROM nodes"


class KnownFile:
    """A file's row, with its segments and their first lines."""

    __slots__ = ("_flat", "_starts", "diverges", "hash", "id", "origin", "path", "version")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.id, self.path, self.hash, self.origin, self.version, diverges, starts = row
        self.diverges = bool(diverges)
        self._flat: list[int] = orjson.loads(starts)
        self._starts: dict[int, int] | None = None

    @property
    def starts(self) -> dict[int, int]:
        """First line by segment, ascending by line."""
        if self._starts is None:
            self._starts = dict(zip(self._flat[::2], self._flat[1::2], strict=True))
        return self._starts

    def start_of(self, segment: int) -> int:
        """First line of a segment; 0 for what has none."""
        at = 2 * segment  # where it lies as long as the file was not edited
        if at < len(self._flat) and self._flat[at] == segment:
            return self._flat[at + 1]
        return self.starts.get(segment, 0)


class IndexView:
    """One moment of the index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._files: dict[str, KnownFile | None] = {}
        self._by_id: dict[int, KnownFile | None] = {}
        self.joins_tests = False
        """Whether nodes come with their related tests, which cost milliseconds each."""
        self.revision: int = self._meta("revision", 0)

    def node(self, path: str, qualname: str) -> Json | None:
        """The NodeState of one node, as models.NodeState has it."""
        return self.nodes([(path, qualname)]).get((path, qualname))

    def nodes(self, names: Iterable[tuple[str, str]], *, joined: bool = True) -> dict[tuple[str, str], Json]:
        """The NodeStates of those of the nodes, named by path and qualname, that there are.

        joined: with what rests on other files; without, only what the nodes' own files tell.
        """
        wanted = {}
        for path, qualname in names:
            if (file := self.known_file(path)) is not None:
                wanted[file.id, qualname] = file
        rows = self.select(_NAMED, list(wanted))
        files = [wanted[row[6], row[1]] for row in rows]
        states = self._states(list(zip(files, rows, strict=True)), joined)
        return {(file.path, row[1]): state for file, row, state in zip(files, rows, states, strict=True)}

    def nodes_of(self, path: str, *, joined: bool = True) -> list[Json]:
        """The NodeStates of a file's nodes in source order, the module first. joined: see `nodes`."""
        file = self.known_file(path)
        if file is None:
            return []
        rows = [(file, row) for row in self._rows(file, 0, ABSOLUTE)]
        return sorted(self._states(rows, joined), key=_source_order)

    def node_at(self, path: str, line: int, character: int) -> Json | None:
        """The innermost node at a place; the module where there is none, None where the file is unknown."""
        file = self.known_file(path)
        if file is None:
            return None
        found = self._around(file, line, character)
        for row in self._rows(file, ABSOLUTE, ABSOLUTE):
            state = _state(file, row)
            if state["node_type"] == "module" or _contains(state["range"], line, character):
                found.append((row, state))
        innermost = max(found, key=lambda pair: (pair[1]["node_type"] != "module", _start(pair[1])), default=None)
        return self._states([(file, innermost[0])])[0] if innermost else None

    def _around(self, file: KnownFile, line: int, character: int) -> list[tuple[_Row, Json]]:
        """The nodes with a segment that hold the place."""
        # The class around a member is the nearest header before it: go back to the first segment that holds all.
        segments, lines = list(file.starts), list(file.starts.values())
        for segment in reversed(segments[: bisect_right(lines, line)]):
            found = [(row, _state(file, row)) for row in self._rows(file, segment, segment)]
            around = [(row, state) for row, state in found if _contains(state["range"], line, character)]
            if around or any("." not in state["qualname"] for _, state in found):
                return around
        return []

    def outline(self, path: str) -> list[Json]:
        """A file's classes and functions in source order."""
        keep = ("node_name", "qualname", "kind", "node_type", "signature", "range", "name_range", "broken")
        file = self.known_file(path)
        states = [_state(file, row) for row in self._rows(file, 0, ABSOLUTE)] if file else []
        out = []
        for state in sorted(states, key=_source_order):
            if state["node_type"] != "module":
                entry = {name: state[name] for name in keep}
                entry["name"] = entry.pop("node_name")
                out.append(entry)
        return out

    def file(self, path: str) -> Json | None:
        """The FileIndex of one file."""
        row = self._db.execute(
            "SELECT path, file_hash, node_count, scanned_ns, size, origin, version, error, error_line, revision"
            " FROM files WHERE path = ?",
            (path,),
        ).fetchone()
        if row is None:
            return None
        return {
            "file_path": row[0], "file_hash": row[1], "node_count": row[2], "last_scanned": _iso(row[3]),
            "size": row[4], "origin": row[5], "version": row[6],
            "error": row[7], "error_line": row[8], "revision": row[9],
        }  # fmt: skip

    def paths(self, suffix: str) -> list[str]:
        """Files whose path ends with `suffix` at a folder's border, shortest first."""
        end = "/" + suffix
        rows = self._db.execute(
            "SELECT path FROM files WHERE path = ? OR substr(path, ?) = ? ORDER BY length(path), path LIMIT 20",
            (suffix, -len(end), end),
        )
        return [row[0] for row in rows]

    def qualnames(self, path: str) -> list[str]:
        """The unique qualified names in a file."""
        file = self.known_file(path)
        if file is None:
            return []
        return [row[0] for row in self._db.execute("SELECT qualname FROM nodes WHERE file = ?", (file.id,))]

    def bindings(self, path: str) -> list[tuple[str, str]]:
        """(name, dotted target) of what a file imports in its module scope; `*` for all of a module."""
        found = self._db.execute("SELECT bindings FROM files WHERE path = ?", (path,)).fetchone()
        return [(name, target) for name, target in orjson.loads(found[0])] if found else []

    def has(self, path: str, qualname: str) -> bool:
        """Whether the file defines that name."""
        file = self.known_file(path)
        sql = "SELECT 1 FROM nodes WHERE file = ? AND qualname = ?"
        return file is not None and self._db.execute(sql, (file.id, qualname)).fetchone() is not None

    def stamps(self, paths: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """(mtime_ns, size, scanned_ns) of those of the files that are in the index."""
        sql = "SELECT path, mtime_ns, size, scanned_ns FROM files WHERE path IN (SELECT value FROM json_each(?))"
        return {path: (mtime, size, scanned) for path, mtime, size, scanned in self.select(sql, paths)}

    def diverging(self) -> list[str]:
        """Open files that changed on disk meanwhile."""
        return [row[0] for row in self._db.execute("SELECT path FROM files WHERE diverges ORDER BY path")]

    def changes(self, revision: int, limit: int) -> tuple[list[str], list[str], int] | None:
        """Keys changed and deleted after `revision`, and the revision up to which that is told (at most about
        `limit` keys). None where that is not known any more."""
        if not self._meta("deleted_since", 0) <= revision <= self.revision:
            return None
        upto, total = self.revision, 0
        for number, count in self._db.execute(f"SELECT nodes.revision, count(*) {_CHANGED} GROUP BY 1 ORDER BY 1",
                                              (revision, revision, upto)):  # fmt: skip
            if total and total + count > limit:
                upto = number - 1  # whole revisions only
                break
            total += count
        changed = self._db.execute(
            f"SELECT path, qualname {_CHANGED} ORDER BY nodes.revision, nodes.id", (revision, revision, upto)
        )
        keys = [f"node:{path}:{name}" for path, name in changed]
        deleted = self._db.execute(
            "SELECT DISTINCT key FROM deleted WHERE revision > ? AND revision <= ? ORDER BY key", (revision, upto)
        ).fetchall()
        return keys, [key for (key,) in deleted if not self.has(*key.removeprefix("node:").rsplit(":", 1))], upto

    def changed_paths(self, revision: int) -> list[str] | None:
        """Files of which some node tells another thing than at `revision`, or is gone. None: not known any more."""
        if not self._meta("deleted_since", 0) <= revision <= self.revision:
            return None
        gone = self._db.execute("SELECT DISTINCT key FROM deleted WHERE revision > ?", (revision,))
        paths = {key.removeprefix("node:").rpartition(":")[0] for (key,) in gone}
        paths |= {path for (path,) in self._db.execute("SELECT path FROM files WHERE revision > ?", (revision,))}
        return list(paths)

    def share_files(self, files: dict[str, KnownFile | None]) -> None:
        """Use (and add to) what other views have read of files. All of it has to be true at this view's revision."""
        self._files = files

    @property
    def identity(self) -> str:
        """Names this database: cursors of another one mean nothing here."""
        return str(self._meta("identity", ""))

    def _meta(self, key: str, default: Any) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else default

    def counts(self) -> tuple[int, int]:
        """How many files and nodes."""
        row = self._db.execute("SELECT count(*), coalesce(sum(node_count), 0) FROM files").fetchone()
        return row[0], row[1]

    def failed(self, limit: int = 1000) -> list[Json]:
        """Files that could not be parsed as a whole, with the reason."""
        rows = self._db.execute(
            "SELECT path, error, error_line FROM files WHERE error IS NOT NULL ORDER BY path LIMIT ?", (limit,)
        )
        return [{"file": path, "error": error, "line": line} for path, error, line in rows]

    def symbols(self, where: str, parameters: tuple[Any, ...], limit: int) -> list[tuple[int, str, str]]:
        """(node id, name, kind) by a condition on the name index, for `search`."""
        sql = f"SELECT id, name, kind FROM nodes INDEXED BY node_name WHERE {where} AND kind != 'module' LIMIT ?"
        return self._db.execute(sql, (*parameters, limit)).fetchall()

    def by_id(self, node_id: int) -> Json | None:
        """The NodeState of a node by its row's id."""
        return self.by_ids([node_id]).get(node_id)

    def by_ids(self, node_ids: Iterable[int]) -> dict[int, Json]:
        """The NodeStates of those of the nodes, by their rows' ids, that there are."""
        rows = []
        for row in self.select(f"{_NODE} WHERE id IN (SELECT value FROM json_each(?))", list(node_ids)):
            file = self.file_of(row[0] >> FILE_SHIFT)
            if file is not None:
                rows.append((file, row))
        return {row[0]: state for (_, row), state in zip(rows, self._states(rows), strict=True)}

    def select(self, sql: str, values: Sequence[Any], *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows by many values at once: the first `?` stands in `(SELECT value FROM json_each(?))`."""
        return self._db.execute(sql, (orjson.dumps(values).decode(), *parameters)).fetchall()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        return self._db.execute(sql, parameters).fetchall()

    def select_one(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None where there is none."""
        row = self._db.execute(sql, parameters).fetchone()
        return row[0] if row else None

    # ---- the call graph

    def callers(self, key: str, evidence: Collection[str] = COUNTED, kinds: Collection[str] = CALLS) -> list[Edge]:
        """Who calls a node; see index/graph.py for evidence and kinds."""
        return graph.callers(self, key, evidence, kinds)

    def callees(self, key: str, evidence: Collection[str] = COUNTED, kinds: Collection[str] = CALLS) -> list[Edge]:
        """What a node calls, in the order of its text."""
        return graph.callees(self, key, evidence, kinds)

    def learn(self, numbers: Collection[int]) -> None:
        """Read the rows of files that are going to be asked about at once. numbers: those of the files."""
        new = [number for number in numbers if number not in self._by_id]
        if len(new) > 1:
            for row in self.select(f"{_FILE} WHERE id IN (SELECT value FROM json_each(?))", new):
                file = KnownFile(row)
                self._files[file.path] = self._by_id[file.id] = file

    def path_of(self, number: int) -> str | None:
        """The path of the file with that number."""
        file = self.file_of(number)
        return file.path if file is not None else None

    def _states(self, rows: Sequence[tuple[KnownFile, _Row]], join_others: bool = True) -> list[Json]:
        """The rows' NodeStates, with what is joined from elsewhere."""
        states = [_state(file, row) for file, row in rows]
        unjoined = {row[0]: state for (_, row), state in zip(rows, states, strict=True) if state["extra"] is _NOTHING}
        joiners = joined.WITH_TESTS if self.joins_tests else joined.JOINERS
        for join in joiners if unjoined and join_others else ():
            for number, fields in join(self, list(unjoined)).items():
                evidence = unjoined[number]["evidence"] | fields.get("evidence", {})
                unjoined[number].update(fields, evidence=evidence)
        return states

    def _rows(self, file: KnownFile, first: int, last: int) -> list[_Row]:
        base = file.id << FILE_SHIFT
        low, high = base | first << SEGMENT_SHIFT, base | last << SEGMENT_SHIFT | 0xFFFF
        return self._db.execute(f"{_NODE} WHERE id BETWEEN ? AND ?", (low, high)).fetchall()

    def known_file(self, path: str) -> KnownFile | None:
        """A file's row."""
        if path not in self._files:
            row = self._db.execute(f"{_FILE} WHERE path = ?", (path,)).fetchone()
            self._files[path] = KnownFile(row) if row else None
        return self._files[path]

    def file_of(self, number: int) -> KnownFile | None:
        """The row of the file with that number."""
        if number not in self._by_id:
            row = self._db.execute(f"{_FILE} WHERE id = ?", (number,)).fetchone()
            self._by_id[number] = KnownFile(row) if row else None
        return self._by_id[number]


_CHANGED = (
    "FROM files JOIN nodes ON nodes.id BETWEEN files.id << 40 AND (files.id << 40) + 1099511627775"
    " WHERE files.revision > ? AND nodes.revision > ? AND nodes.revision <= ?"
)
_NAMED = (
    "SELECT nodes.id, qualname, name, updated_ns, source, facts, file FROM json_each(?) AS asked CROSS JOIN nodes"
    " ON file = json_extract(asked.value, '$[0]') AND qualname = json_extract(asked.value, '$[1]')"
)
_FILE = "SELECT id, path, file_hash, origin, version, diverges, starts FROM files"


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[IndexView]:
    """An IndexView whose answers all come from one moment. Raises StoreError where the index cannot be read."""
    try:
        connection.execute("BEGIN")
        try:
            yield IndexView(connection)
        finally:
            connection.execute("COMMIT")
    except (sqlite3.Error, orjson.JSONDecodeError) as error:
        raise failure("cannot read the index", error) from error


def _state(file: KnownFile, row: _Row) -> Json:
    node_id, qualname, name, updated_ns, source, facts = row[:6]
    values = orjson.loads(facts)
    (
        node_type, kind, line, col, end_line, end_col, name_line, name_col, name_end_line, name_end,
        source_hash, signature, docstring, docstring_full, imports, decorators, line_count, complexity,
        has_type_hints, broken,
    ) = values[:20]  # fmt: skip
    start = file.start_of(node_id >> SEGMENT_SHIFT & ABSOLUTE)
    state = {
        "key": f"node:{file.path}:{qualname}",
        "file_path": file.path,
        "node_name": name,
        "node_type": node_type,
        "kind": kind,
        "qualname": qualname,
        "source_hash": source_hash,
        "file_hash": file.hash,
        "signature": signature,
        "docstring": docstring,
        "docstring_full": docstring_full,
        "imports": imports,
        "decorators": decorators,
        "callers": None,
        "callees": None,
        "related_tests": None,
        "related_tests_distance": None,
        "evidence": {},
        "line_count": line_count,
        "complexity": complexity,
        "docstring_outdated": False,
        "docstring_outdated_reason": None,
        "drift": None,
        "has_type_hints": has_type_hints,
        "last_updated": _iso(updated_ns),
        "update_source": source,
        "range": _range(start + line, col, start + end_line, end_col),
        "name_range": _range(start + name_line, name_col, start + name_end_line, name_end),
        "origin": file.origin,
        "version": file.version,
        "diverges": file.diverges,
        "broken": broken,
        "extra": _NOTHING,
    }
    for name, value in zip(LATER_FIELDS, values[20:], strict=False):
        state[name] = value
    return state


def _range(line: int, column: int, end_line: int, end_column: int) -> Json:
    return {
        "start": {"line": line, "character": column},
        "end": {"line": end_line, "character": end_column},
    }


def _contains(range_: Json, line: int, character: int) -> bool:
    start, end = range_["start"], range_["end"]
    # The column does not matter on the first line: the white space before a definition belongs to it.
    return bool(start["line"] <= line and (line, character) <= (end["line"], end["character"]))


def _start(state: Json) -> tuple[int, int]:
    start = state["range"]["start"]
    return start["line"], start["character"]


def _source_order(state: Json) -> tuple[bool, int, int]:
    return (state["node_type"] != "module", *_start(state))


@lru_cache(maxsize=4096)  # a cold start writes each file at a time of its own
def _iso(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="milliseconds")
