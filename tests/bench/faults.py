"""Editors, agents and programs that write files at one hub process, while everything that can fail does.

    python -m tests.bench.faults [--minutes 5] [--seed N] [--project PATH] [--only FAULT,...]

Processes are killed or held up, the index is deleted, overwritten, on a full or read-only disk (as root, who may mount
one), the folder of the sockets is removed, the root goes away and comes back, another version of the program joins in.
All the time an answer that has not seen what its asker typed, without saying so, is an error, and so is any exception. In
the end the index has to be the one that is made from scratch, and no process, descriptor, thread or memory may be left over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.discovery import announced, find, running
from remora_hub_lsp.serve.launch import stop
from tests.hub.running import contents, fresh
from tests.serve.peer import Peer, Refused
from tests.serve.process import Process, _streams

from . import projects
from .measure import environment, memory_of

PACKAGES = ("asyncio", "json", "email", "http", "importlib", "unittest", "logging", "concurrent", "collections", "xml", "urllib", "sqlite3")
RELAY = [sys.executable, "-m", "remora_hub_lsp", "--stdio"]
OTHER = "import remora_hub_lsp as r; r.__version__ = '9.9.9'; from remora_hub_lsp.cli import main; main({})"
EDITORS, AGENTS, WRITERS = 3, 6, 2
CACHE_MB = 96
SETTLE = 240.0  # seconds until all has to be as if nothing had happened


class World:
    """The project, who is at it, and what happened. errors: what must not have been."""

    def __init__(self, folder: Path, root: Path, seed: int) -> None:
        self.folder = folder
        self.root = root
        self.cache = folder / "XDG_CACHE_HOME"
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.relays: dict[int, Process] = {}
        self.stable: list[str] = []
        self.away = False  # the root is not there, or was not a moment ago
        self.over = False

    def wrong(self, what: str) -> None:
        self.errors[what[:300]] += 1
        print(f"{time.strftime('%H:%M:%S')} WRONG: {what[:600]}", flush=True)

    @property
    def hub(self) -> int | None:
        found = find()
        return found.pid if found else None

    @property
    def databases(self) -> list[Path]:
        return [path for path in self.cache.rglob("index.db*") if path.is_file()]

    @property
    def hubs(self) -> list[int]:
        """The hub processes, those that cannot be found any more too."""
        return [pid for pid, what in processes_of(self.folder).items() if " serve " in what]


# ------------------------------------------------------------------------------------------------ who is there


class Editor:
    """Types into files of its own, through a relay that it starts again whenever it ends."""

    def __init__(self, world: World, number: int, files: list[str]) -> None:
        self.world = world
        self.number = number
        self.texts = {file: (world.root / file).read_text(encoding="utf-8") for file in files}
        self._count = 0

    async def run(self) -> None:
        while not self.world.over:
            try:
                await self._session()
            except (AssertionError, OSError) as ended:  # the peer's word for a connection that has ended
                if "ended" not in str(ended):
                    self.world.wrong(f"editor: {ended!r}")
                self.world.counts["an editor's session ended"] += 1
            await asyncio.sleep(0.1)

    async def _session(self) -> None:
        pipe = subprocess.PIPE
        process = subprocess.Popen(RELAY, stdin=pipe, stdout=pipe, stderr=pipe, env=environment())
        peer = self.world.relays[self.number] = Process(process, await _streams(process))
        try:
            await peer.initialize(self.world.root.as_uri())
            for file, text in self.texts.items():
                peer.open(self._uri(file), text)
            while not self.world.over:
                await self._work(peer, self.world.rng.choice(list(self.texts)))
                await asyncio.sleep(self.world.rng.uniform(0.0, 0.2))
            await self._leave(peer)
        finally:
            process.kill()
            await peer.exit_code()
            await peer.__aexit__(None, None, None)
            await peer.errors()

    async def _work(self, peer: Peer, file: str) -> None:
        self._count += 1
        head = f"def edited(v{self.number}_{self._count}): ...\n"
        first, _, rest = self.texts[file].partition("\n")
        is_typed = first.startswith("def edited(")
        self.texts[file] = head + (rest if is_typed else self.texts[file])
        peer.edit(self._uri(file), self._count, ((0, 0, 1 if is_typed else 0, 0), head))
        try:
            result = await peer.ask("remora/getContext", {"nodes": [f"{file}:edited"], "waitMs": 20_000})
        except Refused as error:
            self.world.counts[f"refused: {error}"[:80]] += 1
            if error.code != -32803:
                self.world.wrong(f"editor was refused: {error}")
            if "no project root" in error.message:
                raise AssertionError("the session ended: the root was away when it began") from None
            return
        self._judge(file, head, result)
        if self._count % 17 == 0:
            self._save(peer, file)
        if self._count % 29 == 0:
            self._reopen(peer, file)

    def _judge(self, file: str, head: str, result: dict[str, Any]) -> None:
        node = result["nodes"].get(f"{file}:edited")
        self.world.counts["edits"] += 1
        if node is not None and node["signature"] in head:
            return
        if result["stale"] or result["state"] != "ready" or self.world.away:
            self.world.counts["edits that were said not to be in yet"] += 1
        else:
            self.world.wrong(f"typed {head.strip()} and got {node and node['signature']} {result['missing']} in state {result['state']}")

    def _save(self, peer: Peer, file: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # the root is away
            (self.world.root / file).write_text(self.texts[file], encoding="utf-8")
            peer.tell("textDocument/didSave", {"textDocument": {"uri": self._uri(file)}})

    def _reopen(self, peer: Peer, file: str) -> None:
        """Close without saving: what the disk has counts."""
        peer.close(self._uri(file))
        with contextlib.suppress(FileNotFoundError):
            self.texts[file] = (self.world.root / file).read_text(encoding="utf-8")
        peer.open(self._uri(file), self.texts[file])

    async def _leave(self, peer: Peer) -> None:
        for file in self.texts:
            self._save(peer, file)
            peer.close(self._uri(file))
        await peer.ask("shutdown")
        peer.tell("exit", None)

    def _uri(self, file: str) -> str:
        return (self.world.root / file).as_uri()


async def agent(world: World, number: int) -> None:
    """Asks for nodes of files that nobody edits: they are always known."""
    rng = random.Random(number)
    async with HubClient(world.root, timeout=10) as hub:
        while not world.over:
            some = rng.sample(world.stable, 5)
            away = world.away
            try:
                result = await hub.context(some)
            except Exception as error:  # noqa: BLE001 - an agent always gets an answer
                if not (away or world.away):
                    world.wrong(f"agent: {error!r}")
                await asyncio.sleep(0.1)
                continue
            world.counts[f"answers to agents ({result.source})"] += 1
            lost = [(entry.id, entry.reason, entry.detail) for entry in result.missing]
            if lost and not (away or world.away):
                world.wrong(f"missing: {lost[:2]} of {len(some)}, {result.source} {result.state} {result.reason}")
            await asyncio.sleep(rng.uniform(0.0, 0.1))


async def writer(world: World, number: int) -> None:
    """A program that makes, changes, renames and deletes files."""
    rng = random.Random(number)
    folder = world.root / f"written{number}"
    while not world.over:
        place = folder / f"m{rng.randrange(20)}.py"
        with contextlib.suppress(FileNotFoundError):
            if not world.away:
                folder.mkdir(exist_ok=True)
            text = f"import json\n\n\ndef written(n{rng.randrange(10**6)}):\n    return json.dumps(1)\n" * rng.randrange(1, 40)
            match rng.randrange(6):
                case 0:
                    place.unlink()
                case 1:
                    place.rename(folder / f"m{rng.randrange(20)}.py")
                case 2:
                    beside = place.with_suffix(".tmp")
                    beside.write_text(text)
                    beside.replace(place)
                case 3:
                    place.write_text(text + "def broken(\n")
                case _:
                    place.write_text(text)
            world.counts["files written"] += 1
        await asyncio.sleep(rng.uniform(0.0, 0.2))


# ------------------------------------------------------------------------------------------------ what happens

Fault = Callable[[World], Awaitable[None]]


async def kill_the_hub(world: World) -> None:
    if world.hub:
        os.kill(world.hub, signal.SIGKILL)


async def kill_a_worker(world: World) -> None:
    """While the workers are busy with all files, and then with the graph."""
    await _reindex(world)
    for _ in range(world.rng.randrange(1, 5)):
        await asyncio.sleep(world.rng.uniform(0.0, 1.0))
        for pid in children(world.hub)[:1]:
            world.counts["workers killed"] += 1
            os.kill(pid, signal.SIGKILL)


async def kill_the_graphs_worker(world: World) -> None:
    """While edits arrive: it is the child that stays when the others have had nothing to do for a while."""
    for _ in range(world.rng.randrange(1, 6)):
        await asyncio.sleep(world.rng.uniform(0.0, 1.5))
        for pid in world.rng.sample(children(world.hub), 1) if children(world.hub) else ():
            world.counts["workers killed"] += 1
            os.kill(pid, signal.SIGKILL)


async def hold_workers_up(world: World) -> None:
    """All of them, also while they are being ended."""
    held_up = children(world.hub)
    for pid in held_up:
        os.kill(pid, signal.SIGSTOP)
    world.counts["workers held up"] += len(held_up)
    await asyncio.sleep(world.rng.uniform(0.5, 5))
    for pid in held_up:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if world.rng.random() < 0.3 else signal.SIGCONT)


async def kill_a_relay(world: World) -> None:
    world.rng.choice(list(world.relays.values())).process.kill()


async def hold_the_hub_up(world: World) -> None:
    if pid := world.hub:
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(world.rng.uniform(0.5, 3))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def delete_the_index(world: World) -> None:
    for path in world.databases:
        path.unlink()


async def overwrite_the_index(world: World) -> None:
    for path in world.databases:
        if path.suffix != ".db":  # what is in the log has no more than this copy, and its index is shared memory
            continue
        with contextlib.suppress(OSError), path.open("r+b") as file:
            for _ in range(20):
                file.seek(world.rng.randrange(max(path.stat().st_size, 1)) // 4096 * 4096)
                file.write(b"\xa5" * 4096)


async def fill_the_disk(world: World) -> None:
    """A real one; it stays full for some seconds."""
    ballast = world.cache / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    await asyncio.sleep(world.rng.uniform(1, 6))
    ballast.unlink()


async def make_the_disk_read_only(world: World) -> None:
    """Which the system refuses while something on it is open for writing: the hub processes go first."""
    for pid in world.hubs:
        os.kill(pid, signal.SIGKILL)
    done = subprocess.run(["mount", "-o", "remount,ro", str(world.cache)], check=False, stderr=subprocess.DEVNULL)
    world.counts["... and it was"] += not done.returncode
    await asyncio.sleep(world.rng.uniform(1, 6))
    subprocess.run(["mount", "-o", "remount,rw", str(world.cache)], check=True)


async def write_with_a_wrong_stamp(world: World) -> None:
    """As archives, copies and other machines do."""
    place = world.root / "written0" / "stamped.py"
    with contextlib.suppress(FileNotFoundError):
        place.write_text(f"def stamped(n{world.rng.randrange(10)}): ...\n")
        now = world.rng.choice((10**9, 4 * 10**9, time.time() - 86_400, time.time() + 86_400))
        os.utime(place, (now, now))


async def remove_the_sockets(world: World) -> None:
    shutil.rmtree(world.folder / "XDG_RUNTIME_DIR" / "remora-hub-lsp", ignore_errors=True)


async def move_the_root_away(world: World) -> None:
    world.away = True
    elsewhere = world.root.with_name("elsewhere")
    world.root.rename(elsewhere)
    await asyncio.sleep(world.rng.uniform(0.0, 3))
    elsewhere.rename(world.root)
    await asyncio.sleep(10)
    world.away = False


async def start_another_version(world: World) -> None:
    """It finds the index in use, and gets a copy; when the other goes first, it may take over."""
    code = OTHER.format(["index", str(world.root)])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode and not world.away:
        world.wrong(f"another version said: {output.decode()[-300:]}")


async def analyse_all_anew(world: World) -> None:
    await _reindex(world)


async def _reindex(world: World) -> None:
    async def ask() -> None:
        with contextlib.suppress(Exception):  # the hub may be killed meanwhile
            async with HubClient(world.root, timeout=60) as hub:
                await hub.ask("remora/reindex", {"anew": True})

    task = asyncio.create_task(ask())
    await asyncio.wait({task}, timeout=0.5)
    _KEPT.add(task)
    task.add_done_callback(_KEPT.discard)


async def talk_nonsense(world: World) -> None:
    found = find()
    if not found or not found.socket:
        return
    with contextlib.suppress(OSError):
        for data in (os.urandom(200_000), b"Content-Length: 1000000\r\n\r\n{", b"Content-Length: 2\r\n\r\n[]" * 20_000, b""):
            _, to_hub = await asyncio.open_unix_connection(found.socket)
            to_hub.write(data)
            await asyncio.sleep(0.05)
            to_hub.close()


_KEPT: set[asyncio.Task[None]] = set()
FAULTS: tuple[Fault, ...] = (
    kill_the_hub, kill_a_worker, kill_the_graphs_worker, hold_workers_up, kill_a_relay, hold_the_hub_up, delete_the_index, overwrite_the_index, fill_the_disk,
    make_the_disk_read_only, remove_the_sockets, move_the_root_away, start_another_version, analyse_all_anew, talk_nonsense,
    write_with_a_wrong_stamp,
)  # fmt: skip
NEED_MOUNT = (fill_the_disk, make_the_disk_read_only)


async def chaos(world: World, faults: list[Fault], until: float) -> None:
    while time.monotonic() < until:
        await asyncio.sleep(world.rng.uniform(0.3, 4))
        fault = world.rng.choice(faults)
        print(f"{time.strftime('%H:%M:%S')} {fault.__name__}", flush=True)
        world.counts[fault.__name__.replace("_", " ")] += 1
        with contextlib.suppress(ProcessLookupError):
            await fault(world)


# ------------------------------------------------------------------------------------------------ what is left


def children(pid: int | None) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def processes_of(folder: Path) -> dict[int, str]:
    """All processes of this run but this one, zombies included, and what they are."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            environ = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()
            if pid != os.getpid() and (f"XDG_RUNTIME_DIR={folder}".encode() in environ or (state[0] == "Z" and int(state[1]) == os.getpid())):
                found[pid] = state[0] + " " + (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[-120:]
    return found


def held(pid: int) -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "threads": int(status["Threads"]), "children": len(children(pid)),
        "memory, MB": round(memory_of(pid)[0]),
    }  # fmt: skip


