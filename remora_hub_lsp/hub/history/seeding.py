"""Seeds the memory of docstrings from the project's git history, in the background.

A worker process of the lowest priority reads the repository, a few files at a time; what it found of them is written
before the next ones, so that an end in the middle loses only those. Changes of the project come first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...errors import GitError, StoreError
from ...index.history import HistoryTable, Place
from ...index.kv import Changed
from ...models import HistoryStatus
from ..pool import WorkerDied, WorkerPool
from ..recorder import DiskFile, Recorder
from .git import head_of
from .rows import FORMAT, encode
from .work import Opened, Request, Settlement, Task

if TYPE_CHECKING:
    from ..hub import Hub

log = logging.getLogger(__name__)

# File versions that one job looks at.
BATCH = 400
# How long it waits after the cold start, unless somebody asks for it: a hub that answers one question needs no history.
BEGIN_SECONDS = 2.0
# After a change of the project: how long until HEAD is looked at again.
REST_SECONDS = 30.0

Seen = tuple[str, int]  # the commit that is checked out, and how many files are indexed


class History:
    """The history of one hub's project. All methods belong to the event loop.

    status: how far it is.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.status = HistoryStatus(state="waiting")
        self._wake = asyncio.Event()
        self._wanted = asyncio.Event()
        self._rested = asyncio.Event()
        self._pool = WorkerPool(1)

    def begin(self) -> None:
        """Read the history once the project is indexed, and what is added to it later."""
        self.hub.on_change(lambda _: self._wake.set())
        self.hub.spawn(self._run())

    def again(self) -> None:
        """Another index is in use, or other settings hold."""
        self._wake.set()

    async def finished(self) -> None:
        """Wait until there is nothing more to read for now."""
        self._wanted.set()
        await self._rested.wait()

    # ---- the work

    async def _run(self) -> None:
        pool = self._pool
        seen = None
        try:
            await self.hub.cold_start.finished()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), BEGIN_SECONDS)
            while True:
                self._wake.clear()
                await self.hub.cold_start.finished()
                seen = await self._look(pool, seen)
                self._rested.set()
                await self._wake.wait()
                await asyncio.sleep(REST_SECONDS)
        finally:
            await pool.close()

    async def _look(self, pool: WorkerPool, seen: Seen | None) -> Seen | None:
        """Read what there is new since `seen`; gives what has been read to the end."""
        if not self.hub.config.drift_history or self.hub.config.drift == "off":
            self.status = HistoryStatus(state="off")
            return None
        try:
            head = await asyncio.get_running_loop().run_in_executor(None, head_of, self.hub.root)
            (files, *_), _ = await self.hub.store.read(lambda view: view.counts())
            if (head, files) != seen:
                await self._read(pool)
            return head, files
        except (GitError, WorkerDied) as error:
            self.status = self.status.model_copy(update={"state": "unavailable", "reason": str(error)})
            log.info("the git history of %s is not used: %s", self.hub.root, error)
        except StoreError as error:
            await self.hub.fail_over(error)
        return None

    async def _read(self, pool: WorkerPool) -> None:
        size = BATCH
        while True:
            opened, todo = await self._open(pool, size)
            total = sum(map(len, todo))
            self.status = HistoryStatus(state="reading", total=total, commit=opened.head, shallow=opened.shallow)
            try:
                if await self._settle(pool, todo):
                    self.status = self.status.model_copy(update={"state": "done"})
                    return
            except WorkerDied as error:
                log.warning("%s; the files that it had are read one by one", error)
                size = 0

    async def _open(self, pool: WorkerPool, size: int) -> tuple[Opened, list[list[Task]]]:
        request = await self.hub.write(_request, self.hub.recorder, str(self.hub.root), self.hub.config.max_file_size)
        opened: Opened | str = pickle.loads(await pool.run("history", "open", request))
        if isinstance(opened, str):
            raise GitError(opened)
        tasks = sorted(opened.tasks, key=lambda task: (task.path not in self.hub.open_paths, task.cost))
        return opened, list(batches(tasks, size))

    async def _settle(self, pool: WorkerPool, todo: list[list[Task]]) -> bool:
        """False where the worker has lost what it knew and has to begin again; what was written stays."""
        for batch in todo:
            await self.hub.indexed()  # changes come first
            rows = await self.hub.write(_rows, self.hub.recorder, [task.base for task in batch if task.base])
            try:
                answer = await pool.run("history", "settle", str(self.hub.root), batch, rows)
            except WorkerDied:
                if len(batch) == 1:  # this file is the reason: nothing is told of it
                    await self._keep([Settlement(batch[0].path, batch[0].blob, encode({}), [])])
                raise
            found: list[Settlement] | str | None = pickle.loads(answer)
            if found is None:
                return False
            if isinstance(found, str):
                raise GitError(found)
            await self._keep(found)
        return True

    async def _keep(self, found: list[Settlement]) -> None:
        files = [DiskFile(one.path, self.hub.paths.absolute(one.path), True) for one in found]
        self.hub.tell(await self.hub.write(_keep, self.hub.recorder, list(zip(files, found, strict=True))))
        self.status = self.status.model_copy(update={"done": self.status.done + len(found)})


def batches(tasks: Sequence[Task], size: int) -> Iterator[list[Task]]:
    """Tasks in groups of about `size` versions."""
    batch: list[Task] = []
    for task in tasks:
        batch.append(task)
        if sum(one.cost for one in batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


# ------------------------------------------------------------------------------- on the writer's thread


def _request(recorder: Recorder, root: str, most_bytes: int) -> Request:
    hashes = {path: digest for path, (_, _, _, digest) in recorder.kv.stamps().items()}
    return Request(root, hashes, *_table(recorder).known(), most_bytes)


def _rows(recorder: Recorder, places: list[Place]) -> dict[Place, bytes]:
    return _table(recorder).rows(places)


def _keep(recorder: Recorder, found: list[tuple[DiskFile, Settlement]]) -> Changed:
    """The seeds first: should this end in between, the files are settled again."""
    changed = recorder.seed([(file, one.seeds) for file, one in found if one.seeds])
    _table(recorder).put([(one.path, one.blob, one.row) for _, one in found])
    return changed


def _table(recorder: Recorder) -> HistoryTable:
    return HistoryTable(recorder.kv.docstrings.memory, FORMAT)
