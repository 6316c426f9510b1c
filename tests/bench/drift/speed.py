"""How fast the history of a project is read: since when each of its docstrings stands."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.hub.history.git import Repository
from remora_hub_lsp.hub.history.rows import decode
from remora_hub_lsp.hub.history.work import Opened, Place, Request, open_history, settle_files

from ..report import Table

MOST_BYTES = 5 * 1024 * 1024


class Reading(NamedTuple):
    """One reading of a history. cpu: seconds, git's included; rows: what there is to keep, by place."""

    opened: Opened
    cpu: float
    wall: float
    rows: dict[Place, bytes]
    seeds: int


def speed(repositories: Sequence[Path], name_of: object) -> None:
    """Print the table."""
    table = Table(
        "Reading the history",
        "In one process, as the hub's worker does it; CPU seconds with git's. Commits are those along first parents; functions x "
        "commits is what would have to be compared one by one. Again: with the newest 10 commits new and the rest known.",
        ["repository", "files", "documented functions", "commits", "file versions", "changed since", "CPU s", "wall s",
         "functions x commits per CPU second", "again, CPU s", "kept, kB"],
    )  # fmt: skip
    for path in repositories:
        git = Repository(path)
        head = git.head()
        commits = sum(1 for _ in git._log("--first-parent", head))
        first = read(git, frozenset(), {}, {})
        functions = sum(len(decode(row)) for row in first.rows.values())
        table.row(
            path.parent.name.rpartition("+")[2], len(first.rows), functions, commits,
            sum(task.cost - 1 for task in first.opened.tasks), first.seeds, f"{first.cpu:.1f}", f"{first.wall:.1f}",
            f"{functions * commits / first.cpu / 1e6:.1f} million", "", sum(map(len, first.rows.values())) // 1000,
        )  # fmt: skip
    table.print()


def read(git: Repository, known: frozenset[Place], used: dict[str, str], rows: dict[Place, bytes]) -> Reading:
    """Read a history of which some is known."""
    files = dict.fromkeys(git.files(git.head()), "")
    before, started = _cpu(), time.perf_counter()
    opened = open_history(Request(str(git.root), files, known, used, MOST_BYTES))
    assert isinstance(opened, Opened), opened
    found, seeds = dict(rows), 0
    for at in range(0, len(opened.tasks), 50):
        answer = settle_files(str(git.root), opened.tasks[at : at + 50], rows)
        assert isinstance(answer, list), answer
        found |= {(one.path, one.blob): one.row for one in answer}
        seeds += sum(seed.since_ns > 0 for one in answer for seed in one.seeds)
    return Reading(opened, _cpu() - before, time.perf_counter() - started, found, seeds)


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
