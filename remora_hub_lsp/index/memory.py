"""The pairs of signature and docstring that last belonged together, and what docstrings are to be measured by.

It has a file of its own, since it cannot be worked out anew: the index may be rebuilt, this stays. Only text that was
saved moves it. A node is found again by its name, or by its content where it was moved or renamed.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar, cast

import orjson

from ..analysis.drift import Reason, reasons
from .remembered import (
    Remembered,
    accepted,
    after_save,
    digests_in,
    first,
    gives_way,
    nearness,
    packed,
    unpacked,
    with_digest,
)
from .schema import BUSY_SECONDS
from .watched import WatchedRow, pack, unpack

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
_VERSION = 1
_APPLICATION_ID = 0x52454D44  # "REMD"
# How long a node that is gone is remembered.
_GONE_NS = 90 * 24 * 3600 * 10**9

_TABLES = """
CREATE TABLE pairs (
    path TEXT NOT NULL,
    qualname TEXT NOT NULL,
    pair BLOB NOT NULL,             -- JSON, see watched.pack: what last belonged together
    doc BLOB NOT NULL,              -- digest of its docstring
    digest BLOB NOT NULL,
    how TEXT NOT NULL,              -- how it came to be accepted
    accepted_ns INTEGER NOT NULL,
    accepted BLOB NOT NULL,         -- digests of pairs that were accepted, one behind the other, the newest last
    allowed BLOB NOT NULL,          -- digests of what is wrong by itself and was acknowledged
    before BLOB,                    -- JSON: what an acknowledgement took the place of
    body TEXT NOT NULL,             -- of the node as it was saved last
    shape BLOB NOT NULL,
    since_ns INTEGER NOT NULL,      -- when the signature left the docstring behind; 0: it has not
    revision TEXT,                  -- the commit that did, where history tells
    author TEXT,
    gone_ns INTEGER NOT NULL,       -- 0: the node is there
    PRIMARY KEY (path, qualname)
) WITHOUT ROWID;
CREATE INDEX pair_body ON pairs (body);
"""


class Verdict(NamedTuple):
    """What is wrong with a docstring. since_ns: 0 where that is not known. signature: that it did fit."""

    reasons: tuple[Reason, ...]
    since_ns: int = 0
    revision: str | None = None
    author: str | None = None
    signature: str | None = None


def _safely(method: Callable[Concatenate[Memory, P], T]) -> Callable[Concatenate[Memory, P], T]:
    """Where the file cannot be used (any more), go on without what it knew: the index does not depend on it."""

    @wraps(method)
    def safe(self: Memory, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except (sqlite3.Error, orjson.JSONDecodeError) as error:
            self.replace(error)
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[Memory, P], T]", safe)


class Memory:
    """The memory in the file at `path`, created if absent; None: in memory. All methods belong to one thread.

    read_only: nothing is written, and a file that cannot be used is left as it is. literal: any change of the signature
    alone is a reason, too. warning: what happened to a file that could not be used, else None.
    """

    def __init__(self, path: Path | None, *, literal: bool = False, read_only: bool = False) -> None:
        self.path = path
        self.read_only = read_only
        self.literal = literal
        self.warning: str | None = None
        try:
            self._db = _open_to_read(path) if read_only and path is not None else _open(path)
        except (OSError, sqlite3.Error) as error:
            self.replace(error)

    # ---- what is asked

    @_safely
    def judge(
        self, path: str, rows: Sequence[WatchedRow], names: Collection[str], now_ns: int, *, saved: bool = False
    ) -> dict[str, Verdict]:
        """What is wrong with docstrings of the file, by qualname; what is not named is fine. Nothing is remembered.

        names: all that the file defines now. saved: judge as if this text were saved.
        """
        known = self._known(path, rows, names, self._of_file(path, [row.qualname for row in rows]))
        if saved:
            known = {
                row.qualname: after_save(path, known.get(row.qualname), row, now_ns, self._reasons) for row in rows
            }
        return self._verdicts(known, rows, now_ns)

    @_safely
    def save(
        self, path: str, rows: Sequence[WatchedRow], names: Collection[str], now_ns: int, *, whole: bool
    ) -> dict[str, Verdict]:
        """The file was saved with these pairs: remember that, and judge them.

        whole: all of the file parses, so that what is not there is gone.
        """
        before = self._of_file(path)
        known = self._known(path, rows, names, before)
        after = {row.qualname: after_save(path, known.get(row.qualname), row, now_ns, self._reasons) for row in rows}
        with self.batch():
            self._put([now for name, now in after.items() if before.get(name) != now])
            if whole:
                self._lost(path, [was for name, was in before.items() if name not in after], names, now_ns)
        return self._verdicts(after, rows, now_ns)

    @_safely
    def forget_files(self, paths: Sequence[str], now_ns: int) -> None:
        """The files are gone. What was in them is remembered for a while: it may come again."""
        with self.batch():
            self._db.executemany(
                "UPDATE pairs SET gone_ns = ? WHERE path = ? AND gone_ns = 0", [(now_ns, path) for path in paths]
            )

    @_safely
    def acknowledge(self, path: str, row: WatchedRow, now_ns: int) -> None:
        """The docstring is accurate as it is."""
        was = self._known(path, [row], (), self._of_file(path)).get(row.qualname) or first(path, row, now_ns)
        allowed = with_digest(was.allowed, row.static_digest) if row.static else was.allowed
        again = was.how == "acknowledged" and was.digest == row.digest
        before = (was.before if again else None) or packed(was)
        now = accepted(was, row, "acknowledged", now_ns)._replace(path=path, allowed=allowed, before=before)
        with self.batch():
            self._put([now])

    @_safely
    def take_back(self, path: str, qualname: str) -> bool:
        """Undo the last acknowledgement; whether there was one."""
        was = self._of_file(path).get(qualname)
        if was is None or was.before is None:
            return False
        with self.batch():
            self._put([unpacked(was)])
        return True

    @_safely
    def seed(
        self,
        path: str,
        row: WatchedRow,
        now: WatchedRow,
        *,
        since_ns: int,
        revision: str | None = None,
        author: str | None = None,
    ) -> bool:
        """What history tells: the pair of `row` is the last that belonged together, and at `since_ns` a commit
        (`revision`, by `author`) changed the signature without the docstring. `now` is the pair as it is.

        Gives way to what people did: False where the node is unknown, its docstring is another one by now, or its
        pair was accepted for more than that it was seen, or came with a docstring that history knows, too.
        """
        was = self._of_file(path).get(row.qualname)
        if was is None or was.doc != row.doc or not gives_way(was, now):
            return False
        told = was._replace(
            pair=pack(row.pair), digest=row.digest, accepted=row.digest, how="history",
            since_ns=since_ns, revision=revision, author=author,
        )  # fmt: skip
        with self.batch():
            self._put([told])
        return True

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Several changes in one transaction."""
        outermost = not self._db.in_transaction
        if outermost:
            self._begin()
        try:
            yield
        except BaseException:
            if outermost and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        if outermost:
            self._commit()

    @_safely
    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    @_safely
    def _commit(self) -> None:
        if self._db.in_transaction:  # else the file was replaced meanwhile
            self._db.execute("COMMIT")

    def replace(self, error: Exception) -> None:
        """Go on with an empty memory: in the file's place where that is damaged, else without a file."""
        damaged = isinstance(error, _Unusable) or not isinstance(error, OSError | sqlite3.OperationalError)
        self.close()
        where = "it starts anew"
        try:
            if self.path is None or not damaged or self.read_only:
                raise OSError
            kept = self.path.with_name(self.path.name + ".damaged")
            self.path.replace(kept)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._db = _open(self.path)
            where = f"it was moved to {kept}, and {where}"
        except (OSError, sqlite3.Error):
            self._db = _open(None)
            where += " and is not kept"
        self.warning = f"the memory of docstrings {self.path} cannot be used: {error}; {where}"
        log.warning(self.warning)

    def close(self) -> None:
        """Close the file. Idempotent."""
        with contextlib.suppress(sqlite3.Error, AttributeError):
            self._db.close()

    # ---- inside

    def _verdicts(self, known: Mapping[str, Remembered], rows: Sequence[WatchedRow], now_ns: int) -> dict[str, Verdict]:
        found = ((row.qualname, self._verdict(known.get(row.qualname), row, now_ns)) for row in rows)
        return {name: verdict for name, verdict in found if verdict is not None}

    def _verdict(self, was: Remembered | None, row: WatchedRow, now_ns: int) -> Verdict | None:
        if row.pair.allowed:
            return None
        if was is None:
            return Verdict(row.static) if row.static else None
        since = self._reasons(was, row)
        told = {reason.parameter for reason in since}
        fine = bool(row.static) and row.static_digest in digests_in(was.allowed)
        static = () if fine else tuple(reason for reason in row.static if reason.parameter not in told)
        if since:
            signature = unpack(was.pair, "").signature
            return Verdict((*since, *static), was.since_ns or now_ns, was.revision, was.author, signature)
        return Verdict(static) if static else None

    def _reasons(self, was: Remembered, row: WatchedRow) -> tuple[Reason, ...]:
        if row.digest == was.digest or row.digest in digests_in(was.accepted):
            return ()
        remembered = unpack(was.pair, row.pair.docstring if was.doc == row.doc else "")
        return reasons(remembered, row.pair, literal=self.literal)

    def _of_file(self, path: str, names: Sequence[str] | None = None) -> dict[str, Remembered]:
        """What is remembered of (these) nodes of a file."""
        sql, values = "SELECT * FROM pairs WHERE path = ?", [path]
        if names is not None:
            sql += " AND qualname IN (SELECT value FROM json_each(?))"
            values.append(orjson.dumps(names).decode())
        return {row[1]: Remembered(*row) for row in self._db.execute(sql, values)}

    def _known(
        self, path: str, rows: Sequence[WatchedRow], names: Collection[str], of_file: Mapping[str, Remembered]
    ) -> Mapping[str, Remembered]:
        """What is remembered of the nodes: under their names, or else of the same content under another name."""
        strange = [row for row in rows if row.qualname not in of_file]
        if not strange:
            return of_file
        bodies = orjson.dumps([row.body for row in strange]).decode()
        same: dict[str, list[Remembered]] = {}
        for values in self._db.execute(
            "SELECT * FROM pairs WHERE body IN (SELECT value FROM json_each(?)) LIMIT 1000", (bodies,)
        ):
            was = Remembered(*values)
            same.setdefault(was.body, []).append(was)
        found = dict(of_file)
        for row in strange:
            # With another signature it is another one, unless that one is gone.
            fits = [was for was in same.get(row.body, ()) if was.shape == row.shape or was.gone_ns
                    or (was.path == path and was.qualname not in names)]  # fmt: skip
            if fits:
                found[row.qualname] = max(fits, key=lambda was: nearness(was, path, row))
        return found

    def _lost(self, path: str, lost: Sequence[Remembered], names: Collection[str], now_ns: int) -> None:
        """These have no pair in the file any more. A docstring that was taken out of what is there is forgotten."""
        self._db.executemany(
            "DELETE FROM pairs WHERE path = ? AND qualname = ?",
            [(path, was.qualname) for was in lost if was.qualname in names],
        )
        self._put([was._replace(gone_ns=now_ns) for was in lost if was.qualname not in names and not was.gone_ns])

    def _put(self, rows: Sequence[Remembered]) -> None:
        marks = ", ".join("?" * len(Remembered._fields))
        self._db.executemany(f"INSERT OR REPLACE INTO pairs VALUES ({marks})", rows)


