"""Writing the call graph: a file's edges, what it passes, what it rests on; and which nodes that changes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable
from typing import Any

import orjson

from ..analysis.collected import EdgeRow
from .graph import number_of, packed
from .resolving import FILE_SHIFT, SEGMENT_SHIFT, Resolved, Unresolved
from .rests import forget_rests, write_rests


def note_unresolved(db: sqlite3.Connection, file: int, path: str, names: Collection[str]) -> None:
    """The graph of this file has to be worked out, and of what rests on these names of it."""
    row = db.execute("SELECT names FROM unresolved WHERE path = ?", (path,)).fetchone()
    known = set(orjson.loads(row[0])) if row else set()
    db.execute(
        "INSERT OR REPLACE INTO unresolved VALUES (?, ?, ?, ?)",
        (path, file, orjson.dumps(sorted(known | set(names))), time.monotonic_ns()),
    )


def is_unresolved(db: sqlite3.Connection, until: int = 0, since: int = 0) -> bool:
    """Whether the graph of some file has to be worked out: after a change up to the one stamp, or from the other on."""
    sql = "SELECT 1 FROM unresolved WHERE stamp <= ? OR stamp >= ? LIMIT 1"
    return db.execute(sql, (until, since)).fetchone() is not None


def settle(db: sqlite3.Connection, one: Unresolved) -> bool:
    """The file's graph is worked out; False where the file has changed meanwhile, so that it is not."""
    sql = "DELETE FROM unresolved WHERE path = ? AND stamp = ?"
    return db.execute(sql, (one.path, one.stamp)).rowcount == 1


def forget_file(db: sqlite3.Connection, file: int) -> set[str]:
    """Remove a file's part of the graph; gives the keys of what it called."""
    called = _Old(db, file).forget_all()
    for table in ("hierarchy", "flows", "rests"):
        db.execute(f"DELETE FROM {table} WHERE file = ?", (file,))
    return called


def write_graph(
    db: sqlite3.Connection, file: int, resolved: Resolved, names: Collection[str]
) -> tuple[set[str], set[str]]:
    """Write a file's part of the graph. names: of it that may mean something else now.

    Gives the callers whose callees changed (names in the file), and the keys of the nodes whose callers did.
    """
    old = _Old(db, file)
    base = file << FILE_SHIFT
    new: dict[int, tuple[str, bytes]] = {}
    for segment, slot, owner, edges in resolved.graph.callers:
        new[base | segment << SEGMENT_SHIFT | slot] = (owner, orjson.dumps(edges))
    for row_id in old.rows.keys() - new.keys():
        old.forget(row_id)
    called = []
    for row_id, row in new.items():
        if old.rows.get(row_id) == row:
            continue
        if row_id in old.rows:
            old.forget(row_id)
        db.execute("INSERT INTO edges VALUES (?, ?, ?)", (row_id, *row))
        called += called_rows(row_id, row[1])
    db.executemany("INSERT OR REPLACE INTO called VALUES (?, ?, ?)", called)
    _write_hierarchy(db, file, resolved.graph.bases)
    forget_rests(db, file, resolved.graph.path, names)
    write_rests(db, resolved.rests, {resolved.graph.path: file})
    _write_flows(db, file, resolved.graph.flows)
    return _differences(old.rows.values(), new.values())


def called_rows(row_id: int, data: bytes) -> list[tuple[int, int, int]]:
    """The rows of `called` for a row of `edges`: what lies outside the project is not looked for by its callers."""
    return called_by(row_id, orjson.loads(data))


def called_by(caller: int, edges: Iterable[EdgeRow]) -> list[tuple[int, int, int]]:
    """The same of edges."""
    kinds: dict[str, dict[int, int]] = {}
    for target, kind, evidence, _ in edges:
        if target.startswith(("node:", ".")):
            kinds.setdefault(target, {})[kind] = evidence
    return [(number_of(target), caller, packed(found)) for target, found in kinds.items()]


class _Old:
    """A file's edges as they were."""

    def __init__(self, db: sqlite3.Connection, file: int) -> None:
        self.db = db
        low, high = file << FILE_SHIFT, ((file + 1) << FILE_SHIFT) - 1
        rows = db.execute("SELECT id, owner, data FROM edges WHERE id BETWEEN ? AND ?", (low, high)).fetchall()
        self.rows: dict[int, tuple[str, bytes]] = {row_id: (owner, data) for row_id, owner, data in rows}

    def forget(self, row_id: int) -> None:
        rows = called_rows(row_id, self.rows[row_id][1])
        self.db.executemany("DELETE FROM called WHERE target = ? AND caller = ?", [row[:2] for row in rows])
        self.db.execute("DELETE FROM edges WHERE id = ?", (row_id,))

    def forget_all(self) -> set[str]:
        for row_id in self.rows:
            self.forget(row_id)
        return {target for _, data in self.rows.values() for target, *_ in orjson.loads(data)}


def _differences(old: Iterable[tuple[str, bytes]], new: Iterable[tuple[str, bytes]]) -> tuple[set[str], set[str]]:
    before, after = _by_owner(old), _by_owner(new)
    owners, targets = set(), set()
    for owner in before.keys() | after.keys():
        was, now = before.get(owner, set()), after.get(owner, set())
        if was != now:
            owners.add(owner)
            targets |= {target for target, _, _ in was ^ now if target.startswith(("node:", "."))}
    return owners, targets


def _by_owner(rows: Iterable[tuple[str, bytes]]) -> dict[str, set[tuple[str, int, int]]]:
    out: dict[str, set[tuple[str, int, int]]] = {}
    for owner, data in rows:
        out.setdefault(owner, set()).update(
            (target, kind, evidence) for target, kind, evidence, _ in orjson.loads(data)
        )
    return out


def _write_hierarchy(db: sqlite3.Connection, file: int, bases: dict[str, tuple[str, ...]]) -> None:
    db.execute("DELETE FROM hierarchy WHERE file = ?", (file,))
    db.executemany(
        "INSERT OR REPLACE INTO hierarchy VALUES (?, ?, ?, ?)",
        [(base, file, name, place) for name, found in bases.items() for place, base in enumerate(found)],
    )


def _write_flows(db: sqlite3.Connection, file: int, flows: dict[str, Any]) -> None:
    db.execute("DELETE FROM flows WHERE file = ?", (file,))
    rows = []
    for path, functions in flows.items():
        found = db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if found:
            rows.append((found[0], file, orjson.dumps(functions, option=orjson.OPT_SORT_KEYS)))
    db.executemany("INSERT OR REPLACE INTO flows VALUES (?, ?, ?)", rows)


def flows_of(db: sqlite3.Connection, file: int) -> dict[int, bytes]:
    """What a file passes, by the file that it passes it to."""
    return dict(db.execute("SELECT target, data FROM flows WHERE file = ?", (file,)).fetchall())

