"""The change feed: how soon a change on disk can be asked for, a big checkout, and typing while many ask."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.changes import Edited, Opened
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.protocol import GetContextParams

from . import projects
from .bench_keystroke import long_file
from .measure import Series, environment
from .report import Table, verdict
from .server import Server

EDITS = 40
FILES = 1000
STROKES, SPACING, READERS, LINES = 200, 0.005, 50, 2000
GUIDE_MS = 96.0  # as it was measured when the guide was tried out, on the same kind of machine
MOST_STALL_MS = 20.0
PATIENCE = 60.0


def bench(root: Path) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "project"
        shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        edits(copy, Path(folder))
        checkout(copy, Path(folder))
    asyncio.run(typing())


# ------------------------------------------------------------------------------------------------ one edit


def edits(root: Path, folder: Path) -> None:
    table = Table(
        "A change on disk until it can be asked for",
        f"Milliseconds from the write's end until an answer has the new function, asked again and again by another process; "
        f"median / 95th percentile of {EDITS} edits of random files. The guide's watcher is built word for word "
        f"(it read {GUIDE_MS:g} ms when it was first tried).",
        ["", "ms", "x guide"],
    )
    chosen = random.Random(1).sample([Path(path) for path in projects.files_of(root)], EDITS)
    with Server(root, folder / "feed.db") as server:
        server.initialize()
        server.wait_until_indexed()
        time.sleep(1.0)

        def shown(path: Path, name: str) -> bool:
            asked = f"{path.relative_to(root)}:{name}"
            return asked in server.ask("remora/getContext", {"nodes": [asked]})["nodes"]

        ours = latency(chosen, "ours", shown)
    with guide(root, folder / "guide.db") as database:

        def stored(path: Path, name: str) -> bool:
            key = f"node:{path.relative_to(root)}:{name}"
            return database.execute("SELECT 1 FROM nodes WHERE key = ?", (key,)).fetchone() is not None

        theirs = latency(chosen, "guide", stored)
    table.row("the guide's watcher (baseline)", theirs.usual(1000, 1), "1")
    table.row("the hub", ours.usual(1000, 1), f"{ours.median / theirs.median:.2f}")
    table.print()


def latency(paths: list[Path], who: str, shown: Callable[[Path, str], bool]) -> Series:
    series = Series()
    for number, path in enumerate(paths):
        name = f"added_for_{who}_{number}"
        with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"\n\ndef {name}(): ...\n")
        started = time.perf_counter()
        while not shown(path, name):
            if time.perf_counter() - started > PATIENCE:
                raise RuntimeError(f"{who} never saw the change of {path}")
            time.sleep(0.0005)
        series.add(time.perf_counter() - started)
        time.sleep(0.05)
    return series


@contextmanager
def guide(root: Path, database: Path) -> Iterator[sqlite3.Connection]:
    command = [sys.executable, "-m", "tests.bench.guide_watcher", str(root), str(database)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with closing(sqlite3.connect(database)) as connection:
            yield connection
    finally:
        process.kill()
        process.communicate()


# ------------------------------------------------------------------------------------------------ a checkout


def checkout(root: Path, folder: Path) -> None:
    table = Table(
        f"A git checkout that changes {FILES:,} files",
        "Seconds from the checkout's end until remora/changesSince has told of all of them, and the revisions that it took.",
        ["checkout itself, s", "until told, s", "nodes told", "revisions", "lost"],
    )
    chosen = [Path(path) for path in projects.files_of(root)][:FILES]

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "core.autocrlf=false", "-c", "gc.auto=0"]
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    git("init", "-q", "-b", "before")
    git("add", "-A")
    git("commit", "-qm", "before")
    git("checkout", "-qb", "after")
    for path in chosen:
        with path.open("ab") as file:
            file.write(b"\n\ndef added_by_checkout(): ...\n")
    git("commit", "-qam", "after")
    git("checkout", "-q", "before")
    with Server(root, folder / "feed.db") as server:
        server.initialize()
        server.wait_until_indexed()
        time.sleep(1.5)
        for _ in range(3):
            asked = server.ask("remora/changesSince", {})
            cursor, revision = asked["cursor"], asked["revision"]
            started = time.perf_counter()
            git("checkout", "-q", "after")
            done = time.perf_counter()
            told: set[str] = set()
            while len(told) < len(chosen) and time.perf_counter() - done < PATIENCE:
                news = server.ask("remora/changesSince", {"cursor": cursor, "limit": 100_000})
                told |= {key for key in news["changed"] if key.endswith(":added_by_checkout")}
                cursor = news["cursor"]
                time.sleep(0.01)
            taken = time.perf_counter() - done
            table.row(f"{done - started:.2f}", f"{taken:.2f}", len(told), news["revision"] - revision, len(chosen) - len(told))
            git("checkout", "-q", "before")
            while server.ask("remora/search", {"query": "added_by_checkout"})["symbols"]:
                time.sleep(0.05)
    table.print()


# ------------------------------------------------------------------------------------------------ typing


async def typing() -> None:
    table = Table(
        f"{STROKES} edits at {SPACING * 1000:g} ms spacing in a {LINES:,}-line buffer while {READERS} readers ask",
        "Each edit changes the first and the last function together, each reader asks for both: an answer in which they differ "
        "is torn. The stall is how much later than asked for the event loop came back; beside it the same loop without any work.",
        ["answers", "torn", "until the newest answer after the last edit, ms", "longest stall, ms", f"kept ({MOST_STALL_MS:g})",
         "99th percentile of stalls, ms", "longest stall of an idle loop, ms"],
    )  # fmt: skip
    idle = Series()
    await heartbeat(idle, asyncio.get_running_loop().time() + 2.0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        root.mkdir()
        hub = Hub(root, load_config(root, overrides={"database": Path(folder, "index.db")}))
        await hub.start()
        await hub.indexed()
        try:
            storm = Storm(hub)
            await storm.run()
        finally:
            await hub.close()
    worst = max(storm.stalls.numbers) * 1000
    table.row(
        f"{storm.answers:,}", storm.torn, f"{storm.newest * 1000:.1f}", f"{worst:.1f}", verdict(worst, MOST_STALL_MS),
        f"{storm.stalls.percentile(99) * 1000:.1f}", f"{max(idle.numbers) * 1000:.1f}",
    )  # fmt: skip
    table.print()


class Storm:
    """One who types, and many who ask."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.answers = self.torn = 0
        self.newest = 0.0
        self.stalls = Series()
        self._typing = True
        body = long_file(LINES - 4)
        text = f"def first(v0): ...\n\n\n{body}\n\ndef last(v0): ...\n"
        self._document = TextDocument(text, 1)
        self._last_line = text.count("\n") - 1

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self.hub.apply(Opened("long.py", self._document, 1))
        await self._ask()
        until = loop.time() + STROKES * SPACING * 3 + 1
        beat = asyncio.create_task(heartbeat(self.stalls, until))
        readers = [asyncio.create_task(self._read()) for _ in range(READERS)]
        for number in range(1, STROKES + 1):
            self._type(number)
            await asyncio.sleep(SPACING)
        last = time.perf_counter()
        while await self._ask() != STROKES:
            await asyncio.sleep(0)
        self.newest = time.perf_counter() - last
        self._typing = False
        await asyncio.gather(*readers)
        beat.cancel()
        await asyncio.gather(beat, return_exceptions=True)

    def _type(self, number: int) -> None:
        digits = len(str(number - 1))
        for line, name in ((0, "first"), (self._last_line, "last")):
            start = len(f"def {name}(v")
            self._document.edit((line, start), (line, start + digits), str(number), "utf-16")
        self._document.version += 1
        self.hub.apply(Edited("long.py", self._document, 1))

    async def _read(self) -> None:
        while self._typing:
            await self._ask()
            await asyncio.sleep(0.01)

    async def _ask(self) -> int:
        """The edit's number that an answer is of."""
        found = await self.hub.get_context(GetContextParams(nodes=("long.py:first", "long.py:last")))
        first, last = (found["nodes"][f"long.py:{name}"]["signature"].split("(v")[1] for name in ("first", "last"))
        self.answers += 1
        self.torn += first != last
        return int(first.split(")")[0])


async def heartbeat(late: Series, until: float) -> None:
    """How late the loop comes back to who slept for a millisecond."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        before = loop.time()
        await asyncio.sleep(0.001)
        late.add(loop.time() - before - 0.001)
