"""Many nodes by their keys at once, read without what is joined to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import orjson

from .keys import node_key, split_key

if TYPE_CHECKING:
    from .view import IndexView, Json

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


def states(view: IndexView, keys: Iterable[str]) -> dict[str, Json]:
    """The NodeStates of those of the nodes that there are, in the order of the keys."""
    by_name = {split_key(key): key for key in keys if key.startswith("node:")}
    return {by_name[name]: state for name, state in view.nodes(by_name).items()}
