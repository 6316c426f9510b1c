"""Agents at the hub process, side by side with the server of the written guide, in one run and by turns."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.client.connection import Connection, connect_to
from remora_hub_lsp.discovery import Listening, find
from remora_hub_lsp.index.schema import open_reader
from remora_hub_lsp.index.view import reading
from remora_hub_lsp.protocol import GET_CONTEXT
from remora_hub_lsp.serve.launch import stop

from . import guide_server
from .bench_answers import random_nodes
from .measure import REPOSITORY, Series, cpu_of, environment, memory_of, private_folders
from .report import Table, verdict

SIZES = (1, 10, 100, 1000)
CROWDS = (1, 10, 50, 200)
SECONDS = 3.0
ROUNDS = 12
IDLE = 200
FLOOD = 20_000
MOST_IDLE_KB = 300

Ask = Callable[[list[str]], Awaitable[object]]


class Guide(NamedTuple):
    socket: str
    pid: int


def bench(root: Path) -> None:
    """Print the tables."""
    with private_folders() as folder:
        with hub_process() as hub:
            keys, database = asyncio.run(prepare(root))
            with guide_process(database, folder) as guide:
                asyncio.run(latency(root, keys, guide.socket))
                asyncio.run(crowds(hub, root, keys, guide))
            asyncio.run(idle(hub, root))
            asyncio.run(flood(hub, root, keys))
            asyncio.run(visits(hub, root, keys))
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
def guide_process(database: str, folder: Path) -> Iterator[Guide]:
    """The guide's server with the same nodes."""
    store = guide_server.GuideStore(str(folder / "guide.db"))
    with reading(open_reader(Path(database))) as view:
        store.fill(state for (path,) in view._db.execute("SELECT path FROM files") for state in view.nodes_of(path))
    line = [sys.executable, "-m", "tests.bench.guide_server", str(folder / "guide.db"), str(folder / "guide.sock")]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield Guide(str(folder / "guide.sock"), process.pid)
        finally:
            process.kill()


async def latency(root: Path, keys: list[str], guide: str) -> None:
    """One agent, as its client library gives it the answer."""
    table = Table(
        f"Latency of get_context, {root.name}",
        "Milliseconds, median / 95th percentile, by turns, from the call to the answer as the client library gives it: the guide's as typed "
        "objects, the hub's as a mapping that makes a typed object of each node that is looked at. First for nodes that were not asked for "
        "before, then again; last with every node looked at.",
        ["ids", "guide", "hub, new nodes", "hub / guide", "hub, again", "hub / guide", "hub, again, all looked at", "hub / guide"],
    )
    async with HubClient(root, timeout=60) as client:

        async def looked_at(some: list[str]) -> object:
            return [node.signature for node in (await client.get_context(some)).values()]

        asks: dict[str, Ask] = {
            "guide": partial(understood, guide), "new": client.get_context, "again": client.get_context, "all": looked_at,
        }  # fmt: skip
        fresh = iter(keys)
        for size in SIZES:
            times = {name: Series() for name in asks}
            for number in range(ROUNDS):
                some = list(islice(fresh, size))
                for name, ask in asks.items():
                    started = time.perf_counter()
                    await ask(some)
                    if number:
                        times[name].add(time.perf_counter() - started)
            cells = [times["guide"].usual(1000)]
            for name in ("new", "again", "all"):
                cells += [times[name].usual(1000), f"{times[name].median / times['guide'].median:.2f}"]
            table.row(size, *cells)
    table.print()


async def understood(socket: str, keys: list[str]) -> object:
    return guide_server.understand(await guide_server.ask(socket, keys))


