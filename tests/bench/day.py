"""A day at one hub process in minutes: what it holds at rest after each hour, and whether that levels off.

    python -m tests.bench.day [--hours 24] [--project PATH] [--plot FILE] [--code FILE]

In each hour an editor starts, opens files, types, saves some and closes all without saving; files are made, renamed and
deleted; git switches to another branch and back; the editor leaves. In the end the index has to be the one that is made
from scratch. All that is typed has to be seen.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.discovery import Listening, find
from remora_hub_lsp.serve.launch import stop
from tests.hub.running import contents, fresh
from tests.serve.process import Process, started

from . import projects
from .chart import Chart, svg
from .faults import RELAY, children
from .measure import environment, memory_of, private_folders
from .report import Table, load, verdict

FILES_AN_HOUR, EDITS_A_FILE = 8, 25
BRANCH = 60  # files that the other branch has otherwise
LEVEL = 1.02  # what the last quarter may hold beside the one before


@dataclass
class Rest:
    """What the hub process holds when nobody does anything, and its largest worker, the call graph's. Sizes in MB."""

    edits: float
    hub: float
    worker: float
    descriptors: float
    threads: float
    children: float
    database: float
    log: float


class Day:
    """errors: what must not have been."""

    def __init__(self, root: Path, hub: Listening, seed: int) -> None:
        self.root = root
        self.hub = hub
        self.rng = random.Random(seed)
        paths = [path for path in root.rglob("*.py") if path.stem.isidentifier()]
        self.files = sorted(path for path in paths if 1000 < path.stat().st_size < 60_000)
        self.edits = 0
        self.errors: Counter[str] = Counter()
        self.rests: list[Rest] = []

    async def hour(self) -> None:
        async with started(arguments=RELAY) as editor:
            await editor.initialize(self.root.as_uri())
            for file in self.rng.sample(self.files, FILES_AN_HOUR):
                await self._work_on(editor, file)
                await self._others(file)
            await editor.ask("shutdown")
            editor.tell("exit", None)
            if await editor.exit_code():
                self.errors["an editor's session did not end well"] += 1
        for branch in ("other", "main"):
            self._git("checkout", "-q", "-f", branch)
            await asyncio.sleep(0.5)
        self._git("clean", "-qfd")

    async def _work_on(self, editor: Process, file: Path) -> None:
        """Open, type a function at the top that others may call, and close; every second file was saved."""
        text, uri = file.read_text(encoding="utf-8"), file.as_uri()
        editor.open(uri, text)
        key, name = f"{file.relative_to(self.root)}:typed", file.stem
        for number in range(EDITS_A_FILE):
            head = f"def typed(a{self.edits}): return {name}(a{self.edits})\n"
            editor.edit(uri, number + 2, ((0, 0, 1 if number else 0, 0), head))
            result = await editor.ask("remora/getContext", {"nodes": [key], "waitMs": 30_000})
            self.edits += 1
            node = result["nodes"].get(key)
            if node is None or f"(a{self.edits - 1})" not in str(node["signature"]):
                self.errors[f"typed {head.strip()} and got {node and node['signature']} {result['missing']}"] += 1
        if self.edits % 2:
            file.write_text(head + text, encoding="utf-8")
            editor.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
        await editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        editor.close(uri)

    async def _others(self, file: Path) -> None:
        """What other programs do to files."""
        new = file.with_name(f"new_{self.edits}.py")
        new.write_text(f"from .{file.stem} import *\n\n\ndef made_{self.edits}():\n    return typed(1)\n")
        await asyncio.sleep(0.2)
        new.rename(new.with_name(f"renamed_{self.edits}.py"))
        file.rename(file.with_name(f"{file.stem}_moved.py"))
        await asyncio.sleep(0.2)
        new.with_name(f"renamed_{self.edits}.py").unlink()
        file.with_name(f"{file.stem}_moved.py").rename(file)

    def prepare(self) -> None:
        """A repository with two branches."""
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "main")
        self._git("checkout", "-q", "-b", "other")
        for number, file in enumerate(self.rng.sample(self.files, min(BRANCH, len(self.files) // 4))):
            if number % 3 == 0:
                file.write_text("def other(): ...\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
            elif number % 3 == 1:
                file.rename(file.with_name(f"other_{file.name}"))
            else:
                file.unlink()
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "other")
        self._git("checkout", "-q", "main")

    def _git(self, *arguments: str) -> None:
        command = ["git", "-c", "user.name=day", "-c", "user.email=day@example.org", *arguments]
        subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.DEVNULL)

    async def rest(self) -> Path:
        """Wait until nothing is left to do, and look; gives the index."""
        async with HubClient(self.root, timeout=60) as client:
            while True:
                first = await client.status()
                await asyncio.sleep(1)
                status = await client.status()
                if status.state == "ready" and not status.pending and first.revision == status.revision:
                    break
        database = Path(status.database)
        pid, apart = self.hub.pid, children(self.hub.pid)
        told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        self.rests.append(
            Rest(
                self.edits, memory_of(pid)[0], max((memory_of(child)[0] for child in apart), default=0),
                len(os.listdir(f"/proc/{pid}/fd")), int(told["Threads"]), len(apart),
                database.stat().st_size / 1e6, database.with_name(f"{database.name}-wal").stat().st_size / 1e6,
            )
        )  # fmt: skip
        return database

    async def compare(self, database: Path) -> None:
        found, expected = contents(database), await fresh(self.root)
        differ = [key for key in found | expected if found.get(key) != expected.get(key)]
        print(f"{len(expected):,} entries compared with an index from scratch, {len(differ)} differ")
        for key in differ[:5]:
            self.errors[f"not as from scratch: {key}"] += 1


async def live(day: Day, hours: int) -> None:
    day.prepare()
    await day.rest()
    for hour in range(hours):
        await day.hour()
        database = await day.rest()
        numbers = ", ".join(f"{field.name} {getattr(day.rests[-1], field.name):.0f}" for field in fields(Rest))
        print(f"{time.strftime('%H:%M:%S')} hour {hour + 1}: {numbers}", flush=True)
    await day.compare(database)


def report(day: Day) -> None:
    quarter = max(len(day.rests) // 4, 1)
    parts = [day.rests[:quarter], day.rests[-2 * quarter : -quarter], day.rests[-quarter:]]
    table = Table(
        f"A day of {len(day.rests) - 1} hours and {day.edits:,} edits",
        "What the hub process holds at rest after an hour, on average. Level: the last quarter beside the one before.",
        ["", "first quarter", "third", "last", "level"],
    )
    for field in fields(Rest)[1:]:
        first, third, last = (sum(getattr(rest, field.name) for rest in part) / len(part) for part in parts)
        unit = " MB" if field.name in ("hub", "worker", "database", "log") else ""
        table.row(field.name, *(f"{value:.0f}{unit}" for value in (first, third, last)), verdict(last / max(third, 0.01), LEVEL))
    table.print()
    for what, times in day.errors.most_common():
        print(f"  {times} x {what}")


def plot(day: Day, file: Path) -> None:
    across = [rest.edits for rest in day.rests]
    curves = {field.name: [getattr(rest, field.name) for rest in day.rests] for field in fields(Rest)}
    charts = [
        Chart(title, across, {name: curves[name] for name in names})
        for title, names in (("MB of memory", ("hub", "worker")), ("MB on disk", ("database", "log")), ("count", ("descriptors", "threads", "children")))
    ]
    file.write_text(svg(charts, "edits"), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.day", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--project", metavar="PATH", type=Path, help="a copy of it is edited (default: Django's package)")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw it, as SVG")
    parser.add_argument("--code", metavar="FILE", type=Path, help="Python that the hub process runs first, to look into it")
    options = parser.parse_args()
    with private_folders() as folder:
        source = (options.project or projects.django() / "django").resolve()
        root = Path(shutil.copytree(source, folder / source.name, symlinks=True))
        load("before")
        before = options.code.read_text() if options.code else ""
        code = f"{before}\nimport sys; from remora_hub_lsp.cli import main; sys.exit(main(['serve']))"
        with subprocess.Popen([sys.executable, "-c", code], env=environment(), stderr=subprocess.DEVNULL):
            while (hub := find()) is None:
                time.sleep(0.05)
            day = Day(root, hub, options.seed)
            try:
                asyncio.run(live(day, options.hours))
            finally:
                stop(hub)
        load("after")
    report(day)
    if options.plot:
        plot(day, options.plot)
    sys.exit(1 if day.errors else 0)


if __name__ == "__main__":
    main()
