"""The disk as the second feed: real files, the system's own notices, through both doors."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.hub import diskfeed
from remora_hub_lsp.hub.changes import Saved
from remora_hub_lsp.hub.hub import Hub

from ..kit import Project, opened
from .running import GUARD, Editor, contents, fresh, running, signatures, write

START = """
    #- a.py
    def a(): ...
    #- pkg/b.py
    def b(): ...
    #- pkg/deep/c.py
    def c(): ...
"""


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes."""
    async with asyncio.timeout(GUARD):
        while not await question():
            await asyncio.sleep(0.02)


def hub_behind(project: Project) -> Hub:
    door: Any = project.door
    hub: Hub = door.hub if hasattr(door, "hub") else door._hubs.all()[0]
    return hub


class Seen:
    """What is asked through the door about a project on disk."""

    def __init__(self, project: Project) -> None:
        self.root = project.door.root
        self.hub = hub_behind(project)
        self._project = project

    async def appears(self, *asked: str) -> None:
        """Wait until all of the nodes are there."""

        async def there() -> bool:
            return not (await self._project.door.context(list(asked), []))["missing"]

        await until(there)

    async def vanishes(self, asked: str, why: str = "no such file") -> None:
        async def gone() -> bool:
            result = await self._project.door.context([asked], [])
            return bool(result["missing"]) and result["missing"][0]["reason"] == why

        await until(gone)

    async def is_the_truth(self) -> None:
        """The index is what a new one would be, without anybody having asked for a file."""
        await self.hub.indexed()
        expected = await fresh(self.root)

        async def same() -> bool:
            return contents(self.hub.database) == expected

        try:
            await until(same)
        except TimeoutError:
            assert contents(self.hub.database) == expected  # says how they differ


@asynccontextmanager
async def watched(root: Path, door: str, text: str = START) -> AsyncIterator[Seen]:
    """A project whose folders are being watched."""
    async with opened(text, root, door) as project:
        hub = hub_behind(project)
        await hub.indexed()
        await hub.feed.settled()
        assert hub.feed.reason is None
        yield Seen(project)


def watched_folders(hub: Hub) -> set[str]:
    return {os.path.relpath(folder, hub.root) for folder in hub.feed._watcher.folders}


async def watches(hub: Hub, folder: str, expected: bool) -> bool:
    return (folder in watched_folders(hub)) == expected


# ------------------------------------------------------------------------------------------------ files


