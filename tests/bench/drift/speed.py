"""How fast the history of a project is read: since when each of its docstrings stands."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.hub.history.git import Repository
from remora_hub_lsp.hub.history.rows import decode
from remora_hub_lsp.hub.history.work import Opened, Place, Request, open_history, settle_files

from ..report import Table

MOST_BYTES = 5 * 1024 * 1024
NEW = 10


class Reading(NamedTuple):
    """One reading of a history. cpu: seconds, git's included; rows: what there is to keep, by place."""

    opened: Opened
    cpu: float
    wall: float
    rows: dict[Place, bytes]
    seeds: int


def speed(repositories: Sequence[Path], name_of: Callable[[Path], str]) -> None:
    """Print the table."""
    table = Table(
        "Reading the history",
        "In one process, as the hub's worker does it, and at its low priority; CPU seconds with git's. Commits: those along first "
        "parents. functions x commits: what would have to be compared one by one. Again: when the newest "
        f"{NEW} commits are new and what was before is known.",
        ["repository", "files", "documented", "commits", "file versions", "left behind", "CPU s", "functions x commits / CPU s",
         "again: files", "again: CPU s", "kept, kB"],
    )  # fmt: skip
    for path in repositories:
        with tempfile.TemporaryDirectory() as folder:
            row(table, name_of(path), path, Path(folder))
    table.print()


def row(table: Table, name: str, path: Path, folder: Path) -> None:
    run("clone", "-q", "--bare", "--shared", str(path), str(folder), at=path)
    git = Repository(folder)
    head = git.head()
    commits = run("rev-list", "--first-parent", head, at=folder).split()
    run("update-ref", "--no-deref", "HEAD", commits[NEW], at=folder)
    first = read(git, {}, {})
    run("update-ref", "--no-deref", "HEAD", head, at=folder)
    again = read(git, first.rows, dict(first.rows.keys()))
    functions = sum(len(decode(data)) for data in first.rows.values())
    table.row(
        name, len(first.rows), f"{functions:,}", f"{len(commits):,}",
        f"{sum(task.cost - 1 for task in first.opened.tasks):,}", first.seeds, f"{first.cpu:.1f}",
        f"{functions * len(commits) / first.cpu / 1e6:.1f} million", len(again.opened.tasks), f"{again.cpu:.2f}",
        sum(map(len, first.rows.values())) // 1000,
    )  # fmt: skip


def read(git: Repository, rows: dict[Place, bytes], used: dict[str, str]) -> Reading:
    """Read a history of which `rows` are known."""
    files = dict.fromkeys(git.files(git.head()), "")
    before, started = _cpu(), time.perf_counter()
    opened = open_history(Request(str(git.root), files, frozenset(rows), used, MOST_BYTES))
    assert isinstance(opened, Opened), opened
    found, seeds = dict(rows), 0
    for at in range(0, len(opened.tasks), 50):
        answer = settle_files(str(git.root), opened.tasks[at : at + 50], rows)
        assert isinstance(answer, list), answer
        found |= {(one.path, one.blob): one.row for one in answer}
        seeds += sum(seed.since_ns > 0 for one in answer for seed in one.seeds)
    return Reading(opened, _cpu() - before, time.perf_counter() - started, found, seeds)


def run(*arguments: str, at: Path) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=at, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
