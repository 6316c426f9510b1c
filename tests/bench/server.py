"""A language server over stdio and a client so plain that its own cost does not count."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from .measure import Series, environment

Json = dict[str, Any]


class Silent(Exception):
    """No answer within the patience."""


class LanguageServer:
    """A process that speaks LSP on its standard streams. patience: seconds for each answer."""

    capabilities: ClassVar[Json] = {}

    def __init__(
        self, command: Sequence[str], root: Path, env: Mapping[str, str] | None = None, patience: float = 600.0
    ) -> None:
        self.root = root
        self.patience = patience
        self.offers: Json = {}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env=environment() if env is None else env,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        self._buffer = bytearray()
        self._ids = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.ask("shutdown", None)
                self.tell("exit", None)
                self._process.communicate(timeout=60)
        finally:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def seconds(self) -> float:
        """Since the process was started."""
        return time.perf_counter() - self.started

    def initialize(self) -> None:
        workspace = {"workspaceFolders": [{"uri": self.root.as_uri(), "name": self.root.name}]}
        params = {"processId": os.getpid(), "rootUri": self.root.as_uri(), "capabilities": self.capabilities}
        self.offers = self.ask("initialize", params | workspace)["capabilities"]
        self.tell("initialized", {})

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The result. Raises RuntimeError for an error, Silent."""
        answer = json.loads(self.ask_raw(method, params))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def ask_raw(self, method: str, params: Any) -> bytes:
        """The answer's bytes, not decoded; what the server says in between is answered or left unread."""
        self._ids += 1
        self._send({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        until = time.perf_counter() + self.patience
        while True:
            body = self._read(until)
            if b'"method"' not in body[:200] and b'"method":' not in body[-200:]:
                return body
            message = json.loads(body)
            if "method" not in message:
                return body
            if "id" in message:
                asked = message.get("params") or {}
                nothing = [None] * len(asked["items"]) if message["method"] == "workspace/configuration" else None
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": nothing})

    def time(self, method: str, params: Any, times: int, warm: int = 10) -> Series:
        """Seconds from a request to the last byte of its answer, `times` times after `warm` unmeasured ones."""
        series = Series()
        for number in range(times + warm):
            started = time.perf_counter()
            self.ask_raw(method, params)
            if number >= warm:
                series.add(time.perf_counter() - started)
        return series

    def _send(self, message: Json) -> None:
        body = json.dumps(message).encode()
        data = memoryview(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        while data:
            try:
                data = data[os.write(self._in, data) :]
            except BlockingIOError:  # it may be waiting for somebody to read what it says
                readable, _, _ = select.select([self._out], [self._in], [], self.patience)
                if readable:
                    self._receive()

    def _read(self, until: float) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._wait(until)
        (length,) = (
            int(line.split(b":")[1])
            for line in bytes(self._buffer[:end]).lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        while len(self._buffer) < end + 4 + length:
            self._wait(until)
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        return body

    def _wait(self, until: float) -> None:
        readable, _, _ = select.select([self._out], [], [], max(until - time.perf_counter(), 0))
        if not readable:
            raise Silent(f"no answer within {self.patience:.0f} s")
        self._receive()

    def _receive(self) -> None:
        data = os.read(self._out, 1 << 20)
        if not data:
            raise RuntimeError(f"the server ended with exit code {self._process.wait()}")
        self._buffer += data


class Server(LanguageServer):
    """`remora-hub-lsp --stdio --standalone` on `root`, with its index in `database`."""

    def __init__(self, root: Path, database: Path) -> None:
        super().__init__(
            [sys.executable, "-P", "-m", "remora_hub_lsp", "--stdio", "--standalone", "--db", str(database)], root
        )

    def wait_until_indexed(self) -> Json:
        """The status once the cold start has ended."""
        status: Json = self.ask("remora/status", {})
        while status["state"] == "indexing":
            time.sleep(0.05)
            status = self.ask("remora/status", {})
        return status