def left_over(world: World, hub: int) -> None:
    """What a hub process at rest may not have: children that have ended, pipes to them, processes that nobody waits for."""
    for pid in children(hub):
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            world.wrong(f"the worker {pid} has ended, and nobody has asked")
    descriptors: Counter[str] = Counter()
    for entry in Path(f"/proc/{hub}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            descriptors[os.readlink(entry).partition(":")[0]] += 1
    if descriptors["pipe"] > 2 * len(children(hub)) + 4:
        world.wrong(f"descriptors of {len(children(hub))} workers: {descriptors}")


async def settle(world: World) -> Path | None:
    """Wait until the hub is through with everything; gives its index."""
    status = None
    async with HubClient(world.root, timeout=30) as hub:
        until = time.monotonic() + SETTLE
        while time.monotonic() < until:
            with contextlib.suppress(Exception):
                status = await hub.status()
                if status.state == "ready" and not status.pending and Path(status.database).is_relative_to(world.cache):
                    return Path(status.database)
            await asyncio.sleep(0.5)
    world.wrong(f"it does not become ready: {status and (status.state, status.state_reason, status.pending)}")
    return Path(status.database) if status else None


async def compare(world: World, database: Path) -> None:
    """The index beside one that is made from scratch."""
    expected = await fresh(world.root)
    until = time.monotonic() + 60  # what the disk feed has still to notice
    while (found := contents(database)) != expected and time.monotonic() < until:
        await asyncio.sleep(1)
    differ = sorted(key for key in found | expected if found.get(key) != expected.get(key))
    world.counts["entries compared"] += len(expected)
    if differ:
        first = differ[0]
        one, other = found.get(first) or {}, expected.get(first) or {}
        world.wrong(f"{len(differ)} entries differ, {first}: {[(k, one.get(k), other.get(k)) for k in one | other if one.get(k) != other.get(k)][:3]}")


async def story(world: World, faults: list[Fault], minutes: float) -> None:
    subprocess.run([sys.executable, "-m", "remora_hub_lsp", "start"], env=environment(), check=True, stdout=subprocess.DEVNULL)
    if await settle(world) is None:
        return
    async with HubClient(world.root) as hub:
        symbols = (await hub.search("", limit=100_000)).symbols
    files = sorted({symbol.path for symbol in symbols if "/" in symbol.path})
    world.rng.shuffle(files)
    edited = files[: EDITORS * 4]
    world.stable = [symbol.key for symbol in symbols if symbol.path not in edited]
    work = [Editor(world, i, edited[i::EDITORS]).run() for i in range(EDITORS)]
    work += [agent(world, i) for i in range(AGENTS)] + [writer(world, i) for i in range(WRITERS)]
    tasks = [asyncio.create_task(one) for one in work]
    await asyncio.sleep(3)
    await chaos(world, faults, time.monotonic() + minutes * 60)
    world.over = True
    _, late = await asyncio.wait(tasks, timeout=120)
    for task in late:
        world.wrong(f"never ended: {task.get_coro()}")
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException):
            world.wrong(f"failed: {result!r}")
    await leave(world)


