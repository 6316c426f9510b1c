"""Who may write an index: one process, the one that holds the lock on the file beside it."""

from __future__ import annotations

import os
from pathlib import Path

from ..discovery import try_lock
from ..errors import StoreError


class WriteLock:
    """Held from `take` to `release`, or to the end of the process, however that comes."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Whether the lock is ours now. Raises StoreError where there can be none."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot write where the index has to be, {self.path}: {error.strerror};"
                " name another file with --db (the setting `database`), or another cache with XDG_CACHE_HOME"
            ) from error
        if not try_lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let others write. Idempotent. The file stays: removing it would give two processes a lock each."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
