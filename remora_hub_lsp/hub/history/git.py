"""Reading a git repository with the `git` program: what each commit changed, and what files contained.

Nothing here runs a shell, a hook, a pager, a textconv or a network transport, or writes to the repository.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from ...errors import GitError

_QUIET = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_PATTERNS = ("*.py", "*.pyi")
_CHUNK = 1 << 16
# Blobs that are asked for before they are needed, so that git works meanwhile.
_AHEAD = 32
_PIPE_BYTES = 1 << 20


class Commit(NamedTuple):
    """A commit's id (hex), its author's date in seconds since 1970, UTC, and the author's name."""

    id: str
    date: int
    author: str = ""


class Change(NamedTuple):
    """What a commit did to a file: letter of `git diff --raw`; old_path differs from path after a rename.

    old_blob, blob: the ids of the content before and after it, "" where there was none (or a link, a submodule).
    """

    kind: str
    old_path: str
    path: str
    old_blob: str
    blob: str


class Repository:
    """The repository that the folder `root` lies in, and what of it is below `root`. Paths are relative to `root`.

    Raises GitError, as every method does, where there is no git, no repository, or git refuses to read it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefix = self._say("rev-parse", "--show-prefix").rstrip("\n")
        if self._say("config", "--get-regexp", r"^remote\..*\.promisor$", may_fail=True).strip():
            raise GitError("the clone is partial: its history would have to be downloaded file by file")

    @property
    def shallow(self) -> bool:
        """Whether the clone has only the newest part of the history."""
        return self._say("rev-parse", "--is-shallow-repository").strip() == "true"

    def head(self) -> str:
        """The commit that is checked out."""
        return head_of(self.root)

    def files(self, commit: str) -> dict[str, str]:
        """The Python files of a commit, and their blobs."""
        found = {}
        out = _run(self.root, "ls-tree", "-r", "-z", commit, "--", ".")
        for entry in filter(None, out.split(b"\0")):
            head, _, name = entry.partition(b"\t")
            mode, _, blob = head.decode("ascii").split(" ")
            path = os.fsdecode(name)
            if mode.startswith("100") and path.endswith((".py", ".pyi")):
                found[path] = blob
        return found

    def log(self, commit: str, *, until: str | None = None) -> Iterator[tuple[Commit, list[Change]]]:
        """The commits that changed Python files, newest first, along first parents: a merge counts as one change.

        until: neither this commit nor what came before it.
        """
        yield from self._log("--first-parent", commit, *([f"^{until}"] if until else []))

    def log_of_all(self, commit: str) -> Iterator[tuple[Commit, list[Change]]]:
        """Every commit that changed Python files but merges, oldest first, those of a branch side by side."""
        yield from self._log("--no-merges", "--topo-order", "--reverse", commit)

    def _log(self, *which: str) -> Iterator[tuple[Commit, list[Change]]]:
        command = [
            "log", "-z", "--raw", "--no-abbrev", "-M", "--relative", "--no-ext-diff", "--no-textconv", "--no-color",
            "--no-notes", "--format=tformat:%x01%H %at %aN", *which,
        ]  # fmt: skip
        with self._open(*command, "--", *_PATTERNS) as (_, output):
            yield from _commits(_tokens(output))

    @contextlib.contextmanager
    def contents(self, most_bytes: int) -> Iterator[Contents]:
        """Reads the contents of blobs while it is open; those with more than `most_bytes` are left out."""
        with self._open("cat-file", "--batch") as (requests, answers):
            yield Contents(requests, answers, most_bytes)

    def _say(self, *arguments: str, may_fail: bool = False) -> str:
        return os.fsdecode(_run(self.root, *arguments, may_fail=may_fail))

    @contextlib.contextmanager
    def _open(self, *arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """Standard input and output of a git that runs meanwhile. Raises GitError if it fails, at the end."""
        with tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    _command(self.root, arguments),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=_environment(),
                    pipesize=_PIPE_BYTES,
                )  # fmt: skip
            except OSError as error:
                raise _no_git(error) from error
            assert process.stdin
            assert process.stdout
            complete = False
            try:
                yield process.stdin, process.stdout
                complete = True
            finally:
                if not complete:
                    process.kill()
                with contextlib.suppress(OSError):
                    process.stdin.close()
                process.stdout.close()
                code = process.wait()
            if code:
                errors.seek(0)
                raise GitError(_why(arguments, errors.read()))

class Contents:
    """A `git cat-file --batch` that answers."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes], most_bytes: int) -> None:
        self._requests = requests
        self._answers = answers
        self._most = most_bytes

    def of(self, blobs: Sequence[str]) -> Generator[bytes | None, None, None]:
        """The contents of blobs, in this order; None for one that is missing or too big. Use one at a time to its end
        or close it.
        """
        asked = given = 0
        try:
            while given < len(blobs):
                upto = min(given + _AHEAD, len(blobs))
                if asked < upto:
                    self._ask(blobs[asked:upto])
                    asked = upto
                data = self._answer()
                given += 1
                yield data
        finally:
            for _ in range(asked - given):
                self._answer()

    def _ask(self, blobs: Sequence[str]) -> None:
        try:
            self._requests.write("".join(f"{blob}\n" for blob in blobs).encode("ascii"))
            self._requests.flush()
        except OSError as error:
            raise _STOPPED from error

    def _answer(self) -> bytes | None:
        head = self._answers.readline().split()
        if not head:
            raise _STOPPED
        if len(head) != 3:  # missing
            return None
        size = int(head[2])
        data = None
        if size <= self._most and head[1] == b"blob":
            data = self._answers.read(size)
        else:
            _skip(self._answers, size)
        self._answers.read(1)
        return data


