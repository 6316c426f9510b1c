"""The server as a process of its own, with whatever an editor may give it as standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from .peer import Peer

SERVE = "from remora_hub_lsp.serve.endpoint import run_stdio; sys.exit(run_stdio({'workers': 0}))"


def command(before: str = "") -> list[str]:
    """The server, after the code `before` has run in its process."""
    return [sys.executable, "-c", f"import sys\n{before}\n{SERVE}"]


def environment() -> dict[str, str]:
    """The package is found as this process found it."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Process(Peer):
    """A peer that has started its server itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        super().__init__(process.stdout, process.stdin)
        self.process = process

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 60)

    async def errors(self) -> str:
        """All that the server has written to standard error, once it has ended."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def started(before: str = "", arguments: Sequence[str] = (), **more: Any) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(arguments or command(before)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
        **more,
    )
    peer = Process(process)
    try:
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        peer._reading.cancel()


def run(messages: Sequence[dict[str, Any]], **streams: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the server to its end. `messages` are its standard input, unless `streams` says otherwise."""
    if "stdin" not in streams:
        streams["input"] = frames(messages)
    return subprocess.run(command(), env=environment(), timeout=60, check=False, **streams)


def frames(messages: Sequence[dict[str, Any]]) -> bytes:
    bodies = [json.dumps({"jsonrpc": "2.0"} | message).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)


def parse(data: bytes) -> list[dict[str, Any]]:
    """The messages of a whole output; fails if there is anything else between them."""
    found = []
    while data:
        header, _, rest = data.partition(b"\r\n\r\n")
        assert header.startswith(b"Content-Length: "), data[:200]
        length = int(header.removeprefix(b"Content-Length: "))
        found.append(json.loads(rest[:length]))
        data = rest[length:]
    return found
