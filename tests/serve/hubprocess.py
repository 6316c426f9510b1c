"""A hub process without the process: the real thing, listening on real sockets, on the event loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from remora_hub_lsp.discovery import Listening, Lock
from remora_hub_lsp.serve.process import HubProcess, Terms

from .peer import HANG, Peer

TCP = ("127.0.0.1", 0)


class Running:
    """A hub process that listens. ended: done once it has ended."""

    def __init__(self, process: HubProcess, ended: asyncio.Task[int]) -> None:
        self.process = process
        self.ended = ended

    @property
    def listening(self) -> Listening:
        assert self.process.hubs.listening is not None
        return self.process.hubs.listening

    async def unix(self) -> Peer:
        """A connection over the socket on which nothing was said yet."""
        return Peer(*await asyncio.open_unix_connection(self.listening.socket))

    async def tcp(self) -> Peer:
        return Peer(*await asyncio.open_connection(self.listening.host, self.listening.port))

    async def stop(self) -> None:
        self.process.stop()
        await asyncio.wait_for(self.ended, HANG)


@asynccontextmanager
async def running(**terms: Any) -> AsyncIterator[Running]:
    """terms: see serve.process.Terms; TCP is on unless said otherwise."""
    lock = Lock.take()
    assert lock is not None
    process = HubProcess(Terms(**{"tcp": TCP} | terms), {"workers": 0})
    ended = asyncio.ensure_future(process.run())
    ended.add_done_callback(lambda _: lock.release())
    try:
        async with asyncio.timeout(HANG):
            while not process.listens:
                await asyncio.sleep(0.005)
                if ended.done():
                    ended.result()
        yield Running(process, ended)
    finally:
        if not ended.done():
            process.stop()
        await asyncio.wait({ended}, timeout=HANG)
