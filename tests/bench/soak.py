"""Many agents and some editors at one hub process for a while: errors, latencies, memory, as text and as curves.

    python -m tests.bench.soak [--minutes 10] [--agents 100] [--editors 3] [--plot FILE] [--project PATH]

Each editor types into files of its own and asks at once for what it typed: an answer that has not seen it is an error,
and so is a revision that goes back, an exception, or a session that ends.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.client.connection import Connection, connect_to
from remora_hub_lsp.discovery import Listening
from remora_hub_lsp.protocol import GET_CONTEXT

from . import projects
from .bench_answers import random_nodes
from .bench_sharing import hub_process
from .chart import Chart, svg
from .measure import Series, environment, memory_of, private_folders
from .report import Table, load, verdict

Json = dict[str, Any]
THINKING = (0.05, 0.5)  # seconds between two questions of an agent
TYPING = (0.05, 0.3)  # ... between two edits
SAVE_EVERY, REOPEN_EVERY = 20, 60  # edits


@dataclass
class Sample:
    """One second of it."""

    second: float
    requests: int
    median: float
    p99: float
    memory: float  # MB
    descriptors: int
    threads: int


@dataclass
class Tally:
    """What happened so far. latencies: seconds, of the second that runs."""

    latencies: list[float] = field(default_factory=list)
    everything: Series = field(default_factory=Series)
    edits: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    def took(self, seconds: float) -> None:
        self.latencies.append(seconds)
        self.everything.add(seconds)


async def agent(hub: Listening, root: Path, keys: list[str], tally: Tally, rng: random.Random) -> None:
    """Asks for one to ten nodes, thinks, asks again; leaves now and then and comes back."""
    revision = 0
    while True:
        connection = await connect_to(hub.addresses[0], hub.token, root)
        try:
            for _ in range(rng.randrange(20, 200)):
                revision = await _question(connection, rng.sample(keys, rng.randrange(1, 10)), revision, tally)
                await asyncio.sleep(rng.uniform(*THINKING))
        finally:
            await connection.close()


async def _question(connection: Connection, some: list[str], revision: int, tally: Tally) -> int:
    started = time.perf_counter()
    result = orjson.loads(await connection.ask(GET_CONTEXT, {"nodes": some}))
    tally.took(time.perf_counter() - started)
    if result["revision"] < revision:
        tally.errors["an older revision than before"] += 1
    if len(result["nodes"]) + len(result["missing"]) != len(some):
        tally.errors["a node is neither answered nor missing"] += 1
    return int(result["revision"])


class Editor:
    """An editor at its relay: `remora-hub-lsp --stdio`."""

    def __init__(self, root: Path, tally: Tally) -> None:
        self.root = root
        self.tally = tally
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._ids = 0

    async def run(self, files: list[Path], rng: random.Random) -> None:
        command = [sys.executable, "-m", "remora_hub_lsp", "--stdio"]
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=nothing, env=environment()
        )
        reader = asyncio.create_task(self._read())
        reader.add_done_callback(self._ended)
        try:
            folder = {"uri": self.root.as_uri(), "name": self.root.name}
            await self.ask("initialize", {"processId": None, "rootUri": folder["uri"], "capabilities": {}, "workspaceFolders": [folder]})
            self.tell("initialized", {})
            while True:
                await self._work_on(rng.choice(files), rng)
        finally:
            reader.cancel()
            self._process.kill()
            await self._process.wait()

    async def _work_on(self, file: Path, rng: random.Random) -> None:
        """Open, type a function at the end of it, change that again and again, and close without saving the last."""
        text = file.read_text(encoding="utf-8")
        uri, line = file.as_uri(), text.count("\n") + 2
        self.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 0, "text": text}})
        name = f"soak_{file.stem}"
        head = f"def {name}"
        end = {"line": line + 10, "character": 0}
        self._change(uri, 1, end, end, f"\n\n{head}(first):\n    return first\n")
        start = text.count("\n") + (1 if not text.endswith("\n") else 0) + (2 if text.endswith("\n") else 1)
        for number in range(2, REOPEN_EVERY):
            span = {"line": start, "character": 0}, {"line": start + 1, "character": 0}
            self._change(uri, number, *span, f"{head}(p{number}, *, flag={number}):\n")
            key = f"{file.relative_to(self.root)}:{name}"
            node = (await self.ask(GET_CONTEXT, {"nodes": [key], "waitMs": 20_000}))["nodes"].get(key)
            if node is None or f"(p{number}, *, flag={number})" not in node["signature"]:
                self.tally.errors[f"typed and not seen: {node and node['signature']}"] += 1
            self.tally.edits += 1
            if number % SAVE_EVERY == 0:
                self.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
            await self.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": start, "character": 6}})
            await asyncio.sleep(rng.uniform(*TYPING))
        self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})

    def _change(self, uri: str, version: int, start: Json, end: Json, text: str) -> None:
        changes = [{"range": {"start": start, "end": end}, "text": text}]
        self.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, params: Any) -> Any:
        self._ids += 1
        waiting = self._waiting[self._ids] = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self._send({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        answer = await waiting
        self.tally.took(time.perf_counter() - started)
        if "error" in answer:
            self.tally.errors[f"{method}: {answer['error']['message']}"] += 1
            return {"nodes": {}}
        return answer["result"]

    def _send(self, message: Json) -> None:
        body = orjson.dumps(message)
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        while head := await stdout.readline():
            await stdout.readuntil(b"\r\n")
            message = orjson.loads(await stdout.readexactly(int(head.split(b":")[1])))
            if "method" in message:
                if "id" in message:
                    self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            else:
                self._waiting.pop(message["id"]).set_result(message)

    def _ended(self, reader: asyncio.Task[None]) -> None:
        if not reader.cancelled():
            self.tally.errors[f"an editor's session ended: {reader.exception()!r}"] += 1


async def watch(pid: int, tally: Tally) -> None:
    """Take a sample each second."""
    started = time.monotonic()
    while True:
        await asyncio.sleep(1)
        taken, tally.latencies = Series(tally.latencies or [0.0]), []
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        tally.samples.append(
            Sample(
                time.monotonic() - started, len(taken.numbers), taken.median * 1000, taken.percentile(99) * 1000,
                memory_of(pid)[0], len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]),
            )
        )  # fmt: skip


async def soak(root: Path, hub: Listening, options: argparse.Namespace) -> Tally:
    async with HubClient(root, timeout=60) as client:
        while (await client.status()).state == "indexing":
            await asyncio.sleep(0.1)
    keys, tally, rng = [node.key for node in random_nodes(root, 20_000)], Tally(), random.Random(1)
    files = sorted(path for path in root.rglob("*.py") if 1000 < path.stat().st_size < 100_000)
    rng.shuffle(files)
    work: list[Coroutine[Any, Any, None]] = [agent(hub, root, keys, tally, random.Random(i)) for i in range(options.agents)]
    work += [Editor(root, tally).run(files[i :: options.editors], random.Random(i)) for i in range(options.editors)]
    tasks = [asyncio.create_task(one) for one in (*work, watch(hub.pid, tally))]
    done, _ = await asyncio.wait(tasks, timeout=options.minutes * 60, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        tally.errors[f"ended: {task.exception()!r}"] += 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tally


def report(tally: Tally, options: argparse.Namespace) -> None:
    quarter = max(len(tally.samples) // 4, 1)
    first, last = tally.samples[:quarter], tally.samples[-quarter:]
    table = Table(
        f"Soak: {options.agents} agents and {options.editors} editors, {options.minutes:g} minutes",
        "Agents think 0.05 to 0.5 s between questions, editors type every 0.05 to 0.3 s. Of each second; first and last quarter.",
        ["", "first quarter", "last quarter"],
    )
    for name, unit in (("requests", "/s"), ("median", " ms"), ("p99", " ms"), ("memory", " MB"), ("descriptors", ""), ("threads", "")):
        values = [Series([getattr(sample, name) for sample in part]).median for part in (first, last)]
        table.row(name, *(f"{value:.2f}{unit}" if unit == " ms" else f"{value:.0f}{unit}" for value in values))
    table.print()
    count, everything = len(tally.everything.numbers), tally.everything
    print(f"{count:,} answers, {tally.edits:,} edits, median {everything.median * 1000:.2f} ms, p99 {everything.percentile(99) * 1000:.2f} ms.")
    print(f"Errors: {sum(tally.errors.values())}, none: {verdict(sum(tally.errors.values()), 0)}", flush=True)
    for what, times in tally.errors.most_common(10):
        print(f"  {times} x {what}")


def plot(tally: Tally, file: Path) -> None:
    """Latency and memory over time, as an SVG picture."""
    seconds = [sample.second for sample in tally.samples]
    slow = {"99th percentile": [sample.p99 for sample in tally.samples], "median": [sample.median for sample in tally.samples]}
    memory = {"hub process": [sample.memory for sample in tally.samples]}
    charts = [Chart("latency, ms", seconds, slow), Chart("memory, MB", seconds, memory)]
    file.write_text(svg(charts, "seconds"), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--editors", type=int, default=3)
    parser.add_argument("--project", metavar="PATH", type=Path, help="a copy of it is edited (default: Django's source)")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw latency and memory over time, as SVG")
    options = parser.parse_args()
    with private_folders() as folder:
        source = (options.project or projects.django()).resolve()
        root = Path(shutil.copytree(source, folder / source.name, symlinks=True))
        load("before")
        with hub_process() as hub:
            tally = asyncio.run(soak(root, hub, options))
        load("after")
    report(tally, options)
    if options.plot:
        plot(tally, options.plot)
    sys.exit(1 if tally.errors else 0)


if __name__ == "__main__":
    main()
