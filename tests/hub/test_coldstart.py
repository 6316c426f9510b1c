"""The cold start: whatever the index held before and however it ends, the disk is what counts."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from remora_hub_lsp.hub.coldstart import Progress
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index.kv import NodeStateKV

from .running import (
    GUARD,
    Editor,
    age,
    changed_on_disk,
    contents,
    context,
    expected,
    fresh,
    held,
    hub_of,
    missing,
    node,
    paths_in,
    running,
    signatures,
    viewed,
    write,
)

FILES = {
    "shop/__init__.py": "from .cart import Cart\n",
    "shop/cart.py": "class Cart:\n    def total(self): pass\n    def total(self, again): pass\n",
    "tests/test_cart.py": "from shop import Cart\ndef test_total(): assert Cart().total()\n",
    "empty.py": "",
    "broken.py": "def fine(): pass\ndef f(:\n",
}


def project(root: Path, files: int = 100) -> None:
    """More bytes than are analysed without workers, most of them quickly analysed."""
    filling = f"'''{'x' * (500_000 // files)}'''\n"
    body = "".join(f"class C{i}:\n    def f(self, a: int = {i}) -> int: return a\n" for i in range(5))
    write(
        root, {f"pkg{n % 7}/m{n}.py": f"{filling}import m{n}\n{body}def only{n}(): return m{n}\n" for n in range(files)}
    )


# ------------------------------------------------------------------------------------------------ what changed and what did not


async def test_every_file_of_the_project_is_indexed(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "README.md": "", ".venv/x.py": "", "build/y.py": ""})
    async with running(tmp_path) as hub:
        assert hub.state == "ready"
        assert paths_in(hub.database) == sorted(FILES)
        for path, text in FILES.items():
            assert await held(hub, path) == expected(path, text)
        assert {
            state["update_source"] for state in (await context(hub, "empty.py", "shop.cart.Cart"))["nodes"].values()
        } == {"cold_start"}
        status = await hub.status()
        assert (status.indexed_files, status.indexed_nodes) == (5, 5 + 6)
        assert [failed.file for failed in status.failed] == ["broken.py"]


async def test_nothing_is_analysed_where_nothing_changed(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        assert hub.progress.total == len(FILES)
        before, revision = contents(hub.database), hub.revision
    async with running(tmp_path) as hub:
        assert hub.progress == Progress(0, 0, False)
        assert hub.revision == revision
        assert contents(hub.database) == before


async def test_changed_added_and_deleted_files_are_found(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path):
        pass
    write(tmp_path, {"shop/cart.py": "class Cart: pass\n", "new.py": "def f(): pass\n"}, settled=False)
    (tmp_path / "empty.py").unlink()
    (tmp_path / "tests").rename(tmp_path / "checks")
    async with running(tmp_path) as hub:
        assert hub.progress.total == 3
        assert paths_in(hub.database) == [
            "broken.py",
            "checks/test_cart.py",
            "new.py",
            "shop/__init__.py",
            "shop/cart.py",
        ]
        database = hub.database
    assert contents(database) == await fresh(tmp_path)


async def test_unchanged_nodes_keep_their_revision_through_a_cold_start(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\ndef g(): pass\n"})
    async with running(tmp_path) as hub:
        before = await node(hub, "a.py:f")
    write(tmp_path, {"a.py": "x = 1\ndef f(): pass\ndef g(a): pass\n"}, settled=False)
    async with running(tmp_path) as hub:
        after = await node(hub, "a.py:f")
        assert (await node(hub, "a.py:g"))["last_updated"] > before["last_updated"]
    assert after["last_updated"] == before["last_updated"]
    assert after["range"]["start"]["line"] == 1


async def test_a_file_deleted_and_restored_with_the_same_content_is_indexed_again(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        before, database = contents(hub.database), hub.database
    (tmp_path / "shop/cart.py").unlink()
    async with running(tmp_path) as hub:
        assert "shop/cart.py" not in paths_in(database)
    write(tmp_path, FILES)
    async with running(tmp_path):
        pass
    assert contents(database) == before


async def test_a_file_touched_without_a_change_is_read_but_not_written_anew(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        revision = hub.revision
    age(tmp_path / "shop/cart.py", 50)
    for expected_total in (1, 0):
        async with running(tmp_path) as hub:
            assert hub.progress.total == expected_total
            assert hub.revision == revision


async def test_the_same_size_and_time_prove_nothing_about_a_file_written_in_the_moment_of_the_scan(
    tmp_path: Path,
) -> None:
    place = tmp_path / "a.py"
    write(tmp_path, {"a.py": "def f(): pass\n"}, settled=False)
    async with running(tmp_path) as hub:
        with viewed(hub.database) as view:
            mtime, size, scanned = view.stamps(["a.py"])["a.py"]
    written = place.stat().st_mtime_ns
    assert (mtime, size) == (written, 14)
    assert abs(scanned - written) < 10**10
    place.write_bytes(b"def g(): pass\n")
    os.utime(place, ns=(scanned, scanned))  # no later than the scan
    connection = sqlite3.connect(hub.database)
    connection.execute("UPDATE files SET mtime_ns = ?", (scanned,))
    connection.commit()
    connection.close()
    async with running(tmp_path) as hub:
        assert await signatures(hub, "a.py") == ["def g()"]


@pytest.mark.parametrize(
    "text",
    [
        "def f(): pass\r\nclass A:\r\n    x = 1\r\n",
        "def f(): pass\r",
        "\ufeffdef f(): pass\n",
        "def f(): pass\r\nx = 1\rdef g(): pass\n",
    ],
)
async def test_files_with_any_line_ends_are_not_indexed_again(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a.py": text})
    async with running(tmp_path) as hub:
        revision = hub.revision
        assert "def f()" in await signatures(hub, "a.py")
        editor = Editor(hub)
        editor.open("a.py", text.removeprefix("\ufeff"))
        await signatures(hub, "a.py")
        editor.close("a.py")
        await signatures(hub, "a.py")
        if text[0] != "\ufeff":
            revision = hub.revision
    async with running(tmp_path) as hub:
        assert hub.progress.total == 0
        if text[0] != "\ufeff":
            assert hub.revision == revision


async def test_rows_of_another_python_are_analysed_again(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        before, database = contents(hub.database), hub.database
    kv = NodeStateKV(database)
    kv._set_meta("analysis", "1/python2.7")
    kv.close()
    async with running(tmp_path) as hub:
        assert hub.progress.total == len(FILES)
    assert contents(database) == before


async def test_without_a_cold_start_files_are_indexed_when_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "src/core/deep.py": "def h(): pass\n"})
    async with running(tmp_path, index_on_start=False) as hub:
        assert hub.state == "degraded"
        assert "index_on_start" in (hub.state_reason or "")
        assert paths_in(hub.database) == []
        assert await signatures(hub, "shop/cart.py")
        result = await context(hub, "tests/test_cart.py:test_total", "shop.Nothing", "core.deep.h", "no.py")
        assert set(result["nodes"]) == {"tests/test_cart.py:test_total", "core.deep.h"}
        assert {entry["id"]: entry["reason"] for entry in result["missing"]} == {
            "shop.Nothing": "no such node",
            "no.py": "no such file",
        }
        assert paths_in(hub.database) == ["shop/__init__.py", "shop/cart.py", "src/core/deep.py", "tests/test_cart.py"]
        write(tmp_path, {"shop/cart.py": "def changed(): pass\n"})
        assert await signatures(hub, "shop/cart.py") == ["def changed()"], "nobody watches: each question looks"
        (tmp_path / "shop/cart.py").unlink()
        assert (await missing(hub, "shop/cart.py:changed"))[0] == "no such file"


async def test_a_file_that_nobody_told_of_is_indexed_when_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        write(tmp_path, {"late.py": "def f(): pass\n", ".venv/late.py": ""})
        assert (await node(hub, "late.py:f"))["signature"] == "def f()"
        assert (await missing(hub, ".venv/late.py:f"))[0] == "file ignored"


# ------------------------------------------------------------------------------------------------ with workers


async def test_workers_make_the_same_index_as_none(tmp_path: Path) -> None:
    project(tmp_path)
    write(tmp_path, FILES)
    assert await fresh(tmp_path, workers=2) == await fresh(tmp_path, workers=0)


async def test_a_file_that_is_not_indexed_yet_is_answered_at_once(tmp_path: Path) -> None:
    project(tmp_path, 300)
    async with running(tmp_path, indexed=False, workers=1) as hub:
        assert (await hub.status()).state == "indexing"
        found = await node(hub, "pkg3/m17.py:only17")
        result = await context(hub, "pkg1/m71.py:only71", "pkg0.m7.only7", "pkg0.m7.nothing", "none.py:f")
        assert hub.progress.active, "the cold start was over before the question"
        assert found["signature"] == "def only17()"
        assert set(result["nodes"]) == {"pkg1/m71.py:only71", "pkg0.m7.only7"}
        assert [entry["reason"] for entry in result["missing"]] == ["no such node", "no such file"]
        assert result["state"] == "indexing"
        database = hub.database
        await hub.indexed()
        assert hub.state == "ready"
    assert contents(database) == await fresh(tmp_path)


async def test_open_buffers_are_not_overwritten_by_the_cold_start(tmp_path: Path) -> None:
    project(tmp_path)
    async with running(tmp_path, indexed=False, workers=2) as hub:
        editor = Editor(hub)
        for number in range(0, 100, 5):
            editor.open(f"pkg{number % 7}/m{number}.py", f"def typed{number}(): pass\n")
            await asyncio.sleep(0.002)
        await hub.indexed()
        for path in list(editor.documents):
            assert len(await signatures(hub, path)) == 1
        for path in list(editor.documents):
            editor.close(path)
        await hub.indexed()
        database = hub.database
    assert contents(database) == await fresh(tmp_path)


async def test_files_that_change_during_the_cold_start_are_as_they_are_at_the_end(tmp_path: Path) -> None:
    project(tmp_path)
    rng = random.Random(5)
    async with running(tmp_path, indexed=False, workers=2) as hub:
        for step in range(60):
            number = rng.randrange(100)
            path = f"pkg{number % 7}/m{number}.py"
            if step % 3:
                write(tmp_path, {path: f"def changed{step}(): pass\n"}, settled=step % 2 == 0)
            else:
                (tmp_path / path).unlink(missing_ok=True)
            changed_on_disk(hub, path)
            await asyncio.sleep(0.003)
        await hub.indexed()
        database = hub.database
    assert contents(database) == await fresh(tmp_path)


async def workers_of(hub: Hub) -> list[asyncio.subprocess.Process]:
    async with asyncio.timeout(GUARD):
        while not hub.pool._alive and hub.progress.active:
            await asyncio.sleep(0.001)
    return list(hub.pool._alive)


@pytest.mark.parametrize("delay", [0.0, 0.15])
async def test_files_of_a_worker_that_was_killed_are_indexed_all_the_same(tmp_path: Path, delay: float) -> None:
    project(tmp_path)
    async with running(tmp_path, indexed=False, workers=2) as hub:
        await workers_of(hub)
        await asyncio.sleep(delay)
        for worker in await workers_of(hub):
            os.kill(worker.pid, signal.SIGKILL)
        database = hub.database
        await hub.indexed()
        assert hub.state == "ready"
        assert (await hub.status()).failed == ()
    assert contents(database) == await fresh(tmp_path)


async def test_where_no_worker_can_be_started_the_hub_does_it_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    async with running(tmp_path, workers=2) as hub:
        assert hub.state == "ready"
        assert len(paths_in(hub.database)) == 100
        text = "def f(): pass\n" * 1500
        Editor(hub).open("big.py", text)
        assert len(await signatures(hub, "big.py")) == 1500


# ------------------------------------------------------------------------------------------------ interrupted


@pytest.mark.parametrize("workers", [0, 2])
async def test_cancelled_at_any_moment_it_goes_on_at_the_next_start(tmp_path: Path, workers: int) -> None:
    project(tmp_path)
    rng = random.Random(1)
    database = hub_of(tmp_path).database
    seen = 0
    for _ in range(4):
        async with running(tmp_path, indexed=False, workers=workers) as hub:
            await asyncio.sleep(rng.random() * 0.15)
            hub.cancel_cold_start()
            await hub.cold_start.finished()
            assert not hub.progress.active
            assert hub.state in ("degraded", "ready")
            if hub.state == "degraded":
                assert "cancelled" in (hub.state_reason or "")
            assert len(paths_in(database)) >= seen, "what is committed stays"
            seen = len(paths_in(database))
            number = rng.randrange(100)
            assert (await node(hub, f"pkg{number % 7}/m{number}.py:only{number}"))["broken"] is None
    async with running(tmp_path, workers=workers):
        pass
    assert contents(database) == await fresh(tmp_path)


async def test_cancelled_before_it_began(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    seen: list[bool] = []
    hub = hub_of(tmp_path)
    await hub.start()
    try:
        hub.on_progress(lambda progress: seen.append(progress.active))
        hub.cancel_cold_start()
        await hub.indexed()
        await asyncio.sleep(0)
        assert not hub.progress.active
        assert hub.state == "degraded"
        assert "cancelled" in (hub.state_reason or "")
        assert seen[-1] is False
        assert await signatures(hub, "shop/cart.py")
    finally:
        await hub.close()


async def test_closed_at_once_and_in_the_middle(tmp_path: Path) -> None:
    project(tmp_path)
    for delay in (None, 0.0, 0.05, 0.15):
        hub = hub_of(tmp_path, workers=2)
        await hub.start()
        if delay is not None:
            await asyncio.sleep(delay)
        await asyncio.wait_for(hub.close(), GUARD)
    async with running(tmp_path, workers=2) as hub:
        database = hub.database
    assert contents(database) == await fresh(tmp_path)


SERVER = """
import asyncio, sys
from pathlib import Path
from tests.hub.running import Editor, hub_of

