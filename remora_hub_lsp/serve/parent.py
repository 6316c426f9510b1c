"""The end of another process, noticed.

An editor that dies may leave its end of the pipe open in a child of its own: there is no end of file then.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two looks, where the system cannot tell by itself


def watch_process(pid: int, ended: Callable[[], None], pause: float = PAUSE) -> Callable[[], None]:
    """Calls `ended`, on the running loop, once process `pid` is gone. Returns what stops the watch.

    A process that cannot be seen from the start is on another machine or in a container: it is not watched.
    """
    if os.name == "nt" or not 0 < pid < 2**31:
        return _nothing  # on Windows, and for strange ids, the end of the connection has to do
    loop = asyncio.get_running_loop()
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        log.warning("the peer's process %d cannot be seen from here, so it is not watched", pid)
        return _nothing
    except (AttributeError, OSError):
        return _Polling(loop, pid, ended, pause).stop
    return _Handle(loop, handle, ended).stop


def _nothing() -> None:
    pass


class _Handle:
    """A process handle becomes readable when its process ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: int, ended: Callable[[], None]) -> None:
        self._loop, self._handle, self._ended = loop, handle, ended
        loop.add_reader(handle, self._readable)

    def _readable(self) -> None:
        self.stop()
        self._ended()

    def stop(self) -> None:
        if self._handle >= 0:
            self._loop.remove_reader(self._handle)
            os.close(self._handle)
            self._handle = -1


class _Polling:
    def __init__(self, loop: asyncio.AbstractEventLoop, pid: int, ended: Callable[[], None], pause: float) -> None:
        self._loop, self._pid, self._ended, self._pause = loop, pid, ended, pause
        self._next = loop.call_soon(self._look)

    def _look(self) -> None:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            self._ended()
            return
        except PermissionError:
            pass  # it lives, under another user
        self._next = self._loop.call_later(self._pause, self._look)

    def stop(self) -> None:
        self._next.cancel()
