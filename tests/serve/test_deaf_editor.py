"""An editor that lives, has its relay's standard output, and reads nothing of it: whatever ends, all ends with it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from remora_hub_lsp.serve import endpoint
from remora_hub_lsp.serve.relay import LOST
from remora_hub_lsp.serve.wire import Limits

from .conftest import WriteFiles
from .hubprocess import Running, running
from .peer import HANG
from .process import Process, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")

RELAY = "import remora_hub_lsp.serve.relay as relay; relay._UNREAD = relay._DYING = 0.2; from remora_hub_lsp.cli import main; raise SystemExit(main(['--stdio']))"
MUCH = "".join(f"def function_{number}(argument): ...\n" for number in range(2000))


class Deaf:
    """An editor with much to read, that reads nothing any more. Another process keeps its pipe as well."""

    def __init__(self, hub: Running, relay: Process, process: subprocess.Popen[bytes]) -> None:
        self.hub = hub
        self.relay = relay
        self.process = process
        self.uri = ""

    async def closes_its_side(self) -> None:
        self.relay.writer.close()

    async def dies(self) -> None:
        self.process.kill()

    async def is_without_hub(self) -> None:
        await self.hub.stop()

    async def asks_on_and_on(self) -> None:
        """Until the hub process has had enough."""
        while self.relay.process.poll() is None:
            self.relay.start("textDocument/documentSymbol", {"textDocument": {"uri": self.uri}})
            await asyncio.sleep(0.05)

    async def sends_sigterm(self) -> None:
        self.relay.process.send_signal(signal.SIGTERM)

    async def sends_sigint(self) -> None:
        self.relay.process.send_signal(signal.SIGINT)


@asynccontextmanager
async def deaf_editor(project: WriteFiles) -> AsyncIterator[Deaf]:
    root = project({"a.py": "", "pyproject.toml": "[tool.remora-hub]\nworkers = 0\n"})
    limits = Limits(slow_at=50_000, patience=0.2)
    async with running(limits=limits) as hub:
        with subprocess.Popen(["sleep", "600"]) as process:
            try:
                async with started(arguments=[sys.executable, "-c", RELAY]) as relay:
                    await relay.initialize(root.as_uri(), processId=process.pid)
                    editor = Deaf(hub, relay, process)
                    editor.uri = (root / "a.py").as_uri()
                    relay.open(editor.uri, MUCH)
                    assert len(await relay.symbols(editor.uri)) == 2000
                    relay._reading.cancel()
                    relay.start("textDocument/documentSymbol", {"textDocument": {"uri": editor.uri}})
                    await asyncio.sleep(0.1)  # now the pipe is full
                    yield editor
            finally:
                process.kill()


ENDINGS = [Deaf.closes_its_side, Deaf.dies, Deaf.is_without_hub, Deaf.asks_on_and_on, Deaf.sends_sigterm, Deaf.sends_sigint]


@pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__)
async def test_relay_and_session_end(
    project: WriteFiles, monkeypatch: pytest.MonkeyPatch, end: Callable[[Deaf], Awaitable[None]]
) -> None:
    monkeypatch.setattr(endpoint, "_LAST_BYTES", 0.2)
    async with deaf_editor(project) as editor:
        await end(editor)
        assert await editor.relay.exit_code() in (0, LOST)
        async with asyncio.timeout(HANG):
            while editor.hub.process._sessions:
                await asyncio.sleep(0.01)
        for root in editor.hub.process.hubs.all():
            assert (root.sessions, (await root.status()).open_buffers) == (0, 0)
        assert "Traceback" not in await editor.relay.errors()


async def test_a_session_that_goes_on_is_not_given_up(project: WriteFiles) -> None:
    """An editor that is stopped for a while finds everything when it goes on."""
    async with deaf_editor(project) as editor:
        await asyncio.sleep(0.6)
        assert editor.relay.process.poll() is None
        assert editor.hub.process.hubs.sessions == 1
