"""What git history tells of files, kept by path and blob: a commit is looked at once, and branches come back.

It lies in the memory's file: where that begins anew, history has to be read anew for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from .memory import Memory

T = TypeVar("T")
Place = tuple[str, str]  # path and blob
# How many blobs of a path are kept, those that were found last.
_KEPT = 4

_TABLE = """
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    blob TEXT NOT NULL,             -- git's id of the content
    used INTEGER NOT NULL,          -- of the path's rows the one whose seeds the memory was given last
    format INTEGER NOT NULL,
    data BLOB NOT NULL,             -- see hub.history.rows
    UNIQUE (path, blob)
)
"""


class HistoryTable:
    """The table `history`. All methods belong to the writer's thread.

    format: of the rows; those of another one count as absent.
    """

    def __init__(self, memory: Memory, format: int) -> None:
        self._memory = memory
        self._format = format

    def known(self) -> tuple[frozenset[Place], dict[str, str]]:
        """The places of all rows, and by path the blob that was used last."""
        sql = "SELECT path, blob, used FROM history WHERE format = ?"
        rows = self._do(lambda db: db.execute(sql, (self._format,)).fetchall())
        return frozenset((path, blob) for path, blob, _ in rows), {path: blob for path, blob, used in rows if used}

    def rows(self, places: Collection[Place]) -> dict[Place, bytes]:
        """What is kept of these places."""
        sql = "SELECT data FROM history WHERE path = ? AND blob = ?"
        found = self._do(lambda db: {place: db.execute(sql, place).fetchone() for place in places})
        return {place: row[0] for place, row in found.items() if row is not None}

    def put(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Keep (path, blob, data): from now on these are used of their paths."""
        with self._memory.batch():
            self._do(lambda db: self._put(db, rows))

    def _put(self, db: sqlite3.Connection, rows: Sequence[tuple[str, str, bytes]]) -> None:
        for path, blob, data in rows:
            db.execute("UPDATE history SET used = 0 WHERE path = ?", (path,))
            db.execute(
                "INSERT OR REPLACE INTO history (path, blob, used, format, data) VALUES (?, ?, 1, ?, ?)",
                (path, blob, self._format, data),
            )
            db.execute(
                "DELETE FROM history WHERE path = ? AND id NOT IN"
                " (SELECT id FROM history WHERE path = ? ORDER BY id DESC LIMIT ?)",
                (path, path, _KEPT),
            )

    def _do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Where the memory's file cannot be used (any more), go on in the one that takes its place."""
        try:
            self._memory._db.execute(_TABLE)
            return job(self._memory._db)
        except sqlite3.Error as error:
            self._memory.replace(error)
            self._memory._db.execute(_TABLE)
            return job(self._memory._db)
