"""Texts into a real index, and what it then holds in a form that two of them can be compared by."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.index.kv import Changed, NodeStateKV, Stamp
from remora_hub_lsp.index.rows import FileRows, encode
from remora_hub_lsp.index.schema import open_reader
from remora_hub_lsp.index.view import IndexView, reading
from remora_hub_lsp.models import UpdateSource

# What tells when and how a row was written, and not what the text holds.
HISTORY = frozenset({"last_updated", "update_source", "version", "origin"})

SHOP = '''\
"""A shop."""
import json
from os import path as p


class Cart(dict):
    """What somebody wants to buy."""

    size: int = 0

    @property
    def total(self) -> int:
        """The price of all.

        In cents.
        """
        return sum(self.values())

    @total.setter
    def total(self, value: int) -> None:
        raise AttributeError

    class Line:
        def text(self): return json.dumps(self)


def load(name, *, strict=True):
    def inner():
        return p.join(name)
    return inner


if p:
    def save(cart): pass
else:
    def save(cart, name): pass
'''


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def rows(path: str, text: str) -> FileRows:
    """All rows of a text."""
    return encode(path, extract(text))


def stamp(scanned_ns: int = 1_700_000_000_000_000_000, **others: Any) -> Stamp:
    return Stamp(**{"size": 1, "mtime_ns": 1, "scanned_ns": scanned_ns, **others})


def put(
    kv: NodeStateKV, path: str, text: str, at: Stamp | None = None, source: UpdateSource = "file_change"
) -> Changed:
    """Write a text's rows as those of `path`."""
    return kv.replace_file(rows(path, text), at or stamp(), source)


def contents(kv: NodeStateKV) -> dict[str, Any]:
    """Everything in the index but when it came there: files by path, nodes by key, uses by path."""
    out: dict[str, Any] = {}
    with kv.view() as view:
        for path in kv.stamps():
            file = view.file(path)
            assert file is not None
            out[path] = {k: v for k, v in file.items() if k not in {*HISTORY, "last_scanned", "revision", "size"}}
            nodes = view.nodes_of(path)
            assert file["node_count"] == len(nodes)
            out |= {node["key"]: {k: v for k, v in node.items() if k not in HISTORY} for node in nodes}
    return out


def times(kv: NodeStateKV, path: str) -> dict[str, tuple[int, int]]:
    """Revision and time (ns) of the last change of each of a file's nodes, by qualname."""
    connection = open_reader(kv.path)
    try:
        sql = "SELECT qualname, nodes.revision, updated_ns FROM nodes JOIN files ON files.id = file WHERE path = ?"
        return {name: (revision, updated) for name, revision, updated in connection.execute(sql, (path,))}
    finally:
        connection.close()


def sound(database: Path) -> None:
    """No row hangs in the air, and SQLite finds nothing wrong."""
    connection = open_reader(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for table in ("nodes", "summaries", "edges"):
            sql = f"SELECT count(*) FROM {table} WHERE id >> 40 NOT IN (SELECT id FROM files)"
            assert connection.execute(sql).fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM nodes WHERE id >> 40 != file").fetchone() == (0,)
    finally:
        connection.close()


class Reader:
    """Another peer's connection to the same database."""

    def __init__(self, database: Path) -> None:
        self._connection = open_reader(database)
        self.moment = reading(self._connection)

    def __enter__(self) -> IndexView:
        return self.moment.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.moment.__exit__(*error)
        self._connection.close()
