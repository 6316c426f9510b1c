"""The hub of one root: takes changes, keeps the index true to them, answers questions about it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .. import __version__
from ..analysis.text import TextDocument
from ..config import Config, default_database
from ..errors import ConfigError, HubClosed, StoreDamaged, StoreError, StoreLocked
from ..index.answers import Asked, Place, WhyNot, get_context
from ..index.around import SOURCE, Text, Wanted, finish, relate
from ..index.ids import BadId, NodeId, locate, module_paths, parse_id
from ..index.kv import Changed, FileChange
from ..index.schema import copy_index, open_reader, set_aside
from ..index.view import IndexView, Json, reading
from ..models import FailedFile, HubState, HubStatus, SlowPath
from ..protocol import ChangesSinceParams, GetContextParams
from .buffers import Buffers
from .changes import Change, Closed, DiskChanged, Edited, Opened, Saved
from .coldstart import ColdStart, Progress
from .diskfeed import DiskFeed
from .inbox import Inbox
from .paths import Paths
from .pool import WorkerDied, WorkerPool
from .recorder import Buffer, DiskFile, Recorder
from .texts import by_path, texts_in_buffer, texts_on_disk
from .tree import SourceTree
from .worker import Task

log = logging.getLogger(__name__)

T = TypeVar("T")

# Changes that come together are analysed together, unless somebody waits for one of them.
DEBOUNCE_SECONDS = 0.02
# A text that does not parse is tried as a whole when nobody has typed for that long.
SETTLE_SECONDS = 0.4
# A text of more lines is cut up by a worker process: parsing it would hold the event loop up.
BIG_LINES = 1200
# What rests on changes follows at the latest after that, also where they do not end.
FOLLOW_SECONDS = 2.0
# How many changes are taken at once; more bytes than that on disk are analysed by workers.
MOST_AT_ONCE = 250
MANY_BYTES = 300_000
# A question about more nodes is answered off the event loop.
MANY_NODES = 20


class Answer(NamedTuple):
    """A question's answer, and how fresh it is. pending: asked paths whose newest change it has not seen."""

    value: Any
    revision: int
    state: HubState
    pending: tuple[str, ...]


