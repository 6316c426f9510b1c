"""Writing the call graph: a file's edges, what it passes, what it rests on; and which nodes that changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from ..analysis.forms import BINDS, CHILD_NAME, CHILDREN, IMPORTS
from .graph import number_of, packed
from .keys import node_key
from .resolving import ANY_NAME, FILE_SHIFT, SEGMENT_SHIFT, Resolved


class Unresolved(NamedTuple):
    """A file whose graph has to be worked out. names: of its top level, whose meaning may have changed."""

    file: int
    path: str
    names: frozenset[str]


def note_unresolved(db: sqlite3.Connection, file: int, path: str, names: Collection[str]) -> None:
    """The graph of this file has to be worked out, and of what rests on these names of it."""
    row = db.execute("SELECT names FROM unresolved WHERE path = ?", (path,)).fetchone()
    known = set(orjson.loads(row[0])) if row else set()
    db.execute(
        "INSERT OR REPLACE INTO unresolved VALUES (?, ?, ?)", (path, file, orjson.dumps(sorted(known | set(names))))
    )


def unresolved(db: sqlite3.Connection, limit: int, paths: Sequence[str] | None = None) -> list[Unresolved]:
    """Files whose graph has to be worked out; of these paths, if they are named."""
    sql, parameters = "SELECT file, path, names FROM unresolved", [limit]
    if paths is not None:
        sql += " WHERE path IN (SELECT value FROM json_each(?))"
        parameters.insert(0, orjson.dumps(list(paths)).decode())  # type: ignore[arg-type]
    rows = db.execute(f"{sql} ORDER BY path LIMIT ?", parameters).fetchall()
    return [Unresolved(file, path, frozenset(orjson.loads(names))) for file, path, names in rows]


def names_in(summary: bytes) -> set[str]:
    """The names of the module's top level that a statement gives a meaning to."""
    owner, fragment = orjson.loads(summary)
    if owner:
        return {owner}
    names = {state.partition("%")[0] for state in fragment[BINDS][::2]}
    names |= {child[CHILD_NAME] for child in fragment[CHILDREN]}
    names |= {name.partition(".")[0] for name in fragment[IMPORTS][::2]}
    return names - {""}


def dependants(db: sqlite3.Connection, path: str, names: Collection[str]) -> list[tuple[int, str]]:
    """Files (number, path) whose graph rests on these names of a file, directly or through what others mean."""
    start = [(path, name) for name in names]
    if ANY_NAME in names:
        start += db.execute("SELECT DISTINCT path, name FROM rests WHERE path = ?", (path,)).fetchall()
        start += _waiting_for(path)
    sql = (
        "WITH RECURSIVE reached (path, name) AS (SELECT value ->> 0, value ->> 1 FROM json_each(?) UNION"
        " SELECT files.path, rests.own FROM reached JOIN rests USING (path, name) JOIN files ON files.id = rests.file"
        " WHERE rests.own != '')"
        " SELECT DISTINCT files.id, files.path FROM reached JOIN rests USING (path, name)"
        " JOIN files ON files.id = rests.file"
    )
    return db.execute(sql, (orjson.dumps(start).decode(),)).fetchall()


def _waiting_for(path: str) -> list[tuple[str, str]]:
    """What was looked for in vain, and this file may be."""
    folder, _, last = path.rpartition("/")
    stem = last.partition(".")[0]
    if stem == "__init__":
        folder, _, stem = folder.rpartition("/")
    absent = [("", part) for part in (*folder.split("/"), stem) if part]
    packages = [(f"{folder}/{name}".lstrip("/"), stem) for name in ("__init__.py", "__init__.pyi")]
    return absent + packages


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
    _write_rests(db, file, resolved, names)
    _write_flows(db, file, resolved.graph.flows)
    return _differences(old.rows.values(), new.values())


def called_rows(row_id: int, data: bytes) -> list[tuple[int, int, int]]:
    """The rows of `called` for a row of `edges`: what lies outside the project is not looked for by its callers."""
    kinds: dict[str, dict[int, int]] = {}
    for target, kind, evidence, _ in orjson.loads(data):
        if target.startswith(("node:", ".")):
            kinds.setdefault(target, {})[kind] = evidence
    return [(number_of(target), row_id, packed(found)) for target, found in kinds.items()]


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


def _write_rests(db: sqlite3.Connection, file: int, resolved: Resolved, names: Collection[str]) -> None:
    # What a name that did not change rests on may have been found out by other files, and is not again.
    if ANY_NAME in names:
        db.execute("DELETE FROM rests WHERE file = ?", (file,))
    else:
        sql = "DELETE FROM rests WHERE file = ? AND own IN (SELECT value FROM json_each(?))"
        db.execute(sql, (file, orjson.dumps(["", *names]).decode()))
    rows: list[tuple[Any, ...]] = []
    numbers: dict[str, int | None] = {resolved.graph.path: file}
    for owner, found_names in resolved.rests.items():
        path, own = owner
        if path not in numbers:
            found = db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            numbers[path] = found[0] if found else None
        if (number := numbers[path]) is not None:
            found_names = {one for one in found_names if one != owner and (own or one[0] != path)}
            rows += [(*one, number, own) for one in found_names]
    db.executemany("INSERT OR IGNORE INTO rests VALUES (?, ?, ?, ?)", rows)


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


__all__ = [
    "ANY_NAME", "Unresolved", "dependants", "flows_of", "forget_file", "names_in", "node_key", "note_unresolved",
    "unresolved", "write_graph",
]  # fmt: skip
