"""Processes, and what they cost: CPU seconds of whole process trees, resident memory, medians."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

REPOSITORY = Path(__file__).resolve().parents[2]
_PR_SET_CHILD_SUBREAPER = 36


class Cost(NamedTuple):
    """CPU seconds (user and system, of the process and all its children) and wall-clock seconds."""

    cpu: float
    wall: float


class Series:
    """Numbers of one thing, measured several times."""

    def __init__(self, numbers: Sequence[float] = ()) -> None:
        self.numbers = list(numbers)

    def add(self, number: float) -> None:
        self.numbers.append(number)

    @property
    def median(self) -> float:
        return statistics.median(self.numbers)

    def percentile(self, percent: float) -> float:
        """The smallest number that `percent` of all are not above."""
        ordered = sorted(self.numbers)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]

    def spread(self, factor: float = 1.0, digits: int = 2) -> str:
        """`median (smallest - largest)`, times `factor`."""
        low, high = min(self.numbers) * factor, max(self.numbers) * factor
        return f"{self.median * factor:.{digits}f} ({low:.{digits}f} - {high:.{digits}f})"

    def usual(self, factor: float = 1.0, digits: int = 2) -> str:
        """`median / 95th percentile`, times `factor`."""
        return f"{self.median * factor:.{digits}f} / {self.percentile(95) * factor:.{digits}f}"


def environment() -> dict[str, str]:
    """The environment for processes that use the package of this checkout, compiled as an installed one is."""
    keep = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**keep, "PYTHONPATH": str(REPOSITORY)}


@contextlib.contextmanager
def private_folders() -> Iterator[Path]:
    """A new folder; this process, and those that it starts, have their hub processes and indexes in there."""
    with tempfile.TemporaryDirectory() as name:
        for variable in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
            place = Path(name, variable)
            place.mkdir()
            os.environ[variable] = str(place)
        yield Path(name)


def compile_package() -> None:
    """What pip does when it installs: compare nobody's first import."""
    command = [sys.executable, "-m", "compileall", "-q", str(REPOSITORY / "remora_hub_lsp")]
    subprocess.run(command, check=True, stdout=sys.stderr)


def adopt_orphans() -> None:
    """Let grandchildren that outlive their parent become children of this process, so that their cost is counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(command: Sequence[str]) -> tuple[Cost, str]:
    """Run a command to its end; gives what it and all that it started cost, and its output."""
    before, started = _children_cpu(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True, text=True, encoding="utf-8")
    wall = time.perf_counter() - started
    _reap()
    return Cost(_children_cpu() - before, wall), done.stdout


def cpu_of(pid: int) -> float:
    """CPU seconds that another process has used so far (Linux)."""
    clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) gives
    return time.clock_gettime(clock)


def memory_of(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MB, now and at most (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024, int(fields["VmHWM"].split()[0]) / 1024


class Family:
    """All processes that were started with `environment` or by one that was, however detached (Linux).

    Within `with` the most memory that they had at a time is watched."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(8)
        self.peak = 0.0
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()

    @property
    def environment(self) -> dict[str, str]:
        return {**environment(), "BENCH_FAMILY": self._mark}

    def memory(self) -> float:
        """Resident MB of all of them, now. What several share counts for each."""
        pages = sum(int(text.split()[1]) for text in self._texts("statm"))
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu(self) -> float:
        """CPU seconds of those that live, and of their children that have ended."""
        ticks = sum(sum(map(int, text.rpartition(")")[2].split()[11:15])) for text in self._texts("stat"))
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """End those that are left."""
        for process in self._living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGTERM)

    def quiet(self, patience: float) -> bool:
        """Wait until they do next to nothing for a second; whether it came to that."""
        until, before = time.monotonic() + patience, self.cpu()
        while time.monotonic() < until:
            time.sleep(1.0)
            now = self.cpu()
            if now - before < 0.03:
                return True
            before = now
        return False

    def _texts(self, name: str) -> Iterator[str]:
        for process in self._living():
            with contextlib.suppress(OSError):  # it has just ended
                yield (process / name).read_text()

    def _living(self) -> Iterator[Path]:
        mark = f"BENCH_FAMILY={self._mark}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # another user's
                if mark in (process / "environ").read_bytes():
                    yield process

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            self.peak = max(self.peak, self.memory())


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap() -> None:
    """Wait for the orphans."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
