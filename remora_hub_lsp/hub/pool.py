"""Worker processes: as many as asked for, started when there is work, ended when there has been none for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import sys
from typing import Any

from .worker import LENGTH

log = logging.getLogger(__name__)

_IDLE_SECONDS = 20.0
_ENDED = "the worker processes have ended with their hub"
# The worker finds the package where this process found it, however that was started; so it needs no site (-S).
_START = "import sys; sys.path[:] = {path!r}; from remora_hub_lsp.hub.worker import main; main()"


class WorkerDied(Exception):
    """The worker process ended before it answered."""


class NoWorker(WorkerDied):
    """No worker process could be started."""


class WorkerPool:
    """Runs the jobs of `worker.py` in processes of their own; `size` 0 means there are none."""

    def __init__(self, size: int, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.size = size
        self._idle_seconds = idle_seconds
        self._free: list[asyncio.subprocess.Process] = []
        self._slots = asyncio.Semaphore(max(size, 1))
        self._alive: set[asyncio.subprocess.Process] = set()
        self._killed: set[asyncio.subprocess.Process] = set()  # until somebody has waited for their end
        self._idle: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def is_running(self) -> bool:
        """Whether there are workers, with what earlier jobs left in them."""
        return bool(self._alive)

    async def run(self, job: str, *arguments: Any) -> Any:
        """The job's result, pickled. Raises WorkerDied."""
        async with self._slots:
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            worker = self._free.pop() if self._free else await self._start()
            try:
                answer = await self._ask(worker, job, arguments)
            except (asyncio.IncompleteReadError, OSError) as error:
                self._kill(worker)
                raise WorkerDied(f"a worker process ended while it ran {job}") from error
            except BaseException:  # cancelled half-way: its answer would be taken for the next one
                self._kill(worker)
                raise
            self._free.append(worker)
            if not self._closed and len(self._free) == len(self._alive):
                self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self.stop)
            return answer

    async def prepare(self) -> None:
        """Start all workers: there is going to be work for them."""
        await asyncio.gather(*(self.run("ready") for _ in range(self.size)), return_exceptions=True)

    def stop(self) -> None:
        """End the workers that have nothing to do; later jobs start new ones."""
        for worker in self._free:
            self._kill(worker)
        self._free.clear()

    async def close(self) -> None:
        """End the workers and wait until they are gone."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        for worker in list(self._alive):
            self._kill(worker)
        self._free.clear()
        slots = max(self.size, 1)
        for _ in range(slots):  # until no job runs or begins any more
            await self._slots.acquire()
        for _ in range(slots):
            self._slots.release()
        while self._killed:
            await self._killed.pop().wait()

    async def _start(self) -> asyncio.subprocess.Process:
        if self._closed:
            raise NoWorker(_ENDED)
        try:
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-S", "-X", "utf8", "-c", _START.format(path=sys.path),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 22,
            )  # fmt: skip
        except (OSError, ValueError) as error:  # sys.executable may be empty where Python is embedded
            raise NoWorker(f"no worker process can be started ({error})") from error
        self._alive.add(worker)
        if self._closed:  # meanwhile
            self._kill(worker)
            raise NoWorker(_ENDED)
        return worker

    async def _ask(self, worker: asyncio.subprocess.Process, job: str, arguments: tuple[Any, ...]) -> bytes:
        assert worker.stdin is not None
        assert worker.stdout is not None
        request = pickle.dumps((job, arguments), protocol=5)
        worker.stdin.write(LENGTH.pack(len(request)) + request)
        await worker.stdin.drain()
        (length,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
        return await worker.stdout.readexactly(length)

    def _kill(self, worker: asyncio.subprocess.Process) -> None:
        self._alive.discard(worker)
        self._killed = {killed for killed in self._killed if killed.returncode is None} | {worker}
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
