"""The call graph follows edits in a worker process: what it finds is true, and nobody waits for it who does not ask."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.hub import graph, pool
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index.kv import Changed
from remora_hub_lsp.protocol import GetContextParams

from .running import GUARD, Editor, context, running, stopped, write

SHOP = "class Cart:\n    def total(self): return 1\n    def size(self): return 2\n"
FILES = {
    "shop.py": SHOP,
    "app.py": "from shop import Cart\ndef main(): Cart().total()\ndef other(): Cart().size()\n",
    "late.py": "def late(): ...\n",
}


@asynccontextmanager
async def following_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Hub, Editor]]:
    """A hub of few files that does as with many, and an editor in which they are open."""
    monkeypatch.setattr(graph, "FEW_FILES", 1)
    write(tmp_path, FILES)
    async with running(tmp_path, workers=1) as hub:
        editor = Editor(hub)
        for path, text in FILES.items():
            editor.open(path, text)
        await context(hub, "late.py")
        yield hub, editor


def worker(hub: Hub) -> int:
    """The process that lets the graph follow."""
    assert hub.graph._pool is not None
    (process,) = hub.graph._pool._alive
    return process.pid


async def callers(hub: Hub, node: str, wait_ms: int = 30_000) -> tuple[list[str], str]:
    """Who calls it, and the hub's state."""
    found: Any = await hub.get_context(GetContextParams(nodes=(node,), waitMs=wait_ms))
    return found["nodes"][node]["callers"], found["state"]


async def test_who_calls_it_follows_an_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following_apart(tmp_path, monkeypatch) as (hub, editor):
        assert await callers(hub, "shop.py:Cart.total") == (["node:app.py:main"], "ready")
        editor.edit("late.py", (0, 12), (0, 15), "shop.Cart().total()")
        editor.edit("late.py", (0, 0), (0, 0), "import shop\n")
        assert await callers(hub, "shop.py:Cart.total") == (["node:app.py:main", "node:late.py:late"], "ready")
        editor.edit("shop.py", (1, 8), (1, 13), "price")
        assert await callers(hub, "shop.py:Cart.price") == ([], "ready")
        assert await callers(hub, "shop.py:Cart.size") == (["node:app.py:other"], "ready")


async def test_a_killed_worker_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following_apart(tmp_path, monkeypatch) as (hub, editor):
        editor.edit("late.py", (0, 0), (0, 0), "import shop\n")
        for name in ("total", "size"):
            await callers(hub, "shop.py:Cart.total")
            editor.edit("late.py", (1, 12), (1, 12), f"shop.Cart().{name}(); ")
            os.kill(worker(hub), signal.SIGKILL)
            assert "node:late.py:late" in (await callers(hub, f"shop.py:Cart.{name}"))[0]
        assert await callers(hub, "shop.py:Cart.total") == (["node:app.py:main", "node:late.py:late"], "ready")


async def test_who_can_do_without_it_waits_less_and_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following_apart(tmp_path, monkeypatch) as (hub, editor):
        await callers(hub, "shop.py:Cart.total")
        with stopped(worker(hub)):
            editor.edit("late.py", (0, 0), (0, 0), "import shop\nshop.Cart().total()\n")
            answer = await hub.read(lambda view: view.has("late.py", "late"), heavy=True, calls_wait=0.05)
            assert (answer.value, answer.late, hub.following.late) == (True, True, False)
        assert (await callers(hub, "shop.py:Cart.total"))[1] == "ready"  # nobody else is told that it is late
        assert not (await hub.read(lambda view: view.counts(), heavy=True, calls_wait=0.05)).late


async def test_who_does_not_wait_is_told_that_it_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with following_apart(tmp_path, monkeypatch) as (hub, editor):
        await callers(hub, "shop.py:Cart.total")
        with stopped(worker(hub)):
            editor.edit("late.py", (0, 0), (0, 0), "import shop\nshop.Cart().total()\n")
            found, state = await callers(hub, "shop.py:Cart.total", wait_ms=200)
            assert (found, state) == (["node:app.py:main"], "indexing")
            assert "call graph" in ((await hub.status()).state_reason or "")
            editor.edit("shop.py", (2, 8), (2, 8), "the_")  # edits go on, and are answered
            node = "shop.py:Cart.the_size"
            later: Any = await hub.get_context(GetContextParams(nodes=(node,), waitMs=30_000))
            assert (later["nodes"][node]["node_name"], later["state"], later["stale"]) == ("the_size", "indexing", [])
        async with asyncio.timeout(GUARD):
            while (await callers(hub, "shop.py:Cart.total"))[1] != "ready":
                await asyncio.sleep(0.02)
        assert (await callers(hub, "shop.py:Cart.total"))[0] == ["node:app.py:main", "node:late.py:<module>"]
        assert (await hub.status()).state_reason is None


async def test_files_that_kill_the_worker_are_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new worker gets to know the open files, and would end of it again."""
    deadly = (
        "from remora_hub_lsp.hub import worker; import os; warm = worker._JOBS['graph_warm']; "
        "worker._JOBS['graph_warm'] = lambda path: os._exit(1) if path in ('shop.py', 'app.py') else warm(path); worker.main()"
    )
    monkeypatch.setattr(pool, "_START", f"import sys; sys.path[:] = {{path!r}}; {deadly}")
    started = []
    start = pool.WorkerPool._start

    async def counted(self: pool.WorkerPool) -> asyncio.subprocess.Process:
        started.append(await start(self))
        return started[-1]

    monkeypatch.setattr(pool.WorkerPool, "_start", counted)
    async with following_apart(tmp_path, monkeypatch) as (hub, editor):
        editor.edit("late.py", (0, 12), (0, 15), "shop.Cart().total()")
        editor.edit("late.py", (0, 0), (0, 0), "import shop\n")
        assert "node:late.py:late" in (await callers(hub, "shop.py:Cart.total"))[0]
        deaths, lives = -1, len(started)
        while deaths < lives:
            await asyncio.sleep(0.3)
            deaths, lives = lives, len(started)
            assert lives < 12


async def test_a_cold_start_ends_though_edits_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the call graph has followed one, there is another."""
    write(tmp_path, FILES)
    follow, typing, numbers = graph.Graph.follow, True, itertools.count()

    async def busy(self: graph.Graph) -> Changed:
        if typing:
            number = next(numbers)
            editor.replace("late.py", f"import shop\ndef late{number}(): shop.Cart().total()\n")
            await hub.updates.inbox.done(None, GUARD)
        return await follow(self)

    monkeypatch.setattr(graph.Graph, "follow", busy)
    async with running(tmp_path, indexed=False) as hub:
        editor = Editor(hub)
        editor.open("late.py", FILES["late.py"])
        async with asyncio.timeout(GUARD):
            await hub.cold_start.finished()
        assert "node:app.py:main" in (await callers(hub, "shop.py:Cart.total"))[0]
        typing = False
        await hub.indexed()
        (_, late), state = await callers(hub, "shop.py:Cart.total")
        assert (late, state) == (f"node:late.py:late{next(numbers) - 1}", "ready")
