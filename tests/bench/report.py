"""Tables in Markdown."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from remora_hub_lsp import __version__

from .measure import REPOSITORY


class Table:
    """A heading, a line about how it was measured, and rows; `print` shows it."""

    def __init__(self, title: str, note: str, columns: Sequence[str]) -> None:
        self.title = title
        self.note = note
        self.rows: list[Sequence[str]] = [columns, ["---"] * len(columns)]

    def row(self, *cells: object) -> None:
        self.rows.append([str(cell) for cell in cells])

    def print(self) -> None:
        print(f"\n## {self.title}\n\n{self.note}\n")
        for row in self.rows:
            print(f"| {' | '.join(row)} |")
        print(flush=True)


def verdict(value: float, limit: float) -> str:
    """Whether a measured value keeps to its limit."""
    return "yes" if value <= limit else "**no**"


def load(when: str) -> None:
    """Wall-clock times and 95th percentiles mean little where other programs want the CPUs, too."""
    if hasattr(os, "getloadavg"):
        print(f"Load {when}: {os.getloadavg()[0]:.2f} on {os.cpu_count()} CPUs.", flush=True)


def machine() -> None:
    """Where and with what all this was measured."""
    lines = _read("/proc/cpuinfo").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    kilobytes = next((line.split()[1] for line in _read("/proc/meminfo").splitlines() if "MemTotal" in line), "0")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()
    print("# Benchmarks\n")
    print(f"- {time.strftime('%Y-%m-%d %H:%M')}, remora-hub-lsp {__version__} at {commit or 'no commit'}")
    print(f"- {os.cpu_count()} CPUs ({model}), {int(kilobytes) / 1e6:.0f} GB of memory, {platform.platform()}")
    print(f"- Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}\n", flush=True)


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).exists() else ""