async def crowds(hub: Listening, root: Path, keys: list[str], guide: Guide) -> None:
    """Many agents at once, each asking for one node after the other."""
    table = Table(
        f"Concurrent agents, one id each, {root.name}",
        "Requests per second, and milliseconds (median / 99th percentile) until the answer's bytes are there; all agents in one process.",
        ["agents", "guide req/s", "hub req/s", "hub / guide", "guide ms", "hub ms", "guide CPU us/req", "hub CPU us/req", "p99 < guide's median"],
    )
    for crowd in CROWDS:
        rate_g, times_g, cpu_g = await storm([partial(guide_server.ask, guide.socket)] * crowd, keys, guide.pid)
        async with AsyncExitStack() as stack:
            asks = []
            for _ in range(crowd):
                connection = await connect_to(hub.addresses[0], hub.token, root)
                stack.push_async_callback(connection.close)
                asks.append(asking(connection))
            rate_h, times_h, cpu = await storm(asks, keys, hub.pid)
        table.row(
            crowd, f"{rate_g:.0f}", f"{rate_h:.0f}", f"{rate_h / rate_g:.1f}", with_p99(times_g), with_p99(times_h),
            f"{cpu_g:.0f}", f"{cpu:.0f}", verdict(times_h.percentile(99), times_g.median),
        )  # fmt: skip
    table.print()


def asking(connection: Connection) -> Ask:
    return lambda some: connection.ask(GET_CONTEXT, {"nodes": some})


def with_p99(times: Series) -> str:
    return f"{times.median * 1000:.2f} / {times.percentile(99) * 1000:.2f}"


async def storm(asks: list[Ask], keys: list[str], pid: int) -> tuple[float, Series, float]:
    """Requests per second, their latencies, and the server's CPU microseconds for each."""
    times = Series()
    until = time.perf_counter() + SECONDS
    before = cpu_of(pid)

    async def one(ask: Ask, rng: random.Random) -> None:
        while time.perf_counter() < until:
            started = time.perf_counter()
            await ask([rng.choice(keys)])
            times.add(time.perf_counter() - started)

    await asyncio.gather(*(one(ask, random.Random(number)) for number, ask in enumerate(asks)))
    count = len(times.numbers)
    return count / SECONDS, times, (cpu_of(pid) - before) / count * 1e6


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


async def flood(hub: Listening, root: Path, keys: list[str]) -> None:
    """What an editor feels of another peer that asks 20,000 questions without waiting for an answer."""
    table = Table("Hover beside a flood", f"Milliseconds, median / 99th percentile / longest, while another peer pipelines {FLOOD:,} requests.",
                  ["", "hovers", "ms"])  # fmt: skip
    hover = {"textDocument": {"uri": (root / keys[0].split(":")[1]).as_uri()}, "position": {"line": 0, "character": 0}}
    editor = await connect_to(hub.addresses[0], hub.token, root)
    for name, requests, size in (("alone", 0, 1), ("1 node each", FLOOD, 1), ("50 nodes each", FLOOD // 5, 50)):
        line = [sys.executable, "-m", "tests.bench.flooder", hub.socket or "", str(root), str(requests), *keys[:size]]
        with subprocess.Popen(line, env=environment(), cwd=REPOSITORY, stdout=subprocess.PIPE) as flooding:
            assert flooding.stdout is not None
            flooding.stdout.readline()
            times = Series()
            while flooding.poll() is None or len(times.numbers) < 200:
                started = time.perf_counter()
                await editor.ask("textDocument/hover", hover)
                times.add(time.perf_counter() - started)
                if flooding.poll() is not None and requests:
                    break
        table.row(name, len(times.numbers), f"{with_p99(times)} / {max(times.numbers) * 1000:.2f}")
    await editor.close()
    table.print()


async def visits(hub: Listening, root: Path, keys: list[str]) -> None:
    """What is left of sessions that came, asked something and went."""
    table = Table("Visits", "Sessions that came, asked for a node and left: what the hub process holds after them.",
                  ["visits", "descriptors", "threads", "resident MB"])  # fmt: skip
    for count in (100, 400, 500):
        for start in range(0, count, 20):
            await asyncio.gather(*(visit(hub, root, keys[number]) for number in range(start, start + 20)))
        await asyncio.sleep(0.5)
        held = [len(list(Path(f"/proc/{hub.pid}/{kind}").iterdir())) for kind in ("fd", "task")]
        table.row(f"+ {count}", *held, f"{memory_of(hub.pid)[0]:.1f}")
    table.print()


async def visit(hub: Listening, root: Path, key: str) -> None:
    connection = await connect_to(hub.addresses[0], hub.token, root)
    await connection.ask(GET_CONTEXT, {"nodes": [key]})
    await connection.close()


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
