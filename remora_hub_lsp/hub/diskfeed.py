"""The second feed: what changes on disk. Notices where the system gives them, comparing everything where not."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from ..errors import StoreError
from .changes import DiskChanged
from .compare import compare
from .scripts.script import SUFFIX as SCRIPT
from .testrules import RULE_FILES
from .tree import ENVIRONMENT_MARKS, EXCLUDED_UNLESS_PACKAGE, PACKAGE_MARKS, SUFFIXES
from .watcher import ADDED, DELETED, Event, FileWatcher, on_network_drive

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# Seconds between two comparisons of everything, at least, where nothing is told; and where all should be told.
POLL_SECONDS = 2.0
AUDIT_SECONDS = 600.0
# Seconds until watching is tried again where it was not possible: limits are raised, other programs end.
RETRY_SECONDS = 120.0
# A comparison may take at most this share of the time.
POLL_SHARE = 0.05
# So many notices at once may not have been all: the system's queue of them is finite, and what overflows is not told.
_SUSPICIOUS = 2000
# What decides which files are the project's and which are tests, beside .gitignore files.
_RULE_FILES = frozenset({"pyproject.toml", ".git/info/exclude"}) | RULE_FILES


class DiskFeed:
    """Keeps `hub` told of what happens to the files below its root."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.reason: str | None = None  # why it polls
        self._watcher = FileWatcher(self._on_events, self._on_failure)
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._retry_at = 0.0  # on the monotonic clock
        self._cost = 0.0
        self._root: tuple[int, int] | None = None  # which folder is watched as the root; None: there is none
        self._done = asyncio.Condition()
        self._round = 0

    def start(self) -> None:
        """Begin; the tree has been walked. Everything is compared once when the watching has begun."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._watcher.close()

    async def settled(self) -> None:
        """Wait until it watches and no comparison is due."""
        async with self._done:
            await self._done.wait_for(lambda: self._round > 0 and not self._wanted.is_set())

    async def rescan(self) -> None:
        """Compare everything now, and wait until that is done."""
        async with self._done:
            target = self._round + 2 if self._wanted.is_set() else self._round + 1
            self._wanted.set()
            await self._done.wait_for(lambda: self._round >= target or self._task is None or self._task.done())

    def _folders(self) -> list[str]:
        absolute = self.hub.paths.absolute
        folders = [absolute(path) if path else str(self.hub.root) for path in self.hub.tree.folders]
        info = os.path.join(self.hub.root, ".git", "info")
        return [*folders, info] if os.path.isdir(info) else folders

    async def _run(self) -> None:
        kind = on_network_drive(self.hub.root)
        if kind is not None:
            self._on_failure(f"the root lies on a network drive ({kind}), where changes are not told")
            self._retry_at = math.inf
        self._wanted.set()  # what happened between the walk and the first notice
        await self._follow_folders()
        await self.hub.cold_start.finished()
        while True:
            try:
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(self._pause()):
                    await self._wanted.wait()
            except TimeoutError:
                log.debug("comparing all files of %s", self.hub.root)
            self._wanted.clear()
            try:
                await self._compare()
            except StoreError as error:  # all will be compared again for the index that takes its place
                await self.hub.fail_over(error)
            await self._follow_folders()
            async with self._done:
                self._round += 1
                self._done.notify_all()

    async def _follow_folders(self) -> None:
        """Watch the folders that the last walk looked into; what is new in them is found by another comparison."""
        folders = frozenset(self._folders())
        if self._root != (root := _identity(self.hub.root)):  # it came or went, with all that is in it
            self._root = root
            for folder in folders:
                self._watcher.lost(folder)
        may_watch = self.reason is None or time.monotonic() >= self._retry_at
        if may_watch and folders != self._watcher.folders:
            if folders - self._watcher.folders:
                self._wanted.set()
            if await self._watcher.watch(folders):
                self.reason = None

    def _pause(self) -> float:
        often = self.reason is not None or self._root is None
        return max(POLL_SECONDS, self._cost / POLL_SHARE) if often else AUDIT_SECONDS

    async def _compare(self) -> None:
        """Walk the tree and take what differs from the index as changed."""
        started = time.monotonic()
        hub = self.hub
        files, gone = await compare(hub)
        # Files that nobody has asked for stay out where the whole is not to be indexed.
        whole = hub.cold_start.complete
        for path in [file.path for file in files if whole or file.known is not None] + gone:
            if path not in hub.open_paths:
                hub.apply(DiskChanged(path))
        self._cost = time.monotonic() - started

    def _on_failure(self, reason: str) -> None:
        log.warning("%s: %s; comparing all files every few seconds instead", self.hub.root, reason)
        self.reason = f"{reason}; changes on disk are found by comparing all files every few seconds"
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._wanted.set()

    def _on_events(self, events: Collection[Event]) -> None:
        for kind, absolute in events:
            self._take(kind, absolute)
        if len(events) > _SUSPICIOUS or self._root != _identity(self.hub.root):
            self._wanted.set()

    def take(self, absolute: str) -> None:
        """Somebody else saw a path change: created, modified or deleted."""
        self._take(ADDED if os.path.exists(absolute) else DELETED, absolute)
        if self._wanted.is_set() and self._task is None:  # nothing is watched, so nobody compares
            self._wanted.clear()
            self.hub.spawn(self._compare())

    def _take(self, kind: int, absolute: str) -> None:
        hub = self.hub
        path = hub.paths.relative(absolute)
        if path is None:
            return
        folder, _, name = path.rpartition("/")
        if name == ".gitignore" or path in _RULE_FILES:
            hub.rules_changed(path)
            self._wanted.set()
        elif name in ENVIRONMENT_MARKS or (
            name in PACKAGE_MARKS and folder.rpartition("/")[2] in EXCLUDED_UNLESS_PACKAGE
        ):
            self._wanted.set()
        is_folder = kind != DELETED and os.path.isdir(absolute)
        if path.endswith((*SUFFIXES, SCRIPT)) and not is_folder:
            hub.apply(DiskChanged(path))
        # A folder that came or went: with all that is in it.
        if (kind == ADDED and is_folder) or (kind == DELETED and path in hub.tree.folders):
            self._watcher.lost(absolute)
            self._wanted.set()


def _identity(folder: os.PathLike[str]) -> tuple[int, int] | None:
    """Tells one folder from another of the same name; None where there is none."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