async def leave(world: World) -> None:
    subprocess.run([sys.executable, "-m", "remora_hub_lsp", "start"], env=environment(), check=True, stdout=subprocess.DEVNULL)
    database = await settle(world)
    if database is not None:
        await compare(world, database)
    if world.hub:
        for what, number in held(world.hub).items():
            print(f"{what:>40} {number}")
        left_over(world, world.hub)
    for listening in running():
        stop(listening)
    await asyncio.sleep(15)  # a hub process that cannot be found ends by itself
    for pid, what in processes_of(world.folder).items():
        world.wrong(f"process {pid} is left: {what}")
    if announced():
        world.wrong(f"still announced: {announced()}")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """The cache on a file system of its own, where this user may mount one; whether that is so."""
    folder.mkdir()
    mounted = sys.platform == "linux" and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={CACHE_MB}m", "tmpfs", str(folder)], check=False, stderr=subprocess.DEVNULL
    ).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def copy_of_project(source: Path | None, root: Path) -> None:
    if source:
        shutil.copytree(source, root, symlinks=True)
        return
    for package in PACKAGES:
        shutil.copytree(projects.stdlib() / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "test*"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--project", metavar="PATH", type=Path, help="a copy of it is worked on (default: some packages of the standard library)")
    parser.add_argument("--only", metavar="FAULT,...", help=f"of {', '.join(fault.__name__ for fault in FAULTS)}")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [fault.__name__ for fault in FAULTS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
            os.environ[variable] = str(folder / variable)
        (folder / "XDG_RUNTIME_DIR").mkdir()
        root = folder / "project"
        copy_of_project(options.project, root)
        world = World(folder, root, options.seed)
        with small_disk(world.cache) as mounted:
            faults = [fault for fault in FAULTS if fault.__name__ in wanted and (mounted or fault not in NEED_MOUNT)]
            try:
                asyncio.run(story(world, faults, options.minutes))
            finally:
                for log in world.cache.rglob("*.log"):
                    text = log.read_text(encoding="utf-8", errors="replace")
                    print(f"{log.name}: {len(text.splitlines())} lines, {text.count('Traceback')} tracebacks")
                    shutil.copy(log, Path(tempfile.gettempdir()) / f"remora-faults-{log.name}")
                for pid in processes_of(folder):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
    for what, times in [*world.counts.most_common(), ("seed", options.seed), ("wrong", sum(world.errors.values()))]:
        print(f"{what:>40} {times}")
    sys.exit(1 if world.errors else 0)


if __name__ == "__main__":
    main()
