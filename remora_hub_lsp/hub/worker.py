"""Files -> rows, here or in a worker process.

A worker is this module's `main`: requests and answers are pickles with their length before them, on stdin and
stdout. It ends when its stdin does, so it never outlives the hub. It imports as little as it can.
"""

from __future__ import annotations

import errno
import gc
import os
import pickle
import re
import struct
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..analysis.facts import Item
from ..analysis.segments import SegmentedText, extract
from ..analysis.source import decode
from ..errors import SourceError
from ..index.building import Builder, Built
from ..index.resolver import Followed, Resolver
from ..index.rows import FileRows, encode
from ..index.schema import open_reader
from ..regular import open_regular

LENGTH = struct.Struct("!Q")
_DEFINED = re.compile(rb"^[ \t\f]*(?:async[ \t]+def|def|class)[ \t]+([\w\x80-\xff]+)", re.MULTILINE)


class Task(NamedTuple):
    """One file to analyse. known_hash: its hash in the index, or ''."""

    path: str
    absolute: str
    known_hash: str


class Outcome(NamedTuple):
    """What became of a file: `rows` is None where its bytes did not change; `gone` where there is no file."""

    path: str
    size: int
    mtime_ns: int
    scanned_ns: int
    rows: FileRows | None
    gone: bool = False


def analyse(task: Task, max_size: int) -> Outcome:
    """Read one file and make its rows. A file that cannot be read or decoded has rows with an error."""
    scanned = time.time_ns()
    size = mtime = 0
    try:
        with open_regular(task.absolute) as file:
            status = os.fstat(file.fileno())
            size, mtime = status.st_size, status.st_mtime_ns
            if size > max_size:
                message = f"{size:,} bytes are more than the setting max_file_size ({max_size:,}) allows"
                return Outcome(task.path, size, mtime, scanned, failed_rows(task.path, "", message, None))
            data = file.read(max_size + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return Outcome(task.path, size, mtime, scanned, None, gone=True)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            return Outcome(task.path, size, mtime, scanned, None, gone=True)
        return Outcome(
            task.path, size, 0, scanned, failed_rows(task.path, "", f"cannot be read: {error.strerror}", None)
        )
    digest = sha256(data).hexdigest()
    if digest == task.known_hash:
        return Outcome(task.path, size, mtime, scanned, None)
    return Outcome(task.path, size, mtime, scanned, rows_of(task.path, data, digest))


def rows_of(path: str, data: bytes, digest: str) -> FileRows:
    """The rows of a file with these bytes."""
    try:
        return encode(path, extract(decode(data), digest))
    except SourceError as error:
        return failed_rows(path, digest, str(error), error.line)


def failed_rows(path: str, digest: str, message: str, line: int | None) -> FileRows:
    """Rows of a file that gave no facts at all."""
    return FileRows(path, digest, 0, 0, message, line, b"[]", b"[]", [], [])


def analyse_batch(tasks: Sequence[Task], max_size: int) -> list[Outcome]:
    """Several files."""
    return [analyse(task, max_size) for task in tasks]


def scan_names(tasks: Sequence[Task], max_size: int) -> list[tuple[str, str]]:
    """Path and "\\nname\\nname\\n" in lower case of what the files seem to define, by one look at their lines."""
    found = []
    for task in tasks:
        try:
            with open_regular(task.absolute) as file:
                names = _DEFINED.findall(file.read(max_size))
        except (OSError, ValueError):
            continue  # its analysis will say why
        if names:
            found.append((task.path, b"\n".join([b"", *names, b""]).decode(errors="replace").lower()))
    return found


def cut_up(lines: list[str]) -> tuple[list[Item], bool]:
    """A text's segments, and whether it parses as a whole."""
    text = SegmentedText(lines)
    return text.items, not text.broken


def history(job: str, *arguments: Any) -> Any:
    """A job of history/work.py, which only the process that does it needs to know."""
    from .history import work

    jobs: dict[str, Callable[..., Any]] = {"open": work.open_history, "settle": work.settle_files}
    return jobs[job](*arguments)


def ready() -> None:
    """Nothing but being there."""


# What the jobs on one call graph have between them.
_graph: list[Builder] = []
_resolver: list[Resolver] = []


def begin_graph(database: str) -> None:
    """Begin to work the call graph out, with nothing known of it."""
    _graph[:] = [Builder(open_reader(Path(database)))]


def graph_flows(paths: list[str]) -> None:
    """What files pass to parameters: all of them before the first edges."""
    _graph[0].flows(paths)


def graph_edges(paths: list[str]) -> list[Built]:
    """The files' graphs."""
    return _graph[0].edges(paths)


def graph_rests() -> bytes:
    """Some of what they rest on; empty when there is no more."""
    return _graph[0].rests()


def begin_following(database: str) -> None:
    """Begin to let the call graph follow changes."""
    _resolver[:] = [Resolver(open_reader(Path(database)))]


def graph_follow(most: int, refused: Sequence[str]) -> Followed:
    """What changes have left to be worked out, `most` files of it. refused: see Resolver.follow."""
    return _resolver[0].follow(most, refused)


def graph_warm(path: str) -> None:
    """Know what there is to know of a file that is going to be edited."""
    _resolver[0].warm(path)


_JOBS: dict[str, Callable[..., Any]] = {
    "ready": ready,
    "analyse_batch": analyse_batch, "cut_up": cut_up, "scan_names": scan_names, "history": history,
    "begin_graph": begin_graph, "graph_flows": graph_flows, "graph_edges": graph_edges,
    "graph_rests": graph_rests,
    "begin_following": begin_following, "graph_follow": graph_follow, "graph_warm": graph_warm,
}  # fmt: skip


def main() -> None:
    """Serve jobs until stdin ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints can get between the answers
    # The trees of a file go by reference count; the collector would only walk them.
    gc.freeze()
    gc.disable()
    while (request := _read(requests)) is not None:
        name, arguments = pickle.loads(request)
        answer = pickle.dumps(_JOBS[name](*arguments), protocol=5)
        try:
            answers.write(LENGTH.pack(len(answer)))
            answers.write(answer)
            answers.flush()
        except BrokenPipeError:  # who asked was killed
            os._exit(0)


def _read(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None
