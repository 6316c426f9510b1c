"""The same work for this server and for those that people run instead: started, asked, typed at, on one project."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .bench_answers import random_nodes
from .bench_keystroke import long_file
from .measure import Series
from .projects import files_of
from .report import Table
from .rivals import OURS, RIVALS, Rival, installed
from .visit import Project, last, visit

LONG, SMALL = 5_000, 100  # lines


class Row(NamedTuple):
    """One measurement. factor: from seconds, or what else was measured, to the unit shown."""

    key: str
    text: str
    unit: str = "ms"
    factor: float = 1000.0
    more_is_better: bool = False


def _typing_rows(size: str, lines: int) -> Iterator[Row]:
    where = f"in a file of {lines:,} lines"
    for key, text in (
        ("outline", "keystroke until the outline shows it"),
        ("hover", "keystroke until a hover shows it"),
    ):
        yield Row(f"{size} {key}", f"{text}, {where}, median")
        yield Row(f"{size} {key} p95", "... 95th percentile")
    yield Row(f"{size} cpu", "... CPU for a keystroke and its answers")


ROWS = (
    Row("initialize", "start until `initialize` is answered"),
    Row("outline first", "... until the first outline, of a file that nobody has indexed"),
    Row("hover first", "... and the first hover there"),
    Row("found", "... until a rare symbol of another file is found"),
    Row("found cpu", "... CPU until then", "s", 1),
    Row("quiet", "... until it has nothing more to do", "s", 1),
    Row("quiet cpu", "... CPU until then", "s", 1),
    Row("again outline first", "started once more: the first outline"),
    Row("again hover first", "... and the first hover there"),
    Row("again found", "... until the rare symbol is found"),
    Row("hover", "hover, median"),
    Row("hover p95", "... 95th percentile"),
    Row("hover cpu", "... CPU"),
    Row("outline", "outline (`documentSymbol`), median"),
    Row("symbol", "`workspace/symbol`, median"),
    Row("symbol share", "... share of names that it finds", "%", 100, True),
    Row("calls", "call hierarchy, incoming calls of a function, median"),
    *(row for size, lines in (("small", SMALL), ("long", LONG)) for row in _typing_rows(size, lines)),
    Row("kept", 'symbols that stay while a `"""` is not closed', "%", 100, True),
    Row("disk", "a name that another program writes, until it is found"),
    Row("memory", "resident memory when it has nothing more to do", "MB", 1),
    Row("peak", "... at most until then", "MB", 1),
)
Measured = dict[str, float]
_DEFINED = re.compile(rb"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)


def bench(root: Path, rounds: int) -> None:
    """Print the table, and who wins where."""
    servers = [OURS, *(installed(rival) for rival in RIVALS)]
    for rival in servers:
        if rival.absent:
            print(f"{rival.name} is not here: {rival.absent}\n", flush=True)
    present = [rival for rival in servers if not rival.absent]
    measured: dict[str, list[Measured]] = {rival.name: [] for rival in present}
    with tempfile.TemporaryDirectory() as folder:
        project = prepared(root, Path(folder).resolve() / root.name)
        try:
            for number in range(rounds):
                for rival in present[number % len(present) :] + present[: number % len(present)]:
                    print(f"round {number + 1}: {rival.name}", file=sys.stderr, flush=True)
                    measured[rival.name].append(visit(rival, project, Path(folder, "private")))
        finally:  # who does not wait for the last has the others
            show(project, present, measured)


def prepared(root: Path, copy: Path) -> Project:
    """A copy of the project with a short and a long file more, and what is asked about it."""
    shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    files = {"small": copy / "small_module.py", "long": copy / "long_module.py"}
    for path, lines in zip(files.values(), (SMALL, LONG), strict=True):
        path.write_text(long_file(lines), encoding="utf-8")
    sources = {path: Path(path).read_bytes() for path in sorted(files_of(copy))}
    names = Counter(name.decode() for data in sources.values() for name in _DEFINED.findall(data))
    plain = [path for path in sources if "test" not in path and Path(path) not in files.values()]
    opened = sorted(plain, key=lambda path: len(sources[path]))[len(plain) * 98 // 100]
    elsewhere = [node for node in random_nodes(copy, 400) if copy / node.path not in (*files.values(), Path(opened))]
    rare = [node for node in elsewhere if names[last(node)] == 1 and len(last(node)) > 9]
    rare.sort(key=lambda node: "." in node.key.rpartition(":")[2])  # every server knows those of modules
    return Project(copy, files, Path(opened), rare[:1] + rare[1 : len(rare) : max(len(rare) // 20, 1)])


def show(project: Project, servers: list[Rival], measured: dict[str, list[Measured]]) -> None:
    rounds = max(map(len, measured.values()))
    table = Table(
        f"Beside other language servers, on {project.root.name}",
        f"Median (smallest - largest) of {rounds} rounds, then how many times ours that is, the median of what each round "
        "gives; the best in bold. All servers in turn in each round, each with empty caches, one client. "
        "`-`: not offered, or not within two minutes.",
        ["", "unit", *(f"{rival.name} {rival.version}" for rival in servers)],
    )
    won: dict[str, list[str]] = {}
    subject = ""
    for row in ROWS:
        subject = subject if row.text.startswith("...") else row.text
        known = {name: [one.get(row.key) for one in visits] for name, visits in measured.items()}
        medians = {name: Series(found).median for name, values in known.items() if (found := _there(values))}
        best = (max if row.more_is_better else min)(medians.values(), default=None)
        for name, value in medians.items():
            if value == best and name != OURS.name and medians.get(OURS.name) != best:
                won.setdefault(name, []).append(subject if subject == row.text else f"{subject} {row.text}")
        table.row(row.text, row.unit, *(cell(row, known[r.name], known[OURS.name], best) for r in servers))
    table.print()
    for name, texts in won.items():
        print(f"{name} is best in: {'; '.join(texts)}.\n", flush=True)


def _there(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def cell(row: Row, values: list[float | None], ours: list[float | None], best: float | None) -> str:
    series = Series(_there(values))
    if not series.numbers:
        return "-"
    digits = 0 if series.median * row.factor >= 20 else 1 if series.median * row.factor >= 2 else 2
    shown = series.spread(row.factor, digits) if len(series.numbers) > 1 else f"{series.median * row.factor:.{digits}f}"
    ratios = [one / other for one, other in zip(values, ours, strict=False) if one is not None and other]
    times = f", {Series(ratios).median:.2g} x" if ratios and values is not ours and row.unit != "%" else ""
    return f"**{shown}**{times}" if series.median == best else f"{shown}{times}"
