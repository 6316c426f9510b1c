"""Runs a root's scripts over its nodes, in the background: what changed, or all of them when a script did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreError
from ...index.keys import split_key
from ...index.kv import Changed
from ...index.script_store import ScriptStore
from ...index.scripts import due
from ...models import ScriptState, ScriptStatus
from ..changes import Change, Closed, Edited, Opened
from ..coldstart import Progress
from .batch import Batch, Work
from .externals import ProjectFiles
from .rule import Rule
from .sandbox import Sandbox
from .shelf import STEPS, Found, scripts_of, shipped

if TYPE_CHECKING:
    from ..hub import Hub

log = logging.getLogger(__name__)

# Seconds without a change after which scripts run over what changed.
REST_SECONDS = 0.25
# Files that are worked on together, and from how many on that is shown as progress.
MOST_FILES = 40
_SHOWN_FILES = 60
# The sandbox's processes end after so long without work.
_IDLE_SECONDS = 60.0


class ScriptRunner:
    """Belongs to the hub's event loop. The project's own scripts run while somebody trusts the project."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.rules: dict[str, Rule] = {}
        self.progress = Progress()
        self.files = ProjectFiles(hub.paths, hub.config.max_file_size, self._buffer)
        self.sandbox = Sandbox()
        self._trusted: set[Hashable] = set()
        self._unsaved: dict[str, dict[int, str]] = {}  # by path and who has it open; the newest last
        self._work: Work = {}  # newest last
        self._missed: Work = {}  # waits until the file changes again
        self._refresh_wanted = True
        self._due_wanted = False
        self._telling = self._waiting = False
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._closing: asyncio.TimerHandle | None = None
        self._progress_listeners: list[Callable[[Progress], None]] = []
        self._listeners: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin; the hub's index is open."""
        if self.hub.config.trusted:
            self._trusted.add("settings")
        self.hub.on_change(self._changed)
        self.hub.spawn(self._run())
        self._want()

    async def close(self) -> None:
        """End the sandbox's processes."""
        if self._closing is not None:
            self._closing.cancel()
        await self.sandbox.close()

    # ---- what happens

    def trust(self, owner: Hashable) -> None:
        """Somebody vouches for the project: its scripts may run."""
        self._trusted.add(owner)
        self.refresh()

    def distrust(self, owner: Hashable) -> None:
        """Somebody is gone, or vouches no more."""
        if owner in self._trusted:
            self._trusted.discard(owner)
            self.refresh()

    @property
    def trusted(self) -> bool:
        return bool(self._trusted)

    def take(self, change: Change) -> None:
        """A script changed, in an editor or on disk."""
        match change:
            case Opened(path, document, owner) | Edited(path, document, owner):
                texts = self._unsaved.setdefault(path, {})
                texts.pop(owner, None)
                texts[owner] = "".join(document.lines)
            case Closed(path, owner):
                texts = self._unsaved.get(path, {})
                texts.pop(owner, None)
                if not texts:
                    self._unsaved.pop(path, None)
        self.refresh()

    def refresh(self) -> None:
        """Look again which scripts there are."""
        self._refresh_wanted = True
        self._want()

    def begin_anew(self) -> None:
        """Another index is in use, which knows of no script."""
        self.rules.clear()
        self._work.clear()
        self.refresh()

    def _changed(self, changed: Changed) -> None:
        if self._telling:
            return
        for key in changed.changed:
            path, qualname = split_key(key)
            for name, names in self._missed.pop(path, {}).items():
                if name in self.rules:
                    self._add(path, names, [self.rules[name]])
            self._add(path, {qualname})

    def _add(self, path: str, names: set[str] | None, rules: Sequence[Rule] | None = None) -> None:
        """There is work: these nodes (None: all) of a file, for these rules (None: all)."""
        chosen = [rule for rule in (self.rules.values() if rules is None else rules) if rule.runs_now]
        if not chosen:
            return
        entry = self._work.pop(path, {})
        for rule in chosen:
            before = entry.get(rule.name, set())
            entry[rule.name] = None if names is None or before is None else before | names
        self._work[path] = entry
        self._want()

    def _buffer(self, path: str) -> str | None:
        document = self.hub.updates.buffers.newest(path)
        return None if document is None else "".join(document.lines)

    def _want(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        self._idle.clear()
        self._wanted.set()

    async def settled(self) -> None:
        """Wait until there is nothing to do."""
        await self._idle.wait()

    # ---- what is done

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._refresh_wanted:
                await self._guarded(self._refresh())
            if self.hub.cold_start.active:
                if not self._waiting:
                    self._waiting = True
                    self.hub.spawn(self._wait_for_cold_start())
                continue
            if self._due_wanted and not self._refresh_wanted:
                await self._guarded(self._find_due())
            if self._work:
                await asyncio.sleep(REST_SECONDS)
            self._begin_progress()
            while self._work and not self._refresh_wanted:
                await self._guarded(self._next())
            self._end_progress()
            if not self._wanted.is_set():
                self._rest()

    async def _wait_for_cold_start(self) -> None:
        await self.hub.cold_start.finished()
        self._waiting = False
        self._want()

    def _rest(self) -> None:
        self._idle.set()
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(_IDLE_SECONDS, lambda: self.hub.spawn(self.sandbox.close()))

    async def _guarded(self, work: Any) -> None:
        """A defect in one piece of work must not end all of it."""
        try:
            await work
        except StoreError as error:
            await self.hub.fail_over(error)
        except Exception:
            self.hub.counters["failed_scripts"] += 1
            log.exception("running scripts of %s failed", self.hub.root)

    async def _next(self) -> None:
        """Run what is newest."""
        paths = list(self._work)[-MOST_FILES:]
        work = {path: self._work.pop(path) for path in paths}
        batch = Batch(self.hub, self.rules, self.files, self.sandbox)
        before = self._states()
        said, missed = await batch.run(work)
        self._missed |= missed
        if said:
            self._tell_nodes(await self.hub.write(ScriptStore(self.hub.recorder.kv).write, said))
        self._advance(len(paths))
        if self._states() != before:
            self._tell()

    def _tell_nodes(self, changed: Changed) -> None:
        """Tell of nodes of which scripts say something else now; to scripts that is no news."""
        self._telling = True
        try:
            self.hub.tell(changed)
        finally:
            self._telling = False

    # ---- which scripts there are

    async def _refresh(self) -> None:
        self._refresh_wanted = False
        hub = self.hub
        unsaved = {Path(hub.paths.absolute(path)): list(texts.values())[-1] for path, texts in self._unsaved.items()}
        found = await hub.store.beside(scripts_of, hub.root, hub.config.scripts_folder, unsaved)
        wanted = self._choose(found)
        before, self.rules = self.rules, {}
        for name, (one, active) in wanted.items():
            old = before.get(name)
            rule = self.rules[name] = old if old is not None and old.found == one else Rule(one, active)
            rule.active = active
        counting = {name: rule.active for name, rule in self.rules.items()}
        self._tell_nodes(await hub.write(ScriptStore(hub.recorder.kv).activate, counting))
        self._tell()
        self._due_wanted = True
        unchecked = [rule for rule in self.rules.values() if rule.active and rule.is_valid and not rule.types_checked]
        if unchecked:
            await asyncio.sleep(REST_SECONDS)  # somebody may be typing
        for rule in unchecked:
            if not self._refresh_wanted:
                await rule.check_types()
                self._tell()

    async def _find_due(self) -> None:
        """Have the scripts look at all that they have not seen."""
        self._due_wanted = False
        hashes = {name: rule.hash for name, rule in self.rules.items() if rule.runs_now}
        if hashes:
            found, _ = await self.hub.store.read(lambda view: due(view, hashes), heavy=True)
            for name, paths in found.items():
                for path in paths:
                    self._add(path, None, [self.rules[name]])

    def _choose(self, found: Mapping[str, Found]) -> dict[str, tuple[Found, bool]]:
        """The scripts that count, and whether they may run. The shipped steps run elsewhere."""
        ours = shipped()
        enabled = set(self.hub.config.rules)
        for name in sorted(enabled - ours.keys() - found.keys()):
            log.warning("the setting rules names %s, which is no script", name)
        chosen = {name: (one, name in enabled) for name, one in ours.items() if name not in STEPS}
        for name, one in found.items():
            if not (one.shipped and name in STEPS):
                active = self.trusted or one.shipped
                if active or name not in enabled:
                    chosen[name] = (one, active)
        return {name: pair for name, pair in chosen.items() if pair[1] or pair[0].origin == "project"}

    # ---- who looks on

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when what is wrong with scripts changed; gives the function that ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def on_progress(self, callback: Callable[[Progress], None]) -> Callable[[], None]:
        """Call back as a run over many files goes on; gives the function that ends that."""
        self._progress_listeners.append(callback)
        return lambda: self._progress_listeners.remove(callback) if callback in self._progress_listeners else None

    def status(self) -> tuple[ScriptStatus, ...]:
        """How each script is doing."""
        pending: dict[str, int] = {}
        for entry in self._work.values():
            for name in entry:
                pending[name] = pending.get(name, 0) + 1
        return tuple(_status(rule, pending.get(name, 0)) for name, rule in sorted(self.rules.items()))

    def _states(self) -> list[Any]:
        return [(rule.name, rule.failure) for rule in self.rules.values()]

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _begin_progress(self) -> None:
        if len(self._work) >= _SHOWN_FILES:
            self.progress.done, self.progress.total, self.progress.active = 0, len(self._work), True
            self._tell_progress()

    def _advance(self, files: int) -> None:
        if self.progress.active:
            self.progress.done += files
            self.progress.total = max(self.progress.total, self.progress.done + len(self._work))
            self._tell_progress()

    def _end_progress(self) -> None:
        if self.progress.active:
            self.progress.active = False
            self._tell_progress()

    def _tell_progress(self) -> None:
        for callback in list(self._progress_listeners):
            callback(self.progress)


def _status(rule: Rule, pending: int) -> ScriptStatus:
    first = next((problem for problem in rule.problems if problem.is_error), None)
    failure = rule.failure
    reason = f"line {first.line}: {first.code} {first.message}" if first else failure.message if failure else None
    return ScriptStatus(
        name=rule.name, path=rule.found.shown, origin=rule.found.origin, state=_state(rule, pending), reason=reason,
        hash=rule.hash, runs=rule.runs, seconds=round(rule.seconds, 3), pending=pending,
    )  # fmt: skip


def _state(rule: Rule, pending: int) -> ScriptState:
    if not rule.active:
        return "untrusted"
    if not rule.is_valid:
        return "invalid"
    if rule.failed:
        return "paused" if rule.is_paused else "failing"
    return "running" if pending else "ready"
