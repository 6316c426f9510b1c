"""Table `drift`: which nodes have a docstring that no longer fits, and why; joined to the nodes when they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson

from ..analysis.drift import RULES, Pair, Reason
from .memory import Memory, Verdict, memory_of

if TYPE_CHECKING:
    from .rows import FileRows
    from .view import IndexView

Mode = Literal["evidence", "any", "off"]
_REASON = Reason._fields


class Docstrings:
    """How docstrings are watched: by which rule, in which files, and what is remembered of them.

    database: the index's, None if it is in memory. excludes: the patterns that `excluded` decides by. read_only: what
    is saved is judged, and not remembered.
    """

    def __init__(
        self,
        database: Path | None,
        mode: Mode = "evidence",
        excluded: Callable[[str], bool] = lambda path: False,
        excludes: Iterable[str] = (),
        *,
        read_only: bool = False,
    ) -> None:
        path = memory_of(database) if database and mode != "off" else None
        self.memory = Memory(path, literal=mode == "any", read_only=read_only)
        self.rules = orjson.dumps((RULES, mode, *excludes)).decode()
        self._off = mode == "off"
        self._excluded = excluded

    def watches(self, path: str) -> bool:
        """Whether the file's docstrings are to be judged."""
        return not self._off and not self._excluded(path)

    def judge(self, rows: FileRows, now_ns: int, *, saved: bool) -> dict[str, Verdict]:
        """What is wrong with the docstrings that `rows` tell of; what was saved is remembered."""
        if not self.watches(rows.path) or not (rows.watched or saved):
            return {}
        if saved and not self.memory.read_only:
            return self.memory.save(rows.path, rows.watched, rows.names, now_ns, whole=rows.error is None)
        return self.memory.judge(rows.path, rows.watched, rows.names, now_ns, saved=saved)


class Seed(NamedTuple):
    """What history tells of a node: `pair` last belonged together; at `since_ns` a commit (`revision`, by `author`)
    changed the signature without the docstring."""

    qualname: str
    pair: Pair
    since_ns: int
    revision: str | None = None
    author: str | None = None


class Told(NamedTuple):
    """A row."""

    id: int
    data: bytes


def told(db: sqlite3.Connection, path: str, names: Sequence[str] | None = None) -> dict[str, Told]:
    """The rows of (these nodes of) a file by qualname."""
    if names is None:
        rows = db.execute(
            "SELECT qualname, drift.id, data FROM files JOIN drift ON drift.id BETWEEN files.id << 40 AND"
            " (files.id << 40) + 1099511627775 JOIN nodes ON nodes.id = drift.id WHERE path = ?",
            (path,),
        )
    else:
        rows = db.execute(
            "SELECT qualname, drift.id, data FROM json_each(?) JOIN files ON files.path = ? JOIN nodes"
            " ON file = files.id AND qualname = value JOIN drift ON drift.id = nodes.id",
            (orjson.dumps(names).decode(), path),
        )
    return {qualname: Told(row_id, data) for qualname, row_id, data in rows}


def to_tell(before: Mapping[str, Told], verdicts: Mapping[str, Verdict], now_ns: int) -> dict[str, bytes]:
    """The data of the rows to be. What began while typing began when it was first seen, not now."""
    found = {}
    for name, verdict in verdicts.items():
        if verdict.since_ns == now_ns and name in before:
            since_ns = orjson.loads(before[name].data)[1]
            verdict = verdict._replace(since_ns=since_ns or now_ns)
        found[name] = packed(verdict)
    return found


def packed(verdict: Verdict) -> bytes:
    """The data of a row."""
    return orjson.dumps(([tuple(reason) for reason in verdict.reasons], *verdict[1:]))


def different(affected: Collection[str], before: Mapping[str, Told], after: Mapping[str, bytes]) -> set[str]:
    """The nodes of which something else is told."""
    old = {name: row.data for name, row in before.items()}
    return {name for name in affected if old.get(name) != after.get(name)}


def tell(
    db: sqlite3.Connection, file: int, affected: Collection[str], before: Mapping[str, Told], after: Mapping[str, bytes]
) -> dict[str, int]:
    """Write the rows of the affected nodes of a file; gives the row ids of those of which something else is told."""
    db.executemany("DELETE FROM drift WHERE id = ?", [(before[name].id,) for name in affected if name in before])
    changed = different(affected, before, after)
    ids = {}
    for name in {*after, *changed}:
        row = db.execute("SELECT id FROM nodes WHERE file = ? AND qualname = ?", (file, name)).fetchone()
        if row is not None:
            ids[name] = row[0]
    db.executemany("INSERT OR REPLACE INTO drift VALUES (?, ?)", [(ids[n], after[n]) for n in after if n in ids])
    return {name: ids[name] for name in changed if name in ids}


# ---- reading


def join(view: IndexView, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The joined fields, see joined.py."""
    rows = view.select("SELECT id, data FROM drift WHERE id IN (SELECT value FROM json_each(?))", ids)
    return {row_id: fields(data) for row_id, data in rows}


def fields(data: bytes) -> dict[str, Any]:
    """What a row says of its node, as models.NodeState has it."""
    found, since_ns, revision, author, signature = orjson.loads(data)
    reasons = [dict(zip(_REASON, reason, strict=True)) for reason in found]
    since = datetime.fromtimestamp(since_ns / 1e9, UTC).isoformat(timespec="seconds") if since_ns else None
    return {
        "docstring_outdated": True,
        "docstring_outdated_reason": "; ".join(reason["message"] for reason in reasons),
        "drift": {
            "reasons": reasons, "since": since, "commit": revision, "author": author, "signature": signature,
        },
    }  # fmt: skip


def outdated(view: IndexView, below: Sequence[str] = ()) -> list[int]:
    """Row ids of the nodes with a docstring that no longer fits, in the order of files.

    below: only in these files and folders; an empty one is the root.
    """
    rows = view.select(
        "SELECT drift.id, path FROM drift JOIN files ON files.id = drift.id >> 40 WHERE ? IS NOT NULL ORDER BY path",
        [],
    )
    return [row_id for row_id, path in rows if not below or any(is_below(path, one) for one in below)]


def is_below(path: str, above: str) -> bool:
    """Whether `path` is `above`, or in that folder."""
    return not above or path == above or path.startswith(above + "/")


def of_file(view: IndexView, path: str) -> list[int]:
    """Row ids of such nodes in one file."""
    rows = view.select(
        "SELECT drift.id FROM files JOIN drift ON drift.id BETWEEN files.id << 40 AND (files.id << 40) + 1099511627775"
        " WHERE path IN (SELECT value FROM json_each(?))",
        [path],
    )
    return [row_id for (row_id,) in rows]


def files(view: IndexView) -> list[str]:
    """The files that have such nodes."""
    rows = view.select(
        "SELECT path FROM files WHERE id IN (SELECT DISTINCT id >> 40 FROM drift) AND ? IS NOT NULL ORDER BY path", []
    )
    return [path for (path,) in rows]


def count(view: IndexView) -> int:
    """How many there are."""
    return int(view.select("SELECT count(*) FROM drift WHERE ? IS NOT NULL", [])[0][0])
