"""The work on pending changes: takes them from the inbox, has them analysed and written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..analysis.text import TextDocument
from ..errors import StoreError
from ..index.kv import Changed
from ..models import SlowPath
from .buffers import Buffers
from .changes import Change, Closed, DiskChanged, Edited, Opened, Saved
from .inbox import Inbox
from .pool import WorkerDied
from .recorder import Buffer, DiskFile
from .worker import Task

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# Changes that come together are analysed together, unless somebody waits for one of them.
DEBOUNCE_SECONDS = 0.02
# A text that does not parse is tried as a whole when nobody has typed for that long.
SETTLE_SECONDS = 0.4
# A text of more lines is cut up by a worker process: parsing it would hold the event loop up.
BIG_LINES = 1200
# How many changes are taken at once; more bytes than that on disk are analysed by workers.
MOST_AT_ONCE = 250
MANY_BYTES = 300_000
# What is noted of a buffer waits that long at most for the analysis of what was typed before.
_PATIENCE = 60.0


class Updates:
    """buffers: what peers have open. inbox: paths whose newest change is not in the index. slowest: changes."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.inbox = Inbox()
        self.buffers = Buffers()
        self.counters: Counter[str] = Counter()
        self.slowest: list[SlowPath] = []
        self._analysed: dict[str, TextDocument] = {}  # what the recorder has of each open path
        self._closing: set[str] = set()  # closed by a peer, and the disk not looked at yet
        self._settling: dict[str, asyncio.TimerHandle] = {}

    @property
    def touched(self) -> frozenset[str]:
        """Paths that peers have open, or have closed a moment ago."""
        return self.buffers.paths | self._closing

    def take(self, change: Change) -> None:
        """There is a change. Never blocks, never drops."""
        path = change.path
        match change:
            case Opened(_, document, owner) | Edited(_, document, owner):
                self.buffers.put(path, owner, document)
                self.inbox.put(path)
            case Closed(_, owner):
                if self.buffers.close(path, owner):
                    self._closing.add(path)
                    self.inbox.put(path)
            case Saved(_, owner) if self.buffers.newest_owner(path) == owner:
                self.hub.spawn(self._note(path, "saved"))
            case Saved() | DiskChanged():
                if path in self.buffers:
                    self.hub.spawn(self._note(path, "disk_under_buffer"))
                else:
                    self.inbox.put(path)

    def begin_anew(self) -> None:
        """Another index is in use, which knows of no buffer."""
        self._analysed.clear()
        for path in self.buffers.paths:
            self.inbox.put(path)

    def cancel(self) -> None:
        """Nothing settles any more."""
        for timer in self._settling.values():
            timer.cancel()

    async def run(self) -> None:
        """Work on what comes, until cancelled."""
        while True:
            disk = []
            for path in await self.inbox.ready(DEBOUNCE_SECONDS, MOST_AT_ONCE):
                if path in self.buffers:
                    self.hub.spawn(self._process([path], partial(self._buffer_changed, path)))
                else:
                    disk.append(path)
            if disk:
                self.hub.spawn(self._process(disk, partial(self._disk_changed, disk)))

    # ---- one piece of work

    async def _process(self, paths: list[str], work: Callable[[], Awaitable[Changed | None]]) -> None:
        """Do the work for changes of these paths, and tell whoever waits for them."""
        recorder, started = self.hub.recorder, time.monotonic()
        try:
            for path in paths:
                self.hub.cold_start.forget(path)
            changed = await work()
            if len(paths) == 1:
                self.slowest = slowest([*self.slowest, SlowPath(path=paths[0], seconds=time.monotonic() - started)])
            self.counters["changes"] += len(paths)
            if changed is not None:
                self.hub.following.follow(changed)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # One change that fails must not end the feed; the status tells of it.
            self.counters["failed_changes"] += len(paths)
            for path in paths:
                if self._analysed.pop(path, None) is not None:  # the recorder may have got half of it
                    await self.hub.store.run(recorder.close_buffer, path)
            known = isinstance(error, StoreError)  # no defect of this program
            log.error("a change of %s could not be indexed: %s", ", ".join(paths[:3]), error, exc_info=not known)
            # What could not be written to an index that is given up is written to the new one.
            if isinstance(error, StoreError) and (
                recorder is not self.hub.recorder or await self.hub.fail_over(error)
            ):
                for path in paths:
                    self.inbox.put(path)
        finally:
            for path in paths:
                self.inbox.finish(path)
                if not self.inbox.pending(path):
                    self._closing.discard(path)

    async def _disk_changed(self, paths: list[str]) -> Changed:
        """Files that are not open, in one transaction; many of them are analysed by workers."""
        hub, recorder, pool = self.hub, self.hub.recorder, self.hub.pool
        files, size = await self._on_disk(paths)
        for path in paths:
            if self._analysed.pop(path, None) is not None:
                await hub.store.run(recorder.close_buffer, path)
        if size < MANY_BYTES or not pool.size:
            return await hub.write(recorder.disk, files)
        known = await hub.store.run(recorder.kv.hashes, paths)
        tasks = [Task(file.path, file.absolute, known.get(file.path, "")) for file in files if file.included]
        batches = [tasks[at :: pool.size] for at in range(pool.size)]
        try:
            answers = await asyncio.gather(
                *(pool.run("analyse_batch", batch, hub.config.max_file_size) for batch in batches if batch)
            )
        except WorkerDied as error:
            log.warning("%s; its files are analysed in the server itself", error)
            return await hub.write(recorder.disk, files)
        return await hub.write(recorder.batches, answers, [file.path for file in files if not file.included])

    async def _on_disk(self, paths: list[str]) -> tuple[list[DiskFile], int]:
        """The files, and how many bytes they have together."""
        files, size = [], 0
        for number, path in enumerate(paths):
            absolute = self.hub.paths.absolute(path)
            included = self.hub.is_source(path)
            with contextlib.suppress(OSError):
                size += os.stat(absolute).st_size if included else 0
            files.append(DiskFile(path, absolute, included))
            if number % 50 == 49:
                await asyncio.sleep(0)
        return files, size

    async def _buffer_changed(self, path: str) -> Changed | None:
        hub, document = self.hub, self.buffers.newest(path)
        if document is None:  # closed meanwhile; that change waits already
            return None
        lines, untouched = document.take_dirty()
        if self._analysed.get(path) is not document:  # another peer's text: nothing is known to be as it was
            self._analysed[path], untouched = document, None
        buffer, recorder = self._buffer(path, document.version), hub.recorder
        whole = untouched is None or len(lines) - untouched.prefix - untouched.suffix > BIG_LINES
        if whole and len(lines) > BIG_LINES and hub.pool.size:
            try:
                cut = await hub.pool.run("cut_up", lines)
                changed, broken = await hub.write(recorder.adopt, buffer, lines, cut)
            except WorkerDied as error:
                log.warning("%s; %s is analysed in the server itself", error, path)
                changed, broken = await hub.write(recorder.edit, buffer, lines, None)
        else:
            changed, broken = await hub.write(recorder.edit, buffer, lines, untouched)
        self._settle_later(path, broken)
        return changed

    def _buffer(self, path: str, version: int) -> Buffer:
        return Buffer(path, self.hub.paths.absolute(path), version)

    # ---- what comes after

    def _settle_later(self, path: str, broken: bool) -> None:
        if (timer := self._settling.pop(path, None)) is not None:
            timer.cancel()
        if broken:
            loop = asyncio.get_running_loop()
            self._settling[path] = loop.call_later(SETTLE_SECONDS, lambda: self.hub.spawn(self._settle(path)))

    async def _settle(self, path: str) -> None:
        """Try a broken buffer as a whole: the edit that mended it may have been far from what was broken."""
        self._settling.pop(path, None)
        document = self.buffers.newest(path)
        if document is None or self.inbox.pending(path):
            return
        lines, buffer, cut = list(document.lines), self._buffer(path, document.version), None
        try:
            if self.hub.pool.size:
                cut = await self.hub.pool.run("cut_up", lines)
        except WorkerDied as error:
            log.warning("%s; %s is analysed in the server itself", error, path)
        if document.version == buffer.version:
            changed = await self.hub.write(self.hub.recorder.settle, buffer, lines, cut)
            if changed is not None:
                self.hub.following.follow(changed)

    async def _note(self, path: str, job: str) -> None:
        """Have the recorder note something of an open buffer, once what was typed before is in the index."""
        await self.inbox.done([path], _PATIENCE)
        document = self.buffers.newest(path)
        if document is not None:
            changed = await self.hub.write(getattr(self.hub.recorder, job), self._buffer(path, document.version))
            self.hub.tell(changed)


def slowest(found: Sequence[SlowPath], most: int = 5) -> list[SlowPath]:
    """The slowest change of each of the slowest paths."""
    best: dict[str, SlowPath] = {}
    for one in sorted(found, key=lambda entry: -entry.seconds):
        best.setdefault(one.path, one)
    return list(best.values())[:most]
