"""The index fails under the running hub: the status says so, the service goes on, the next start is right."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remora_hub_lsp.hub import store
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index import schema
from remora_hub_lsp.protocol import ChangesSinceParams

from .running import GUARD, Editor, Gate, changed_on_disk, contents, context, fresh, node, running, signatures, write

FILES = {f"m{number}.py": f"def f{number}(): ...\nclass A{number}:\n    def g(self): ...\n" for number in range(30)}
BIG = "".join(f"def f{number}(a): ...\n" for number in range(40))


async def settled(hub: Hub) -> None:
    """Wait until the hub is through with whatever replaces its index."""
    async with asyncio.timeout(GUARD):
        while hub.store.is_failing or hub.state == "indexing":
            await asyncio.sleep(0.02)
    await hub.indexed()


async def goes_on(hub: Hub, root: Path) -> None:
    """Buffers, disk, searches and cursors work, and all that is known is true."""
    editor = Editor(hub, 7)
    editor.open("typed.py", "def typed(): ...\n")
    assert await signatures(hub, "typed.py") == ["def typed()"]
    editor.edit("typed.py", (0, 10), (0, 10), "a")
    assert await signatures(hub, "typed.py") == ["def typed(a)"]
    editor.close("typed.py")
    write(root, {"m1.py": "def changed(): ...\n"}, settled=False)
    changed_on_disk(hub, "m1.py")
    assert await signatures(hub, "m1.py") == ["def changed()"]
    await settled(hub)
    names = [f"m{number}.py:A{number}" for number in range(2, 30)]
    assert set((await context(hub, *names))["nodes"]) == set(names)
    assert (await hub.changes_since(ChangesSinceParams()))["reset"] is False
    assert contents(hub.database) == await fresh(root)


async def next_start_is_right(root: Path, database: Path) -> None:
    async with running(root, database=database) as hub:
        assert hub.state == "ready"
        assert hub.database == database
    assert contents(database) == await fresh(root)
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def delete_file(database: Path) -> None:
    database.unlink()


def delete_all(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def delete_folder(database: Path) -> None:
    shutil.rmtree(database.parent)


def move_away(database: Path) -> None:
    database.parent.rename(database.parent.with_name("moved"))


@pytest.mark.parametrize("remove", [delete_file, delete_all, delete_folder, move_away])
@pytest.mark.parametrize("noticed_by", ["status", "edit", "disk", "many", "changes"])
async def test_the_database_is_deleted(tmp_path: Path, remove: Callable[[Path], None], noticed_by: str) -> None:
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as hub:
        cursor = (await hub.changes_since(ChangesSinceParams()))["cursor"]
        revision, database = hub.revision, hub.database
        editor = Editor(hub)
        editor.open("open.py", "def open_(): ...\n")
        await signatures(hub, "open.py")
        remove(database)
        await notice(hub, root, editor, noticed_by)
        await settled(hub)
        assert (hub.state, hub.database) == ("ready", database)
        assert any("moved or deleted" in warning for warning in hub.warnings)
        assert (await node(hub, "open.py:open_"))["origin"] == "buffer"
        assert hub.revision > revision, "revisions never go back"
        assert (await hub.changes_since(ChangesSinceParams(cursor=cursor)))["reset"] is True
        editor.close("open.py")
        await goes_on(hub, root)
    await next_start_is_right(root, database)


async def notice(hub: Hub, root: Path, editor: Editor, by: str) -> None:
    """Whatever comes first: nobody is given an error."""
    match by:
        case "status":
            assert (await hub.status()).running
        case "edit":
            editor.edit("open.py", (0, 0), (0, 0), "x = 1\n")
            assert await signatures(hub, "open.py") in (["def open_()"], [])
        case "disk":
            write(root, {"m0.py": "def zero(): ...\n"}, settled=False)
            changed_on_disk(hub, "m0.py")
            await hub.read(lambda view: view.outline("m0.py"), paths=("m0.py",), wait=GUARD)
            await hub.status()
        case "many":
            assert (await context(hub, *(f"m{number}.py:f{number}" for number in range(30))))["revision"]
            await hub.status()
        case "changes":
            await hub.changes_since(ChangesSinceParams())
            await hub.status()


@contextmanager
def read_only(hub: Hub) -> Iterator[None]:
    """What SQLite says on a read-only medium."""
    hub.recorder.kv._db.execute("PRAGMA query_only=1")
    yield


@contextmanager
def locked(hub: Hub) -> Iterator[None]:
    hub.recorder.kv._db.execute("PRAGMA busy_timeout=50")
    other = sqlite3.connect(hub.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def full(hub: Hub) -> Iterator[None]:
    pages = hub.recorder.kv._db.execute("PRAGMA page_count").fetchone()[0]
    hub.recorder.kv._db.execute(f"PRAGMA max_page_count={pages}")
    yield


@pytest.mark.parametrize(
    ("trouble", "said"), [(read_only, "readonly database"), (locked, "database is locked"), (full, "disk is full")]
)
async def test_the_database_cannot_be_written(
    tmp_path: Path, trouble: Callable[[Hub], contextmanager[None]], said: str
) -> None:  # type: ignore[valid-type]
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as hub:
        database, before = hub.database, contents(hub.database)
        editor = Editor(hub)
        editor.open("open.py", "def open_(): ...\n")
        await signatures(hub, "open.py")
        with trouble(hub):
            text = "def typed(a): ...\n" * 500
            editor.replace("open.py", text)
            answer = await hub.read(lambda view: view.outline("open.py"), paths=("open.py",), wait=GUARD)
            assert len(answer.value) == 500 or answer.pending == ("open.py",), "old facts are said to be old"
            await settled(hub)
            assert len(await signatures(hub, "open.py")) == 500
            status = await hub.status()
            assert status.state == "degraded"
            assert said in str(status.state_reason)
            assert "kept in memory" in str(status.state_reason)
            assert hub.database != database
            editor.close("open.py")
            await goes_on(hub, root)
        assert {key for key in contents(database) if not key.startswith(("node:open.py", "open.py"))} == set(before)
    await next_start_is_right(root, database)


@pytest.mark.parametrize("trouble", [read_only, locked, full])
async def test_it_comes_back_when_the_database_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Hub], contextmanager[None]]
) -> None:  # type: ignore[valid-type]
    monkeypatch.setattr(store, "FIRST_RETURN", 0.2)
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as hub:
        database, editor = hub.database, Editor(hub)
        editor.open("open.py", "def open_(): ...\n")
        await signatures(hub, "open.py")
        with trouble(hub):
            editor.replace("open.py", "def typed(a): ...\n" * 500)
            await hub.read(lambda view: view.outline("open.py"), paths=("open.py",), wait=GUARD)
            await settled(hub)
            revision = hub.revision
            write(root, {"m1.py": "def meanwhile(): ...\n"}, settled=False)
            changed_on_disk(hub, "m1.py")
            assert await signatures(hub, "m1.py") == ["def meanwhile()"]
        async with asyncio.timeout(GUARD):
            while hub.database != database or hub.state != "ready":
                await asyncio.sleep(0.02)
        await hub.indexed()
        assert hub.revision > revision, "revisions never go back"
        assert len(await signatures(hub, "open.py")) == 500
        assert await signatures(hub, "m1.py") == ["def meanwhile()"]
        editor.close("open.py")
        await goes_on(hub, root)
    await next_start_is_right(root, database)


async def test_the_copy_is_given_up_when_the_other_process_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_RETURN", 0.2)
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as first:
        database = first.database
        async with running(root, database=database) as second:
            await asyncio.sleep(0.5)
            assert second.database != database, "as long as the first one writes"
            await first.close()
            async with asyncio.timeout(GUARD):
                while second.database != database or second.state != "ready":
                    await asyncio.sleep(0.02)
            await goes_on(second, root)
    await next_start_is_right(root, database)


async def test_the_disk_fills_up_during_the_cold_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    write(root, FILES | {f"big{number}.py": BIG for number in range(20)})
    gate = Gate(monkeypatch)
    async with running(root, indexed=False) as hub:
        database = hub.database
        await hub.cold_start.walked()
        with full(hub):
            gate.open()
            await settled(hub)
        status = await hub.status()
        assert "disk is full" in str(status.state_reason)
        assert status.indexed_files == 50
        assert contents(hub.database) == await fresh(root)
    await next_start_is_right(root, database)


async def test_the_database_is_deleted_during_the_cold_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    write(root, FILES)
    gate = Gate(monkeypatch)
    async with running(root, indexed=False) as hub:
        await hub.cold_start.walked()
        delete_folder(hub.database)
        gate.open()
        await settled(hub)
        await hub.status()
        await settled(hub)
        assert (hub.state, (await hub.status()).indexed_files) == ("ready", 30)
        database = hub.database
        assert contents(database) == await fresh(root)
    await next_start_is_right(root, database)


def overwrite(database: Path, first: float, last: float) -> None:
    """Bytes of nothing in the middle, page by page."""
    size = database.stat().st_size
    with database.open("r+b") as file:
        for at in range(int(size * first) // 4096 * 4096, int(size * last) // 4096 * 4096, 4096):
            file.seek(at)
            file.write(b"\xa5" * 4096)


@pytest.mark.parametrize("part", [(0.0, 0.1), (0.3, 0.7), (0.1, 1.0)])
async def test_bytes_in_the_middle_are_overwritten(tmp_path: Path, part: tuple[float, float]) -> None:
    root = tmp_path / "project"
    write(root, FILES | {f"big{number}.py": BIG for number in range(20)})
    async with running(root) as hub:
        database = hub.database
        hub.recorder.kv._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        overwrite(database, *part)
        for number in range(20):
            result = await context(hub, f"big{number}.py:f0", f"m{number}.py:f{number}")
            assert result["nodes"] or result["state"] != "ready"
        for number in range(20):
            write(root, {f"big{number}.py": BIG.replace("def f", f"def n{number}")}, settled=False)
            changed_on_disk(hub, f"big{number}.py")
        await hub.read(lambda view: view.counts(), wait=GUARD)
        await hub.indexed()
        await settled(hub)
        assert hub.state == "ready"
        assert hub.database == database
        assert database.with_name(database.name + ".damaged").exists()
        await goes_on(hub, root)
    await next_start_is_right(root, database)


@pytest.mark.parametrize("part", [(0.0, 0.1), (0.3, 0.7), (0.1, 1.0)])
async def test_bytes_are_overwritten_while_nothing_runs(tmp_path: Path, part: tuple[float, float]) -> None:
    root = tmp_path / "project"
    write(root, FILES | {f"big{number}.py": BIG for number in range(20)})
    async with running(root) as hub:
        database = hub.database
    overwrite(database, *part)
    async with running(root, database=database) as hub:
        for number in range(20):
            await context(hub, f"big{number}.py:f0", f"m{number}.py:f{number}")
            write(root, {f"big{number}.py": BIG.replace("def f", f"def n{number}")}, settled=False)
            changed_on_disk(hub, f"big{number}.py")
        await hub.indexed()
        await settled(hub)
        await goes_on(hub, root)
    await next_start_is_right(root, database)


async def test_a_copy_of_the_index_has_cursors_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as first, running(root, database=first.database) as second:
        assert first.database != second.database
        one = (await first.changes_since(ChangesSinceParams()))["cursor"]
        assert (await second.changes_since(ChangesSinceParams(cursor=one)))["reset"] is True
        assert schema.SCHEMA_VERSION
