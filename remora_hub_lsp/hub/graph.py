"""The call graph: worked out once all files are known, and let follow what changes; in a worker process of its own."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..index.kv import Changed
from .pool import WorkerDied, WorkerPool

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# Fewer files are worked out here: starting a worker takes longer.
FEW_FILES = 100
# Files at once: what the writer's thread is held up by, and what the worker's answers hold.
STEP_HERE, STEP_APART = 5, 60
TOLD_AT_ONCE = 1000
FILES_AT_ONCE = 8
# A worker that dies so often of the same work is not started again.
MOST_DEATHS = 2
# Seconds after which a worker that has had nothing to do ends.
IDLE_SECONDS = 900.0


class Graph:
    """Lets the call graph follow changes: of many files in a worker process, which knows the rest of the graph."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pool: WorkerPool | None = None
        self._refused: Sequence[str] = ()
        self._turn = asyncio.Lock()  # one thing after the other
        self._apart = False
        self._ready = False
        self._warm: set[str] = set()  # open files that the worker knows, or is going to
        self._to_warm: list[str] = []
        self._deaths: Counter[str] = Counter()  # of the worker, while it was to get to know a file

    async def build(self) -> None:
        """Work the whole graph out, if that has not been done; and whatever is left of it."""
        hub, kv = self._hub, self._hub.recorder.kv
        if not hub.config.graph:
            await _tell(hub, await hub.write(kv.graph_is_ready, False))
            return
        ready = await hub.store.run(lambda: kv.graph_ready)
        hashes = await hub.store.run(kv.all_hashes)
        self._apart = len(hashes) >= FEW_FILES and hub.pool.size > 0
        if not ready:
            await (_apart if self._apart else _here)(hub, sorted(hashes), hashes)
            await _tell(hub, await hub.write(kv.graph_is_ready))
        self._ready = True
        if await hub.store.run(lambda: kv.is_unresolved):
            hub.following.catch_up()  # as long as edits come there is always more: this must not wait for it
        for path in hub.open_paths:
            self.warm(path)

    async def follow(self) -> Changed:
        """Work out some of what is left, once there is a graph."""
        hub = self._hub
        async with self._turn:
            if not self._ready:
                return Changed(hub.revision, (), ())
            for _ in range(MOST_DEATHS if self._apart else 0):
                try:
                    return await self._follow_apart()
                except WorkerDied as error:
                    log.warning("%s", error)
            if self._apart:
                log.warning("the call graph follows changes in the server itself from now on")
                self._apart = False
            return await hub.write(hub.recorder.resolve, FILES_AT_ONCE)

    async def _follow_apart(self) -> Changed:
        hub = self._hub
        try:
            pool = await self._worker()
            answer = await pool.run("graph_follow", FILES_AT_ONCE, self._refused)
            changed, self._refused = await hub.write(hub.recorder.take_followed, answer)
        except BaseException:
            await self.close()  # it knows what is not written
            raise
        return changed

    def warm(self, path: str) -> None:
        """A file is going to be edited."""
        wanted = path not in self._warm and self._deaths[path] < MOST_DEATHS
        if self._apart and self._ready and wanted:
            self._warm.add(path)
            self._to_warm.append(path)
            if len(self._to_warm) == 1:
                self._hub.spawn(self._warm_up())

    async def _warm_up(self) -> None:
        """One file at a time, the last one first: what has to follow a change comes between."""
        while self._to_warm:
            async with self._turn:
                path = self._to_warm[-1]
                try:
                    await (await self._worker()).run("graph_warm", path)
                except WorkerDied as error:
                    log.debug("%s", error)
                    self._deaths[path] += 1
                    await self.close()
                finally:
                    self._to_warm.remove(path)

    async def _worker(self) -> WorkerPool:
        if self._pool is None:
            self._pool = WorkerPool(1, IDLE_SECONDS)
        if not self._pool.is_running:
            self._refused = ()
            await self._pool.run("begin_following", str(self._hub.store.database))
            self._warm.intersection_update(self._to_warm)
            for path in self._hub.open_paths:
                self.warm(path)
        return self._pool

    def begin_anew(self) -> None:
        """Another index is in use."""
        self._ready = False
        self._hub.spawn(self.close())

    async def close(self) -> None:
        """End the worker; what is left is then begun anew. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()


async def _here(hub: Hub, paths: list[str], hashes: dict[str, str]) -> None:
    recorder = hub.recorder
    await hub.store.run(recorder.begin_graph)
    for batch in _steps(paths, STEP_HERE):
        await hub.store.run(recorder.graph_flows, batch)
    for batch in _steps(paths, STEP_HERE):
        await hub.write(recorder.graph_edges, batch, hashes)
    while await hub.write(recorder.graph_rests):
        pass


async def _apart(hub: Hub, paths: list[str], hashes: dict[str, str]) -> None:
    recorder = hub.recorder
    pool = WorkerPool(1)  # what one job knows the next one needs
    try:
        await pool.run("begin_graph", str(hub.store.database))
        for batch in _steps(paths, STEP_APART):
            await pool.run("graph_flows", batch)
        for batch in _steps(paths, STEP_APART):
            answer = await pool.run("graph_edges", batch)
            await hub.write(recorder.take_graph, answer, hashes)
        while await hub.write(recorder.take_rests, await pool.run("graph_rests")):
            pass
    except WorkerDied as error:
        log.warning("%s; the call graph is worked out in the server itself", error)
        await _here(hub, paths, hashes)
    finally:
        await pool.close()


async def _tell(hub: Hub, changed: Changed) -> None:
    """Tell that all nodes changed, not so many at once that the event loop is held up."""
    for at in range(0, len(changed.changed), TOLD_AT_ONCE):
        hub.following.tell(changed._replace(changed=changed.changed[at : at + TOLD_AT_ONCE]))
        await asyncio.sleep(0)


def _steps(paths: list[str], size: int) -> list[list[str]]:
    return [paths[at : at + size] for at in range(0, len(paths), size)]
