"""The parts of a story with several processes: commands, editors through the relay, agents in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ..serve.process import Process, environment, frames, started

HANG = 180.0
"""Seconds after which a test is stuck rather than slow."""

ON_DISK = "class Cart:\n    def total(self) -> int:\n        return 1\n"

RELAY = [sys.executable, "-m", "remora_hub_lsp", "--stdio"]

_AGENT = """
import json, sys
from remora_hub_lsp.client import HubClient
asked = json.loads(sys.argv[1])
client = HubClient(asked.pop("root"), timeout=30, transport=asked.pop("transport")).sync
result = client.context(asked.pop("nodes"), **asked)
client.close()
assert not {"pygls", "lsprotocol"} & set(sys.modules)
print(result.model_dump_json())
"""

_EDITOR = """
import subprocess, sys, time
messages, *line = sys.argv[1:]
relay = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
relay.stdin.write(bytes.fromhex(messages))
relay.stdin.flush()
print(relay.pid, flush=True)
while relay.stdout.read1(): pass
"""


def command(*arguments: str, code: int | None = 0) -> str:
    """Run `remora-hub` with these arguments; gives its standard output."""
    line = [sys.executable, "-m", "remora_hub_lsp", *arguments]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=HANG, check=False)
    assert code is None or done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def agent(root: Path, *nodes: str, transport: str = "auto", **how: Any) -> dict[str, Any]:
    """What an agent in a process of its own is told."""
    asked = json.dumps({"root": str(root), "transport": transport, "nodes": nodes} | how)
    line = [sys.executable, "-c", _AGENT, asked]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=HANG, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@asynccontextmanager
async def editor(root: Path, **more: Any) -> AsyncIterator[Process]:
    """An editor that has started `--stdio` and opened the project."""
    async with started(arguments=RELAY) as peer:
        await peer.initialize(root.as_uri(), **more)
        yield peer


@contextmanager
def editor_process(*messages: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """An editor of its own process that has started the relay and sent these messages; and the relay's process id."""
    line = [sys.executable, "-c", _EDITOR, frames(messages).hex(), *RELAY]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def alive(pid: int) -> bool:
    """Whether the process runs (one that ended and was not waited for does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def until(wanted: Callable[[], Any]) -> Any:
    """Wait until it holds; gives its value."""
    deadline = time.monotonic() + HANG
    while not (value := wanted()):
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)
    return value


def files_in(folder: Path) -> list[str]:
    """What is left in a runtime folder."""
    return sorted(os.listdir(folder / "remora-hub-lsp"))
