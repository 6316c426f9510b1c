"""Many nodes by their keys at once, read without what is joined to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import orjson

from .keys import node_key, split_key
from .rows import ABSOLUTE

if TYPE_CHECKING:
    from .view import IndexView, KnownFile

SEGMENT_SHIFT = 16
Range = tuple[int, int, int, int]


class Head(NamedTuple):
    """What a list shows of a node. range, name_range: line, column, last line, end column, in UTF-16 code units."""

    key: str
    path: str
    qualname: str
    name: str
    node_type: str
    kind: str
    range: Range
    name_range: Range


_OF_KEYS = (
    "FROM json_each(?) AS asked JOIN files ON files.path = json_extract(asked.value, '$[0]')"
    " JOIN nodes ON nodes.file = files.id AND nodes.qualname = json_extract(asked.value, '$[1]')"
)


def kinds(view: IndexView, keys: Collection[str]) -> dict[str, str]:
    """The kinds of those of the nodes that there are."""
    asked = orjson.dumps([split_key(key) for key in keys]).decode()
    rows = view.rows(f"SELECT files.path, qualname, kind {_OF_KEYS}", (asked,))
    return {node_key(path, qualname): kind for path, qualname, kind in rows}


def row_ids(view: IndexView, keys: Collection[str]) -> dict[str, int]:
    """The row ids of those of the nodes that there are."""
    asked = orjson.dumps([split_key(key) for key in keys]).decode()
    rows = view.rows(f"SELECT files.path, qualname, nodes.id {_OF_KEYS}", (asked,))
    return {node_key(path, qualname): number for path, qualname, number in rows}


def keys_of(view: IndexView, ids: Sequence[int]) -> dict[int, str]:
    """The keys of rows."""
    sql = (
        "SELECT nodes.id, path, qualname FROM nodes JOIN files ON files.id = file"
        " WHERE nodes.id IN (SELECT value FROM json_each(?))"
    )
    return {number: node_key(path, qualname) for number, path, qualname in view.select(sql, ids)}


def inside(view: IndexView, path: str, qualname: str) -> list[str]:
    """The keys of what stands in a class or function; of a module ('') all of its definitions."""
    sql = "SELECT qualname FROM nodes JOIN files ON files.id = file WHERE path = ? AND kind != 'module'"
    prefix = f"{qualname}." if qualname else ""
    return [node_key(path, name) for (name,) in view.rows(sql, (path,)) if name.startswith(prefix)]


def heads(view: IndexView, keys: Iterable[str]) -> dict[str, Head]:
    """Those of the nodes that there are, in the order of the keys."""
    asked: dict[tuple[int, str], tuple[str, KnownFile]] = {}
    for key in keys:
        path, _, name = key.removeprefix("node:").rpartition(":")
        if key.startswith("node:") and (file := view.known_file(path)) is not None:
            asked[file.id, name] = key, file
    found = {}
    for row_id, number, qualname, name, facts in view.select(_HEADS, [f"{file}:{name}" for file, name in asked]):
        key, file = asked[number, qualname]
        found[key] = head(key, file, row_id, qualname, name, facts)
    return {key: found[key] for key, _ in asked.values() if key in found}


def head(key: str, file: KnownFile, row_id: int, qualname: str, name: str, facts: bytes) -> Head:
    """Of a row of `nodes`."""
    node_type, kind, line, column, last, end, name_line, name_column, name_last, name_end = orjson.loads(facts)[:10]
    start = file.start_of(row_id >> SEGMENT_SHIFT & ABSOLUTE)
    whole = (start + line, column, start + last, end)
    named = (start + name_line, name_column, start + name_last, name_end)
    return Head(key, file.path, qualname, name, node_type, kind, whole, named)


_HEADS = (
    "SELECT nodes.id, file, qualname, name, facts FROM json_each(?) AS asked CROSS JOIN nodes"
    " ON file = CAST(asked.value AS INTEGER) AND qualname = substr(asked.value, instr(asked.value, ':') + 1)"
)