async def main():
    hub = hub_of(Path(sys.argv[1]), workers=2)
    await hub.start()
    print("started", flush=True)
    editor = Editor(hub)
    for step in range(10**6):
        path = f"pkg{step % 7}/m{step % 100}.py"
        if path not in editor.documents:
            editor.open(path, f"def typed{step}(): pass\\n" * 3)
        else:
            editor.edit(path, (1, 0), (1, 0), f"def more{step}(): pass\\n")
        if step % 30 == 29:
            editor.close(next(iter(editor.documents)))
        await asyncio.sleep(0.001)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
async def test_killed_at_any_moment_the_next_start_makes_the_index_of_a_fresh_one(tmp_path: Path) -> None:
    root = tmp_path / "root"
    project(root)
    rng = random.Random(2)
    here = Path(__file__).parents[2]
    database = hub_of(root).database
    for moment in range(4):
        server = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SERVER), str(root)], cwd=here, stdout=subprocess.PIPE
        )
        assert server.stdout is not None
        assert server.stdout.readline() == b"started\n"
        await asyncio.sleep(rng.random() * 0.3)
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
        write(root, {f"pkg0/m{moment * 7}.py": f"def round{moment}(): pass\n"}, settled=moment % 2 == 0)
    async with running(root, workers=2) as hub:
        assert hub.warnings == []
        assert hub.state == "ready"
    assert contents(database) == await fresh(root)


