"""Whether the index of a project can be kept, shared, and kept true to the disk."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ...config import Config, default_database
from ...discovery import running, runtime_folder, socket_path
from ...errors import DiscoveryError
from .finding import PATIENCE, Finding

# A cold index of a large project takes some 50 MB.
_SPACE = 500_000_000


def index(root: Path, config: Config | None) -> Iterator[Finding]:
    """Whether the index can be written where it is to be."""
    database = (config.database if config else None) or default_database(root)
    folder = next(parent for parent in database.parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        yield Finding(
            "problem", "index", f"{folder} cannot be written: {error.strerror}",
            "make it writable, or set `database` to another place; until then the index is in memory",
        )  # fmt: skip
        return
    free = shutil.disk_usage(folder).free
    if free < _SPACE:
        yield Finding("warning", "index", f"only {free / 1e6:.0f} MB are free in {folder}", "make room there")
    yield from _database(database)


def _database(database: Path) -> Iterator[Finding]:
    from ...index.schema import peek
    from ...index.view import IndexView

    if not database.exists():
        yield Finding("note", "index", f"{database} is not there yet: it is built when it is first used")
        return
    with peek(database) as connection:
        if connection is None:
            yield Finding("note", "index", f"{database} is of another version, or damaged: it is built anew when used")
            return
        view = IndexView(connection)
        (files, nodes), failed = view.counts(), view.failed()
    size = database.stat().st_size / 1e6
    yield Finding("ok", "index", f"{database}: {files:,} files, {nodes:,} nodes, {size:.1f} MB")
    if failed:
        first = f"{failed[0]['file']}: {failed[0]['error']}"
        what = f"{len(failed):,} files could not be analysed as a whole when last looked at, the first is {first}"
        yield Finding("note", "index", what, "`remora-hub status` lists them, with the lines")


def scripts(root: Path, config: Config | None) -> Iterator[Finding]:
    """Whether the project's own scripts are right, and would be run."""
    from ...hub.scripts.shelf import scripts_of
    from ..scripts import checked

    files = [found.path for found in scripts_of(root, config.scripts_folder if config else None, {}).values()]
    wrong = [file for file in files if not checked(file, strict=False)["valid"]]
    if wrong:
        names = ", ".join(file.name for file in wrong)
        yield Finding("warning", "scripts", f"of {root}: {names} cannot be run", "`remora-hub scripts check` says why")
    elif files:
        trust = "they are run where the editor (or `--trusted`) says that you trust the project"
        yield Finding("ok", "scripts", f"of {root}: {len(files)}; {trust}")


def processes_of_user() -> Iterator[Finding]:
    """Whether hub processes can be found and asked."""
    try:
        folder = runtime_folder()
        socket_path()
        found = running()
    except (DiscoveryError, OSError) as error:
        yield Finding("problem", "sharing", str(error), "each editor is served alone until that is mended")
        return
    yield Finding("ok", "sharing", f"hub processes meet in {folder}")
    if not found:
        yield Finding("note", "sharing", "no hub process runs; an editor or `remora-hub start` starts one")
    from ..asking import processes

    answering = {process.pid for process in asyncio.run(processes())} if found else set()
    for one in found:
        if one.pid in answering:
            yield Finding("ok", "sharing", f"hub process {one.pid}, version {one.version}, answers")
        else:
            what = f"hub process {one.pid}, version {one.version}, does not answer"
            yield Finding("problem", "sharing", what, f"`remora-hub stop --all`; its log is {one.log}")


def watcher(root: Path, config: Config | None) -> Iterator[Finding]:
    """Whether a change on disk is really seen, and whether there is room for all folders of the project."""
    if config is not None and not config.watch:
        yield Finding("note", "watcher", "the setting `watch` is off: changes by other programs are not seen")
        return
    try:
        seen = asyncio.run(_sees_a_change())
    except OSError as error:
        seen, why = False, f": {error}"
    else:
        why = ""
    if not seen:
        advice = "raise fs.inotify.max_user_instances; until then all files are compared every 10 minutes"
        yield Finding("problem", "watcher", f"a changed file was not noticed{why}", advice)
        return
    yield Finding("ok", "watcher", "a changed file is noticed")
    yield from _watches(root, config)


async def _sees_a_change() -> bool:
    from watchfiles import awatch

    with tempfile.TemporaryDirectory(prefix="remora-hub-doctor-") as folder:
        file = Path(folder, "changed")

        async def change() -> None:
            for number in range(int(PATIENCE * 5)):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(file.write_text, str(number))

        changing = asyncio.create_task(change())
        try:
            async with asyncio.timeout(PATIENCE):
                async for _ in awatch(folder, debounce=50, step=20):
                    return True
        except TimeoutError:
            return False
        finally:
            changing.cancel()
    return False


def _watches(root: Path, config: Config | None) -> Iterator[Finding]:
    """Linux lets a user watch a limited number of folders."""
    limit_file = Path("/proc/sys/fs/inotify/max_user_watches")
    if config is None or not limit_file.exists():
        return
    from ...hub.tree import SourceTree

    tree = SourceTree(root, config)
    for _ in tree.walk():
        pass
    limit, folders = int(limit_file.read_text()), len(tree.folders)
    if folders * 2 > limit:
        advice = f"sudo sysctl fs.inotify.max_user_watches={max(524_288, folders * 4)}"
        yield Finding("warning", "watcher", f"{folders:,} folders, and the system lets you watch {limit:,}", advice)
    for problem in tree.problems:
        yield Finding("warning", "project", f"{problem.path} cannot be read: {problem.error}", "mend its permissions")


def git(root: Path) -> Iterator[Finding]:
    git = shutil.which("git")
    if git is None:
        yield Finding("note", "git", "not installed: nothing is known of the project's history")
        return
    done = subprocess.run(
        [git, "rev-parse", "--is-shallow-repository"], cwd=root, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["git fails"]
        yield Finding("note", "git", f"{root}: {said[0]}")
    elif done.stdout.strip() == "true":
        what = "the history is shallow: since when a docstring is outdated is known in part"
        yield Finding("note", "git", what, "`git fetch --unshallow` brings the rest")
    else:
        yield Finding("ok", "git", "the project's history can be read")
