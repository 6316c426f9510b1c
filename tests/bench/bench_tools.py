"""Indexing a whole project: this server, bare parsing, ctags, and the written guide's design taken literally."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from .bench_graph import COLD
from .bench_index import bare_parse, index
from .measure import Cost, Series, adopt_orphans, run
from .projects import files_of
from .report import Table

GUIDE = "the guide's design, taken literally"


class Made(NamedTuple):
    """What indexing cost, the bytes that it left on disk, and how many definitions those hold."""

    cost: Cost
    size: int = 0
    names: int = 0


Tool = Callable[[Path], Made]


def bench(root: Path, rounds: int) -> None:
    """Print the table."""
    adopt_orphans()
    files = files_of(root)
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder, "files")
        listing.write_text("\0".join(files), encoding="utf-8")
        Path(folder, "lines").write_text("\n".join(files), encoding="utf-8")
        tools = tools_for(root, Path(folder))
        made: dict[str, list[Made]] = {name: [] for name in tools}
        for number in range(rounds):
            where = Path(folder, str(number))
            where.mkdir()
            for name, tool in tools.items():
                if number and name == GUIDE:
                    continue  # minutes, a commit for each node: once is enough
                made[name].append(tool(where))
            shutil.rmtree(where)
    show(root, len(files), made)


def tools_for(root: Path, folder: Path) -> dict[str, Tool]:
    """What is compared, the baseline first."""

    def ours(where: Path) -> Made:
        cost, told = index(root, where / "index.db")
        return Made(cost, size_of(where / "index.db"), told["nodes"])

    def without_graph(where: Path) -> Made:
        database = where / "plain.db"
        cost, _ = run([sys.executable, "-c", COLD, str(root), str(database), ""])
        return Made(cost, size_of(database), count(database))

    def bare(_: Path) -> Made:
        return Made(bare_parse(folder / "files"))

    def ctags(where: Path) -> Made:
        tags = where / "tags"
        cost, _ = run(["ctags", "--languages=Python", "-L", str(folder / "lines"), "-f", str(tags)])
        lines = tags.read_bytes().splitlines()
        return Made(cost, tags.stat().st_size, sum(re.search(rb"\t[cfm](\t|$)", line) is not None for line in lines))

    def guide(where: Path) -> Made:
        database = where / "guide.db"
        cost, _ = run(
            [sys.executable, "-m", "tests.bench.guide_watcher", str(root), str(database), str(folder / "files")]
        )
        return Made(cost, size_of(database), count(database))

    tools: dict[str, Tool] = {"bare `ast.parse` (baseline)": bare}
    if shutil.which("ctags") and "Universal" in subprocess.check_output(["ctags", "--version"], text=True):
        tools["`ctags`"] = ctags
    else:
        print("universal-ctags is not here: its package is `universal-ctags`.\n", flush=True)
    return tools | {
        GUIDE: guide,
        "`remora-hub index` without the call graph": without_graph,
        "`remora-hub index`": ours,
        "... once more, nothing changed": ours,
    }


def size_of(database: Path) -> int:
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))


def count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM nodes")
    return int(number)


def show(root: Path, files: int, made: dict[str, list[Made]]) -> None:
    rounds = len(next(iter(made.values())))
    table = Table(
        f"Indexing {root.name}, {files:,} files",
        f"Median (smallest - largest) of {rounds} rounds, all in turn in each; CPU of all processes; ratios within a round.",
        ["", "CPU s", "x `ast.parse`", "wall s", "on disk, MB", "definitions"],
    )
    base = next(iter(made.values()))
    for name, ones in made.items():
        cpu, wall = Series([one.cost.cpu for one in ones]), Series([one.cost.wall for one in ones])
        ratio = Series([one.cost.cpu / bare.cost.cpu for one, bare in zip(ones, base, strict=False)])
        size = f"{ones[-1].size / 1e6:.1f}" if ones[-1].size else "-"
        table.row(
            name, cpu.spread(), ratio.spread(), wall.spread(), size, f"{ones[-1].names:,}" if ones[-1].names else "-"
        )
    table.print()
