"""A peer that speaks LSP over a stream, byte by byte if need be, and keeps all it is told in the order it came."""

from __future__ import annotations

import asyncio
import itertools
import json
from types import TracebackType
from typing import Any, Self

HANG = 180.0
"""Seconds after which a test is stuck rather than slow."""


class Refused(Exception):
    """The answer was an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Peer:
    """`received` has every message from the server; `closed` is set at its end of file."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.received: list[dict[str, Any]] = []
        self.closed = asyncio.Event()
        self._reader = reader
        self._answers: dict[Any, dict[str, Any]] = {}
        self._ids = itertools.count(1)
        self._news = asyncio.Condition()
        self._reading = asyncio.ensure_future(self._read())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        self.writer.close()

    async def initialize(self, root: str | None = None, **more: Any) -> dict[str, Any]:
        """The handshake; `more` goes into its parameters. Gives the answer."""
        params = {"processId": None, "rootUri": root, "capabilities": {}} | more
        answer: dict[str, Any] = await self.ask("initialize", params)
        self.tell("initialized", {})
        return answer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, message: Any) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def tell(self, method: str, params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def start(self, method: str, params: Any = None) -> int:
        """Send a request; gives its id."""
        number = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    async def ask(self, method: str, params: Any = None) -> Any:
        return await self.answer(self.start(method, params))

    async def answer(self, number: int | str | None) -> Any:
        """The result for a request's id; raises Refused."""
        async with self._news, asyncio.timeout(HANG):
            while number not in self._answers:
                if self.closed.is_set():
                    raise AssertionError(f"the connection ended without an answer to {number}")
                await self._news.wait()
        message = self._answers[number]
        if "error" in message:
            raise Refused(message["error"])
        return message["result"]

    async def error(self, number: int | str | None) -> Refused:
        try:
            result = await self.answer(number)
        except Refused as error:
            return error
        raise AssertionError(f"not refused: {result}")

    async def wait(self, wanted: Any) -> dict[str, Any]:
        """The first message that is wanted, come or still to come."""
        seen = 0
        async with self._news, asyncio.timeout(HANG):
            while True:
                for message in self.received[seen:]:
                    if wanted(message):
                        return message
                seen = len(self.received)
                if self.closed.is_set():
                    raise AssertionError(f"the connection ended after {self.received}")
                await self._news.wait()

    async def end(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(HANG):
            await self.closed.wait()

    # -- documents -----------------------------------------------------------------------------------------

    def open(self, uri: str, text: str, version: int = 1) -> None:
        document = {"uri": uri, "languageId": "python", "version": version, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def edit(self, uri: str, version: int, *changes: tuple[tuple[int, int, int, int], str]) -> None:
        """Each change: (start line, start character, end line, end character), new text."""
        events = []
        for (line, character, end_line, end_character), text in changes:
            start = {"line": line, "character": character}
            end = {"line": end_line, "character": end_character}
            events.append({"range": {"start": start, "end": end}, "text": text})
        self.tell(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": events},
        )

    def replace(self, uri: str, version: int, text: str) -> None:
        self.tell(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]},
        )

    def close(self, uri: str) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def hover(self, uri: str, line: int, character: int = 0) -> str | None:
        """The hover's text."""
        position = {"line": line, "character": character}
        found = await self.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
        return found["contents"]["value"] if found else None

    async def symbols(self, uri: str) -> Any:
        return await self.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})

    async def _read(self) -> None:
        try:
            while True:
                header = await self._reader.readuntil(b"\r\n\r\n")
                length = int(header.split(b":")[1].split(b"\r\n")[0])
                message = json.loads(await self._reader.readexactly(length))
                async with self._news:
                    self.received.append(message)
                    if "method" not in message:
                        self._answers[message.get("id")] = message
                    self._news.notify_all()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.closed.set()
            async with self._news:
                self._news.notify_all()