class Hub:
    """One root's index and everything that keeps it fresh. Raises RootError for a root that is no directory.

    All methods belong to one event loop. `start` before use, `close` after it.
    """

    def __init__(
        self, root: Path, config: Config, reload: Callable[[], Config] | None = None, *, needs_store: bool = False
    ) -> None:
        """reload: reads the settings anew, which may raise ConfigError. needs_store: where the index cannot be
        written, `start` raises StoreError instead of going on without it."""
        self.paths = Paths(root)
        self.root = self.paths.root
        self.config = config
        self._reload = reload
        self._needs_store = needs_store
        self._stand_in: tempfile.TemporaryDirectory[str] | None = None
        self._storage_reason: str | None = None
        self._failing: asyncio.Task[bool] | None = None
        self.database = config.database or default_database(self.root)
        self.tree = SourceTree(self.root, config)
        self.sessions = 0
        self.counters: Counter[str] = Counter()
        self._slowest: list[SlowPath] = []
        self.warnings: list[str] = []
        self.revision = 0
        self._inbox = Inbox()
        self._buffers = Buffers()
        self._analysed: dict[str, TextDocument] = {}  # what the recorder has of each open path
        self._closing: set[str] = set()  # closed by a peer, and the disk not looked at yet
        self._sequence = 0
        self._reason: str | None = None
        self._closed = False
        self._started_at: datetime | None = None
        self._last_update: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: dict[str, asyncio.TimerHandle] = {}
        self._listeners: list[Callable[[Changed], None]] = []
        self._following: dict[str, FileChange] = {}
        self._following_timer: asyncio.TimerHandle | None = None
        self._following_since = 0.0
        self._revised = asyncio.Condition()

    # ---- life

    async def start(self) -> None:
        """Open the index and begin the cold start in the background. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadPoolExecutor(1, "remora-writer")
        self._readers = ThreadPoolExecutor(2, "remora-reader")
        self._apart: dict[int, tuple[Any, Any]] = {}  # the readers' connections by thread
        try:
            self._recorder = await self._open_store()
            self._inode = inode_of(self.database)
            try:
                self._connection = open_reader(self.database)
            except BaseException:
                await self._write(self._recorder.close)
                raise
        except BaseException:
            self._writer.shutdown()
            self._readers.shutdown()
            raise
        if self._recorder.kv.warning:
            self.warnings.append(self._recorder.kv.warning)
        self.revision = self._recorder.kv.revision
        self.pool = WorkerPool(self.config.worker_count)
        self._started_at = datetime.now(UTC)
        self.cold_start = ColdStart(self)
        if self.config.index_on_start:
            self.cold_start.begin()
        else:
            self._reason = "the setting index_on_start is off: files are indexed when they are opened or asked for"
        self.feed = DiskFeed(self)
        self.spawn(self._drain())
        if self.config.watch:
            self.spawn(self._watch())

    async def close(self) -> None:
        """Stop everything; what was committed stays. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._started_at is None:
            return
        if self._failing is not None:
            await asyncio.wait([self._failing])
        self.cold_start.cancel()
        async with self._revised:
            self._revised.notify_all()
        for timer in (*self._settling.values(), self._following_timer):
            if timer is not None:
                timer.cancel()
        await asyncio.sleep(0)  # a task cancelled before its first step leaves a coroutine that nobody awaited
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.cold_start.finished()
        await self.feed.close()
        self._inbox.close()
        await self.pool.close()
        self._readers.shutdown()
        for _, connection in self._apart.values():
            connection.close()
        self._connection.close()  # before the writer's, which as the last one folds the log in
        await self._loop.run_in_executor(self._writer, self._recorder.close)
        self._writer.shutdown()
        if self._stand_in is not None:
            self._stand_in.cleanup()

    async def _open_store(self) -> Recorder:
        try:
            return await self._write(Recorder, self.database, self.config.max_file_size)
        except StoreLocked as error:
            # An index of our own: two writers would each undo what the other knows of open buffers.
            theirs, self.database = self.database, self._place_in_memory()
            await self._write(copy_index, theirs, self.database)
            self.warnings.append(f"{error}; this one works on a copy")
            log.info("%s; this one works on a copy", error)
            return await self._write(Recorder, self.database, self.config.max_file_size)
        except StoreError as error:
            if self._needs_store:
                raise
            log.error("%s", error)
            self._storage_reason = f"{error}; the index is kept in memory until the hub is started again"
            self.database = self._place_in_memory()
            return await self._write(Recorder, self.database, self.config.max_file_size)

    # ---- changes

    def apply(self, change: Change) -> int:
        """Take a change; gives its sequence number. Never blocks, never drops."""
        self._sequence += 1
        if self._closed:
            return self._sequence
        path = change.path
        match change:
            case Opened(_, document, owner) | Edited(_, document, owner):
                self._buffers.put(path, owner, document)
                self._inbox.put(path)
            case Closed(_, owner):
                if self._buffers.close(path, owner):
                    self._closing.add(path)
                    self._inbox.put(path)
            case Saved(_, owner) if self._buffers.newest_owner(path) == owner:
                self.spawn(self._saved(path))
            case Saved() | DiskChanged():
                if path in self._buffers:
                    self.spawn(self._disk_under_buffer(path))
                else:
                    self._inbox.put(path)
        return self._sequence

    def path_of(self, fs_path: str | os.PathLike[str]) -> str | None:
        """The index's path of an absolute path; None outside the root."""
        return self.paths.relative(fs_path)

    # ---- questions

    async def read(
        self,
        question: Callable[[IndexView], T],
        *,
        paths: Sequence[str] = (),
        wait: float = 2.0,
        heavy: bool = False,
    ) -> Answer:
        """Ask the index once the changes of `paths` (none named: of all open buffers) that came before are in it.

        Waits `wait` seconds at most and then answers with what is there. A file that is not indexed yet is
        indexed at once. heavy: the question takes more than a few milliseconds, so ask it on another thread.
        """

        async def ask() -> Answer:
            pending = await self._catch_up(paths, wait)
            value, revision = await self._answer(question, heavy)
            return Answer(value, revision, self.state, pending)

        return await self._insist(ask)

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask; if the index proves unusable, once more the one that takes its place."""
        try:
            return await ask()
        except StoreError as error:
            if not await self.fail_over(error):
                raise
        return await ask()

    async def _catch_up(self, paths: Sequence[str], wait: float) -> tuple[str, ...]:
        """Wait until the changes of the paths are in the index; gives the paths of which they are not, even so."""
        self._refuse_if_closed()
        self._index_now(paths)
        until, recorder = time.monotonic() + wait, None
        while recorder is not self._recorder:  # what was in an index that is given up meanwhile, comes again
            recorder = self._recorder
            await self._inbox.done(paths or self._touched, until - time.monotonic())
            self._refuse_if_closed()
        return tuple(path for path in paths if self._inbox.pending(path))

    async def _answer(self, question: Callable[[IndexView], T], heavy: bool = False) -> tuple[T, int]:
        if heavy:
            return await self._loop.run_in_executor(self._readers, self._ask_apart, question)
        return self._ask(question)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise HubClosed(f"the hub of {self.root} is closed")

    @property
    def _touched(self) -> frozenset[str]:
        """Paths that peers have open, or have closed a moment ago."""
        return self._buffers.paths | self._closing

    async def get_context(self, params: GetContextParams, positions: Mapping[str, Place | None] | None = None) -> Json:
        """remora/getContext. positions: place in the index by the id it is answered under, None: not of this root."""
        return await self._insist(lambda: self._get_context(params, positions))

    async def _get_context(self, params: GetContextParams, positions: Mapping[str, Place | None] | None) -> Json:
        ids = {text: parse_id(text, self.path_of) for text in params.nodes}
        outside = BadId("the document is outside the project root")
        places = {text: place or outside for text, place in (positions or {}).items()}
        paths = {node_id.path for node_id in ids.values() if isinstance(node_id, NodeId) and node_id.path}
        paths |= {place[0] for place in places.values() if not isinstance(place, BadId)}
        dotted = [node_id.dotted for node_id in ids.values() if isinstance(node_id, NodeId) and node_id.dotted]
        until = time.monotonic() + params.wait_ms / 1000
        self._refuse_if_closed()
        if dotted:
            paths |= await self._paths_of(dotted)
        if params.min_revision > self.revision:
            await self._wait_for_revision(params.min_revision, params.wait_ms / 1000)

        pending = await self._catch_up(tuple(paths), max(until - time.monotonic(), 0))
        asked, state = Asked(ids, places), self.state
        wanted = Wanted(frozenset(params.include), params.depth, params.brief, params.budget)

        def question(view: IndexView) -> Json:
            result = get_context(view, asked, pending, self.why_not, state)
            if wanted.include:
                relate(view, result, wanted)
            return result

        result, _ = await self._answer(question, heavy=len(ids) + len(places) > MANY_NODES or bool(wanted.include))
        if wanted.plain:
            return result
        texts = await self._texts(result["nodes"].values()) if SOURCE in wanted.include else {}
        return finish(result, wanted, texts)

    async def _texts(self, nodes: Iterable[Json]) -> dict[str, Text]:
        """The nodes' texts by key."""
        found: dict[str, Text] = {}
        on_disk = []
        for path, inside in by_path(nodes).items():
            document = self._buffers.newest(path)
            texts = texts_in_buffer(document, inside) if document is not None else None
            if texts is None:
                on_disk.append((path, inside))
            else:
                found |= texts
        if on_disk:
            read = self._loop.run_in_executor(self._readers, texts_on_disk, on_disk, self.paths.absolute)
            found |= await read
        return found

    async def _paths_of(self, dotted: Sequence[tuple[str, ...]]) -> set[str]:
        """Where dotted names may be defined: by the index, in what was typed just now, by files not indexed yet."""
        located, _ = await self._answer(lambda view: [locate(view, parts) for parts in dotted])
        paths = {found[0] for found in located if found}
        paths |= {path for path in self._touched if self._inbox.pending(path)}
        if self.state != "ready":
            for parts in dotted:
                paths |= self._first_file(module_paths(parts))
        return paths

    def _first_file(self, candidates: Iterable[str]) -> set[str]:
        for path in candidates:
            if os.path.isfile(self.paths.absolute(path)):
                return {path}
        return set()

    async def status(self) -> HubStatus:
        """How this hub is doing."""
        self._refuse_if_closed()
        if self._is_gone():  # nothing may have been written since
            await self.fail_over(StoreError("the index is gone"))
        (files, nodes, failed, diverging), revision = await self._insist(
            lambda: self._answer(lambda view: (*view.counts(), view.failed(), view.diverging()))
        )
        stats = self._recorder.kv.path
        return HubStatus(
            running=not self._closed,
            state=self.state,
            state_reason=self.state_reason,
            version=__version__,
            pid=os.getpid(),
            project_root=str(self.root),
            database=str(self.database),
            revision=revision,
            indexed_files=files,
            indexed_nodes=nodes,
            failed=(
                *(FailedFile.model_validate(entry) for entry in failed),
                *(FailedFile(file=path, error=f"cannot be read: {error}") for path, error in self.tree.problems),
            ),
            pending=len(self._inbox),
            open_buffers=len(self._buffers),
            sessions=self.sessions,
            started_at=self._started_at,
            last_update=self._last_update,
            cold_start_seconds=self.cold_start.seconds,
            diverging=tuple(diverging),
            database_bytes=stats.stat().st_size if stats.exists() else None,
            slowest=tuple(self._slowest),
            counters=dict(self.counters),
        )

    @property
    def state(self) -> HubState:
        """indexing while the cold start runs; degraded where something stands in the way; else ready."""
        if self.cold_start.active:
            return "indexing"
        return "degraded" if self.state_reason else "ready"

    @property
    def state_reason(self) -> str | None:
        """Why the state is degraded."""
        reasons = [reason for reason in (self._storage_reason, self._reason, self.feed.reason) if reason]
        return "; ".join(reasons) or None

    def degrade(self, reason: str | None) -> None:
        """Something stands in the way of a true index (None: no more)."""
        self._reason = reason

    # ---- the cold start

    @property
    def progress(self) -> Progress:
        return self.cold_start.progress

    def on_progress(self, callback: Callable[[Progress], None]) -> Callable[[], None]:
        """Call back on the loop as the cold start goes on; gives the function that ends that."""
        return self.cold_start.on_progress(callback)

    def cancel_cold_start(self) -> None:
        """Stop indexing the rest of the project; files are then indexed when they are asked for."""
        self.cold_start.cancel()

    async def indexed(self) -> None:
        """Wait until the cold start has ended and nothing is pending."""
        await self.cold_start.finished()
        await self._inbox.done(None, 3600)

    def why_not(self, path: str) -> WhyNot:
        """Why a path is not in the index."""
        if not os.path.isfile(self.paths.absolute(path)):
            return WhyNot("no such file", f"{path} does not exist below {self.root}")
        reason = self.tree.why_not(path)
        if reason is not None:
            return WhyNot("file ignored", reason)
        return WhyNot("not indexed yet", None)

    # ---- used by the feeds

    async def differences(self) -> list[str]:
        """Walk the tree: paths whose file differs from what the index has of it, open ones left out."""
        entries = await self._loop.run_in_executor(None, lambda: list(self.tree.walk()))
        stamps = await self.write(self._recorder.kv.stamps)
        present = set()
        different = []
        # Files that nobody has asked for stay out where the whole is not to be indexed.
        whole = self.cold_start.complete
        for entry in entries:
            path = self.paths.indexed(entry.path)
            present.add(path)
            known = stamps.get(path)
            if known is None:
                different += [path] if whole else []
            elif not known[3] or not unchanged(known[:3], entry.mtime_ns, entry.size):
                different.append(path)
        different += self.gone(stamps, present)
        return [path for path in different if path not in self._buffers]

    def gone(self, known: Iterable[str], present: Collection[str]) -> list[str]:
        """Paths that the last walk did not find. What lies in a folder that it could not read may still be there."""
        closed = tuple(f"{problem.path}/" for problem in self.tree.problems)
        if "./" in closed:
            return []
        return [path for path in known if path not in present and not path.startswith(closed)]

    def rules_changed(self, path: str) -> None:
        """What decides which files are the project's changed: a .gitignore, or the settings in pyproject.toml."""
        if path == "pyproject.toml":
            try:
                self.config = self._reload() if self._reload else self.config
            except ConfigError as error:
                self.warnings.append(str(error))
                log.warning("the settings stay as they were: %s", error)
                return
        folders = self.tree.folders
        self.tree = SourceTree(self.root, self.config)
        self.tree.folders = folders  # until the next walk

    def disk_changed(self, absolute: str) -> None:
        """Somebody saw a file or folder change on disk."""
        self.feed.take(absolute)

    async def changes_since(self, params: ChangesSinceParams) -> Json:
        """remora/changesSince."""

        def question(view: IndexView) -> Json:
            name, _, number = (params.cursor or "").partition(":")
            identity = view.identity[:12]
            found = None
            if name == identity and number.isdecimal():
                found = view.changes(int(number), params.limit)
            keys, gone, upto = found or ([], [], view.revision)
            return {
                "changed": keys, "deleted": gone, "cursor": f"{identity}:{upto}", "more": upto < view.revision,
                "reset": params.cursor is not None and found is None,
                "revision": view.revision, "state": self.state,
            }  # fmt: skip

        answer = await self.read(question, heavy=True)
        result: Json = answer.value
        return result

    def on_change(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Call back on the loop when nodes changed; gives the function that ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    @property
    def open_paths(self) -> frozenset[str]:
        return self._buffers.paths

    async def write(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a job of the recorder on the writer's thread, and take note of the revision that it made."""
        result = await self._write(job, *arguments)
        await self._note_revision()
        if self._is_gone():
            await self.fail_over(StoreError("the index is gone"))
        return result

    def _is_gone(self) -> bool:
        """Whether the index that is in use is no more the file of that name."""
        return inode_of(self.database) != self._inode

    @property
    def recorder(self) -> Recorder:
        return self._recorder

    def pending(self, path: str) -> bool:
        """Whether a change of the path is not in the index yet."""
        return self._inbox.pending(path)

    # ---- inside

    def _ask(self, question: Callable[[IndexView], T]) -> tuple[T, int]:
        with reading(self._connection) as view:
            return question(view), view.revision

    def _ask_apart(self, question: Callable[[IndexView], T]) -> tuple[T, int]:
        """On a thread of the readers, each of which keeps a connection (and what SQLite remembers with it)."""
        thread, main = threading.get_ident(), self._connection  # which changes with the database
        known = self._apart.get(thread)
        if known is None or known[0] is not main:
            if known is not None:
                known[1].close()
            known = self._apart[thread] = (main, open_reader(self.database))
        with reading(known[1]) as view:
            return question(view), view.revision

    def _index_now(self, paths: Sequence[str]) -> None:
        """Look at those of the files first that are not in the index, or not known to be as the index has them."""
        paths = [path for path in paths if path not in self._buffers and not self._inbox.pending(path)]
        if not paths:
            return
        stamps, _ = self._ask(lambda view: view.stamps(paths))
        ready = self.state == "ready"
        for path in paths:
            known = stamps.get(path)
            unsure = known is None or not (ready or self.cold_start.checked(path))
            if unsure and self._differs(path, known):
                self._inbox.put(path)

    def _is_source(self, path: str) -> bool:
        """Whether there is such a file, and it is the project's."""
        return os.path.lexists(self.paths.absolute(path)) and self.tree.includes(path)

    def _differs(self, path: str, known: tuple[int, int, int] | None) -> bool:
        try:
            stat = os.stat(self.paths.absolute(path))
        except (OSError, ValueError):
            return known is not None
        if known is not None and unchanged(known, stat.st_mtime_ns, stat.st_size):
            return False
        return self.tree.includes(path)

    async def _drain(self) -> None:
        while True:
            disk = []
            for path in await self._inbox.ready(DEBOUNCE_SECONDS, MOST_AT_ONCE):
                if path in self._buffers:
                    self.spawn(self._process([path], partial(self._process_buffer, path)))
                else:
                    disk.append(path)
            if disk:
                self.spawn(self._process(disk, partial(self._process_disk, disk)))

    async def _process(self, paths: list[str], work: Callable[[], Awaitable[Changed | None]]) -> None:
        """Do the work for changes of these paths, and tell whoever waits for them."""
        recorder, started = self._recorder, time.monotonic()
        try:
            for path in paths:
                self.cold_start.forget(path)
            changed = await work()
            if len(paths) == 1:
                self._slowest = slowest([*self._slowest, SlowPath(path=paths[0], seconds=time.monotonic() - started)])
            self.counters["changes"] += len(paths)
            if changed is not None:
                self._follow(changed)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # One change that fails must not end the feed; the status tells of it.
            self.counters["failed_changes"] += len(paths)
            for path in paths:
                if self._analysed.pop(path, None) is not None:  # the recorder may have got half of it
                    await self._write(recorder.close_buffer, path)
            log.exception("a change of %s could not be indexed", ", ".join(paths[:3]))
            # What could not be written to an index that is given up is written to the new one.
            if isinstance(error, StoreError) and (recorder is not self._recorder or await self.fail_over(error)):
                for path in paths:
                    self._inbox.put(path)
        finally:
            for path in paths:
                self._inbox.finish(path)
                if not self._inbox.pending(path):
                    self._closing.discard(path)

    async def _process_disk(self, paths: list[str]) -> Changed:
        """Files that are not open, in one transaction; many of them are analysed by workers."""
        recorder = self._recorder
        files, size = [], 0
        for number, path in enumerate(paths):
            absolute = self.paths.absolute(path)
            included = self._is_source(path)
            with contextlib.suppress(OSError):
                size += os.stat(absolute).st_size if included else 0
            files.append(DiskFile(path, absolute, included))
            if number % 50 == 49:
                await asyncio.sleep(0)
        for path in paths:
            if self._analysed.pop(path, None) is not None:
                await self._write(recorder.close_buffer, path)
        if size < MANY_BYTES or not self.pool.size:
            return await self.write(recorder.disk, files)
        known = await self._write(recorder.kv.hashes, paths)
        tasks = [Task(file.path, file.absolute, known.get(file.path, "")) for file in files if file.included]
        batches = [tasks[at :: self.pool.size] for at in range(self.pool.size)]
        try:
            answers = await asyncio.gather(
                *(self.pool.run("analyse_batch", batch, self.config.max_file_size) for batch in batches if batch)
            )
        except WorkerDied as error:
            log.warning("%s; its files are analysed in the server itself", error)
            return await self.write(recorder.disk, files)
        return await self.write(recorder.batches, answers, [file.path for file in files if not file.included])

    async def _process_buffer(self, path: str) -> Changed | None:
        document = self._buffers.newest(path)
        if document is None:  # closed meanwhile; that change waits already
            return None
        lines, untouched = document.take_dirty()
        if self._analysed.get(path) is not document:  # another peer's text: nothing is known to be as it was
            self._analysed[path], untouched = document, None
        buffer, recorder = self._buffer(path, document.version), self._recorder
        whole = untouched is None or len(lines) - untouched.prefix - untouched.suffix > BIG_LINES
        if whole and len(lines) > BIG_LINES and self.pool.size:
            try:
                cut = await self.pool.run("cut_up", lines)
                changed, broken = await self.write(recorder.adopt, buffer, lines, cut)
            except WorkerDied as error:
                log.warning("%s; %s is analysed in the server itself", error, path)
                changed, broken = await self.write(recorder.edit, buffer, lines, None)
        else:
            changed, broken = await self.write(recorder.edit, buffer, lines, untouched)
        self._settle_later(path, broken)
        return changed

    def _buffer(self, path: str, version: int) -> Buffer:
        return Buffer(path, self.paths.absolute(path), version)

    def _follow(self, changed: Changed) -> None:
        """Let what rests on the change follow; once the typing rests where there is typing."""
        if changed.files:
            for change in changed.files:
                before = self._following.get(change.path)
                names = {*change.signatures, *(before.signatures if before else ())}
                others = {*change.changed, *(before.changed if before else ())}
                imports = change.imports_changed or (before is not None and before.imports_changed)
                self._following[change.path] = FileChange(change.path, tuple(names), imports, tuple(others))
            now = self._loop.time()
            if self._following_timer is None:
                self._following_since = now
            else:
                self._following_timer.cancel()
            until = min(now + SETTLE_SECONDS, self._following_since + FOLLOW_SECONDS)
            self._following_timer = self._loop.call_at(until, self._follow_now)
        self.tell(changed)

    def tell(self, changed: Changed) -> None:
        """Tell whoever listens what changed."""
        if changed.changed or changed.deleted:
            for listener in list(self._listeners):
                listener(changed)

    def _follow_now(self) -> None:
        self._following_timer = None
        changes = list(self._following.values())
        self._following.clear()
        self.spawn(self._follow_up(changes))

    async def _follow_up(self, changes: list[FileChange]) -> None:
        self._follow(await self.write(self._recorder.follow, changes))

    def _settle_later(self, path: str, broken: bool) -> None:
        if (timer := self._settling.pop(path, None)) is not None:
            timer.cancel()
        if broken:
            self._settling[path] = self._loop.call_later(SETTLE_SECONDS, lambda: self.spawn(self._settle(path)))

    async def _settle(self, path: str) -> None:
        """Try a broken buffer as a whole: the edit that mended it may have been far from what was broken."""
        self._settling.pop(path, None)
        document = self._buffers.newest(path)
        if document is None or self._inbox.pending(path):
            return
        lines, buffer, cut = list(document.lines), self._buffer(path, document.version), None
        try:
            if self.pool.size:
                cut = await self.pool.run("cut_up", lines)
        except WorkerDied as error:
            log.warning("%s; %s is analysed in the server itself", error, path)
        if document.version == buffer.version:
            changed = await self.write(self._recorder.settle, buffer, lines, cut)
            if changed is not None:
                self._follow(changed)

    async def _saved(self, path: str) -> None:
        await self._inbox.done([path], 60)
        document = self._buffers.newest(path)
        if document is not None:
            await self.write(self._recorder.saved, self._buffer(path, document.version))

    async def _disk_under_buffer(self, path: str) -> None:
        await self._inbox.done([path], 60)
        document = self._buffers.newest(path)
        if document is not None:
            await self.write(self._recorder.disk_under_buffer, self._buffer(path, document.version))

    async def _watch(self) -> None:
        """Watch the disk from the moment that the tree is known."""
        await self.cold_start.walked()
        self.feed.start()

    async def _write(self, job: Callable[..., T], *arguments: Any) -> T:
        return await self._loop.run_in_executor(self._writer, job, *arguments)

    async def _note_revision(self) -> None:
        revision = self._recorder.kv.revision
        if revision != self.revision:
            self.revision = revision
            self._last_update = datetime.now(UTC)
            async with self._revised:
                self._revised.notify_all()

    async def _wait_for_revision(self, revision: int, timeout: float) -> None:
        async with self._revised:
            try:
                async with asyncio.timeout(timeout):
                    await self._revised.wait_for(lambda: self.revision >= revision or self._closed)
            except TimeoutError:
                log.debug("revision %d was not reached within %.1f s", revision, timeout)

    async def fail_over(self, error: StoreError) -> bool:
        """The index cannot be used: go on with another one, and say so. False where that is not possible, either."""
        if self._closed:
            return False
        if self._failing is None:
            self._failing = self._loop.create_task(self._replace_index(error))
        return await asyncio.shield(self._failing)

    async def _replace_index(self, error: StoreError) -> bool:
        gone, damaged = self._is_gone(), isinstance(error, StoreDamaged)
        if gone:
            error = StoreError(f"the index {self.database} was moved or deleted while in use")
        log.error("%s; the project is indexed again", error)
        try:
            self._connection.close()
            await self._write(self._recorder.close)
            if gone or damaged:
                await self._begin_anew(error, damaged)
            else:
                await self._begin_in_memory(error)
        except StoreError as second:
            self._storage_reason = f"{error}; and in its stead: {second}"
            log.error("%s", second)
            return False
        finally:
            self._failing = None
        self._analysed.clear()
        for path in self._buffers.paths:
            self._inbox.put(path)
        if not self._closed:
            self.cold_start.again()
        return True

    async def _begin_anew(self, error: StoreError, damaged: bool) -> None:
        """A new index in the place of one that is gone or damaged."""
        try:
            if damaged:
                await self._write(set_aside, self.database)
            await self._take_up(self.database)
            self.warnings.append(f"{error}; it was built anew")
        except (OSError, StoreError) as second:
            await self._begin_in_memory(StoreError(f"{error}; {second}"))

    async def _begin_in_memory(self, error: StoreError) -> None:
        if self._stand_in is not None:
            raise error
        await self._take_up(self._place_in_memory())
        self._storage_reason = f"{error}; the index is kept in memory until the hub is started again"

    async def _take_up(self, database: Path) -> None:
        """Use this index from now on."""
        recorder = await self._write(Recorder, database, self.config.max_file_size)
        await self._write(recorder.kv.continue_from, self.revision)
        self._recorder, self.database = recorder, database
        self._connection = open_reader(database)
        self._inode = inode_of(database)

    def _place_in_memory(self) -> Path:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._stand_in = tempfile.TemporaryDirectory(prefix="remora-hub-", dir=memory)
        return Path(self._stand_in.name) / "index.db"

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = self._loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # of one that is cancelled before its first step

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except StoreError as error:
            await self.fail_over(error)


def inode_of(path: Path) -> int | None:
    """The file's inode number; None where there is no file."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def unchanged(known: tuple[int, int, int], mtime_ns: int, size: int) -> bool:
    """Whether a file's stamp (mtime_ns, size, scanned_ns) still tells the truth about the file.

    A file written within the clock's tick of the scan may have been written after it, with the same time stamp
    and size (git calls that "racily clean"): such a stamp proves nothing.
    """
    return known[0] == mtime_ns and known[1] == size and mtime_ns + 20_000_000 < known[2]


def slowest(found: Sequence[SlowPath], most: int = 5) -> list[SlowPath]:
    """The slowest change of each of the slowest paths."""
    best: dict[str, SlowPath] = {}
    for one in sorted(found, key=lambda entry: -entry.seconds):
        best.setdefault(one.path, one)
    return list(best.values())[:most]
