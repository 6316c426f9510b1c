"""The files on disk beside what the index has of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .hub import Hub
    from .tree import FileEntry, SourceTree

# Fewer bytes are analysed here rather than by workers, which take a while to start.
SMALL_BYTES = 400_000


class Different(NamedTuple):
    """A file that is not known to be as the index has it. size: bytes. known: its hash in the index, if any."""

    path: str
    size: int
    known: str | None


class Differences(NamedTuple):
    """files: the index has them not, or otherwise. gone: the index has them, the disk does not."""

    files: list[Different]
    gone: list[str]


class Scope(NamedTuple):
    """What is to be looked at. paths: files and folders, none or `.`: all. anew: take all files as different."""

    paths: tuple[str, ...] = ()
    anew: bool = False

    @property
    def is_all(self) -> bool:
        return not self.paths or "." in self.paths

    def has(self, path: str) -> bool:
        """Whether the path is one of them, or below one."""
        return self.is_all or any(path == some or path.startswith(f"{some}/") for some in self.paths)


async def compare(hub: Hub, scope: Scope = Scope()) -> Differences:  # noqa: B008  # it is frozen
    """Walk the tree and compare it with the index; open files are left out. Raises StoreError."""
    stamps = await hub.write(hub.recorder.kv.stamps)
    # Where all is new, workers start as soon as there turns out to be much, and not when the walk is over.
    entries = await walk(hub.tree, None if stamps else lambda: hub.spawn(hub.pool.prepare()))
    files, present, most = [], set(), hub.config.max_file_size
    for entry in entries:
        path = hub.paths.indexed(entry.path)
        present.add(path)
        known = stamps.get(path)
        if path in hub.open_paths or not scope.has(path):
            continue
        same = known and known[3] and entry.size <= most and unchanged(known[:3], entry.mtime_ns, entry.size)
        if not same or scope.anew:
            files.append(Different(path, entry.size, known[3] if known and not scope.anew else None))
    gone = [path for path in _gone(hub.tree, stamps, present) if path not in hub.open_paths and scope.has(path)]
    return Differences(files, gone)


async def walk(tree: SourceTree, on_many: Callable[[], None] | None = None) -> list[FileEntry]:
    """All files, found on another thread, which does not outlive who waits for it. on_many: called meanwhile, once
    they are so large that they are work for others."""
    cancelled, loop = threading.Event(), asyncio.get_running_loop()

    def tell() -> None:
        if on_many and not cancelled.is_set():
            loop.call_soon_threadsafe(on_many)

    walking = loop.run_in_executor(None, _walk, tree, cancelled, tell)
    try:
        return await asyncio.shield(walking)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait([walking])
        raise


def _walk(tree: SourceTree, cancelled: threading.Event, tell: Callable[[], None]) -> list[FileEntry]:
    found, size = [], 0
    for entry in tree.walk():
        if cancelled.is_set():
            break
        found.append(entry)
        if size < SMALL_BYTES <= size + entry.size:
            tell()
        size += entry.size
    return found


def _gone(tree: SourceTree, known: Iterable[str], present: Collection[str]) -> list[str]:
    """Paths that the last walk did not find. What lies in a folder that it could not read may still be there."""
    closed = tuple(f"{problem.path}/" for problem in tree.problems)
    if "./" in closed:
        return []
    return [path for path in known if path not in present and not path.startswith(closed)]


def unchanged(known: tuple[int, int, int], mtime_ns: int, size: int) -> bool:
    """Whether a file's stamp (mtime_ns, size, scanned_ns) still tells the truth about the file.

    A file written within the clock's tick of the scan may have been written after it, with the same time stamp
    and size (git calls that "racily clean"): such a stamp proves nothing.
    """
    return known[0] == mtime_ns and known[1] == size and mtime_ns + 20_000_000 < known[2]
