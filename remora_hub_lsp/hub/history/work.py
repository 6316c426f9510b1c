"""What a worker process does of the history: reads the repository, and settles some files at a time.

The process keeps the files' versions between its jobs. What it answers is small, so that the hub stays small, too.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ...errors import GitError
from ...index.drift import Seed
from ...index.history import Place
from .documented import Documented, documented
from .git import Contents, Repository
from .rows import decode, encode
from .walk import Chain, Settled, chains, settle

NICE = 19


class Request(NamedTuple):
    """What the hub knows: its files with their hashes, what it has kept, and which blob of a path it has used."""

    root: str
    files: Mapping[str, str]
    known: frozenset[Place]
    used: Mapping[str, str]
    most_bytes: int


class Task(NamedTuple):
    """A file at HEAD of which history is not known or not used. base: whose kept row is needed; cost: versions."""

    path: str
    blob: str
    base: Place | None
    cost: int


class Opened(NamedTuple):
    """The repository's HEAD and what there is to do. shallow: its history begins somewhere in the middle."""

    head: str
    shallow: bool
    tasks: list[Task]


class Settlement(NamedTuple):
    """What was found of a file: as a row to keep, and as seeds for the memory of docstrings."""

    path: str
    blob: str
    row: bytes
    seeds: list[Seed]


class _Session(NamedTuple):
    git: Repository
    request: Request
    chains: dict[str, Chain]


_sessions: dict[str, _Session] = {}


def open_history(request: Request) -> Opened | str:
    """Read the log as far as needed; a text is the reason why that is not possible."""
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: Windows has no nice
        os.nice(NICE - os.nice(0))
    try:
        git = Repository(Path(request.root))
        head = git.head()
        blobs = {path: blob for path, blob in git.files(head).items() if path in request.files}
        todo = [path for path, blob in blobs.items() if request.used.get(path) != blob]
        walk = [path for path in todo if (path, blobs[path]) not in request.known]
        found = chains(git.log(head), walk, request.known) if walk else {}
        _sessions[request.root] = _Session(git, request, found)
        tasks = [_task(path, blobs[path], found.get(path)) for path in todo]
        return Opened(head, git.shallow, tasks)
    except GitError as error:
        return str(error)


def _task(path: str, blob: str, chain: Chain | None) -> Task:
    if chain is None:
        return Task(path, blob, (path, blob), 1)
    return Task(path, blob, chain.base, len(chain.versions) + 1)


def settle_files(root: str, tasks: Iterable[Task], rows: Mapping[Place, bytes]) -> list[Settlement] | str | None:
    """Settle files of the session opened last. rows: of the tasks' bases.

    None where there is no such session (any more), a text for a reason.
    """
    session = _sessions.get(root)
    if session is None:
        return None
    try:
        with session.git.contents(session.request.most_bytes) as contents:
            return [_settled(session, task, rows, contents) for task in tasks]
    except GitError as error:
        return str(error)


def _settled(session: _Session, task: Task, rows: Mapping[Place, bytes], contents: Contents) -> Settlement:
    chain = session.chains.pop(task.path, None) or Chain(task.path, [], (task.path, task.blob))
    base = decode(rows[chain.base]) if chain.base and chain.base in rows else {}
    versions = contents.of(chain.blobs)
    data = next(versions, None)
    found = settle(chain, base, itertools.chain([data], versions))
    versions.close()
    # Where the file is not what was committed, or history told something else of it before, all of it is news.
    request = session.request
    whole = task.path in request.used or sha256(data or b"").hexdigest() != request.files[task.path]
    now = (documented(data or b"") or {}) if whole else {}
    seeds = [seed for name, one in found.items() if (seed := _seed(name, one, now.get(name))) is not None]
    return Settlement(task.path, task.blob, encode(found), seeds)


def _seed(name: str, settled: Settled, now: Documented | None) -> Seed | None:
    pair = settled.pair or (now.pair if now is not None else None)
    if pair is None:
        return None
    left = settled.left
    return Seed(name, pair, left.date * 10**9 if left else 0, left and left.id, left and left.author)
