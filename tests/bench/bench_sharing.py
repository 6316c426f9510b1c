"""Agents at the hub process, side by side with the server of the written guide, in one run and by turns."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.client.connection import Connection, connect_to
from remora_hub_lsp.discovery import Listening, find
from remora_hub_lsp.index.schema import open_reader
from remora_hub_lsp.index.view import reading
from remora_hub_lsp.protocol import GET_CONTEXT
from remora_hub_lsp.serve.launch import stop

from . import guide_server
from .bench_answers import random_nodes
from .measure import Series, cpu_of, environment, memory_of
from .report import Table, verdict

SIZES = (1, 10, 100, 1000)
CROWDS = (1, 10, 50, 200)
SECONDS = 3.0
ROUNDS = 15
IDLE = 200
MOST_IDLE_KB = 300

Ask = Callable[[list[str]], Awaitable[object]]


def bench(root: Path) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
            os.environ[name] = str(Path(folder, name))
            Path(folder, name).mkdir()
        with hub_process() as hub:
            keys, database = asyncio.run(prepare(root))
            with guide_process(database, Path(folder)) as guide:
                asyncio.run(latency(root, keys, guide))
                asyncio.run(crowds(hub, root, keys, guide))
            asyncio.run(idle(hub, root))
        starts(root)


@contextmanager
def hub_process() -> Iterator[Listening]:
    subprocess.run([sys.executable, "-m", "remora_hub_lsp", "start"], env=environment(), check=True, stdout=subprocess.DEVNULL)
    hub = find()
    assert hub is not None
    try:
        yield hub
    finally:
        stop(hub)


async def prepare(root: Path) -> tuple[list[str], str]:
    """Index the project; keys of it, and the index's file."""
    async with HubClient(root, timeout=60) as client:
        while (status := await client.status()).state == "indexing":
            await asyncio.sleep(0.1)
    return [node.key for node in random_nodes(root, 20_000)], status.database


@contextmanager
def guide_process(database: str, folder: Path) -> Iterator[str]:
    """The guide's server with the same nodes; gives its socket."""
    store = guide_server.GuideStore(str(folder / "guide.db"))
    with reading(open_reader(Path(database))) as view:
        store.fill(state for (path,) in view._db.execute("SELECT path FROM files") for state in view.nodes_of(path))
    line = [sys.executable, "-m", "tests.bench.guide_server", str(folder / "guide.db"), str(folder / "guide.sock")]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield str(folder / "guide.sock")
        finally:
            process.kill()


async def latency(root: Path, keys: list[str], guide: str) -> None:
    """One agent, as its client library gives it the answer: as typed objects."""
    table = Table(
        f"Latency of get_context, {root.name}",
        "Milliseconds, median / 95th percentile, by turns: from the call to typed objects in the agent, and until the answer's bytes "
        "are there; other nodes each time, and (again) the nodes of the question before.",
        ["ids", "guide, typed", "hub, typed", "guide / hub", "guide, bytes", "hub, bytes", "guide / hub", "hub, bytes, again", "guide / hub"],
    )
    async with HubClient(root, timeout=60) as client:
        connection = await client._connected()
        for size in SIZES:
            asks: dict[str, Ask] = {
                "guide": partial(understood, guide),
                "hub": client.get_context,
                "guide bytes": partial(guide_server.ask, guide),
                "hub bytes": asking(connection),
                "again": asking(connection),
            }
            times = {name: Series() for name in asks}
            for number in range(ROUNDS + 3):
                rng, some = random.Random(number), []
                for name, ask in asks.items():
                    some = some if name == "again" else rng.sample(keys, size)
                    started = time.perf_counter()
                    await ask(some)
                    if number >= 3:
                        times[name].add(time.perf_counter() - started)
            cells = []
            for theirs, ours in (("guide", "hub"), ("guide bytes", "hub bytes"), ("guide bytes", "again")):
                cells += [times[theirs].usual(1000)] if ours != "again" else []
                cells += [times[ours].usual(1000), f"{times[theirs].median / times[ours].median:.1f}"]
            table.row(size, *cells)
    table.print()


async def understood(socket: str, keys: list[str]) -> object:
    return guide_server.understand(await guide_server.ask(socket, keys))


