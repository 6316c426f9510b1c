"""What answers people and agents is found by an index: the plan of every statement that their questions run."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.serve.hubs import Hubs

from .conftest import Server
from .peer import Peer

_SCAN = re.compile(r"SCAN (\w+)")
# Tables that do not grow with the project.
SMALL = {"scripts", "unresolved"}
# What has to look at every file: which of them are tests.
WHOLE = {"SELECT path, id, file_hash FROM files"}
_DATA = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\b", re.IGNORECASE)
FILES = {
    **{
        f"shop/part{number}.py": f'''
from shop.cart import Cart
class Part{number}(Cart):
    """A part."""
    def total(self, rate):
        """Rated.

        Args:
            rate: how much
        """
        return helper{number}(rate) + super().total(rate)
def helper{number}(rate: int) -> int:
    return Part{number}().count + rate
'''
        for number in range(30)
    },
    "shop/__init__.py": "",
    "shop/cart.py": "class Cart:\n    count = 1\n    def total(self, rate):\n        return rate\n    @property\n    def size(self):\n        return self.total(1)\n",
    "tests/test_cart.py": "from shop.part3 import Part3\ndef test_total():\n    assert Part3().total(1)\n",
}
PATIENT = {"waitMs": 60_000}  # however busy the machine is
KEY, CART = "node:shop/part3.py:Part3.total", "node:shop/cart.py:Cart.total"


class Statements:
    """All statements that this process runs on SQLite, while it is asked to listen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: dict[tuple[str, str], str] = {}  # database, without values -> one of them with values
        self._listening = False
        connect = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            ((_, _, database),) = connection.execute("PRAGMA database_list")
            connection.set_trace_callback(lambda statement: self._hear(database, statement))
            return connection

        monkeypatch.setattr(sqlite3, "connect", traced)

    def _hear(self, database: str, statement: str) -> None:
        if self._listening and _DATA.match(statement):
            kind = re.sub(r"x?'(?:[^']|'')*'|\b\d+\b", "?", statement)
            self.seen.setdefault((database, kind), statement)

    def scans(self) -> Iterator[tuple[str, str]]:
        """The tables that are read from one end to the other, and by which statement."""
        for (database, _), statement in self.seen.items():
            with closing(sqlite3.connect(database)) as connection:
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
                yield from ((table, statement) for line in plan for table in _SCAN.findall(line) if table in tables)

    @contextmanager
    def heard(self) -> Iterator[None]:
        self._listening = True
        try:
            yield
        finally:
            self._listening = False


@asynccontextmanager
async def serving(tmp_path: Path) -> AsyncIterator[Peer]:
    """A session on an indexed project."""
    for name, text in FILES.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    server = Server(tmp_path / "socket", Hubs({"workers": 0}))
    await server.start()
    try:
        peer = await server.connect()
        await peer.initialize((tmp_path / "project").as_uri(), initializationOptions={"watch": False})
        while (status := await peer.ask("remora/status", {}))["state"] != "ready" or not status["indexed_nodes"]:
            await asyncio.sleep(0.01)
        yield peer
    finally:
        await server.stop()


async def questions(peer: Peer, root: Path) -> None:
    """Everything that is asked in a file, about nodes, and while somebody types."""
    uri = (root / "shop/part3.py").as_uri()
    document, position = {"textDocument": {"uri": uri}}, {"position": {"line": 4, "character": 9}}
    for params in (
        {"nodes": [KEY]},
        {"nodes": [KEY, CART, "shop.cart.Cart.size", "shop/part4.py", "shop/part5.py:Part5.totl"]},
        {"nodes": [f"node:shop/part{number}.py:helper{number}" for number in range(30)]},
        {"nodes": [CART], "include": ["source", "callers", "callees", "tests", "siblings"], "depth": 2, "budget": 9000},
        {"positions": [{"uri": uri, **position}]},
    ):
        assert (await peer.ask("remora/getContext", params | PATIENT))["nodes"]
    for direction in ("callers", "callees"):
        asked = {"nodes": [CART, KEY], "direction": direction, "evidence": ["exact", "inferred", "name"]}
        assert (await peer.ask("remora/calls", asked))["calls"]
    assert (await peer.ask("remora/tests", {"nodes": [KEY]}))["tests"]
    for method, more in (("hover", position), ("documentSymbol", {}), ("codeLens", {}), ("diagnostic", {}),
                         ("references", {**position, "context": {"includeDeclaration": True}})):  # fmt: skip
        assert await peer.ask(f"textDocument/{method}", document | more) is not None
    (item,) = await peer.ask("textDocument/prepareCallHierarchy", document | position)
    for method in ("incomingCalls", "outgoingCalls"):
        assert await peer.ask(f"callHierarchy/{method}", {"item": item}) is not None
    await peer.ask("remora/changesSince", {"cursor": (await peer.ask("remora/changesSince", {}))["cursor"]})
    await typing(peer, root / "shop/cart.py")


async def typing(peer: Peer, path: Path) -> None:
    """Open, type into a signature that others call, save, close."""
    uri, text = path.as_uri(), path.read_text()
    peer.open(uri, text)
    peer.edit(uri, 2, ((2, 18, 2, 22), "rated"))
    (node,) = (await peer.ask("remora/getContext", {"nodes": [CART], **PATIENT}))["nodes"].values()
    assert "rated" in node["signature"]
    peer.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
    (node,) = (await peer.ask("remora/getContext", {"nodes": [CART], **PATIENT}))["nodes"].values()
    assert "rated" not in node["signature"]


async def test_no_question_and_no_keystroke_reads_a_whole_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = Statements(monkeypatch)
    async with serving(tmp_path) as peer:
        await typing(peer, tmp_path / "project/shop/cart.py")  # what is read once, at the first edit
        with statements.heard():
            await questions(peer, tmp_path / "project")
        scans = {(table, statement) for table, statement in statements.scans() if table not in SMALL}
    assert len(statements.seen) > 30, "the tracing does not see them"
    told = [f"{table}: {statement}" for table, statement in scans if not statement.startswith(tuple(WHOLE))]
    assert not told, "\n".join(told)
    assert {one for one in WHOLE for _, statement in scans if statement.startswith(one)} == WHOLE