async def test_files_come_change_and_go(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        write(tmp_path, {"new.py": "def new(): ...\n"}, settled=False)
        await seen.appears("new.py:new")
        write(tmp_path, {"pkg/b.py": "def b(): ...\ndef more(): ...\n"}, settled=False)
        await seen.appears("pkg/b.py:more")
        (tmp_path / "a.py").unlink()
        await seen.vanishes("a.py:a")
        (tmp_path / "new.py").rename(tmp_path / "pkg" / "renamed.py")
        await seen.appears("pkg/renamed.py:new")
        await seen.vanishes("new.py:new")
        await seen.is_the_truth()


async def test_nobody_has_to_ask_for_a_file(tmp_path: Path) -> None:
    async with watched(tmp_path, "hub") as seen:
        write(tmp_path, {"new.py": "def new(): ...\n", "pkg/stub.pyi": "def s(): ...\n", "notes.txt": "x"}, settled=False)
        await seen.is_the_truth()
        assert {path for path in contents(seen.hub.database) if ":" not in path} >= {"new.py", "pkg/stub.pyi"}


async def test_atomic_saves(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        for number in range(5):
            beside = tmp_path / ".a.py.tmp"
            beside.write_text(f"def a{number}(): ...\n")
            beside.replace(tmp_path / "a.py")
            await seen.appears(f"a.py:a{number}")
        backup = tmp_path / "a.py~"
        (tmp_path / "a.py").rename(backup)
        (tmp_path / "a.py").write_text("def vim(): ...\n")
        backup.unlink()
        await seen.appears("a.py:vim")
        await seen.is_the_truth()


async def test_deleted_and_restored_with_the_same_content(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        before = (tmp_path / "a.py").stat()
        (tmp_path / "a.py").rename(tmp_path / "kept")
        await seen.vanishes("a.py:a")
        (tmp_path / "kept").rename(tmp_path / "a.py")
        assert (tmp_path / "a.py").stat().st_mtime_ns == before.st_mtime_ns
        await seen.appears("a.py:a")
        await seen.is_the_truth()


async def test_a_change_that_keeps_size_and_time_stamp_is_seen(tmp_path: Path) -> None:
    async with watched(tmp_path, "hub") as seen:
        stat = (tmp_path / "a.py").stat()
        (tmp_path / "a.py").write_text("def z(): ...\n")
        os.utime(tmp_path / "a.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
        await until(lambda: has(seen.hub, "a.py", "z"))


async def has(hub: Hub, path: str, name: str) -> bool:
    answer = await hub.read(lambda view: view.has(path, name))
    return bool(answer.value)


# ------------------------------------------------------------------------------------------------ folders


async def test_folders_move_in_out_and_within(tmp_path: Path, door: str) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    write(outside, {"inner/x.py": "def x(): ...\n", "y.py": "def y(): ...\n"})
    async with watched(root, door) as seen:
        outside.rename(root / "came")
        await seen.appears("came/inner/x.py:x", "came/y.py:y")
        await seen.is_the_truth()
        (root / "came").rename(root / "pkg" / "within")
        await seen.appears("pkg/within/inner/x.py:x")
        await seen.vanishes("came/y.py:y")
        await seen.is_the_truth()
        (root / "pkg").rename(tmp_path / "left")
        await seen.vanishes("pkg/b.py:b")
        await seen.is_the_truth()
        await until(lambda: watches(seen.hub, "pkg", False))
        shutil.rmtree(tmp_path / "left")
        write(root, {"pkg/again.py": "def again(): ...\n"})
        await seen.appears("pkg/again.py:again")


async def test_what_happens_in_a_folder_that_has_just_come(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        folder = tmp_path
        for depth in range(6):
            folder = folder / f"d{depth}"
            folder.mkdir()
            (folder / "m.py").write_text(f"def f{depth}(): ...\n")
        await seen.is_the_truth()
        await seen.hub.feed.settled()
        (folder / "m.py").write_text("def later(): ...\n")
        await seen.appears("d0/d1/d2/d3/d4/d5/m.py:later")
        await seen.is_the_truth()


async def test_a_folder_that_is_replaced_at_once_is_watched_on(tmp_path: Path) -> None:
    """Its watch died with the old one, though a folder of that name is there before anybody looks."""
    async with watched(tmp_path, "hub") as seen:
        shutil.rmtree(tmp_path / "pkg")
        write(tmp_path, {"pkg/b.py": "def b2(): ...\n", "pkg/deep/c.py": "def c(): ...\n"}, settled=False)
        await seen.is_the_truth()
        await seen.hub.feed.settled()
        for number, path in enumerate(("pkg/b.py", "pkg/deep/c.py", "pkg/b.py")):
            write(tmp_path, {path: f"def after{number}(): ...\n"}, settled=False)
            await until(lambda path=path, number=number: has(seen.hub, path, f"after{number}"))  # type: ignore[misc]


def remove(root: Path) -> None:
    shutil.rmtree(root)


def move(root: Path) -> None:
    root.rename(root.with_name("moved"))


@pytest.mark.parametrize("leave", [remove, move])
@pytest.mark.parametrize("pause", [0.0, 0.5])
async def test_a_root_that_goes_and_comes_is_watched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leave: Callable[[Path], None], pause: float
) -> None:
    monkeypatch.setattr(diskfeed, "POLL_SECONDS", 0.1)
    root = tmp_path / "root"
    root.mkdir()
    async with watched(root, "hub") as seen:
        leave(root)
        if pause:
            await seen.vanishes("pkg/b.py:b")
            await asyncio.sleep(pause)
        write(root, {"a.py": "def again(): ...\n", "other/d.py": "def d(): ...\n"}, settled=False)
        await seen.appears("a.py:again", "other/d.py:d")
        await seen.hub.feed.settled()
        write(root, {"other/d.py": "def later(): ...\n"}, settled=False)
        await seen.appears("other/d.py:later")
        await seen.is_the_truth()


async def test_a_folder_named_like_a_source_file(tmp_path: Path) -> None:
    async with watched(tmp_path, "hub") as seen:
        write(tmp_path, {"x.py/inner.py": "def inner(): ...\n"}, settled=False)
        await seen.is_the_truth()
        shutil.rmtree(tmp_path / "x.py")
        (tmp_path / "x.py").write_text("def file(): ...\n")
        await until(lambda: has(seen.hub, "x.py", "file"))
        await seen.is_the_truth()


# ------------------------------------------------------------------------------------------------ many at once


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


async def test_a_checkout_of_many_files_is_few_revisions_and_nothing_is_lost(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        git(tmp_path, "init", "-q", "-b", "one")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", "one")
        git(tmp_path, "checkout", "-qb", "two")
        shutil.rmtree(tmp_path / "pkg")
        for number in range(300):
            write(tmp_path, {f"p{number % 20}/m{number}.py": f"def f{number}(): ...\n"}, settled=False)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", "two")
        git(tmp_path, "checkout", "-q", "one")
        await seen.is_the_truth()
        await seen.hub.feed.settled()
        await seen.hub.indexed()
        for branch in ("two", "one", "two"):
            before = seen.hub.revision
            git(tmp_path, "checkout", "-q", branch)
            await seen.is_the_truth()
            assert seen.hub.revision - before <= 25
        await seen.appears(*(f"p{number % 20}/m{number}.py:f{number}" for number in range(300)))
        await seen.vanishes("pkg/b.py:b")


async def test_ten_thousand_changes_of_few_paths_are_few_pieces_of_work(tmp_path: Path) -> None:
    async with watched(tmp_path, "hub") as seen:
        hub = seen.hub
        before = hub.counters["changes"]
        paths = [str(tmp_path / "a.py"), str(tmp_path / "pkg" / "b.py")]
        for number in range(10_000):
            hub.disk_changed(paths[number % 2])
        write(tmp_path, {"a.py": "def last(): ...\n"}, settled=False)
        hub.disk_changed(paths[0])
        assert await signatures(hub, "a.py") == ["def last()"]
        await hub.indexed()
        assert hub.counters["changes"] - before < 10


# ------------------------------------------------------------------------------------------------ which files


async def test_gitignore_and_settings_change_while_it_runs(tmp_path: Path, door: str) -> None:
    async with watched(tmp_path, door) as seen:
        write(tmp_path, {".gitignore": "deep/\n"}, settled=False)
        await seen.vanishes("pkg/deep/c.py:c", "file ignored")
        await until(lambda: watches(seen.hub, "pkg/deep", False))
        write(tmp_path, {"pkg/.gitignore": "!deep/\n"}, settled=False)
        await seen.appears("pkg/deep/c.py:c")
        await seen.is_the_truth()
        await until(lambda: watches(seen.hub, "pkg/deep", True))
        write(tmp_path, {"pkg/.gitignore": "b.py\n"}, settled=False)
        await seen.vanishes("pkg/b.py:b", "file ignored")
        (tmp_path / "pkg" / ".gitignore").unlink()
        (tmp_path / ".gitignore").unlink()
        await seen.appears("pkg/b.py:b", "pkg/deep/c.py:c")
        await seen.is_the_truth()


async def test_the_settings_of_the_project_change_while_it_runs(tmp_path: Path) -> None:
    """Over the wire, where the hub's maker knows how to read them anew."""
    async with watched(tmp_path, "wire") as seen:
        write(tmp_path, {"pyproject.toml": '[tool.remora-hub]\nexclude = ["pkg/"]\n'}, settled=False)
        await seen.vanishes("pkg/b.py:b", "file ignored")
        await until(lambda: watches(seen.hub, "pkg", False))
        write(tmp_path, {"pyproject.toml": '[tool.remora-hub]\nexclude = "no list'}, settled=False)
        write(tmp_path, {"new.py": "def new(): ...\n"}, settled=False)
        await seen.appears("new.py:new")

        async def warned() -> bool:
            return any("pyproject.toml" in warning for warning in seen.hub.warnings)

        await until(warned)
        await seen.vanishes("pkg/b.py:b", "file ignored")
        (tmp_path / "pyproject.toml").unlink()
        await seen.appears("pkg/b.py:b", "pkg/deep/c.py:c")
        await seen.is_the_truth()


async def test_the_largest_size_changes_while_it_runs(tmp_path: Path) -> None:
    """Both for files that were too large and for those that are now, also when they change."""
    def limit(size: int) -> None:
        write(tmp_path, {"pyproject.toml": f"[tool.remora-hub]\nmax-file-size = {size}\n"}, settled=False)

    async with watched(tmp_path, "wire") as seen:
        write(tmp_path, {"big.py": "def big(): ...\n" + "#" * 500}, settled=False)
        await seen.appears("big.py:big")
        limit(100)
        await seen.vanishes("big.py:big", "file failed")
        write(tmp_path, {"big.py": "def big2(): ...\n" + "#" * 500}, settled=False)
        write(tmp_path, {"a.py": "def small(): ...\n"}, settled=False)
        await seen.appears("a.py:small")
        await seen.vanishes("big.py:big2", "file failed")
        limit(1000)
        await seen.appears("big.py:big2")
        write(tmp_path, {"big.py": "def big3(): ...\n" + "#" * 500}, settled=False)
        await seen.appears("big.py:big3")


async def test_a_folder_becomes_an_environment_or_a_package(tmp_path: Path) -> None:
    write(tmp_path, {"build/gen.py": "def gen(): ...\n"})
    async with watched(tmp_path, "hub") as seen:
        assert not await has(seen.hub, "build/gen.py", "gen")
        write(tmp_path, {"pkg/deep/pyvenv.cfg": ""}, settled=False)
        await seen.vanishes("pkg/deep/c.py:c", "file ignored")
        (tmp_path / "pkg" / "deep" / "pyvenv.cfg").unlink()
        await seen.hub.feed.rescan()
        await seen.appears("pkg/deep/c.py:c")
        await seen.is_the_truth()


async def test_ignored_trees_are_not_watched(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "out/\n", "out/o.py": "", ".venv/lib/l.py": "", "node_modules/n/n.py": ""})
    write(tmp_path, {"env/pyvenv.cfg": "", "env/lib/e.py": "", ".git/objects/aa/x.py": "", ".git/info/exclude": "own/\n"})
    write(tmp_path, {"own/p.py": "def p(): ...\n"})
    async with watched(tmp_path, "hub") as seen:
        assert watched_folders(seen.hub) == {".", "pkg", "pkg/deep", ".git/info"}
        before = seen.hub.revision
        write(tmp_path, {"out/more.py": "", "node_modules/x/y.py": ""}, settled=False)
        write(tmp_path, {".git/info/exclude": ""}, settled=False)
        await seen.appears("own/p.py:p")
        assert seen.hub.revision == before + 1


# ------------------------------------------------------------------------------------------------ with open buffers


async def test_a_file_that_changes_under_its_buffer_is_flagged(tmp_path: Path, door: str) -> None:
    async with opened(START, tmp_path, door) as project:
        hub = hub_behind(project)
        await hub.indexed()
        await hub.feed.settled()

        async def flagged(expected: bool) -> bool:
            status = await hub.status()
            node = (await project.door.context(["a.py"], []))["nodes"]["a.py"]
            return status.diverging == (("a.py",) if expected else ()) and node["diverges"] == expected

        async def says(expected: bool) -> None:
            await until(lambda: flagged(expected))

        await project.open("a.py")
        await project.door.insert("a.py", 0, 0, "# typed\n")
        assert (await project.node("a.py"))["diverges"] is False
        write(tmp_path, {"a.py": "def theirs(): ...\n"}, settled=False)
        await says(True)
        await project.door.save("a.py")
        await says(False)
        write(tmp_path, {"a.py": "def theirs(): ...\n"}, settled=False)
        await says(True)
        await project.door.replace("a.py", "def theirs(): ...\n")  # the editor takes it over
        await says(False)
        (tmp_path / "a.py").unlink()
        await says(True)
        write(tmp_path, {"a.py": "def theirs(): ...\n"}, settled=False)
        await says(False)
        write(tmp_path, {"a.py": "def other(): ...\n"}, settled=False)
        await says(True)
        await project.door.close("a.py")
        await until(lambda: has(hub, "a.py", "other"))
        await says(False)


async def test_saving_with_another_encoding_is_no_divergence(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"\xef\xbb\xbfdef a(): ...\n"})
    async with running(tmp_path, watch=True) as hub:
        await hub.feed.settled()
        editor = Editor(hub)
        editor.open("a.py", "def a(): ...\n")
        editor.edit("a.py", (0, 6), (0, 6), "x")
        await signatures(hub, "a.py")
        (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbf" + editor.documents["a.py"].text.encode())
        await asyncio.sleep(0.2)
        hub.apply(Saved("a.py", 1))

        async def settled() -> bool:
            return not (await hub.status()).diverging

        await until(settled)
        await asyncio.sleep(0.2)
        assert await settled()


async def test_typing_goes_on_while_the_file_is_saved(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def a(): ...\n"})
    async with running(tmp_path, watch=True) as hub:
        await hub.feed.settled()
        editor = Editor(hub)
        editor.open("a.py", "def a(): ...\n")
        for number in range(10):
            editor.edit("a.py", (0, 0), (0, 0), f"x{number} = 1\n")
            editor.save("a.py")
            editor.edit("a.py", (0, 0), (0, 0), f"y{number} = 1\n")
            await asyncio.sleep(0.03)
        await signatures(hub, "a.py")
        await asyncio.sleep(0.3)
        assert (await hub.status()).diverging == ()


async def test_of_two_owners_the_one_that_did_not_save_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): ...\n"})
    async with running(tmp_path, watch=True) as hub:
        await hub.feed.settled()
        one, two = Editor(hub, 1), Editor(hub, 2)
        one.open("a.py", "def disk(): ...\n")
        two.open("a.py", "def disk(): ...\n")
        one.replace("a.py", "def one(): ...\n")
        two.replace("a.py", "def two(): ...\n")
        await signatures(hub, "a.py")
        one.save("a.py")

        async def diverges(expected: bool) -> bool:
            return (await hub.status()).diverging == (("a.py",) if expected else ())

        await until(lambda: diverges(True))
        two.close("a.py")
        assert await signatures(hub, "a.py") == ["def one()"]
        await until(lambda: diverges(False))
        one.close("a.py")
        assert await signatures(hub, "a.py") == ["def one()"]


# ------------------------------------------------------------------------------------------------ without notices


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="limits as Linux has them")
def test_where_files_cannot_be_watched_they_are_compared_and_the_status_says_so(tmp_path: Path) -> None:
    """In a process of its own that may not have one more inotify instance: it may not have more open files."""
    project = tmp_path / "project"
    write(project, {"a.py": "def a(): ...\n"})
    code = """
import asyncio, resource, sys, os
from pathlib import Path
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.hub import Hub
async def main():
    root = Path(sys.argv[1])
    hub = Hub(root, load_config(root, overrides={"workers": 0, "watch": False}))
    await hub.start()
    await hub.indexed()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (os.open("/dev/null", 0) + 1, hard))
    hub.feed.start()
    while hub.feed.reason is None:
        await asyncio.sleep(0.05)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    status = await hub.status()
    print(status.state, "|", status.state_reason)
    (root / "new.py").write_text("def new(): ...")
    while not (await hub.read(lambda view: view.has("new.py", "new"))).value:
        await asyncio.sleep(0.05)
    revision = hub.revision
    await hub.feed.rescan()
    await hub.feed.rescan()
    print("found", hub.revision - revision, (await hub.status()).state)
    await hub.close()
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(project)], capture_output=True, text=True, timeout=GUARD, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.startswith("degraded | ")
    assert "open files" in first
    assert "raise fs.inotify.max_user_instances" in first
    assert "comparing all files" in first
    assert second == "found 0 degraded"


NAMESPACE = ["unshare", "--user", "--map-root-user"]  # whose limits its root may lower
WATCHES = Path("/proc/sys/user/max_inotify_watches")
needs_namespace = pytest.mark.skipif(
    sys.platform != "linux" or subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0,
    reason="this user has no user namespaces",
)


@needs_namespace
def test_not_all_folders_may_be_watched_and_then_they_may(tmp_path: Path) -> None:
    """The watcher itself would say nothing of the folders that are too many."""
    project = tmp_path / "project"
    write(project, {f"p{number}/a.py": "def a(): ...\n" for number in range(40)})
    code = """
import asyncio, sys
from pathlib import Path
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub import diskfeed
from remora_hub_lsp.hub.hub import Hub
diskfeed.POLL_SECONDS = diskfeed.RETRY_SECONDS = 0.05
async def main():
    root, limit = Path(sys.argv[1]), Path(sys.argv[2])
    limit.write_text("20")
    hub = Hub(root, load_config(root, overrides={"workers": 0}))
    await hub.start()
    await hub.indexed()
    await hub.feed.settled()
    print((await hub.status()).state, "|", hub.state_reason)
    async def change(name):
        for number in range(40):
            (root / f"p{number}" / "a.py").write_text(f"def {name}(): ...")
        while not all([(await hub.read(lambda view: view.has(f"p{n}/a.py", name))).value for n in range(40)]):
            await asyncio.sleep(0.02)
    await change("polled")
    limit.write_text("1000")
    while hub.state != "ready":
        await asyncio.sleep(0.02)
    diskfeed.POLL_SECONDS = 600
    await hub.feed.settled()
    await change("watched")
    print(hub.state, "|", hub.state_reason)
    await hub.close()
asyncio.run(main())
"""
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-c", code, str(project), str(WATCHES)],
        capture_output=True, text=True, timeout=GUARD, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first.startswith("degraded | ")
    assert "raise fs.inotify.max_user_watches; changes on disk are found by comparing" in first
    assert second == "ready | None", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names must be UTF-8")
@pytest.mark.parametrize("odd", [b"caf\xe9/b.py", b"caf\xe9.py"])
async def test_names_that_cannot_be_watched_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: bytes) -> None:
    monkeypatch.setattr(diskfeed, "POLL_SECONDS", 0.05)
    write(tmp_path / "project", {"a.py": "def a(): ...\n", os.fsdecode(odd): "def b(): ...\n"})
    async with running(tmp_path / "project", watch=True) as hub:
        await hub.feed.settled()
        write(tmp_path / "project", {"new.py": "def new(): ...\n", os.fsdecode(odd): "def changed(): ...\n"})
        path = hub.path_of(os.path.join(tmp_path, "project", os.fsdecode(odd)))
        assert path is not None
        await until(lambda: _both(hub, path))
        assert "caf" in str(hub.state_reason)


async def _both(hub: Hub, path: str) -> bool:
    answer = await hub.read(lambda view: view.has("new.py", "new") and view.has(path, "changed"), paths=("a.py",))
    return bool(answer.value)