class _Unusable(sqlite3.DatabaseError):
    """The file is no memory of this version."""


def _open_to_read(path: Path) -> sqlite3.Connection:
    # Without a log SQLite would make one, even to read.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    try:
        _refuse_others(db)
    except BaseException:
        db.close()
        raise
    return db


def _refuse_others(db: sqlite3.Connection) -> None:
    told = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if told != [_APPLICATION_ID, _VERSION]:
        raise _Unusable(f"it is none of this version ({told[1]}, not {_VERSION})")


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id={_APPLICATION_ID}; PRAGMA user_version={_VERSION}; COMMIT;"
            )
        _refuse_others(db)
        db.execute("DELETE FROM pairs WHERE gone_ns AND gone_ns < ?", (time.time_ns() - _GONE_NS,))
    except BaseException:
        db.close()
        raise
    return db


def memory_of(database: Path) -> Path:
    """Where the memory of an index lies: beside it."""
    return database.with_name(f"{database.stem}.docstrings.db")


def copy_memory(source: Path, target: Path) -> None:
    """Copy the memory of an index that another process may be writing."""
    if not memory_of(source).exists():
        return
    try:
        uri = f"{memory_of(source).absolute().as_uri()}?mode=ro"
        with (
            contextlib.closing(sqlite3.connect(uri, uri=True)) as old,
            contextlib.closing(sqlite3.connect(memory_of(target))) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        log.warning("the memory of docstrings %s cannot be copied: %s", memory_of(source), error)
        memory_of(target).unlink(missing_ok=True)
