"""One piece of work: some scripts over some nodes of some files.

A script is sent only the nodes whose facts it has not seen.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...analysis.source import decode
from ...analysis.text import split_lines
from ...errors import LimitError, ScriptError, SourceError
from ...index.script_store import Said
from ...index.scripts import Seen, seen
from ...index.steps import Json, run_shipped
from ...index.view import IndexView
from .externals import ProjectFiles, raw_facts
from .limits import DEFAULT
from .results import facts_hash, facts_of, own_texts, read_entries, read_records
from .rule import Rule
from .sandbox import Sandbox

if TYPE_CHECKING:
    from ..hub import Hub

# By path and script, the qualnames of the nodes to look at; None: all.
Work = dict[str, dict[str, set[str] | None]]

# Nodes that one run is given, about.
MOST_NODES = 600
# Seconds that the runs of one script may take for one piece of work, and so for one change.
TOTAL_SECONDS = 6.0


@dataclass(slots=True)
class Job:
    """One script over one file. hashes: of the facts of all that was looked at; sent: the nodes it has not seen so."""

    path: str
    before: Seen | None
    hashes: dict[str, str]
    sent: list[Json]
    whole: bool


@dataclass(slots=True)
class _File:
    """A file's nodes that were read, what scripts have seen of it, and its own texts where one of them asks."""

    states: list[Json]
    seen: dict[str, Seen]
    texts: dict[str, str] | None = None


