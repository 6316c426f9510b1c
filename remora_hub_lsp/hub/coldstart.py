"""The cold start: bring the index in line with the files on disk, whatever it held before."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import HubError, StoreError
from .compare import SMALL_BYTES, Scope, compare
from .pool import NoWorker, WorkerDied
from .worker import Outcome, Task, failed_rows

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

BATCHES = 100  # each small enough to be taken over without holding the event loop up
SMALLEST_BATCH = 100_000
_ALL = Scope()


@dataclass(slots=True)
class Progress:
    """How far the cold start is, in files that have to be analysed."""

    done: int = 0
    total: int = 0
    active: bool = False


class ColdStart:
    """One run over all files of a root. Ended at any moment, it leaves what is committed, and the next goes on."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.progress = Progress()
        self.seconds: float | None = None
        self.complete = False  # the whole project has been indexed
        self._task: asyncio.Task[None] | None = None
        self._walked = asyncio.Event()
        self._scope = _ALL
        self._partial = False  # files beyond the scope have not been looked at, either
        self._listeners: list[Callable[[Progress], None]] = []
        self._unchecked: set[str] | None = None  # None: not even the walk is done
        self._suspects: set[str] = set()  # a worker died when it had nothing but this file
        self._newer: set[str] = set()  # changed since the start: what a worker read of them may be old

    @property
    def active(self) -> bool:
        return self.progress.active

    def begin(self) -> None:
        """Start in the background."""
        self.progress.active = True
        self.seconds = None
        self._task = asyncio.get_running_loop().create_task(self._run(self._task))
        self._task.add_done_callback(self._ended)

    def again(self, scope: Scope = _ALL) -> None:
        """Start once more: for another index, or because somebody wants to have these files looked at."""
        self.cancel()
        self._scope = scope
        self._partial = not (scope.is_all or self.complete)
        self.complete = self.complete and not scope.is_all
        self.progress.done = self.progress.total = 0
        self._unchecked = None
        self._newer.clear()
        self._suspects.clear()
        self.begin()

    async def walked(self) -> None:
        """Wait until the tree has been walked once, or will not be."""
        if self._task is not None:
            await self._walked.wait()

    def cancel(self) -> None:
        """Stop as soon as possible."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    async def finished(self) -> None:
        """Wait for the end."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def checked(self, path: str) -> bool:
        """Whether the path's row is known to be true to the disk."""
        return self._unchecked is not None and path not in self._unchecked and not self._partial

    @property
    def left(self) -> list[Task]:
        """The files whose rows are not known to be true to the disk, once the tree has been walked."""
        return [Task(path, self.hub.paths.absolute(path), "") for path in self._unchecked or ()]

    def forget(self, path: str) -> None:
        """The path changed: what the cold start has read of it is old."""
        if self.progress.active:
            self._newer.add(path)
            if self._unchecked is not None:
                self._unchecked.discard(path)

    def on_progress(self, callback: Callable[[Progress], None]) -> Callable[[], None]:
        """Call back whenever the progress changes; gives the function that ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        started = time.monotonic()
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._index()
            if not self._partial:
                self.complete = True
                self.hub.degrade(None)
        except HubError as error:
            self.hub.degrade(f"indexing stopped: {error}")
            log.error("indexing %s stopped: %s", self.hub.root, error)
            if isinstance(error, StoreError):
                self.hub.spawn(self.hub.fail_over(error))  # which begins anew, once this one has ended
        except Exception as error:
            # A defect here must not take the server down: what is indexed can still be asked.
            self.hub.degrade(f"indexing stopped because of an error in this program: {error!r}")
            log.exception("indexing %s stopped", self.hub.root)
        finally:
            self.seconds = time.monotonic() - started

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The task is done, or was cancelled before its first step."""
        if task is not self._task:  # another one goes on
            return
        if task.cancelled():
            left = "all" if self._unchecked is None else self.progress.total - self.progress.done
            self.hub.degrade(f"indexing was cancelled with {left} files to go; they are indexed when asked for")
        self._walked.set()
        self.progress.active = False
        self._tell()

    async def _index(self) -> None:
        hub = self.hub
        files, gone = await compare(hub, self._scope)
        self._unchecked = {file.path for file in files}
        self._walked.set()
        if gone:
            hub.following.follow(await hub.write(hub.recorder.forget, gone))
        self.progress.total = len(files)
        self._tell()
        if files:
            tasks = [Task(file.path, hub.paths.absolute(file.path), file.known or "") for file in files]
            await self._analyse(tasks, {file.path: file.size for file in files})
        if self._scope.anew:
            await self._newer_anew(tasks)
        await hub.graph.build()

    async def _newer_anew(self, tasks: list[Task]) -> None:
        """What changed meanwhile was left to the feed, which leaves a file alone that is as the index has it."""
        if batch := [task for task in tasks if task.path in self._newer]:
            changed = await self.hub.write(self.hub.recorder.analyse, batch, self.hub.open_paths, True)
            self.hub.following.follow(changed)

    async def _analyse(self, tasks: list[Task], sizes: dict[str, int]) -> None:
        tasks.sort(key=lambda task: -sizes[task.path])
        total = sum(sizes.values())
        pool = self.hub.pool
        if not pool.size or total < SMALL_BYTES:
            for batch in _batches(tasks, sizes, 30_000):
                await self._here(batch)
            return
        self.hub.questions.names.scan()  # the first that workers do, and little beside the rest
        queue = list(reversed(_batches(tasks, sizes, max(total // BATCHES, SMALLEST_BATCH))))
        # One more than there are workers: while one batch is written the workers are busy with the next.
        runners = [asyncio.create_task(self._worker(queue)) for _ in range(pool.size + 1)]
        try:
            await asyncio.gather(*runners)
        finally:
            for runner in runners:
                runner.cancel()
            await asyncio.gather(*runners, return_exceptions=True)
            self.hub.questions.names.forget()
            pool.stop()

    async def _worker(self, queue: list[list[Task]]) -> None:
        hub = self.hub
        while queue:
            batch = [task for task in queue.pop() if task.path not in self._newer]
            try:
                answer = await hub.pool.run("analyse_batch", batch, hub.config.max_file_size)
            except NoWorker as error:
                log.warning("%s; %d files are analysed in the server itself", error, len(batch))
                await self._here(batch)
                continue
            except WorkerDied as error:
                # One of the files may be the reason; but a worker that somebody else killed says nothing of them.
                if len(batch) > 1 or (batch and batch[0].path not in self._suspects):
                    log.warning("%s; its %d files are tried one by one", error, len(batch))
                    queue += [[task] for task in batch]
                    self._suspects.update(task.path for task in batch[:1] if len(batch) == 1)
                    continue
                rows = failed_rows(batch[0].path, "", f"{error}, twice", None)
                answer = pickle.dumps([Outcome(batch[0].path, 0, 0, 0, rows)])
            hub.following.follow(await hub.write(hub.recorder.batch, answer, self._skip(), self._scope.anew))
            self._advance(batch)

    async def _here(self, batch: list[Task]) -> None:
        recorder = self.hub.recorder
        self.hub.following.follow(await self.hub.write(recorder.analyse, batch, self._skip(), self._scope.anew))
        self._advance(batch)

    def _skip(self) -> frozenset[str]:
        return self.hub.open_paths | self._newer

    def _advance(self, batch: Iterable[Task]) -> None:
        for task in batch:
            self.progress.done += 1
            if self._unchecked is not None:
                self._unchecked.discard(task.path)
        self._tell()

    def _tell(self) -> None:
        for callback in self._listeners:
            # Not from here: who fails to listen does not stop the indexing.
            asyncio.get_running_loop().call_soon(self._call, callback)

    def _call(self, callback: Callable[[Progress], None]) -> None:
        if callback in self._listeners:
            callback(self.progress)


def _batches(tasks: list[Task], sizes: dict[str, int], size: int) -> list[list[Task]]:
    """Tasks in groups of about `size` bytes."""
    batches: list[list[Task]] = []
    room = 0
    for task in tasks:
        if room <= 0:
            batches.append([])
            room = size
        batches[-1].append(task)
        room -= sizes[task.path] + 200
    return batches
