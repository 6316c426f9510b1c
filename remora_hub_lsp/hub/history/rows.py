"""What history tells of a file, as bytes that are kept."""

from __future__ import annotations

import json

from ...analysis.drift import Pair
from .git import Commit
from .walk import Settled

# Raise it when what is found changes: what was kept before is then found anew.
FORMAT = 1


def encode(settled: dict[str, Settled]) -> bytes:
    """Each commit is written once, each function refers to its commits by number."""
    commits: dict[Commit, int] = {}

    def number(commit: Commit | None) -> int | None:
        return None if commit is None else commits.setdefault(commit, len(commits))

    functions = {name: (number(one.commit), one.pair, number(one.left)) for name, one in settled.items()}
    return json.dumps([list(commits), functions], separators=(",", ":")).encode()  # ASCII: lone surrogates survive


def decode(row: bytes) -> dict[str, Settled]:
    """What `encode` was given."""
    written, functions = json.loads(row)
    commits = [Commit(*one) for one in written]
    return {
        name: Settled(commits[commit], pair and _pair(pair), None if left is None else commits[left])
        for name, (commit, pair, left) in functions.items()
    }


def _pair(values: list[object]) -> Pair:
    return Pair(*(tuple(value) if isinstance(value, list) else value for value in values))  # type: ignore[arg-type]
