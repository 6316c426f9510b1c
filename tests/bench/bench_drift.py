"""What watching docstrings costs: one keystroke of an open file, and the cold start."""

from __future__ import annotations

import ast
import random
import sys
import tempfile
import textwrap
import time
from inspect import cleandoc
from pathlib import Path

from remora_hub_lsp.analysis.docstring import read
from remora_hub_lsp.analysis.drift import mismatches
from remora_hub_lsp.analysis.pairs import watched
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.hub.driftrules import DriftRules
from remora_hub_lsp.hub.recorder import Buffer, Recorder
from remora_hub_lsp.hub.worker import Task

from .measure import Series
from .report import Table, verdict

FUNCTIONS = 250
MOST = 1.0  # ms that a keystroke may cost more
STYLES = ("google", "numpy", "sphinx")


def bench(root: Path) -> None:
    """Print the tables. root: a project, for the cold start."""
    keys = Table(
        "Watching docstrings: one keystroke",
        f"Milliseconds of CPU, median / 95th percentile, of the writer for one keystroke in an open file of {FUNCTIONS} "
        "documented functions, with the setting `drift` at `evidence` and `off` by turns; typed into signatures, docstrings "
        f"and bodies of functions that are outdated. Python {sys.version.split()[0]}.",
        ["docstrings", "lines", "`ast.parse` of it all (baseline)", "off", "evidence", "more", f"at most {MOST}"],
    )
    for style in STYLES:
        keystrokes(keys, style)
    keys.print()
    cold(root)


def long_file(style: str) -> str:
    return "\n\n".join(function(number, style) for number in range(FUNCTIONS))


def function(number: int, style: str) -> str:
    names = [f"value_{number}_{at}" for at in range(5)]
    entry = {"google": "    {0} (int): what {0} is, defaults to 1.", "numpy": "{0} : int, default: 1\n    What {0} is.",
             "sphinx": ":param int {0}: what {0} is, defaults to 1."}[style]  # fmt: skip
    title = {"google": "Args:\n", "numpy": "Parameters\n----------\n", "sphinx": ""}[style]
    documented = textwrap.indent("Do it.\n\n" + title + "\n".join(entry.format(name) for name in names), "    ")
    head = f"def do_{number}({', '.join(f'{name}=1' for name in names)}):\n"
    return f'{head}    """{documented.strip()}\n    """\n    return sum([{", ".join(names)}])\n'


def keystrokes(table: Table, style: str, count: int = 300) -> None:
    """One row."""
    text = long_file(style)
    parse = Series()
    for _ in range(5):
        started = time.process_time()
        ast.parse(text)
        parse.add(time.process_time() - started)
    with tempfile.TemporaryDirectory() as folder:
        off, on = (typing(text, Path(folder), mode, count) for mode in ("off", "evidence"))
    more = on.median - off.median
    table.row(
        style, f"{text.count(chr(10)):,}", parse.spread(1000, 1), off.usual(1000), on.usual(1000), f"{more * 1000:.2f}",
        verdict(more * 1000, MOST),
    )  # fmt: skip


def typing(text: str, folder: Path, mode: str, count: int) -> Series:
    """The writer's CPU for each keystroke. All signatures have a parameter more than when they were saved."""
    (folder / "long.py").write_text(text, encoding="utf-8")
    recorder = Recorder(folder / f"{mode}.db", 10**7, DriftRules(mode))  # type: ignore[arg-type]
    recorder.analyse([Task("long.py", str(folder / "long.py"), "")], frozenset())
    document = TextDocument(text.replace("=1):", "=1, added=2):"))
    series, rng = Series(), random.Random(1)
    lines, _ = document.take_dirty()
    recorder.edit(Buffer("long.py", str(folder / "long.py"), 0), lines, None)
    heads = [number for number, line in enumerate(lines) if line.startswith("def ")]
    for version in range(count):
        head = rng.choice(heads)
        place, typed = rng.choice([((head, len(document.lines[head]) - 3), "1"), ((head + 1, 8), "x"), ((head + 9, 0), "#")])
        document.edit(place, place, typed, "utf-16")
        lines, untouched = document.take_dirty()
        started = time.process_time()
        recorder.edit(Buffer("long.py", str(folder / "long.py"), version), lines, untouched)
        series.add(time.process_time() - started)
    recorder.close()
    return series


def cold(root: Path) -> None:
    """What the docstrings of a project cost when it is first seen."""
    table = Table(
        "Watching docstrings: a project at first sight",
        f"Milliseconds of CPU for all documented functions and classes of {root.name}.",
        ["watched", "with sections", "`ast.parse` (baseline)", "all facts", "reading docstrings", "mismatches", "x baseline"],
    )
    parse = facts = reading = static = 0.0
    count = structured = 0
    for file in sorted(root.rglob("*.py")):
        text = file.read_text(encoding="utf-8", errors="replace")
        started = time.process_time()
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        parsed = time.process_time()
        found = extract(text)
        extracted = time.process_time()
        pairs = [one.pair for one in watched(found.nodes).values()]
        read.cache_clear()
        begun = time.process_time()
        documents = [read(cleandoc(pair.docstring)) for pair in pairs]
        been_read = time.process_time()
        for pair in pairs:
            mismatches(pair)
        done = time.process_time()
        parse, facts = parse + parsed - started, facts + extracted - parsed
        reading, static = reading + been_read - begun, static + done - been_read
        count, structured = count + len(pairs), structured + sum(bool(one.sections) for one in documents)
    ratio = f"{(reading + static) / parse:.3f}"
    numbers = [f"{seconds * 1000:,.0f}" for seconds in (parse, facts, reading, static)]
    table.row(f"{count:,}", f"{structured:,}", *numbers, ratio)
    table.print()
