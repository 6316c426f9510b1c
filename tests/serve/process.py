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

from .peer import HANG, Peer

SERVE = "from remora_hub_lsp.serve.endpoint import run_stdio; sys.exit(run_stdio({'workers': 0}))"


def command(before: str = "") -> list[str]:
    """The server, after the code `before` has run in its process."""
    return [sys.executable, "-c", f"import sys\n{before}\n{SERVE}"]


def environment() -> dict[str, str]:
    """The package is found as this process found it."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Process(Peer):
    """A peer that has started its server itself. Standard error is read all the time, and kept."""

    def __init__(
        self, process: subprocess.Popen[bytes], streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        super().__init__(*streams)
        assert process.stderr is not None
        self.process = process
        self._errors = asyncio.ensure_future(asyncio.to_thread(process.stderr.read))

    async def exit_code(self) -> int:
        """Of the process alone: unlike asyncio's own, this does not wait for the ends of the pipes."""
        return await asyncio.to_thread(self.process.wait, HANG)

    async def errors(self) -> str:
        """All that the server has written to standard error, once it has ended."""
        return (await asyncio.wait_for(self._errors, HANG)).decode()


@asynccontextmanager
async def started(before: str = "", arguments: Sequence[str] = ()) -> AsyncIterator[Process]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        list(arguments) or command(before), stdin=pipe, stdout=pipe, stderr=pipe, env=environment()
    )
    peer = Process(process, await _streams(process))
    try:
        yield peer
    finally:
        process.kill()
        await peer.exit_code()
        await peer.__aexit__(None, None, None)
        print(await peer.errors())  # pytest shows it if the test fails


async def _streams(process: subprocess.Popen[bytes]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    transport, _ = await loop.connect_write_pipe(lambda: protocol, process.stdin)
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


def run(messages: Sequence[dict[str, Any]], **streams: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the server to its end. `messages` are its standard input, unless `streams` says otherwise."""
    if "stdin" not in streams:
        streams["input"] = frames(messages)
    return subprocess.run(command(), env=environment(), timeout=HANG, check=False, **streams)


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
