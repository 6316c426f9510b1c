"""The database's tables, and opening it: a database that is damaged or of another schema is set aside."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreDamaged, StoreError

log = logging.getLogger(__name__)

# Raise it when the tables or the meaning of their columns change.
SCHEMA_VERSION = 6
_APPLICATION_ID = 0x52454D4F  # "REMO"
# How long a write waits for another process that writes.
BUSY_SECONDS = 5.0

# What rows depend on beside the files: another Python parses other syntax.
ANALYSIS = f"{SCHEMA_VERSION}/python{sys.version_info.major}.{sys.version_info.minor}"

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    file_hash TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,      -- 0: the row does not come from the disk
    scanned_ns INTEGER NOT NULL,
    origin TEXT NOT NULL,           -- disk or buffer
    version INTEGER,
    line_count INTEGER NOT NULL,
    node_count INTEGER NOT NULL,
    error TEXT,
    error_line INTEGER,
    revision INTEGER NOT NULL,
    diverges INTEGER NOT NULL,      -- the disk changed while a buffer is open
    starts BLOB NOT NULL,           -- JSON [segment, first line, ...]
    bindings BLOB NOT NULL          -- JSON [[name, target], ...]
);

-- id = file << 40 | segment << 16 | index: a file's and a segment's nodes lie side by side.
CREATE TABLE nodes (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL,
    qualname TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER NOT NULL,
    updated_ns INTEGER NOT NULL,
    source TEXT NOT NULL,
    facts BLOB NOT NULL             -- JSON array, see rows.FACT_FIELDS
);
CREATE UNIQUE INDEX node_key ON nodes (file, qualname);
CREATE INDEX node_name ON nodes (name COLLATE NOCASE, kind);

CREATE INDEX file_revision ON files (revision);

-- Which files import a dotted name in their module scope.
CREATE TABLE imports (
    target TEXT NOT NULL,
    file INTEGER NOT NULL,
    PRIMARY KEY (target, file)
) WITHOUT ROWID;
CREATE INDEX import_file ON imports (file);

-- Keys that are gone, for changesSince.
CREATE TABLE deleted (
    revision INTEGER NOT NULL,
    key TEXT NOT NULL
);
CREATE INDEX deleted_revision ON deleted (revision);

-- Docstrings that no longer fit, by node.
CREATE TABLE drift (
    id INTEGER PRIMARY KEY,
    data BLOB NOT NULL              -- JSON, see memory.Verdict
);

-- Scripts that say something of nodes; those that are not active do not count just now.
CREATE TABLE scripts (
    name TEXT PRIMARY KEY,
    active INTEGER NOT NULL
) WITHOUT ROWID;

-- revision: up to which the script has seen the file. seen: JSON {qualname: hash of the facts it was sent}.
CREATE TABLE script_runs (
    file INTEGER NOT NULL,
    script TEXT NOT NULL,
    script_hash TEXT NOT NULL,
    revision INTEGER NOT NULL,
    seen BLOB NOT NULL,
    PRIMARY KEY (file, script)
) WITHOUT ROWID;

-- By name, because a node's row id changes with the statement it stands in. result: JSON, see index.scripts.
CREATE TABLE script_results (
    file INTEGER NOT NULL,
    qualname TEXT NOT NULL,
    script TEXT NOT NULL,
    revision INTEGER NOT NULL,      -- up to which the script has seen the node
    has_findings INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (file, qualname, script)
) WITHOUT ROWID;
CREATE INDEX script_result ON script_results (script);

CREATE TRIGGER file_without_scripts AFTER DELETE ON files BEGIN
    DELETE FROM script_runs WHERE file = old.id;
    DELETE FROM script_results WHERE file = old.id;
END;

-- What a statement does with names (analysis/forms.py), and the places in it.
CREATE TABLE summaries (
    id INTEGER PRIMARY KEY,         -- file << 40 | segment << 16
    data BLOB NOT NULL,             -- JSON [owner, fragment]
    places BLOB NOT NULL            -- JSON [line, start, end, ...], lines from the segment's first
);

-- The call graph, with the calling file. Code that stands in no definition of its segment has 65535 in the id's end.
CREATE TABLE edges (
    id INTEGER PRIMARY KEY,         -- the caller's row id
    owner TEXT NOT NULL,            -- the caller's unique name
    data BLOB NOT NULL              -- JSON [[target, kind, evidence, [number of a place, ...]], ...]
);
CREATE TABLE called (
    target INTEGER NOT NULL,        -- graph.number_of a key, or of `.name`
    caller INTEGER NOT NULL,        -- row of `edges`
    flags INTEGER NOT NULL,         -- graph.packed
    PRIMARY KEY (target, caller)
) WITHOUT ROWID;
CREATE TABLE hierarchy (
    base TEXT NOT NULL,             -- key or dotted name
    file INTEGER NOT NULL,
    class TEXT NOT NULL,
    place INTEGER NOT NULL,         -- which of the class's bases
    PRIMARY KEY (base, file, class)
) WITHOUT ROWID;
CREATE INDEX hierarchy_file ON hierarchy (file);

-- What a file passes for parameters of functions in `target`: JSON {function: {number: [value, ...]}}.
CREATE TABLE flows (
    target INTEGER NOT NULL,
    file INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (target, file)
) WITHOUT ROWID;
CREATE INDEX flow_file ON flows (file);

-- Which names of which files a file's edges, and the meaning of its names, rest on: see index/rests.py.
CREATE TABLE rests (
    rest INTEGER NOT NULL,
    file INTEGER NOT NULL,
    own INTEGER NOT NULL,           -- the name of the file that does; 0: the edges of its code
    PRIMARY KEY (rest, file, own)
) WITHOUT ROWID;
CREATE INDEX rest_file ON rests (file, own);

-- Files whose edges have to be worked out, and the names of them whose meaning may have changed since.
CREATE TABLE unresolved (
    path TEXT PRIMARY KEY,
    file INTEGER NOT NULL,
    names BLOB NOT NULL,            -- JSON
    stamp INTEGER NOT NULL          -- another one for each change
) WITHOUT ROWID;
"""
_TABLE_NAMES = {
    "meta", "files", "nodes", "summaries", "edges", "called", "unresolved", "drift", "node_key", "node_name",
}  # fmt: skip


