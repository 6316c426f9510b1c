"""Complexity against `ruff check --select C901`, on every function of real files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent

from remora_hub_lsp.analysis.segments import extract

from .corpus import sample
from .oracle import decoded, known

RUFF = (
    sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa", "--select", "C901",
    "--config", "lint.mccabe.max-complexity=0", "--target-version", f"py3{sys.version_info[1]}",
    "--output-format", "json",
)  # fmt: skip
MESSAGE = re.compile(r"`(.+)` is too complex \((\d+) > 0\)")
Function = tuple[int, str]  # 0-based line of the name, name


def ruff(paths: Iterable[Path]) -> dict[str, dict[Function, int] | None]:
    """Each file's functions with their complexity; None for a file that ruff cannot parse."""
    run = subprocess.run([*RUFF, *map(str, paths)], capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode in (0, 1), run.stderr
    found: dict[str, dict[Function, int] | None] = {}
    for row in json.loads(run.stdout):
        match = MESSAGE.match(row["message"])
        functions = found.setdefault(row["filename"], {})
        if row["code"] != "C901" or match is None:
            found[row["filename"]] = None
        elif functions is not None:
            functions[row["location"]["row"] - 1, match[1]] = int(match[2])
    return found


def compare(paths: list[Path]) -> Iterator[tuple[str, int | None, int | None]]:
    """(where, ruff's number, ours) of every function in files that both can parse."""
    by_ruff = ruff(paths)
    for path in paths:
        data = path.read_bytes()
        text = decoded(data)
        wanted = by_ruff.get(str(path), {})
        # ruff reads UTF-8 only.
        if text is None or wanted is None or text.encode() not in (data, data[3:]):
            continue
        nodes = [node for node in known(extract(text)) if node.facts.node_type == "function"]
        ours = {(node.name[0], node.facts.name): node.facts.complexity for node in nodes}
        for function in sorted(ours.keys() | wanted.keys()):
            yield f"{path}:{function[0] + 1} {function[1]}", wanted.get(function), ours.get(function)


def test_complexity_of_the_standard_library_is_ruffs() -> None:
    compared = list(compare(sample(30)))
    assert len(compared) > 1000
    assert [row for row in compared if row[1] != row[2]][:10] == []


# Every kind of branch.
BLOCKS = (
    "if a: pass", "if a: pass\nelif b: pass\nelse: pass", "for x in y: pass\nelse: pass", "while a: pass",
    "try: pass\nexcept A: pass\nexcept B: pass", "try: pass\nfinally: pass", "with a: pass",
    "try: pass\nexcept A: pass\nelse: pass\nfinally: pass", "try: pass\nexcept* A: pass\nelse: pass",
    "match a:\n    case 1: pass\n    case 2 if b: pass", "match a:\n    case 1: pass\n    case _: pass",
    "match a:\n    case 1: pass\n    case x: pass", "match a:\n    case (1 | _): pass", "match a:\n    case _ if b: pass",
    "match a:\n    case [*_]: pass\n    case _ as x: pass", "x = a if b else c", "x = [a for b in c if d if e]",
    "x = a and b or c", "assert a, b", "x = lambda: a if b else c", "def g(): pass", "class C:\n    def g(self): pass",
    "def g():\n    if a: pass", "class C:\n    if a:\n        def g(self):\n            if a: pass",
    "async def g():\n    async for x in y: pass\n    async with z: pass", "return a\nraise b", "x = (await a) or b",
)  # fmt: skip


def nested(outer: str, inner: str) -> str:
    """`outer` with `inner` in the place of its first `pass`; without one, the one behind the other."""
    before, found, after = outer.partition("pass")
    if not found:
        return f"{outer}\n{inner}"
    line = before.rpartition("\n")[2]
    return before + "\n" + indent(inner, " " * (len(line) - len(line.lstrip()) + 4)) + after


def test_complexity_of_every_statement_is_ruffs(tmp_path: Path) -> None:
    """Each kind of branch by itself and inside others."""
    bodies = [*BLOCKS, *(nested(outer, inner) for outer in BLOCKS for inner in BLOCKS)]
    functions = [f"async def f{i}():\n{indent(body, '    ')}\n" for i, body in enumerate(bodies)]
    assert [text for text in functions if extract(text).error] == []
    path = tmp_path / "blocks.py"
    path.write_text("".join(functions))
    compared = list(compare([path]))
    assert len(compared) >= len(functions)
    assert [row for row in compared if row[1] != row[2]][:5] == []