async def crowds(hub: Listening, root: Path, keys: list[str], guide: str) -> None:
    """Many agents at once, each asking for one node after the other."""
    table = Table(
        f"Concurrent agents, one id each, {root.name}",
        "Requests per second, and milliseconds (median / 99th percentile) until the answer's bytes are there; all agents in one process.",
        ["agents", "guide req/s", "hub req/s", "hub / guide", "guide ms", "hub ms", "hub CPU us/req", "p99 < guide's median"],
    )
    for crowd in CROWDS:
        rate_g, times_g, _ = await storm([lambda some: guide_server.ask(guide, some)] * crowd, keys, None)
        async with AsyncExitStack() as stack:
            asks = []
            for _ in range(crowd):
                connection = await connect_to(hub.addresses[0], hub.token, root)
                stack.push_async_callback(connection.close)
                asks.append(asking(connection))
            rate_h, times_h, cpu = await storm(asks, keys, hub.pid)
        table.row(
            crowd, f"{rate_g:.0f}", f"{rate_h:.0f}", f"{rate_h / rate_g:.1f}", with_p99(times_g), with_p99(times_h),
            f"{cpu:.0f}", verdict(times_h.percentile(99), times_g.median),
        )  # fmt: skip
    table.print()


def asking(connection: Connection) -> Ask:
    return lambda some: connection.ask(GET_CONTEXT, {"nodes": some})


def with_p99(times: Series) -> str:
    return f"{times.median * 1000:.2f} / {times.percentile(99) * 1000:.2f}"


async def storm(asks: list[Ask], keys: list[str], pid: int | None) -> tuple[float, Series, float]:
    """Requests per second, their latencies, and the server's CPU microseconds for each."""
    times = Series()
    until = time.perf_counter() + SECONDS
    before = cpu_of(pid) if pid else 0.0

    async def one(ask: Ask, rng: random.Random) -> None:
        while time.perf_counter() < until:
            started = time.perf_counter()
            await ask([rng.choice(keys)])
            times.add(time.perf_counter() - started)

    await asyncio.gather(*(one(ask, random.Random(number)) for number, ask in enumerate(asks)))
    count = len(times.numbers)
    return count / SECONDS, times, ((cpu_of(pid) - before) / count * 1e6 if pid else 0.0)


async def idle(hub: Listening, root: Path) -> None:
    """What a session costs that does nothing."""
    async with AsyncExitStack() as stack:
        sizes = []
        for _ in range(2):
            for _ in range(IDLE):
                connection = await connect_to(hub.addresses[0], hub.token, root)
                stack.push_async_callback(connection.close)
            sizes.append(memory_of(hub.pid)[0])
    each = (sizes[1] - sizes[0]) * 1024 / IDLE
    table = Table("Idle sessions", f"Resident memory of the hub process, {IDLE} more sessions.", ["kB each", "limit", "kept"])
    table.row(f"{each:.0f}", MOST_IDLE_KB, verdict(each, MOST_IDLE_KB))
    table.print()


def starts(root: Path) -> None:
    """From nothing: how long until an agent has an answer, and an editor its relay."""
    table = Table("Starting", "Seconds of wall clock / CPU of a whole process, median of 5.", ["", "wall", "CPU"])
    agent = f"from remora_hub_lsp.client import HubClient; HubClient({str(root)!r}).sync.get_context('django/urls/base.py:reverse')"
    relay = [sys.executable, "-m", "remora_hub_lsp", "--stdio"]
    with hub_process():
        asyncio.run(prepare(root))
        for name, line in {
            "python -c pass": [sys.executable, "-c", "pass"],
            "relay, hub process running": relay,
            "import remora_hub_lsp.client": [sys.executable, "-c", "import remora_hub_lsp.client"],
            "agent, one answer of the hub": [sys.executable, "-c", agent],
        }.items():
            table.row(name, *timed(line))
    table.row("agent, one answer without a hub", *timed([sys.executable, "-c", agent]))
    table.print()


def timed(line: list[str]) -> tuple[str, str]:
    wall, cpu = Series(), Series()
    for _ in range(5):
        started, before = time.perf_counter(), os.times()
        subprocess.run(line, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        after = os.times()
        wall.add(time.perf_counter() - started)
        cpu.add(after.children_user + after.children_system - before.children_user - before.children_system)
    return f"{wall.median:.3f}", f"{cpu.median:.3f}"
