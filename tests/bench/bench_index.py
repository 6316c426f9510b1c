"""Cold and warm indexing of a tree against a bare `ast.parse` of the same files, in turns in one run."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from .measure import Cost, Series, adopt_orphans, run
from .projects import files_of
from .report import Table, verdict

# The baseline: read and parse every file, in one process, and keep nothing. It prints the CPU seconds of the loop.
BARE_PARSE = """
import ast, sys, time, warnings
warnings.simplefilter("ignore")
paths = open(sys.argv[1], encoding="utf-8").read().split("\\0")
cpu, wall = time.process_time(), time.perf_counter()
for path in paths:
    with open(path, "rb") as file:
        data = file.read()
    try:
        ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
MOST_CPU = 2.0  # times the bare parse
MOST_WALL = 1.0
MOST_WARM = 0.5  # CPU seconds


def bench(root: Path, rounds: int) -> None:
    """Print the table."""
    adopt_orphans()
    bare, cold, warm, one = [], [], [], []
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder, "files")
        paths = files_of(root)
        listing.write_text("\0".join(paths), encoding="utf-8")
        index(root, Path(folder, "unmeasured.db"))  # every file is in the system's cache from here on
        for number in range(rounds):
            bare.append(bare_parse(listing))
            database = Path(folder, f"{number}.db")
            cost, result = index(root, database)
            cold.append(cost)
            warm.append(index(root, database)[0])
            one.append(index(root, Path(folder, f"{number}.one.db"), "--workers", "0")[0])
    note = (
        f"{root.name}: {len(paths)} files, {sum(Path(path).stat().st_size for path in paths) / 1e6:.1f} MB, "
        f"{result['nodes']} nodes, {len(result['failed'])} failed; median (smallest - largest) of {rounds} rounds, "
        f"each of all kinds in turn; CPU of all processes; Python {sys.version.split()[0]}."
    )
    table = Table("Indexing", note, ["", "CPU s", "wall s", "CPU / bare parse", "wall / bare parse", "limit", "kept"])
    row(table, "bare `ast.parse`, one process (baseline)", bare, bare)
    ratios = ratio(cold, bare)
    kept = verdict(ratios[0], MOST_CPU), verdict(ratios[1], MOST_WALL)
    row(
        table,
        "cold: `remora-hub index`",
        cold,
        bare,
        f"{MOST_CPU} x CPU, {MOST_WALL} x wall",
        " / ".join(kept),
    )
    row(table, "the same with `--workers 0`", one, bare)
    slowest = Series([cost.cpu for cost in warm]).median
    row(table, "warm: nothing changed", warm, bare, f"{MOST_WARM} s CPU", verdict(slowest, MOST_WARM))
    table.print()


def row(table: Table, name: str, costs: list[Cost], bare: list[Cost], limit: str = "", kept: str = "") -> None:
    cpu, wall = ratio(costs, bare)
    series = [Series([cost.cpu for cost in costs]), Series([cost.wall for cost in costs])]
    table.row(name, series[0].spread(), series[1].spread(), f"{cpu:.2f}", f"{wall:.2f}", limit, kept)


def ratio(costs: list[Cost], bare: list[Cost]) -> tuple[float, float]:
    """Medians of CPU and wall clock, each divided round by round by the bare parse's."""
    pairs = list(zip(costs, bare, strict=True))
    cpu = Series([cost.cpu / base.cpu for cost, base in pairs])
    return cpu.median, Series([cost.wall / base.wall for cost, base in pairs]).median


def bare_parse(listing: Path) -> Cost:
    _, output = run([sys.executable, "-c", BARE_PARSE, str(listing)])
    cpu, wall = map(float, output.split())
    return Cost(cpu, wall)


def index(root: Path, database: Path, *options: str) -> tuple[Cost, dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "remora_hub_lsp",
        "index",
        str(root),
        "--json",
        "--db",
        str(database),
        *options,
    ]
    cost, output = run(command)
    return cost, json.loads(output)
