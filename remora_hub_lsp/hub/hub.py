"""The hub of one root: takes changes, keeps the index true to them, answers questions about it.

What it does is in its parts: `updates` works on changes, `store` has the index, `questions` asks it, `following` lets
follow what rests on changes, `cold_start` and `feed` see to what is on disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from .. import __version__
from ..config import Config, default_database
from ..errors import ConfigError, HubClosed, StoreError
from ..index import drift
from ..index.answers import Place, WhyNot
from ..index.kv import Changed
from ..index.view import IndexView, Json
from ..models import FailedFile, HubState, HubStatus
from ..protocol import ChangesSinceParams, GetContextParams
from .changes import Change, Opened
from .coldstart import ColdStart, Progress
from .compare import Scope
from .diskfeed import DiskFeed
from .driftrules import DriftRules
from .following import Following
from .graph import Graph
from .history.seeding import History
from .paths import Paths
from .pool import WorkerPool
from .questions import Answer, Answering, Questions
from .recorder import Recorder
from .relations import Relations
from .scripts.runner import ScriptRunner
from .scripts.script import SUFFIX as SCRIPT
from .store import Store
from .testrules import RULE_FILES, read_test_setup
from .tree import SourceTree
from .updates import Updates

log = logging.getLogger(__name__)

T = TypeVar("T")


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
        self.tree = SourceTree(self.root, config)
        self.store = Store(
            config.database or default_database(self.root), config.max_file_size,
            DriftRules.of(config),
            needed=needs_store, replaced=self._index_replaced,
        )  # fmt: skip
        self.updates = Updates(self)
        self.following = Following(self)
        self.graph = Graph(self)
        self.questions = Questions(self)
        self.history = History(self)
        self.scripts = ScriptRunner(self)
        self.relations = Relations(self)
        self.sessions = 0
        self._reload = reload
        self._sequence = 0
        self._reason: str | None = None
        self._closed = False
        self._started_at: datetime | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reindexing = asyncio.Lock()

    # ---- life

    async def start(self) -> None:
        """Open the index and begin the cold start in the background. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        await self.store.open()
        await self._note_tests()
        self.pool = WorkerPool(self.config.worker_count)
        self._started_at = datetime.now(UTC)
        self.cold_start = ColdStart(self)
        if self.config.index_on_start:
            self.cold_start.begin()
        else:
            self._reason = "the setting index_on_start is off: files are indexed when they are opened or asked for"
        self.feed = DiskFeed(self)
        self.spawn(self.updates.run())
        self.history.begin()
        self.scripts.start()
        if self.config.watch:
            self.spawn(self._watch())

    async def close(self) -> None:
        """Stop everything; what was committed stays. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._started_at is None:
            return
        await self.store.stop()
        self.cold_start.cancel()
        self.updates.cancel()
        self.following.cancel()
        await asyncio.sleep(0)  # a task cancelled before its first step leaves a coroutine that nobody awaited
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.cold_start.finished()
        await self.scripts.close()
        await self.feed.close()
        await self.graph.close()
        self.updates.inbox.close()
        await self.pool.close()
        await self.store.close()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def refuse_if_closed(self) -> None:
        """Raises HubClosed."""
        if self._closed:
            raise HubClosed(f"the hub of {self.root} is closed")

    # ---- changes

    def apply(self, change: Change) -> int:
        """Take a change; gives its sequence number. Never blocks, never drops."""
        self._sequence += 1
        if not self._closed:
            (self.scripts if change.path.endswith(SCRIPT) else self.updates).take(change)
            if isinstance(change, Opened):
                self.graph.warm(change.path)
        return self._sequence

    def disk_changed(self, absolute: str) -> None:
        """Somebody saw a file or folder change on disk."""
        self.feed.take(absolute)

    def path_of(self, fs_path: str | os.PathLike[str]) -> str | None:
        """The index's path of an absolute path; None outside the root."""
        return self.paths.relative(fs_path)

    def on_change(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Call back on the loop when nodes changed; gives the function that ends that."""
        return self.following.on_change(callback)

    # ---- questions

    async def read(
        self,
        question: Callable[[IndexView], T],
        *,
        paths: Sequence[str] = (),
        wait: float = 2.0,
        heavy: bool = False,
        calls: bool = True,
        calls_wait: float | None = None,
    ) -> Answer:
        """Ask the index once the changes of `paths` (none named: of all open buffers) that came before are in it.

        Waits `wait` seconds at most and then answers with what is there. A file that is not indexed yet is
        indexed at once. heavy: the question takes more than a few milliseconds, so ask it on another thread.
        calls: the answer tells who calls whom, so what others' changes mean for that has to be in it, too. calls_wait:
        who asks can do without that, and waits only so long for it.
        """
        return await self.questions.read(question, paths, wait, heavy, calls, calls_wait)

    async def get_context(self, params: GetContextParams, positions: Mapping[str, Place | None] | None = None) -> Json:
        """remora/getContext. positions: place in the index by the id it is answered under, None: not of this root."""
        return await self.questions.get_context(params, positions or {})

    def context_now(self, ids: Sequence[str], answer: Answering) -> bool:
        """remora/getContext for ids alone, as pieces of JSON, where nothing has to be waited for: whether `answer` is
        going to be called, with the result, or with None if it has to be asked for in the usual way after all."""
        return self.questions.context_now(ids, answer)

    async def context_soon(self, ids: Sequence[str], wait: float) -> Sequence[bytes] | None:
        """The same after waiting for pending changes (seconds); None where something is missing, to be asked for with
        `get_context`."""
        return await self.questions.context_soon(ids, wait)

    async def search(self, query: str, limit: int) -> Answer:
        """Symbols by name, best first; see index.search. Files that are not indexed yet count as well."""
        return await self.questions.search(query, limit)

    async def changes_since(self, params: ChangesSinceParams) -> Json:
        """remora/changesSince."""
        return await self.questions.changes_since(params)

    def pending(self, path: str) -> bool:
        """Whether a change of the path is not in the index yet."""
        return self.updates.inbox.pending(path)

    def why_not(self, path: str) -> WhyNot:
        """Why a path is not in the index."""
        if not os.path.isfile(self.paths.absolute(path)):
            return WhyNot("no such file", f"{path} does not exist below {self.root}")
        reason = self.tree.why_not(path)
        if reason is not None:
            return WhyNot("file ignored", reason)
        return WhyNot("not indexed yet", None)

    # ---- how it is doing

    async def status(self) -> HubStatus:
        """How this hub is doing."""
        self.refuse_if_closed()
        if self.store.is_gone:  # nothing may have been written since
            await self.fail_over(StoreError("the index is gone"))
        (files, nodes, failed, diverging, outdated), revision = await self.store.insist(
            lambda: self.store.read(lambda view: (*view.counts(), view.failed(), view.diverging(), drift.count(view)))
        )
        path = self.recorder.kv.path
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
            outdated_docstrings=outdated,
            pending=len(self.updates.inbox),
            open_buffers=len(self.updates.buffers),
            sessions=self.sessions,
            started_at=self._started_at,
            last_update=self.store.last_update,
            cold_start_seconds=self.cold_start.seconds,
            diverging=tuple(diverging),
            database_bytes=path.stat().st_size if path.exists() else None,
            slowest=tuple(self.updates.slowest),
            counters=dict(self.counters),
            history=self.history.status,
            scripts=self.scripts.status(),
        )

    @property
    def state(self) -> HubState:
        """indexing: the cold start runs, or the call graph is late; degraded: something is in the way; else ready."""
        if self.cold_start.active or self.following.late:
            return "indexing"
        return "degraded" if self.store.reason or self._reason or self.feed.reason else "ready"

    @property
    def state_reason(self) -> str | None:
        """Why the state is degraded, or what it waits for besides the cold start."""
        reasons = [reason for reason in (self.store.reason, self._reason, self.feed.reason) if reason]
        if self.following.late and not self.cold_start.active:
            reasons.append("the call graph is being worked out anew for what changed")
        return "; ".join(reasons) or None

    def degrade(self, reason: str | None) -> None:
        """Something stands in the way of a true index (None: no more)."""
        self._reason = reason

    @property
    def revision(self) -> int:
        return self.store.revision

    @property
    def database(self) -> Path:
        return self.store.database

    @property
    def warnings(self) -> list[str]:
        """What went wrong and was mended, for people."""
        return self.store.warnings

    @property
    def counters(self) -> Counter[str]:
        return self.updates.counters

    @property
    def open_paths(self) -> frozenset[str]:
        return self.updates.buffers.paths

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
        await self.updates.inbox.done(None, 3600)
        await self.following.caught_up(3600)

    async def reindex(self, scope: Scope) -> int:
        """Compare the files with the index now, and analyse what differs; gives how many files were analysed."""
        async with self._reindexing:
            await self.cold_start.finished()
            self.refuse_if_closed()
            self.cold_start.again(scope)
            while self.cold_start.active:  # another index may take the place of one that fails
                await self.cold_start.finished()
            await self.updates.inbox.done(None if scope.is_all else scope.paths, 3600)
            return self.cold_start.progress.done

    # ---- used by its parts

    def rules_changed(self, path: str) -> None:
        """What decides which files are the project's changed: a .gitignore, or the settings in pyproject.toml."""
        if path == "pyproject.toml":
            watched = DriftRules.of(self.config)
            try:
                self.config = self._reload() if self._reload else self.config
            except ConfigError as error:
                self.warnings.append(str(error))
                log.warning("the settings stay as they were: %s", error)
                return
            self.store.limit(self.config.max_file_size)
            if (rules := DriftRules.of(self.config)) != watched:
                self.spawn(self._watch_docstrings(rules))
        if path in RULE_FILES:
            self.spawn(self._note_tests())
        folders = self.tree.folders
        self.tree = SourceTree(self.root, self.config)
        self.tree.folders = folders  # until the next walk
        self.scripts.refresh()

    async def _note_tests(self) -> None:
        """What the configuration says of tests goes into the index, which has no other way to know."""
        await self.write(self.recorder.note_tests, read_test_setup(self.root, self.config))

    async def _watch_docstrings(self, rules: DriftRules) -> None:
        self.tell(await self.store.watch_docstrings(rules))
        await self.cold_start.finished()
        self.cold_start.again(Scope(anew=True))

    def is_source(self, path: str) -> bool:
        """Whether there is such a file, and it is the project's."""
        return os.path.lexists(self.paths.absolute(path)) and self.tree.includes(path)

    @property
    def recorder(self) -> Recorder:
        return self.store.recorder

    async def write(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a job of the recorder on the writer's thread, and take note of the revision that it made."""
        return await self.store.write(job, *arguments)

    def tell(self, changed: Changed) -> None:
        """Tell whoever listens what changed."""
        self.following.tell(changed)

    async def fail_over(self, error: StoreError) -> bool:
        """The index cannot be used: go on with another one, and say so. False where that is not possible, either."""
        return await self.store.fail_over(error)

    def _index_replaced(self) -> None:
        self.questions.encoded.clear()
        self.graph.begin_anew()
        self.updates.begin_anew()
        self.scripts.begin_anew()
        self.spawn(self._note_tests())
        if not self._closed:
            self.cold_start.again()
            self.history.again()

    async def _watch(self) -> None:
        """Watch the disk from the moment that the tree is known."""
        await self.cold_start.walked()
        self.feed.start()

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Let the work go on in the background, until the hub closes."""
        task = self._loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # of one that is cancelled before its first step

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except StoreError as error:
            await self.fail_over(error)
