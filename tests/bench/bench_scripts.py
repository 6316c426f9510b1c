"""What scripts cost: the shipped steps in the pipeline, a project's script over a whole project, and on a keystroke."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.changes import Edited, Opened
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.hub.scripts.shelf import FOLDER
from remora_hub_lsp.hub.worker import Task, analyse
from remora_hub_lsp.index import rows

from .bench_keystroke import long_file
from .projects import files_of
from .report import Table, verdict

MOST_STEPS = 0.10  # of the CPU without them
MOST_PROJECT = 10.0  # CPU seconds
MOST_KEYSTROKE = 10.0  # ms of CPU
_STROKES = 40
_STEPS = ("extract_signatures", "scan_imports")
_HEAD = """from typing import Any
from grail import Input
nodes: list[dict[str, Any]] = Input("nodes")
result: list[dict[str, Any]] = []
"""
SCRIPTS = {
    "parameters": _HEAD + """
for node in nodes:
    count = (node["signature"] or "").count(",") + 1
    if node["node_type"] == "function" and count > 5:
        finding = {"message": f"{count} parameters", "severity": "information"}
        result.append({"key": node["key"], "findings": [finding], "extra": {"parameters": count}})
result
""",
    "undocumented": _HEAD + """
for node in nodes:
    if node["docstring"] is None and not node["node_name"].startswith("_"):
        result.append({"key": node["key"], "extra": {"documented": False}})
result
""",
    "prints": _HEAD + """
for node in nodes:
    for number, line in enumerate(node["text"].split("\\n")):
        if line.strip().startswith("print("):
            result.append({"key": node["key"], "findings": [{"message": "prints", "line": number + 1}]})
result
""",
}  # fmt: skip


def bench(root: Path) -> None:
    """Print the table."""
    note = f"{root.name}; CPU of all processes, medians or totals of one run; Python {sys.version.split()[0]}."
    table = Table("Scripts", note, ["", "without", "with", "the difference", "limit", "kept"])
    without, steps = in_the_pipeline(root)
    share = steps / without
    table.row(
        "the two shipped steps while all files are analysed, CPU s",
        f"{without:.2f}", f"{without + steps:.2f}", f"{share:.1%}", f"{MOST_STEPS:.0%}", verdict(share, MOST_STEPS),
    )  # fmt: skip
    for name in SCRIPTS:
        cost, nodes = asyncio.run(over_all(root, name))
        table.row(
            f"`{name}` in the sandbox over {nodes:,} nodes, CPU s",
            "0", f"{cost:.2f}", f"{cost / nodes * 1e6:.0f} µs a node", f"{MOST_PROJECT:.0f} s", verdict(cost, MOST_PROJECT),
        )  # fmt: skip
    plain, scripted = (asyncio.run(on_keystrokes(scripts)) * 1000 for scripts in ({}, SCRIPTS))
    more = scripted - plain
    table.row(
        "a keystroke with three scripts in a file of 3,000 lines, CPU ms",
        f"{plain:.1f}", f"{scripted:.1f}", f"{more:.1f} ms", f"{MOST_KEYSTROKE:.0f} ms", verdict(more, MOST_KEYSTROKE),
    )  # fmt: skip
    table.print()


def in_the_pipeline(root: Path) -> tuple[float, float]:
    """CPU seconds of analysing all files but for the steps, and of the steps with what is made for them alone."""
    spent = [0.0]
    gc.disable()  # as a worker process has it
    with timed_steps(spent):
        started = time.process_time()
        for path in files_of(root):
            analyse(Task(os.path.relpath(path, root), path, ""), 5 << 20)
        whole = time.process_time() - started
    gc.enable()
    return whole - spent[0], spent[0]


@contextmanager
def timed_steps(spent: list[float]) -> Iterator[None]:
    def timed(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            started = time.process_time()
            try:
                return step(*arguments)
            finally:
                spent[0] += time.process_time() - started

        return run

    before = {name: getattr(rows, name) for name in _STEPS}
    for name, step in before.items():
        setattr(rows, name, timed(step))
    try:
        yield
    finally:
        for name, step in before.items():
            setattr(rows, name, step)


async def over_all(root: Path, name: str) -> tuple[float, int]:
    """CPU seconds of running a script over all nodes of a project that is indexed, and how many those are."""
    with tempfile.TemporaryDirectory() as folder:
        hub = await started(root, Path(folder))
        await hub.scripts.settled()
        before = cpu()
        open_script(hub, name)
        await hub.scripts.settled()
        (status,) = hub.scripts.status()
        assert status.state == "ready", status
        await hub.scripts.sandbox.close()  # whose process counts once it has ended
        spent = cpu() - before
        nodes = (await hub.status()).indexed_nodes
        await hub.close()
    return spent, nodes


async def on_keystrokes(scripts: dict[str, str]) -> float:
    """CPU seconds of one keystroke until all that follows has followed, a mean."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        root.mkdir()
        text = long_file(3000)
        (root / "long.py").write_text(text, encoding="utf-8")
        hub = await started(root, Path(folder))
        for name in scripts:
            open_script(hub, name)
        document = TextDocument(text, 1)
        hub.apply(Opened("long.py", document, 1))
        await hub.read(lambda view: None, paths=("long.py",), wait=60)
        await hub.scripts.settled()
        lines = [number for number, line in enumerate(document.lines) if line.startswith("        ")]
        place = lines[len(lines) // 2], 8
        await hub.scripts.sandbox.close()
        before = cpu()
        for stroke in range(_STROKES):
            document.edit(place, place, "x" if stroke else "x = 1\n        ", "utf-16")
            document.version += 1
            hub.apply(Edited("long.py", document, 1))
            await hub.read(lambda view: None, paths=("long.py",), wait=60)
            await hub.scripts.settled()
            await asyncio.sleep(0.5)  # what else follows has followed
        await hub.scripts.sandbox.close()
        spent = cpu() - before
        await hub.close()
    return spent / _STROKES


async def started(root: Path, folder: Path) -> Hub:
    settings = {"workers": 0, "watch": False, "trusted": True, "database": folder / "index.db"}
    hub = Hub(root, load_config(root, overrides=settings))
    await hub.start()
    await hub.indexed()
    return hub


def open_script(hub: Hub, name: str) -> None:
    """As an editor has it open, so that nothing is written into the project."""
    hub.apply(Opened(f"{FOLDER}/{name}.pym", TextDocument(SCRIPTS[name], 1), 1))


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
