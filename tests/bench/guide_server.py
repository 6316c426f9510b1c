"""The server that the written guide describes, word for word, to compare with: `python -m tests.bench.guide_server DB SOCKET`.

sqlite3 rows of JSON, a connection for each request, the request in one read of 64 KiB, the answer written and closed.
Two things are mended, since it would answer nothing otherwise: times are made text, and requests and answers may be
longer than 64 KiB.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel


class GuideNodeState(BaseModel):
    """The guide's fields."""

    key: str
    file_path: str
    node_name: str
    node_type: str
    source_hash: str
    file_hash: str
    signature: str | None = None
    docstring: str | None = None
    imports: list[str] = []
    decorators: list[str] = []
    callers: list[str] | None = None
    callees: list[str] | None = None
    related_tests: list[str] | None = None
    line_count: int | None = None
    complexity: int | None = None
    docstring_outdated: bool = False
    has_type_hints: bool = False
    last_updated: datetime
    update_source: str


class GuideStore:
    """Keys and JSON in one table."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.execute("CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT)")

    def fill(self, states: Iterable[dict[str, Any]]) -> None:
        fields = set(GuideNodeState.model_fields)
        for state in states:
            node = GuideNodeState(**{name: value for name, value in state.items() if name in fields})
            self.db.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (node.key, node.model_dump_json()))
        self.db.commit()

    def get_many(self, keys: list[str]) -> dict[str, GuideNodeState]:
        found = {}
        for key in keys:
            row = self.db.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
            if row:
                found[key] = GuideNodeState(**json.loads(row[0]))
        return found


async def serve(database: str, socket: str) -> None:
    store = GuideStore(database)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(65536)
        while not reader.at_eof():  # mended: the guide has one read
            data += await reader.read(65536)
        request = json.loads(data.decode())
        states = store.get_many(request["nodes"])
        answer = {key: state.model_dump(mode="json") for key, state in states.items()}
        writer.write(json.dumps(answer).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(handle, socket, backlog=500) as server:
        print("ready", flush=True)
        await server.serve_forever()


async def ask(socket: str, keys: list[str]) -> bytes:
    """The guide's client: a connection, a request, an answer."""
    reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(socket), timeout=60)
    try:
        writer.write(json.dumps({"type": "get_context", "nodes": keys}).encode())
        writer.write_eof()
        await writer.drain()
        return await asyncio.wait_for(reader.read(-1), timeout=60)
    finally:
        writer.close()
        await writer.wait_closed()


def understand(data: bytes) -> dict[str, GuideNodeState]:
    return {key: GuideNodeState(**value) for key, value in json.loads(data.decode()).items()}


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:3]))
