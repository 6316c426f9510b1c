"""A repository's whole history -> events: a function's signature changed and its docstring did not."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.hub.history.git import Change, Commit, Repository

from .functions import Function, Functions

MOST_BYTES = 2_000_000
TEST = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*\Z|conftest\.py\Z)")


class Step(NamedTuple):
    """What one commit made of a function; None where there was none, or none documented."""

    commit: Commit
    before: Function | None
    after: Function | None


class Event(NamedTuple):
    """A signature changed under a docstring that did not.

    later: what later commits made of the same docstring, and of what they made of it. last: the last commit's date.
    """

    place: str
    commit: Commit
    before: Function
    after: Function
    later: tuple[Step, ...]
    last: int


def events_of(repository: Path) -> list[Event]:
    """All events in the history of HEAD, oldest first. One that was picked into several branches counts once."""
    git = Repository(repository)
    commits = list(git.log_of_all(git.head()))
    last = max(commit.date for commit, _ in commits)
    found: dict[tuple[str, str, str, str], Event] = {}
    for place, steps in _steps(git, commits).items():
        for number, step in enumerate(steps):
            before, after = step.before, step.after
            if before and after and before.docstring == after.docstring and before.signature != after.signature:
                later = tuple(_later(steps[number + 1 :], after.docstring))
                event = Event(place, step.commit, before, after, later, last)
                found.setdefault((place, before.signature, after.signature, after.docstring), event)
    return sorted(found.values(), key=lambda event: event.commit.date)


def _later(steps: list[Step], docstring: str) -> Iterator[Step]:
    """The steps that go on from a docstring: branches that run side by side are told apart by it."""
    for step in steps:
        if step.before is not None and step.before.docstring == docstring:
            yield step
            if step.after is None:
                return
            docstring = step.after.docstring


def _steps(git: Repository, commits: list[tuple[Commit, list[Change]]]) -> dict[str, list[Step]]:
    """By function, the commits that changed its signature or docstring; a file keeps its first path."""
    found: dict[str, list[Step]] = {}
    first_path: dict[str, str] = {}
    for commit, change, before, after in _pairs(git, commits):
        path = first_path.setdefault(change.path, first_path.get(change.old_path, change.old_path))
        for name in before.keys() | after.keys():
            old, new = before.get(name), after.get(name)
            if (old and old[:2]) != (new and new[:2]):
                found.setdefault(f"{path}:{name}", []).append(Step(commit, old, new))
    return found


def _pairs(git: Repository, commits: list[tuple[Commit, list[Change]]]
           ) -> Iterator[tuple[Commit, Change, Mapping[str, Function], Mapping[str, Function]]]:  # fmt: skip
    """Every change of files that are no tests with the functions that it touched, where both texts parse."""
    commits = [(commit, [one for one in changes if not TEST.search(one.path)]) for commit, changes in commits]
    uses = Counter(blob for _, changes in commits for change in changes for blob in (change.old_blob, change.blob))
    reader = Functions()
    kept: dict[str, bytes] = {}
    with git.contents(MOST_BYTES) as contents:
        data = contents.of([blob for blob in uses if blob])  # in the order of their first use

        def content(blob: str) -> bytes:
            if not blob:
                return b""
            if blob not in kept:
                kept[blob] = next(data) or b"\0"
            uses[blob] -= 1
            return kept[blob] if uses[blob] else kept.pop(blob)

        for commit, changes in commits:
            for change in changes:
                functions = reader.changed(content(change.old_blob), content(change.blob))
                if functions is not None:
                    yield commit, change, *functions


warnings.simplefilter("ignore", SyntaxWarning)  # old code is full of invalid escapes
