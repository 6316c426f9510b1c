"""Processes, and what they cost: CPU seconds of whole process trees, resident memory, medians."""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

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
    """The environment for processes that use the package of this checkout."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY)}


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
