"""What changed in a project since a revision of git, the working tree included."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..analysis.source import decode
from ..errors import GitError, SourceError
from .tree import SUFFIXES

_MERGE_BASE = "..."


class ChangedFile(NamedTuple):
    """A file by its path relative to the root. old: its text then, None where there was none, or no text."""

    path: str
    old: str | None


class Changes(NamedTuple):
    """sources: Python files; others: what else changed. since: the full hash of the revision."""

    since: str
    sources: tuple[ChangedFile, ...]
    others: tuple[str, ...]


def changes_since(root: Path, revision: str = "HEAD") -> Changes:
    """The files below `root` that differ from the revision, untracked ones included.

    `main...` means: since this branch left main. Raises GitError where git is not there, or does not know that.
    """
    since = _resolve(root, revision)
    paths = set(_names(_git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", since, "--", ".")))
    paths |= set(_names(_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")))
    sources = sorted(path for path in paths if path.endswith(SUFFIXES))
    prefix = _git(root, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").strip("\n")
    texts = _texts(root, [f"{since}:{prefix}{path}" for path in sources])
    changed = tuple(ChangedFile(path, text) for path, text in zip(sources, texts, strict=True))
    return Changes(since, changed, tuple(sorted(paths.difference(sources))))


def _resolve(root: Path, revision: str) -> str:
    if revision.startswith("-"):  # nothing that git could take for an option
        raise GitError(f"{revision!r} is no revision of git")
    if revision.endswith(_MERGE_BASE):
        return _git(root, "merge-base", revision.removesuffix(_MERGE_BASE), "HEAD").decode().strip()
    return _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", about=revision).decode().strip()


def _names(answer: bytes) -> Iterator[str]:
    return (name.decode("utf-8", "surrogateescape") for name in answer.split(b"\0") if name)


def _texts(root: Path, objects: Sequence[str]) -> Iterator[str | None]:
    """The texts of `revision:path` objects; None for one that is not there, or is no text of Python."""
    if not objects:
        return
    asked = "\n".join(objects).encode("utf-8", "surrogateescape") + b"\n"
    rest = _git(root, "cat-file", "--batch", given=asked)
    for _ in objects:
        head, _, rest = rest.partition(b"\n")
        if head.endswith((b" missing", b" ambiguous")):
            yield None
            continue
        size = int(head.rpartition(b" ")[2])
        data, rest = rest[:size], rest[size + 1 :]
        try:
            yield decode(data)
        except SourceError:
            yield None


def _git(root: Path, *arguments: str, given: bytes | None = None, about: str = "") -> bytes:
    command = ["git", "-C", str(root), "--no-optional-locks", "-c", "core.quotepath=off", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise GitError("git is not installed, or not on the PATH") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1].removeprefix("fatal: ") if said else f"it knows no revision {about!r}"
        raise GitError(f"git cannot tell what changed in {root}: {reason}")
    return done.stdout
