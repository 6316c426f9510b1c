"""One connection to a hub process: JSON-RPC in LSP's frames, many questions at once."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from ..discovery import HELLO, Listening, Lock, announced
from ..errors import DiscoveryError, HubRefused, HubTimeout, HubUnavailable
from ..protocol import PROTOCOL_VERSION

# A header has no more bytes than that.
_LONGEST_HEADER = 8 * 1024
_BLANK = b"\r\n\r\n"
# How a hub writes an answer.
_RESULT = re.compile(rb'\{"jsonrpc":"2\.0","id":(\d+),"result":')


class Connection(asyncio.Protocol):
    """Open until `close`, the hub's end, or an answer that is no frame; then `closed` is true and it is of no use."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._lost: asyncio.Future[None] = self.loop.create_future()
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._received: list[bytes] = []
        self._missing = 0  # bytes without which there is no whole message

    async def greet(self, token: str, root: Path | None) -> None:
        """The handshake, in one go. Raises HubUnavailable and HubRefused."""
        known = self._send(HELLO, {"token": token})
        uri = root.as_uri() if root else None
        ready = self._send("initialize", {"processId": None, "rootUri": uri, "capabilities": {}})
        self._write({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        try:
            await known
            await ready
        except BaseException:
            ready.cancel()
            await self.close()
            raise

    async def ask(self, method: str, params: Any) -> bytes:
        """The result, as JSON. Raises HubRefused, and HubUnavailable if the connection ends first."""
        answer = self._send(method, params)
        try:
            return await answer
        except asyncio.CancelledError:
            self._give_up(answer)
            raise

    async def close(self) -> None:
        self._end("the connection was closed")
        self.transport.close()
        await asyncio.wait([self._lost])

    def _send(self, method: str, params: Any) -> asyncio.Future[bytes]:
        if self.closed:
            raise HubUnavailable("the connection to the hub has ended")
        number = next(self._ids)
        self._waiting[number] = future = self.loop.create_future()
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return future

    def tell(self, method: str, params: Any) -> None:
        """Send a notification. Raises HubUnavailable."""
        if self.closed:
            raise HubUnavailable("the connection to the hub has ended")
        self._write({"jsonrpc": "2.0", "method": method, "params": params})

    def _give_up(self, answer: asyncio.Future[bytes]) -> None:
        """Nobody waits for this answer any more, and the hub need not work for it."""
        for number, future in list(self._waiting.items()):
            if future is answer and not self.closed:
                del self._waiting[number]
                self._write({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}})

    def _write(self, message: Any) -> None:
        body = orjson.dumps(message)
        self.transport.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    # -- what comes ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection to the hub broke: {error}" if error else "the hub closed the connection")
        if not self._lost.done():
            self._lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        data = b"".join(self._received) if len(self._received) > 1 else data
        try:
            rest = self._messages(memoryview(data), data)
        except ValueError as error:
            self._end(f"the connection to the hub broke: {error}")
            self.transport.abort()
        else:
            self._received = [data[rest:]] if rest < len(data) else []

    def _messages(self, view: memoryview, data: bytes) -> int:
        """Take all whole messages; gives where the next one begins. Raises ValueError for what is no frame."""
        at = 0
        while True:
            end = data.find(_BLANK, at, at + _LONGEST_HEADER)
            if end < 0:
                if len(data) - at >= _LONGEST_HEADER:
                    raise ValueError("a header is too long")
                self._missing = 1
                return at
            body = end + len(_BLANK)
            after = body + int(data[at:end].rpartition(b":")[2])
            if after > len(data):
                self._missing = after - len(data)
                return at
            self._take(view[body:after])
            at = after

    def _take(self, body: memoryview) -> None:
        # Results are left as they are for whoever asked: what they become is read from the JSON at once.
        if found := _RESULT.match(body):
            self._settle(int(found[1]), bytes(body[found.end() : -1]), None)
            return
        message = orjson.loads(body)
        if "method" in message:
            if "id" in message:  # nothing was offered that a hub could ask for
                refusal = {"code": -32601, "message": "not known here"}
                self._write({"jsonrpc": "2.0", "id": message["id"], "error": refusal})
        elif "error" in message:
            refusal = message["error"]
            error = HubRefused(refusal["message"], refusal["code"], refusal.get("data"))
            self._settle(message.get("id"), b"", error)
        else:
            self._settle(message.get("id"), orjson.dumps(message["result"]), None)

    def _settle(self, number: Any, result: bytes, error: HubRefused | None) -> None:
        future = self._waiting.pop(number, None)
        if future is None or future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _end(self, why: str) -> None:
        self.closed = True
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(HubUnavailable(why))
                future.exception()  # whoever does not wait any more is no error
        self._waiting.clear()


async def connect(root: Path, transport: str, address: str | None, token: str | None) -> Connection:
    """A connection with a session on `root`. Raises HubUnavailable and HubRefused.

    Without an address: to this version's hub process if it runs, else to one that speaks the same protocol.
    """
    if address is not None:
        return await connect_to(address, token or "", root)
    tried = []
    for listening in _candidates():
        for place in listening.addresses:
            if transport in ("auto", place.partition(":")[0]):
                try:
                    return await connect_to(place, listening.token, root)
                except HubUnavailable as error:
                    tried.append(str(error))
    raise HubUnavailable("; ".join(tried) or "no hub process runs")


def _candidates() -> list[Listening]:
    major = PROTOCOL_VERSION.partition(".")[0]
    try:
        found = [listening for listening in announced() if listening.protocol_version.partition(".")[0] == major]
        # A port whose process is gone may be somebody else's now.
        return [listening for listening in found if Lock.is_held(listening.version)]
    except DiscoveryError as error:
        raise HubUnavailable(str(error)) from error


async def connect_to(address: str, token: str, root: Path | None) -> Connection:
    """address: `unix:{path}` or `tcp:{host}:{port}`. root: None asks about the process alone."""
    kind, _, place = address.partition(":")
    loop = asyncio.get_running_loop()
    try:
        if kind == "unix" and sys.platform != "win32":
            _, connection = await loop.create_unix_connection(Connection, place)
        elif kind == "tcp":
            host, _, port = place.rpartition(":")
            _, connection = await loop.create_connection(Connection, host.strip("[]"), int(port))
        else:
            raise HubUnavailable(f"{address!r} is no address: it is unix:PATH or tcp:HOST:PORT")
    except (OSError, ValueError) as error:
        raise HubUnavailable(f"no hub answers at {address}: {error}") from error
    await connection.greet(token, root)
    return connection


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Raises HubTimeout after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise HubTimeout(f"the hub did not answer within {seconds:g} s") from None