class Batch:
    """rules: by name, as they are now."""

    def __init__(self, hub: Hub, rules: Mapping[str, Rule], files: ProjectFiles, sandbox: Sandbox) -> None:
        self._hub = hub
        self._rules = rules
        self._files = files
        self._sandbox = sandbox

    async def run(self, work: Work) -> tuple[list[Said], Work]:
        """What the scripts say, to be written, and the work that could not be done before its file changes again."""
        work = {path: entry for path in work if (entry := self._runnable(work[path]))}
        many = len(work) > 1 or any(names is None for entry in work.values() for names in entry.values())
        files, revision = await self._hub.store.read(lambda view: self._read(view, work), heavy=many)
        await self._read_texts(work, files)
        said: list[Said] = []
        missed: Work = {}
        for name in dict.fromkeys(name for entry in work.values() for name in entry):
            rule = self._rules[name]
            jobs = []
            for path, file in files.items():
                if name in work[path] and rule.takes_text and file.texts is None:
                    missed.setdefault(path, {})[name] = work[path][name]
                elif name in work[path]:
                    jobs.append(self._job(rule, path, work[path][name], file))
            said += [_said(rule, job, results, revision) for job, results in await self._run(rule, jobs)]
        return said, missed

    def _runnable(self, entry: dict[str, set[str] | None]) -> dict[str, set[str] | None]:
        return {name: names for name, names in entry.items() if name in self._rules and self._rules[name].runs_now}

    # ---- what there is to send

    def _read(self, view: IndexView, work: Work) -> dict[str, _File]:
        found = {}
        for path, entry in work.items():
            whole = any(names is None or self._rules[name].takes_text for name, names in entry.items())
            if whole:
                states = view.nodes_of(path)
            else:
                wanted = set().union(*(names for names in entry.values() if names))
                states = list(view.nodes((path, name) for name in sorted(wanted)).values())
            if states:
                found[path] = _File(states, seen(view, path, list(entry)))
        return found

    async def _read_texts(self, work: Work, files: dict[str, _File]) -> None:
        """The nodes' texts, for the scripts that ask for them. A file that is changing just now is missed."""
        wanted = [path for path in files if any(self._rules[name].takes_text for name in work[path])]
        on_disk = []
        for path in wanted:
            document = self._hub.updates.buffers.newest(path)
            if document is None:
                on_disk.append(path)
            elif document.version == files[path].states[0]["version"]:
                files[path].texts = own_texts(files[path].states, list(document.lines))
        if on_disk:
            texts = await self._hub.store.beside(self._texts_on_disk, {path: files[path].states for path in on_disk})
            for path, found in texts.items():
                files[path].texts = found

    def _texts_on_disk(self, wanted: Mapping[str, list[Json]]) -> dict[str, dict[str, str]]:
        found = {}
        for path, states in wanted.items():
            try:
                with open(self._hub.paths.absolute(path), "rb") as file:
                    data = file.read()
                if hashlib.sha256(data).hexdigest() == states[0]["file_hash"]:
                    found[path] = own_texts(states, split_lines(decode(data)))
            except (OSError, SourceError):  # its change will be told
                continue
        return found

    def _job(self, rule: Rule, path: str, names: set[str] | None, file: _File) -> Job:
        before = file.seen.get(rule.name)
        if before is not None and before.script_hash != rule.hash:
            before, names = None, None
        states = [state for state in file.states if names is None or state["qualname"] in names]
        hashes = {state["qualname"]: facts_hash(state, rule.fields) for state in states}
        known = before.hashes if before else {}
        texts = file.texts or {}
        sent = [
            facts_of(state, rule.fields, texts.get(state["key"]))
            for state in states
            if known.get(state["qualname"]) != hashes[state["qualname"]]
        ]
        return Job(path, before, hashes, sent, names is None)

    # ---- running

    async def _run(self, rule: Rule, jobs: Sequence[Job]) -> list[tuple[Job, dict[str, Json]]]:
        """Each file's job with what was said of its nodes, by key. Jobs that failed are left out."""
        done: list[tuple[Job, dict[str, Json]]] = [(job, {}) for job in jobs if not job.sent]
        until = time.monotonic() + TOTAL_SECONDS
        chunks = _chunks([job for job in jobs if job.sent], 1 if rule.by_file else MOST_NODES)[::-1]
        while chunks and not rule.is_paused:
            chunk = chunks.pop()
            try:
                results = await self._once(rule, chunk, until)
            except ScriptError as error:
                rule.failed_on([job.path for job in chunk], error)
                if len(chunk) > 1:  # one of the files may be the reason
                    chunks += [[job] for job in reversed(chunk)]
                continue
            rule.succeeded([job.path for job in chunk])
            done += [(job, results) for job in chunk]
            await asyncio.sleep(0)
        return done

    async def _once(self, rule: Rule, jobs: Sequence[Job], until: float) -> dict[str, Json]:
        """What one run says of the nodes, by key."""
        left = until - time.monotonic()
        if left <= 0:
            raise LimitError(f"its runs for one change took more than {TOTAL_SECONDS:g} s", "total")
        limits = DEFAULT.model_copy(update={"max_duration": min(DEFAULT.max_duration, left)})
        path, nodes = jobs[0].path, [node for job in jobs for node in job.sent]
        value = await rule.run(path, nodes, self._files, self._sandbox, limits)
        if not rule.is_step:
            return read_entries(value, {node["key"] for node in nodes})
        text = await self._files.read_file(path)
        shipped = await self._hub.store.beside(_shipped_records, rule.name, path, text)
        return {f"node:{path}:{name}": said for name, said in read_records(value, shipped).items()}


def _shipped_records(name: str, path: str, text: str) -> list[Json]:
    """What the shipped step records of a file."""
    records: list[Json] = run_shipped(name, path, raw_facts(path, text))["nodes"]
    return records


def _said(rule: Rule, job: Job, results: Mapping[str, Json], revision: int) -> Said:
    sent = {node["key"]: node["key"].rpartition(":")[2] for node in job.sent}
    known: dict[str, str] = {} if job.whole or job.before is None else job.before.hashes
    examined = list(job.hashes)
    said: dict[str, Any] = {name: results.get(key) for key, name in sent.items()}
    return Said(job.path, rule.name, rule.hash, revision, known | job.hashes, said, examined)


def _chunks(jobs: Sequence[Job], most: int) -> list[list[Job]]:
    """Jobs together, as long as they do not send more nodes than that."""
    chunks: list[list[Job]] = []
    room = 0
    for job in jobs:
        if not chunks or room < len(job.sent):
            chunks.append([])
            room = most
        chunks[-1].append(job)
        room -= len(job.sent)
    return chunks
