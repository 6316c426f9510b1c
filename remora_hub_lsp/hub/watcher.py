"""FileWatcher: what changes in some folders on disk, by the operating system's own notices (watchfiles)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

# The raw interface that watchfiles documents: the folders have to be watched before the first wait.
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

log = logging.getLogger(__name__)

# Milliseconds: how long to gather what comes together, and how long nothing must come to call it together.
GATHER_MS, QUIET_MS, WAIT_MS = 150, 8, 10_000

Event = tuple[int, str]  # 1 added, 2 modified, 3 deleted; absolute path
ADDED, MODIFIED, DELETED = 1, 2, 3

# Where the kernel does not tell what other machines do.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs", "vboxsf", "fuse.vmhgfs-fuse"}
)


def watchable(folders: Iterable[str]) -> str | None:
    """Why these folders (absolute) cannot be watched, all at once; None if they can."""
    try:
        _notify(sorted(folders)).close()
    except (OSError, UnicodeError, WatchfilesRustInternalError) as error:
        return why_not_watched(error)
    return None


class FileWatcher:
    """Watches folders, each without what lies below it, and calls back on the event loop.

    on_events gets what changed; on_failure why watching is not possible (any more).
    """

    def __init__(self, on_events: Callable[[Collection[Event]], None], on_failure: Callable[[str], None]) -> None:
        self._on_events = on_events
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._threads: list[tuple[threading.Event, threading.Thread]] = []  # all that may still run
        self._wanted: frozenset[str] = frozenset()
        self._lost: set[str] = set()

    @property
    def folders(self) -> frozenset[str]:
        """The folders that are watched."""
        return self._wanted - self._lost

    def lost(self, folder: str) -> None:
        """The folder of that name came or went: what is watched, if anything, is no more the one that has it."""
        if folder in self._wanted:
            self._lost.add(folder)

    async def watch(self, folders: Iterable[str]) -> bool:
        """Watch these folders (absolute) instead of those before, without a moment of watching none.

        False where that is not possible; on_failure has been told why.
        """
        self._wanted, self._lost = frozenset(folders), set()
        before_stop, before_thread = self._stop, self._thread
        started: asyncio.Future[str | None] = self._loop.create_future()
        stop = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(sorted(self._wanted), stop, started), name="remora-watcher", daemon=True
        )
        self._threads.append((stop, thread))
        thread.start()
        failure = await started
        if before_stop is not None and before_thread is not None:
            before_stop.set()
            await self._loop.run_in_executor(None, before_thread.join)
        self._stop, self._thread = (stop, thread) if failure is None else (None, None)
        self._threads = [(stop, thread) for stop, thread in self._threads if thread.is_alive()]
        if failure is not None:
            self._wanted = frozenset()
            self._on_failure(failure)
        return failure is None

    async def close(self) -> None:
        """Stop watching."""
        self._stop = self._thread = None
        for stop, _ in self._threads:
            stop.set()
        while self._threads:  # those whose start was cancelled, too
            await self._loop.run_in_executor(None, self._threads.pop()[1].join)

    def _run(self, folders: list[str], stop: threading.Event, started: asyncio.Future[str | None]) -> None:
        """The thread: wait for events and hand them to the loop."""
        try:
            notify = _notify(folders)
        except (OSError, UnicodeError, WatchfilesRustInternalError) as error:  # a name that is not UTF-8 is not taken
            self._tell(_settle, started, why_not_watched(error))
            return
        with notify:
            self._tell(_settle, started, None)
            while not stop.is_set():
                try:
                    events = notify.watch(GATHER_MS, QUIET_MS, WAIT_MS, stop)
                except (OSError, RuntimeError, WatchfilesRustInternalError) as error:
                    self._tell(self._fail, stop, why_not_watched(error))
                    return
                if isinstance(events, set):
                    self._tell(self._on_events, events)

    def _fail(self, stop: threading.Event, reason: str) -> None:
        if not stop.is_set():
            self._wanted = frozenset()
            self._on_failure(reason)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)


def _notify(folders: list[str]) -> RustNotify:
    """Watches those of the folders that are there and may be read. What vanished since it was listed is told by the one
    around it.
    """
    for _ in range(10):
        present = [folder for folder in folders if os.path.isdir(folder) and os.access(folder, os.R_OK)]
        try:
            # Not with its own way to leave out what may not be read: that hides the system's limits as well.
            return RustNotify(present, False, False, 300, False, False)
        except (FileNotFoundError, PermissionError):
            log.debug("a folder vanished, or was locked, while it was about to be watched")
    raise OSError("folders come and go too fast, or may not be watched")


def on_network_drive(root: Path) -> str | None:
    """The kind of file system that `root` lies on if changes from other machines are not told there, else None."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux: the notices there cover what they can
        return None
    best = ("", "")
    for line in lines:
        fields = line.split()
        mounted, kind = fields[4].replace("\\040", " "), fields[fields.index("-") + 1]
        inside = mounted == "/" or str(root) == mounted or str(root).startswith(mounted + "/")
        if inside and len(mounted) >= len(best[0]):
            best = (mounted, kind)
    return best[1] if best[1] in _NETWORK else None


def _settle(future: asyncio.Future[str | None], result: str | None) -> None:
    if not future.done():
        future.set_result(result)


def why_not_watched(error: Exception) -> str:
    """What an error of the watcher means, for people."""
    text = f"the name {error.object!r} is not UTF-8" if isinstance(error, UnicodeEncodeError) else str(error)
    text = text.partition(" about [")[0]  # from there on it is the watcher's own words
    if setting := limit_in(text):
        return f"the system's limit for watched files is reached ({text}); raise {setting}"
    return f"files cannot be watched: {text or error!r}"


def limit_in(text: str) -> str | None:
    """The setting of Linux that is too low, if that is what an error says."""
    if "limit" in text or "No space left" in text:
        return "fs.inotify.max_user_watches"
    return "fs.inotify.max_user_instances" if "Too many open files" in text else None
