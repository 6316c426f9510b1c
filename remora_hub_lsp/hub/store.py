"""The index that a hub uses: who reads it, who writes it, and what takes its place when it fails.

Where the index cannot be written (the disk is full, another process has it) it goes on in memory, and comes back to its
own place as soon as that works again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreDamaged, StoreError, StoreLocked, StoreReplaced
from ..index.kv import Changed
from ..index.memory import copy_memory
from ..index.schema import copy_index, open_reader, set_aside
from ..index.view import IndexView, reading
from .driftrules import DriftRules
from .recorder import Recorder
from .standin import StandIn, remove_abandoned

log = logging.getLogger(__name__)

# Seconds after which it is tried to come back from memory; they double each time, up to the second number.
FIRST_RETURN, LAST_RETURN = 15.0, 600.0

T = TypeVar("T")
Question = Callable[[IndexView], T]


class Store:
    """One thread writes, the event loop and two more threads read. All methods belong to the event loop.

    database: where the index is now. revision: the newest one that is written. reason: why the index is kept in
    memory, None: it is not. warnings: what happened to it, for people.
    """

    def __init__(
        self, database: Path, max_file_size: int, drift: DriftRules, *, needed: bool, replaced: Callable[[], None]
    ) -> None:
        """needed: where the index cannot be written, `open` raises StoreError instead of going on without it.
        replaced: called when another index has taken the place of one that failed; it knows nothing yet."""
        self.database = self._home = database
        self.revision = 0
        self.last_update: datetime | None = None
        self.reason: str | None = None
        self.warnings: list[str] = []
        self.max_file_size = max_file_size
        self._drift = drift
        self._needed = needed
        self._replaced = replaced
        self._stand_in: StandIn | None = None
        self._failing: asyncio.Task[bool] | None = None
        self._revised = asyncio.Condition()
        self._stopped = False
        self._pause = FIRST_RETURN
        self._exchanges = 0
        self._returning: asyncio.TimerHandle | None = None
        self._apart: dict[int, tuple[Any, Any]] = {}  # the readers' connections by thread

    # ---- life

    async def open(self) -> None:
        """Open or create the index. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadPoolExecutor(1, "remora-writer")
        self._readers = ThreadPoolExecutor(2, "remora-reader")
        try:
            await self.run(remove_abandoned)
            self.recorder = await self._open()
            self._inode = _inode_of(self.database)
            try:
                self._connection = open_reader(self.database)
            except BaseException:
                await self.run(self.recorder.close)
                raise
        except BaseException:
            await self.stop()
            self._writer.shutdown()
            self._readers.shutdown()
            raise
        self.warnings += [
            text for text in (self.recorder.kv.warning, self.recorder.kv.docstrings.memory.warning) if text
        ]
        self.revision = self.recorder.kv.revision

    async def stop(self) -> None:
        """Nobody waits for a revision any more, and what fails from now on is not replaced."""
        self._stopped = True
        if self._returning is not None:
            self._returning.cancel()
        if self._failing is not None:
            await asyncio.wait([self._failing])
        async with self._revised:
            self._revised.notify_all()

    async def close(self) -> None:
        """Close what `open` opened, once nobody uses it."""
        self._readers.shutdown()
        for _, connection in self._apart.values():
            connection.close()
        self._connection.close()  # before the writer's, which as the last one folds the log in
        await self.run(self.recorder.close)
        self._writer.shutdown()
        if self._stand_in is not None:
            self._stand_in.cleanup()

    async def _open(self) -> Recorder:
        try:
            return await self._record(self.database)
        except StoreLocked as error:
            # An index of our own: two writers would each undo what the other knows of open buffers.
            theirs, self.database = self.database, self._place_in_memory()
            await self.run(copy_index, theirs, self.database)
            await self.run(copy_memory, theirs, self.database)
            self.warnings.append(f"{error}; this one works on a copy")
            log.info("%s; this one works on a copy", error)
        except StoreError as error:
            if self._needed:
                raise
            log.error("%s", error)
            self.reason = f"{error}; {_IN_MEMORY}"
            self.database = self._place_in_memory()
        self._return_later()
        return await self._record(self.database)

    async def _record(self, database: Path) -> Recorder:
        return await self.run(Recorder, database, self.max_file_size, self._drift)

    # ---- reading

    async def read(self, question: Question[T], *, heavy: bool = False) -> tuple[T, int]:
        """The answer, from one read transaction, and its revision. heavy: on another thread. Raises StoreError."""
        if heavy:
            return await self.beside(self._ask_apart, question)
        return self.ask(question)

    def ask(self, question: Question[T]) -> tuple[T, int]:
        """The same here and now."""
        with reading(self._connection) as view:
            return question(view), view.revision

    async def beside(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a job that reads on a thread of its own."""
        return await self._loop.run_in_executor(self._readers, job, *arguments)

    def _ask_apart(self, question: Question[T]) -> tuple[T, int]:
        """On a thread of the readers, each of which keeps a connection (and what SQLite remembers with it)."""
        thread, main = threading.get_ident(), self._connection  # which changes with the database
        known = self._apart.get(thread)
        if known is None or known[0] is not main:
            if known is not None:
                known[1].close()
            known = self._apart[thread] = (main, open_reader(self.database))
        with reading(known[1]) as view:
            return question(view), view.revision

    async def wait_for_revision(self, revision: int, timeout: float) -> None:
        """Wait until the index has reached the revision, `timeout` seconds at most."""
        async with self._revised:
            try:
                async with asyncio.timeout(timeout):
                    await self._revised.wait_for(lambda: self.revision >= revision or self._stopped)
            except TimeoutError:
                log.debug("revision %d was not reached within %.1f s", revision, timeout)

    # ---- writing

    async def run(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a job on the writer's thread. Raises StoreReplaced where it failed because the index was exchanged."""
        exchanges = self._exchanges
        try:
            return await self._loop.run_in_executor(self._writer, job, *arguments)
        except StoreError as error:
            if self._exchanges != exchanges:
                raise StoreReplaced(f"{error}; another index has taken its place") from error
            raise

    async def write(self, job: Callable[..., T], *arguments: Any) -> T:
        """The same, and take note of the revision that it made."""
        result = await self.run(job, *arguments)
        await self._note_revision()
        if self.is_gone:
            await self.fail_over(StoreError("the index is gone"))
        return result

    def limit(self, max_file_size: int) -> None:
        """From now on files with more bytes are not indexed."""
        self.max_file_size = self.recorder.max_file_size = max_file_size

    async def watch_docstrings(self, drift: DriftRules) -> Changed:
        """Other settings for docstrings; what is told of files that are not open follows when they are written anew."""
        self._drift = drift
        return await self.write(self.recorder.watch_docstrings, drift)

    @property
    def is_gone(self) -> bool:
        """Whether the index that is in use is no more the file of that name."""
        return _inode_of(self.database) != self._inode

    async def _note_revision(self) -> None:
        revision = self.recorder.kv.revision
        if revision != self.revision:
            self.revision = revision
            self.last_update = datetime.now(UTC)
            async with self._revised:
                self._revised.notify_all()

    # ---- failing over

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask; if the index proves unusable, once more the one that takes its place."""
        try:
            return await ask()
        except StoreError as error:
            if not await self.fail_over(error):
                raise
        return await ask()

    async def fail_over(self, error: StoreError) -> bool:
        """The index cannot be used: go on with another one, and say so. False where that is not possible, either."""
        if self._stopped:
            return False
        if isinstance(error, StoreReplaced):
            return True
        if self._failing is None:
            self._failing = self._loop.create_task(self._replace(error))
        return await asyncio.shield(self._failing)

    @property
    def is_failing(self) -> bool:
        """Whether another index is taking the place of one that failed."""
        return self._failing is not None

    async def _replace(self, error: StoreError) -> bool:
        gone, damaged = self.is_gone, isinstance(error, StoreDamaged)
        if gone:
            error = StoreError(f"the index {self.database} was moved or deleted while in use")
        log.error("%s; the project is indexed again", error)
        try:
            self._connection.close()
            await self.run(self.recorder.close)
            if gone or damaged:
                await self._begin_anew(error, damaged)
            else:
                await self._begin_in_memory(error)
        except StoreError as second:
            self.reason = f"{error}; and in its stead: {second}"
            log.error("%s", second)
            return False
        finally:
            self._failing = None
        self._replaced()
        await self._note_revision()
        return True

    async def _begin_anew(self, error: StoreError, damaged: bool) -> None:
        """A new index in the place of one that is gone or damaged."""
        try:
            if damaged:
                await self.run(set_aside, self.database)
            await self._take_up(self.database)
            self.warnings.append(f"{error}; it was built anew")
        except (OSError, StoreError) as second:
            await self._begin_in_memory(StoreError(f"{error}; {second}"))

    async def _begin_in_memory(self, error: StoreError) -> None:
        if self._stand_in is not None:
            raise error
        await self._take_up(self._place_in_memory())
        self.reason = f"{error}; {_IN_MEMORY}"
        self._return_later()

    async def _take_up(self, database: Path) -> None:
        """Use this index from now on."""
        recorder = await self._record(database)
        try:
            await self.run(recorder.kv.continue_from, self.revision + 1)  # which writes: now it is known to work
            self._connection = open_reader(database)
        except BaseException:
            await self.run(recorder.close)
            raise
        self.recorder, self.database = recorder, database
        self._inode = _inode_of(database)
        self._exchanges += 1

    # ---- coming back

    def _return_later(self) -> None:
        self._returning = self._loop.call_later(self._pause, self._return_now)
        self._pause = min(self._pause * 2, LAST_RETURN)

    def _return_now(self) -> None:
        if not self._stopped and self._failing is None:
            self._failing = self._loop.create_task(self._return())

    async def _return(self) -> bool:
        """Use the index in its own place again, if that works now; whether it does."""
        connection, recorder, stand_in = self._connection, self.recorder, self._stand_in
        try:
            await self._take_up(self._home)
        except StoreError as error:
            log.debug("the index stays in memory: %s", error)
            self._return_later()
            return False
        finally:
            self._failing = None
        self.reason, self._stand_in = None, None
        log.info("the index %s can be written again", self._home)
        self._replaced()
        await self._note_revision()
        connection.close()
        await self.run(recorder.close)
        if stand_in is not None:
            stand_in.cleanup()
        return True

    def _place_in_memory(self) -> Path:
        self._stand_in = StandIn()
        return self._stand_in.database


_IN_MEMORY = "the index is kept in memory until it can be written again"


def _inode_of(path: Path) -> int | None:
    """The file's inode number; None where there is no file."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
