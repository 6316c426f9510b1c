from __future__ import annotations

import asyncio
import gc
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.serve.endpoint import serve_connection
from remora_hub_lsp.serve.framing import READ_LIMIT
from remora_hub_lsp.serve.hubs import Hubs
from remora_hub_lsp.serve.session import Session
from remora_hub_lsp.serve.wire import Limits

from .peer import Peer

WriteFiles = Callable[..., Path]


class Server:
    """The real endpoint on a Unix socket: every connection a session, all over the same hubs."""

    def __init__(self, address: Path, hubs: Hubs) -> None:
        self.hubs = hubs
        self.limits = Limits()
        self.exit_codes: list[int] = []
        self.sessions: set[asyncio.Task[Any]] = set()
        self._address = address
        self._peers: list[Peer] = []

    async def start(self) -> None:
        self._listener = await asyncio.start_unix_server(self._connected, self._address, limit=READ_LIMIT)

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_unix_connection(self._address))
        self._peers.append(peer)
        return peer

    async def left(self) -> None:
        """When the sessions of all peers that closed their connections are over, which must be all."""
        await asyncio.wait(self.sessions)

    async def stop(self) -> None:
        for peer in self._peers:
            await peer.__aexit__(None, None, None)
        self._listener.close()
        if self.sessions:
            await asyncio.wait(self.sessions)
        await self.hubs.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        try:
            self.exit_codes.append(await serve_connection(reader, writer, self.hubs, self.limits))
        finally:
            self.sessions.discard(task)


def session_of(server: Server) -> Session:
    """The session of the one connection there is."""
    gc.collect()
    (found,) = [thing for thing in gc.get_objects() if type(thing) is Session and not thing.ended.done()]
    return found


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    found = Server(tmp_path_factory.mktemp("s") / "socket", Hubs({"workers": 0}))
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def peer(server: Server) -> Peer:
    """A connection on which nothing has been said yet."""
    return await server.connect()


@pytest.fixture
def project(tmp_path: Path) -> WriteFiles:
    """Writes files (path=text, with `__` for `/` and no suffix) and gives the root."""

    def write(files: dict[str, str], root: str = "project") -> Path:
        folder = tmp_path / root
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return folder

    return write
