"""What the machine does to a hub: disks that are full, clocks that jump, another version's hand on the index."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remora_hub_lsp.hub import store
from remora_hub_lsp.hub.hub import Hub

from .running import GUARD, Editor, changed_on_disk, contents, fresh, running, signatures, write

FILES = {f"m{number}.py": f"def f{number}(): ...\nclass A{number}:\n    def g(self): ...\n" for number in range(20)}
REPOSITORY = Path(__file__).parents[2]


async def until(question: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD):
        while not question():
            await asyncio.sleep(0.02)


# ------------------------------------------------------------------------------------------------ the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    yield
    ballast.unlink()


async def test_a_disk_that_is_full(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is typed or written meanwhile is missed; when there is room again, the index is back on it."""
    monkeypatch.setattr(store, "FIRST_RETURN", 0.2)
    root, database = tmp_path / "project", small_disk / "index.db"
    write(root, FILES)
    async with running(root, database=database) as hub:
        editor = Editor(hub)
        editor.open("typed.py", "def typed(): ...\n")
        with full(small_disk):
            editor.replace("typed.py", "def typed(a): ...\n" * 300)
            write(root, {"m1.py": "def changed(): ...\n" * 300}, settled=False)
            changed_on_disk(hub, "m1.py")
            await until(lambda: hub.state == "degraded")
            await all_is_in(hub)
            assert "disk is full" in str(hub.state_reason)
        await until(lambda: hub.database == database and hub.state == "ready")
        await all_is_in(hub)
        editor.close("typed.py")
        await hub.indexed()
    assert contents(database) == await fresh(root)


async def all_is_in(hub: Hub) -> None:
    async with asyncio.timeout(GUARD):
        while len(await signatures(hub, "typed.py", 5)) != 300 or len(await signatures(hub, "m1.py", 5)) != 300:
            await asyncio.sleep(0.05)


# ------------------------------------------------------------------------------------------------ the clock

LONG_AGO, TO_COME = 10**9, 4_000_000_000 * 10**9  # nanoseconds since 1970


@pytest.mark.parametrize("then", [LONG_AGO, TO_COME, None])
@pytest.mark.parametrize("now", [LONG_AGO, TO_COME, None])
async def test_a_clock_that_jumps_hides_no_change(tmp_path: Path, then: int | None, now: int | None) -> None:
    """Another text of the same size, written after the clock was set forward or back, while nothing watched."""
    stamped(tmp_path / "project", "def old(): ...\n", then)
    async with running(tmp_path / "project") as hub:
        database = hub.database
    stamped(tmp_path / "project", "def new(): ...\n", now)
    async with running(tmp_path / "project") as hub:
        known = await signatures(hub, "a.py")
    if then == now != TO_COME and then is not None:
        return  # not even git would see that: same size, same time, long after
    assert known == ["def new()"]
    assert contents(database) == await fresh(tmp_path / "project")


def stamped(root: Path, text: str, nanoseconds: int | None) -> None:
    write(root, {"a.py": text}, settled=False)
    if nanoseconds is not None:
        os.utime(root / "a.py", ns=(nanoseconds, nanoseconds))


# ------------------------------------------------------------------------------------------------ other versions

NEWER = """
import sys
import remora_hub_lsp.index.schema as schema
schema.SCHEMA_VERSION += 1
from remora_hub_lsp.cli import main
sys.exit(main(["index", sys.argv[1], "--db", sys.argv[2], "--workers", "0"]))
"""


async def test_a_version_with_another_schema_at_the_same_index(tmp_path: Path) -> None:
    """While it is in use the other one works on a copy; afterwards it takes it over, and the first takes it back."""
    root = tmp_path / "project"
    write(root, FILES)
    async with running(root) as hub:
        database, editor = hub.database, Editor(hub)
        editor.open("m0.py", "def typed(): ...\n")
        await signatures(hub, "m0.py")
        said = await newer(root, database)
        assert "works on a copy" in said
        assert "it has schema" in said
        editor.edit("m0.py", (0, 9), (0, 9), "_more")
        assert await signatures(hub, "m0.py") == ["def typed_more()"]
        assert (hub.state, hub.warnings) == ("ready", [])
    assert "works on a copy" not in await newer(root, database)
    async with running(root, database=database) as hub:
        assert "it has schema" in hub.warnings[0]
        assert hub.database == database
    assert contents(database) == await fresh(root)


async def newer(root: Path, database: Path) -> str:
    """What the newer version says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NEWER, str(root), str(database), cwd=REPOSITORY,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return errors.decode()
