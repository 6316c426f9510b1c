"""A server over stdio and a client so plain that its own cost does not count."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .measure import Series, environment

Json = dict[str, Any]


class Server:
    """`remora-hub-lsp --stdio` on `root`, with its index in `database`."""

    def __init__(self, root: Path, database: Path) -> None:
        self.root = root
        self.started = time.perf_counter()
        command = [sys.executable, "-m", "remora_hub_lsp", "--stdio", "--standalone", "--db", str(database)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        self._ids = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.ask("shutdown", None)
            self.tell("exit", None)
            self._process.communicate(timeout=60)
        else:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def initialize(self) -> None:
        workspace = {"workspaceFolders": [{"uri": self.root.as_uri(), "name": self.root.name}]}
        self.ask("initialize", {"processId": None, "rootUri": self.root.as_uri(), "capabilities": {}} | workspace)
        self.tell("initialized", {})

    def wait_until_indexed(self) -> Json:
        """The status once the cold start has ended."""
        status: Json = self.ask("remora/status", {})
        while status["state"] == "indexing":
            time.sleep(0.05)
            status = self.ask("remora/status", {})
        return status

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        answer = json.loads(self.ask_raw(method, params))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def ask_raw(self, method: str, params: Any) -> bytes:
        """The answer's bytes, not decoded; what the server says in between is answered or left unread."""
        self._ids += 1
        self._send({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        while True:
            body = self._read()
            if b'"method"' not in body[:200] and b'"method":' not in body[-200:]:
                return body
            message = json.loads(body)
            if "method" not in message:
                return body
            if "id" in message:
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})

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
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        length = 0
        while (line := stdout.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            raise RuntimeError(f"the server ended with exit code {self._process.wait()}")
        return stdout.read(length)