_STOPPED = GitError("git stopped giving the contents of files")


def head_of(root: Path) -> str:
    """The commit that is checked out in the repository around `root`. Raises GitError, also where there is none."""
    if not any(os.path.lexists(folder / name) for folder in (root, *root.parents) for name in (".git", "objects")):
        raise GitError("it is no git repository")
    head = _run(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", may_fail=True).decode("ascii").strip()
    if not head:
        raise GitError("there is no commit yet")
    return head


def _run(root: Path, *arguments: str, may_fail: bool = False) -> bytes:
    try:
        done = subprocess.run(_command(root, arguments), capture_output=True, env=_environment(), check=False)
    except OSError as error:
        raise _no_git(error) from error
    if done.returncode and not (may_fail and done.returncode == 1):
        raise GitError(_why(arguments, done.stderr))
    return done.stdout


def _command(root: Path, arguments: Sequence[str]) -> list[str]:
    return ["git", "-C", str(root), *_QUIET, *arguments]


def _environment() -> dict[str, str]:
    """This process's, without what would lead git to another repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **_ENVIRONMENT}


def _skip(output: IO[bytes], size: int) -> None:
    while size > 0 and (part := output.read(min(size, _CHUNK))):
        size -= len(part)


def _tokens(output: IO[bytes]) -> Iterator[bytes]:
    """What stands between NUL bytes."""
    rest = b""
    while part := output.read(_CHUNK):
        *whole, rest = (rest + part).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _commits(tokens: Iterator[bytes]) -> Iterator[tuple[Commit, list[Change]]]:
    commit: Commit | None = None
    changes: list[Change] = []
    for token in tokens:
        token = token.lstrip(b"\n")
        if token.startswith(b"\x01"):
            if commit is not None:
                yield commit, changes
            id, date, author = token[1:].decode("utf-8", "replace").split(" ", 2)
            commit, changes = Commit(id, int(date), author), []
        elif token.startswith(b":"):
            old_mode, mode, old_blob, blob, kind = token.decode("ascii").split(" ")
            old = path = os.fsdecode(next(tokens))
            if kind[0] in "RC":
                path = os.fsdecode(next(tokens))
            before, after = (old_blob if old_mode.startswith(":100") else ""), (blob if mode.startswith("100") else "")
            changes.append(Change(kind[0], old, path, before, after))
    if commit is not None:
        yield commit, changes


def _no_git(error: OSError) -> GitError:
    if isinstance(error, FileNotFoundError):
        return GitError("there is no git on the PATH")
    return GitError(f"git cannot be started: {error.strerror or error}")


def _why(arguments: Sequence[str], stderr: bytes) -> str:
    text = os.fsdecode(stderr).strip()
    if "dubious ownership" in text:
        return "the repository belongs to another user, so git refuses to read it (see git help safe.directory)"
    if "not a git repository" in text:
        return "it is no git repository"
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in text.splitlines()]
    return f"git {arguments[0]} failed: {lines[0][:300] if lines else 'without a word'}"