def open_writer(path: Path) -> tuple[sqlite3.Connection, str | None]:
    """The write connection, and what happened to an unusable old database (None: nothing).

    Raises StoreError where the database cannot be opened or created.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            return _open_instead_of_folder(path)
        reason = None
        try:
            return _open(path), None
        except _Unusable as error:
            reason = str(error)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise
            reason = f"it is damaged ({error})"
        kept = set_aside(path)
        warning = f"the index {path} could not be used: {reason}; it was moved to {kept} and is rebuilt"
        log.warning(warning)
        return _open(path), warning
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open the index {path}: {error}") from error


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_SECONDS,
        )
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA cache_size=-4000")
        return connection
    except sqlite3.Error as error:
        raise StoreError(f"cannot read the index {path}: {error}") from error


@contextlib.contextmanager
def peek(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection for who has no part in the index; None where there is none that can be read, or one of
    another version or Python.
    """
    connection = _connect_to_peek(path) if path.is_file() else None
    try:
        yield connection
    finally:
        if connection is not None:
            connection.close()


def _connect_to_peek(path: Path) -> sqlite3.Connection | None:
    # In a folder that cannot be written SQLite has no place for its shared memory; without a log none is needed.
    modes = ["mode=ro"] if path.with_name(path.name + "-wal").exists() else ["mode=ro", "mode=ro&immutable=1"]
    for mode in modes:
        try:
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
        except sqlite3.Error:
            continue
        with contextlib.suppress(sqlite3.Error):
            if _is_usable(connection):
                return connection
        connection.close()
    return None


def _is_usable(connection: sqlite3.Connection) -> bool:
    told = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if told != [_APPLICATION_ID, SCHEMA_VERSION]:
        return False
    found: tuple[str] | None = connection.execute("SELECT value FROM meta WHERE key = 'analysis'").fetchone()
    return found == (ANALYSIS,)


def failure(text: str, error: Exception) -> StoreError:
    """What a reader or writer raises for an error of SQLite, or for rows that cannot be understood."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or not isinstance(error, sqlite3.Error)
    return (StoreDamaged if damaged else StoreError)(f"{text}: {error}")


def copy_index(source: Path, target: Path) -> None:
    """Copy a database that another process may be writing; what cannot be copied is built anew instead."""
    try:
        with contextlib.closing(open_reader(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("DELETE FROM meta WHERE key = 'identity'")  # the two go different ways: cursors hold for one
            new.commit()
    except (StoreError, sqlite3.Error) as error:
        log.warning("the index %s cannot be copied: %s", source, error)
        target.unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Move the database away; the one set aside before is replaced."""
    kept = path.with_name(path.name + ".damaged")
    for suffix in ("", "-wal", "-shm"):
        old = kept.with_name(kept.name + suffix)
        old.unlink(missing_ok=True)  # a log must not come to lie beside another database
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(old)
    return kept


class _Unusable(Exception):
    """The file is no index of this version."""


def _open_instead_of_folder(path: Path) -> tuple[sqlite3.Connection, str]:
    """Only an empty folder gives way (container engines make one for a mount that is not there)."""
    try:
        path.rmdir()
    except OSError:
        raise StoreError(f"cannot open the index {path}: it is a directory; name a file") from None
    warning = f"the index {path} was an empty directory; it was removed and the index is built"
    log.warning(warning)
    return _open(path), warning


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if empty:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id={_APPLICATION_ID};"
                f" PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
            )
        elif connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            raise _Unusable("it is not an index of this program")
        elif version != SCHEMA_VERSION:
            raise _Unusable(f"it has schema {version}, this program has {SCHEMA_VERSION}")
        elif missing := _TABLE_NAMES - {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}:
            raise _Unusable(f"it lacks {', '.join(sorted(missing))}")
        connection.execute("PRAGMA journal_mode=WAL")
        # WAL with NORMAL loses no committed transaction but at power loss, and then the files are read again.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-8000")
        # A cold start writes each index page many times: copy them from the log less often (16 MB).
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("SELECT value FROM meta").fetchall()
        connection.execute("SELECT id FROM files LIMIT 1").fetchall()
        connection.execute("SELECT id FROM nodes LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
