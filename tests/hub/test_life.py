"""Starting and closing: what is open is closed again, and nobody waits for a hub that is gone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.config import load_config
from remora_hub_lsp.errors import HubClosed, HubError, RootError, StoreError
from remora_hub_lsp.hub import tree
from remora_hub_lsp.hub.hub import Hub

from .running import GUARD, Editor, changed_on_disk, contents, context, fresh, hub_of, running, signatures, write
from .test_coldstart import project


def descriptors() -> set[str]:
    """What this process has open, as far as hubs are concerned."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        found.add(target)
    return {target for target in found if not target.startswith(("/dev/", "anon_inode:[eventpoll]", "socket:"))}


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "remora" in thread.name or "waitpid" in thread.name]


def children() -> list[str]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children")
    return listed.read_text().split() if listed.exists() else []


async def comes_true(question: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD):
        while not question():
            gc.collect()
            await asyncio.sleep(0.01)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("watch", [False, True])
async def test_closing_leaves_no_process_thread_or_descriptor(tmp_path: Path, watch: bool) -> None:
    project(tmp_path)
    await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    before, processes = descriptors(), children()
    for wait in (0.0, 0.1, None):
        hub = hub_of(tmp_path, workers=2, watch=watch)
        await hub.start()
        editor = Editor(hub)
        editor.open("pkg0/m0.py", "def f(:\n")
        editor.open("big.py", "def f(): pass\n" * 2000)
        if wait is None:
            await hub.indexed()
            await signatures(hub, "big.py")
            editor.edit("big.py", (0, 0), (0, 4), "")
            await hub.read(lambda view: view.counts(), heavy=True, wait=GUARD)
        else:
            await asyncio.sleep(wait)
        await asyncio.wait_for(hub.close(), GUARD)
        await comes_true(lambda: threads() == [])  # asyncio's own, which waited for a process, ends a moment later
        await comes_true(lambda: children() == processes)
        await comes_true(lambda: descriptors() <= before)
        assert len(asyncio.all_tasks()) == 1


async def test_closing_twice_and_before_starting(tmp_path: Path) -> None:
    hub = hub_of(tmp_path)
    await hub.close()
    hub = hub_of(tmp_path)
    await hub.start()
    await asyncio.gather(hub.close(), hub.close())
    await hub.close()


async def test_a_hub_that_is_closed_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
    with pytest.raises(HubClosed):
        await hub.read(lambda view: view.counts())
    with pytest.raises(HubClosed):
        await context(hub, "a.py:f", "dotted.name")
    with pytest.raises(HubClosed):
        await hub.status()
    editor.replace("a.py", "def g(): pass\n")
    editor.save("a.py")
    editor.close("a.py")
    changed_on_disk(hub, "a.py")
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1, "changes come to nothing, and nothing waits for them"


async def test_who_waits_while_the_hub_closes_is_told_so_at_once(tmp_path: Path) -> None:
    project(tmp_path)
    hub = hub_of(tmp_path, workers=1)
    await hub.start()
    Editor(hub).open("big.py", "class A:\n    def f(self): pass\n" * 4000)
    questions = [
        asyncio.create_task(hub.read(lambda view: view.counts(), paths=("big.py",), wait=GUARD * 10)),
        asyncio.create_task(context(hub, "big.py:A", waitMs=600_000)),
        asyncio.create_task(context(hub, "big.py:A", waitMs=600_000, minRevision=10**9)),
    ]
    await asyncio.sleep(0.01)
    await hub.close()
    async with asyncio.timeout(GUARD):
        answers = await asyncio.gather(*questions, return_exceptions=True)
    assert [type(answer) for answer in answers] == [HubClosed] * 3


@pytest.mark.parametrize("name", ["none", "file"])
async def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RootError, match="not a directory"):
        Hub(tmp_path / name, load_config(tmp_path))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
async def test_a_hub_that_cannot_start_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "root").mkdir()
    before = descriptors()
    config = load_config(tmp_path / "root", overrides={"database": tmp_path / "file/index.db", "workers": 0})
    hub = Hub(tmp_path / "root", config, needs_store=True)
    with pytest.raises(StoreError):
        await hub.start()
    await hub.close()
    assert threads() == []
    assert descriptors() <= before


async def test_minimum_revision_is_waited_for(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
        await signatures(hub, "a.py")
        waiting = asyncio.create_task(context(hub, minRevision=hub.revision + 2))
        await asyncio.sleep(0)
        for text in ("def g(): pass\n", "def h(): pass\n"):
            assert not waiting.done()
            editor.replace("a.py", text)
            await signatures(hub, "a.py")
        async with asyncio.timeout(GUARD):
            assert (await waiting)["revision"] >= 2
        result = await context(hub, minRevision=10**9, waitMs=10)
        assert result["revision"] == hub.revision, "patience ends"


async def test_the_log_is_folded_in_when_the_hub_closes(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    async with running(tmp_path) as hub:
        pass
    assert not hub.database.with_name("index.db-wal").exists()


async def test_two_hubs_in_one_process(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, {"a.py": f"def {name}(): pass\n"})
    async with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        assert await signatures(one, "a.py") == ["def one()"]
        assert await signatures(two, "a.py") == ["def two()"]


async def answers(hub: Hub, path: str, wanted: list[str]) -> None:
    """In the end; until then an error, or that it has not seen everything."""
    async with asyncio.timeout(GUARD):
        while True:
            with contextlib.suppress(HubError):
                answer = await hub.read(lambda view: view.outline(path), paths=(path,), wait=GUARD)
                if not answer.pending and hub.state != "indexing":
                    assert [entry["signature"] for entry in answer.value] == wanted
                    return
            await asyncio.sleep(0.01)


async def test_an_index_that_is_deleted_while_in_use_is_built_again(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n", "b.py": "def g(): pass\n"})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def typed(): pass\n")
        await signatures(hub, "a.py")
        for path in hub.database.parent.glob("index.db*"):
            if not path.name.endswith(".lock"):
                path.unlink()
        editor.edit("a.py", (0, 10), (0, 10), "x")
        await answers(hub, "a.py", ["def typed(x)"])
        await answers(hub, "b.py", ["def g()"])
        editor.close("a.py")
        await hub.indexed()
        database = hub.database
    assert contents(database) == await fresh(tmp_path)


async def test_an_index_that_is_damaged_while_in_use_is_told_and_gone_on_without(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.py": f"def f{n}(): pass\n" * 50 for n in range(20)})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("open.py", "def typed(): pass\n")
        await signatures(hub, "open.py")
        connection = sqlite3.connect(hub.database, isolation_level=None)
        connection.execute("PRAGMA writable_schema=1")
        connection.execute("DROP TABLE summaries")
        connection.close()
        editor.edit("open.py", (0, 10), (0, 10), "x")
        await answers(hub, "open.py", ["def typed(x)"])
        await hub.indexed()
        assert hub.state == "degraded"
        assert hub.state_reason
        assert (await hub.status()).indexed_files == 21


async def test_the_walk_of_the_tree_ends_with_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    write(root, {f"f{number // 40}/g{number}/m.py": "" for number in range(800)})
    listed: list[str] = []
    listing = tree._Walk._listing

    def counted(walk: Any, path: str) -> Any:
        listed.append(path)
        time.sleep(0.002)  # a large tree on a slow disk
        return listing(walk, path)

    monkeypatch.setattr(tree._Walk, "_listing", counted)
    hub = hub_of(root)
    await hub.start()
    while not listed:
        await asyncio.sleep(0.001)
    await hub.close()
    seen = len(listed)
    await asyncio.sleep(0.1)
    assert seen == len(listed) < 800
