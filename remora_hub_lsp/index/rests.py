"""What the call graph of files rests on: names of other files, each as a number; and who rests on what changed.

A number's upper bits are of the file and its lower ones of the name. That two have the same number by accident costs
some work that was not needed.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable
from functools import lru_cache
from hashlib import blake2b

import orjson

from ..analysis.program import Rest
from ..analysis.resolver.rests import ANY_NAME, BELOW, PRESENCE
from .keys import node_key, split_key
from .resolving import Rests

_NAME_BITS, _PATH_BITS = 40, 23
# Who rests on what, directly or through what others mean.
_REACHED = (
    "WITH RECURSIVE reached (rest) AS (SELECT value FROM json_each(?) UNION"
    " SELECT own FROM reached JOIN rests USING (rest) WHERE own != 0)"
)


@lru_cache(maxsize=20_000)
def _path_number(path: str) -> int:
    return _digest(path) >> 64 - _PATH_BITS << _NAME_BITS


@lru_cache(maxsize=100_000)
def _name_number(name: str) -> int:
    return _digest(name) >> 64 - _NAME_BITS


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def rest_number(rest: Rest) -> int:
    """The number of a name of a file."""
    return _path_number(rest[0]) | _name_number(rest[1])


def rest_rows(owner: Rest, found: Iterable[Rest], file: int) -> list[tuple[int, int, int]]:
    """The rows of what a name of a file, or its code (""), rests on. Of its own names nothing is noted for the code,
    but of those that its classes have not: they may have them by a change of another file."""
    path, own = owner
    number = rest_number(owner) if own else 0
    return [
        (rest_number(one), file, number) for one in found if one != owner and (own or one[0] != path or "?" in one[1])
    ]


def write_rests(db: sqlite3.Connection, rests: Rests, numbers: dict[str, int | None]) -> None:
    """Note what rests on what. numbers: of the files, by path, as far as they are known; None: there is none."""
    rows: list[tuple[int, int, int]] = []
    for owner, found in rests.items():
        path = owner[0]
        if path not in numbers:
            row = db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            numbers[path] = row[0] if row else None
        file = numbers[path]
        if file is not None:
            rows += rest_rows(owner, found, file)
    db.executemany("INSERT OR IGNORE INTO rests VALUES (?, ?, ?)", rows)


def forget_rests(db: sqlite3.Connection, file: int, path: str, names: Collection[str]) -> None:
    """What the code of a file, and these names of it, rest on is found out anew."""
    # What a name that did not change rests on may have been found out by other files, and is not again.
    if ANY_NAME in names:
        db.execute("DELETE FROM rests WHERE file = ?", (file,))
    else:
        sql = "DELETE FROM rests WHERE file = ? AND own IN (SELECT value FROM json_each(?))"
        db.execute(sql, (file, _json([0, *(rest_number((path, name)) for name in names)])))


def resting_on(db: sqlite3.Connection, rest: Rest) -> list[tuple[int, int]]:
    """(file, number of its name or 0: its code) of what rests on a name directly."""
    return db.execute("SELECT file, own FROM rests WHERE rest = ?", (rest_number(rest),)).fetchall()


def reaching(db: sqlite3.Connection, numbers: Iterable[int]) -> set[int]:
    """Files whose graph rests on what has one of these numbers, directly or through what others mean."""
    sql = f"{_REACHED} SELECT DISTINCT file FROM reached JOIN rests USING (rest)"
    return {file for (file,) in db.execute(sql, (_json(numbers),))}


def resting_on_presence(db: sqlite3.Connection, path: str, name: str) -> list[tuple[int, int]]:
    """(file, number or 0) of what rests on it whether a class has a name: `Class.?name` of a file."""
    owner, _, member = name.partition(PRESENCE)
    below = _closure(db, _named_so(db, path, owner), _SUBCLASSES)
    absences = [(path, f"{cls}{PRESENCE}{member}") for path, cls in map(_plain, below)]
    absences += [(path, f"{cls}.{BELOW}?{member}") for path, cls in map(_plain, _closure(db, below, _BASES))]
    sql = "SELECT DISTINCT file, own FROM rests WHERE rest IN (SELECT value FROM json_each(?))"
    return db.execute(sql, (_json(map(rest_number, absences)),)).fetchall()


_SUBCLASSES = (
    "SELECT 'node:' || files.path || ':' || class FROM json_each(?) AS asked CROSS JOIN hierarchy"
    " ON base = 'node:' || json_extract(asked.value, '$[0]') || ':' || json_extract(asked.value, '$[1]')"
    " JOIN files ON files.id = file"
)
_BASES = (
    "SELECT base FROM json_each(?) AS asked JOIN files ON files.path = json_extract(asked.value, '$[0]')"
    " JOIN hierarchy ON file = files.id AND class = json_extract(asked.value, '$[1]') WHERE base LIKE 'node:%'"
)
_NUMBERED = re.compile(r"#\d+")


def _plain(key: str) -> Rest:
    """A class by its file and qualname."""
    path, name = split_key(key)
    return path, _NUMBERED.sub("", name)


def _named_so(db: sqlite3.Connection, path: str, name: str) -> set[str]:
    """The keys of classes of that name in a file, as far as others inherit from them."""
    key = node_key(path, name)
    sql = "SELECT DISTINCT base FROM hierarchy WHERE base > ? AND base < ?"
    return {key, *(base for (base,) in db.execute(sql, (f"{key}#", f"{key}$")))}


def _closure(db: sqlite3.Connection, start: Iterable[str], sql: str) -> set[str]:
    """The keys of these classes, and of those that are related to them, directly or not."""
    found = set(start)
    level = found
    while level:
        asked = orjson.dumps(list(map(split_key, level))).decode()
        level = {key for (key,) in db.execute(sql, (asked,))} - found
        found |= level
    return found


def numbers_of_file(db: sqlite3.Connection, path: str) -> set[int]:
    """All that is rested on in a file, or that it may be once it is there."""
    low = _path_number(path)
    sql = "SELECT DISTINCT rest FROM rests WHERE rest BETWEEN ? AND ?"
    found = {rest for (rest,) in db.execute(sql, (low, low | (1 << _NAME_BITS) - 1))}
    return found | {rest_number(rest) for rest in _waiting_for(path)}


def _waiting_for(path: str) -> list[Rest]:
    """What was looked for in vain, and this file may be."""
    folder, _, last = path.rpartition("/")
    stem = last.partition(".")[0]
    if stem == "__init__":
        folder, _, stem = folder.rpartition("/")
    absent = [("", part) for part in (*folder.split("/"), stem) if part]
    packages = [(f"{folder}/{name}".lstrip("/"), stem) for name in ("__init__.py", "__init__.pyi")]
    return absent + packages


def _json(numbers: Iterable[int]) -> str:
    return orjson.dumps(list(numbers)).decode()
