"""Where an index is kept while it cannot be in its own place: in memory, as far as the system has files there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from ..errors import StoreError
from ..index.lock import WriteLock

_PREFIX = "remora-hub-"
_DATABASE = "index.db"
# Seconds after which a folder without a writer is not one that has just been made.
_SETTLED = 60.0


class StandIn:
    """A folder for one index. database: in there."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_memory())
        self.database = Path(self._folder.name) / _DATABASE

    def cleanup(self) -> None:
        self._folder.cleanup()


def remove_abandoned() -> None:
    """Remove what processes of this user left that were killed: it would take memory until the system starts anew."""
    for folder in _memory().glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, StoreError):  # another one may be at it
            if _is_ours(folder):
                _remove_unless_used(folder)


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    is_settled = abs(time.time() - status.st_mtime) > _SETTLED
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == getattr(os, "getuid", int)() and is_settled


def _remove_unless_used(folder: Path) -> None:
    lock = WriteLock(folder / _DATABASE)
    if lock.path.exists() and lock.take():
        try:
            shutil.rmtree(folder)
        finally:
            lock.release()


def _memory() -> Path:
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
