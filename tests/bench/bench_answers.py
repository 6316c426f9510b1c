"""A server over stdio with a whole project in its index: how long answers take, and how much memory it takes."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.source import decode
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.hub import Hub

from .bench_index import index
from .measure import Series, cpu_of, memory_of
from .projects import files_of
from .report import Table, verdict
from .server import Server

MOST_MEMORY = 120.0  # MB
MOST_BLOCKED = 20.0  # ms


def bench(root: Path) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "index.db")
        index(root, database)
        answers(root, database)
        memory(root, database, Path(folder, "cold.db"))
        blocked(root, Path(folder, "blocked.db"))


def answers(root: Path, database: Path) -> None:
    """Latencies of a warm server, each against a hover about nothing, which costs only the transport."""
    with (
        tempfile.TemporaryDirectory() as nothing,
        Server(Path(nothing).resolve(), Path(nothing, "i.db")) as server,
    ):
        server.initialize()
        server.wait_until_indexed()
        base = server.time("textDocument/hover", hover(Path(nothing, "none.py"), (0, 0)), 200)
    table = Table(
        f"Answers over stdio, {root.name} indexed",
        "Milliseconds from request to the last byte of the answer, median / 95th percentile; baseline: the round trip of a "
        "question without an answer in an empty project.",
        ["", "ms", "x baseline", "server CPU ms", "limit (median)", "kept"],
    )
    table.row("hover outside the project (baseline)", base.usual(1000), "1.0", "", "", "")
    with Server(root, database) as server:
        server.initialize()
        server.wait_until_indexed()
        nodes = random_nodes(root, 1000)
        many = [node.key for node in nodes]
        hover_at = hover(root / nodes[0].path, nodes[0].place)
        assert server.ask("remora/getContext", {"nodes": many})["missing"] == []
        assert server.ask("textDocument/hover", hover_at)
        asked: list[tuple[str, str, Any, int, float | None]] = [
            ("getContext, 1 node", "remora/getContext", {"nodes": many[:1]}, 500, 0.5),
            ("getContext, 100 nodes", "remora/getContext", {"nodes": many[:100]}, 100, None),
            (f"getContext, {len(many):,} nodes", "remora/getContext", {"nodes": many}, 50, 20.0),
            ("hover", "textDocument/hover", hover_at, 500, 1.0),
            (
                "documentSymbol",
                "textDocument/documentSymbol",
                {"textDocument": hover_at["textDocument"]},
                200,
                None,
            ),
            ("workspace/symbol", "workspace/symbol", {"query": "get_quer"}, 30, None),
        ]
        for name, method, params, times, limit in asked:
            before = cpu_of(server.pid)
            series = server.time(method, params, times)
            cpu = (cpu_of(server.pid) - before) / (times + 10)
            kept = "" if limit is None else verdict(series.median * 1000, limit)
            ratio = f"{series.median / base.median:.1f}"
            table.row(name, series.usual(1000, 3), ratio, f"{cpu * 1000:.3f}", "" if limit is None else limit, kept)
    table.print()


def memory(root: Path, database: Path, cold: Path) -> None:
    """Resident memory of a server that found its index, and of one that made it; and the first hover of each."""
    table = Table(
        f"Start and memory, {root.name}",
        "Milliseconds from the start of the process to the answer of initialize, and from there to the first hover. Resident MB of "
        "the server's process after 1,000 nodes and a symbol search were asked for; the workers of the cold start are gone then.",
        ["", "initialize ms", "first hover ms", "MB", "MB at most", "limit", "kept"],
    )
    nodes = random_nodes(root, 1000)
    for name, where in (("warm start", database), ("cold start", cold)):
        with Server(root, where) as server:
            server.initialize()
            initialized = time.perf_counter()
            assert server.ask("textDocument/hover", hover(root / nodes[0].path, nodes[0].place))
            times = (initialized - server.started, time.perf_counter() - initialized)
            server.wait_until_indexed()
            server.ask("workspace/symbol", {"query": "get_quer"})
            server.ask("remora/getContext", {"nodes": [node.key for node in nodes]})
            now, most = memory_of(server.pid)
        cells = [f"{seconds * 1000:.0f}" for seconds in times]
        table.row(name, *cells, f"{now:.0f}", f"{most:.0f}", MOST_MEMORY, verdict(now, MOST_MEMORY))
    table.print()


def blocked(root: Path, database: Path) -> None:
    """How long a cold start holds the event loop up: gaps between turns of a task that always wants to run."""
    table = Table(
        f"The event loop during a cold start of {root.name}",
        "Milliseconds between two turns of the loop while a task asks for one each millisecond, in the server's own process; the "
        "workers and the writing thread compete for the CPUs. Baseline: an idle loop beside two processes that are as busy.",
        ["", "turns", "median / p95", "p99.9", "longest", "limit", "kept"],
    )
    for name, gaps in (
        ("baseline", asyncio.run(_idle())),
        ("cold start", asyncio.run(_indexing(root, database))),
    ):
        longest = max(gaps.numbers) * 1000
        kept = [MOST_BLOCKED, verdict(longest, MOST_BLOCKED)] if name == "cold start" else ["", ""]
        late = f"{gaps.percentile(99.9) * 1000:.1f}"
        table.row(name, len(gaps.numbers), gaps.usual(1000), late, f"{longest:.1f}", *kept)
    table.print()


async def _indexing(root: Path, database: Path) -> Series:
    hub = Hub(root, load_config(root, overrides={"database": database}))
    await hub.start()
    gaps = await _gaps(lambda: hub.state == "indexing")
    await hub.close()
    return gaps


async def _idle() -> Series:
    busy = [await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass") for _ in range(2)]
    until = time.monotonic() + 3
    gaps = await _gaps(lambda: time.monotonic() < until)
    for process in busy:
        process.kill()
        await process.wait()
    return gaps


async def _gaps(going_on: Callable[[], bool]) -> Series:
    gaps, last = Series(), time.perf_counter()
    while going_on():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        gaps.add(now - last)
        last = now
    return gaps


def hover(file: Path, place: tuple[int, int]) -> dict[str, Any]:
    position = {"line": place[0], "character": place[1]}
    return {"textDocument": {"uri": file.as_uri()}, "position": position}


class Node(NamedTuple):
    """A node of the project; place: line and character of its name."""

    key: str
    path: str
    place: tuple[int, int]


def random_nodes(root: Path, count: int) -> list[Node]:
    """Functions and classes from all over the project, the same in each run."""
    rng = random.Random(0)
    paths = files_of(root)
    rng.shuffle(paths)
    nodes: list[Node] = []
    for file in paths:
        if len(nodes) > 4 * count:
            break
        path = Path(file).relative_to(root).as_posix()
        facts = extract(decode(Path(file).read_bytes()))
        starts = {segment.id: start for segment, start in facts.segments}
        for unique, segment, _, node in facts.nodes[1:]:
            place = (starts[segment] + node.name_line, node.name_col)
            nodes.append(Node(f"node:{path}:{unique}", path, place))
    return rng.sample(nodes, min(count, len(nodes)))