# ------------------------------------------------------------------------------------------------ who watches


async def test_progress_counts_the_files_that_have_to_be_analysed(tmp_path: Path) -> None:
    project(tmp_path)
    seen: list[tuple[int, int, bool]] = []
    hub = hub_of(tmp_path, workers=2)
    await hub.start()
    unsubscribe = hub.on_progress(lambda progress: seen.append((progress.done, progress.total, progress.active)))
    try:
        await hub.indexed()
    finally:
        await hub.close()
    unsubscribe()
    unsubscribe()
    assert seen[-1] == (100, 100, False)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert len(seen) > 3


async def test_who_fails_to_watch_harms_nobody(tmp_path: Path) -> None:
    project(tmp_path)
    seen: list[int] = []

    def bad(_: Progress) -> None:
        raise RuntimeError("this peer is gone")

    hub = hub_of(tmp_path)
    await hub.start()
    hub.on_progress(bad)
    hub.on_progress(lambda progress: seen.append(progress.done))
    try:
        await hub.indexed()
        assert hub.state == "ready"
        assert len(paths_in(hub.database)) == 100
        assert seen[-1] == 100
    finally:
        await hub.close()


async def test_a_damaged_index_is_built_anew_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    database = hub_of(tmp_path).database
    database.parent.mkdir()
    database.write_text("no index " * 1000)
    async with running(tmp_path) as hub:
        assert str(database) in hub.warnings[0]
        assert paths_in(database) == sorted(FILES)
