"""One piece of work: some scripts over some nodes of some files.

A script is sent only the nodes whose facts it has not seen.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...analysis.source import decode
from ...analysis.text import split_lines
from ...errors import LimitError, ScriptError, SourceError
from ...index.script_store import Said
from ...index.scripts import Seen, seen
from ...index.steps import Json, run_shipped
from ...index.view import IndexView
from ...regular import read_bytes
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
    """One script over one file.

    hashes: of the facts of all nodes that were looked at. states: of those that it has not seen so; sent: their facts.
    """

    path: str
    before: Seen | None
    hashes: dict[str, str]
    states: list[Json]
    whole: bool
    sent: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    """A file's nodes that were read, and what scripts have seen of it."""

    states: list[Json]
    seen: dict[str, Seen]


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
        jobs = {name: [self._job(self._rules[name], path, work[path][name], file) for path, file in files.items()
                       if name in work[path]]
                for name in dict.fromkeys(name for entry in work.values() for name in entry)}  # fmt: skip
        missed = await self._fill(jobs)
        said: list[Said] = []
        for name, chosen in jobs.items():
            ready = [job for job in chosen if name not in missed.get(job.path, {})]
            results = await self._run(self._rules[name], ready)
            said += [_said(self._rules[name], job, found, revision) for job, found in results]
        return said, missed

    def _runnable(self, entry: dict[str, set[str] | None]) -> dict[str, set[str] | None]:
        return {name: names for name, names in entry.items() if name in self._rules and self._rules[name].runs_now}

    # ---- what there is to send

    def _read(self, view: IndexView, work: Work) -> dict[str, _File]:
        found = {}
        for path, entry in work.items():
            joined = any(self._rules[name].takes_joined for name in entry)
            view.joins_tests = any("related_tests" in self._rules[name].fields for name in entry)
            if any(names is None for names in entry.values()):
                states = view.nodes_of(path, joined=joined)
            else:
                wanted = set().union(*(names for names in entry.values() if names))
                states = list(view.nodes(((path, name) for name in sorted(wanted)), joined=joined).values())
            if states:
                found[path] = _File(states, seen(view, path, list(entry)))
        return found

    async def _fill(self, jobs: Mapping[str, Sequence[Job]]) -> Work:
        """Put together what is sent; gives the work for which a file's text cannot be had, as it is changing."""
        hashes = {job.path: job.states[0]["file_hash"] for name, chosen in jobs.items() for job in chosen
                  if job.states and self._rules[name].takes_text}  # fmt: skip
        texts = await self._texts(hashes) if hashes else {}
        missed: Work = {}
        for name, chosen in jobs.items():
            rule = self._rules[name]
            for job in chosen:
                if rule.takes_text and job.states and job.path not in texts:
                    missed.setdefault(job.path, {})[name] = None if job.whole else set(job.hashes)
                    continue
                known = texts.get(job.path, {})
                job.sent = [facts_of(state, rule.fields, known.get(state["key"])) for state in job.states]
        return missed

    async def _texts(self, hashes: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """The nodes' own texts by key, of the files that still are of these hashes."""

        def question(view: IndexView) -> dict[str, list[Json]]:
            return {path: view.nodes_of(path, joined=False) for path in hashes}

        files, _ = await self._hub.store.read(question, heavy=len(hashes) > 1)
        found, on_disk = {}, {}
        for path, states in files.items():
            document = self._hub.updates.buffers.newest(path)
            if not states or states[0]["file_hash"] != hashes[path]:
                continue
            if document is None:
                on_disk[path] = states
            elif document.version == states[0]["version"]:
                found[path] = own_texts(states, list(document.lines))
        return found | (await self._hub.store.beside(self._texts_on_disk, on_disk) if on_disk else {})

    def _texts_on_disk(self, wanted: Mapping[str, list[Json]]) -> dict[str, dict[str, str]]:
        found = {}
        for path, states in wanted.items():
            try:
                data = read_bytes(self._hub.paths.absolute(path))
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
        new = [state for state in states if known.get(state["qualname"]) != hashes[state["qualname"]]]
        return Job(path, before, hashes, new, names is None)

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
    return Said(job.path, rule.name, rule.hash, revision, known | job.hashes, said, examined, job.whole)


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
