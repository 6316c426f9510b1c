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
_WATCHES = "fs.inotify.max_user_watches"
_ENOUGH = {_WATCHES: 524_288, "fs.inotify.max_user_instances": 512}


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
    from watchfiles._rust_notify import WatchfilesRustInternalError

    try:
        seen, why = asyncio.run(_sees_a_change()), ""
    except (OSError, WatchfilesRustInternalError) as error:
        seen, why = False, f": {error}"
    if not seen:
        yield Finding("problem", "watcher", f"a changed file was not noticed{why}", _advice(why))
        return
    yield Finding("ok", "watcher", "a changed file is noticed")
    yield from _watches(root, config)


def _advice(why: str, folders: int = 0) -> str:
    """What helps against that failure of watching so many folders."""
    from ...hub.watcher import limit_in

    until = "until then all files are compared every few seconds"
    if not (setting := limit_in(why)):
        return until
    now = _limit(setting) or 0
    return f"sudo sysctl {setting}={max(2 * now, 4 * folders, _ENOUGH[setting])}; {until}"


def _limit(setting: str) -> int | None:
    """How many the system lets a user have; None where it has no such limit."""
    file = Path("/proc/sys", *setting.split("."))
    return int(file.read_text()) if file.exists() else None


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
    """Whether all folders of the project can be watched beside what else is, and whether the limit is near."""
    if config is None:
        return
    from ...hub.tree import SourceTree
    from ...hub.watcher import watchable

    tree = SourceTree(root, config)
    for _ in tree.walk():
        pass
    folders, limit = len(tree.folders), _limit(_WATCHES)
    why = watchable(str(root / folder) for folder in tree.folders)
    if why is not None:
        yield Finding("problem", "watcher", f"{folders:,} folders: {why}", _advice(why, folders))
    elif limit is not None and folders * 2 > limit:
        what = f"{folders:,} folders, and the system lets you watch {limit:,}"
        yield Finding("warning", "watcher", what, f"sudo sysctl {_WATCHES}={max(_ENOUGH[_WATCHES], folders * 4)}")
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
