"""Tables in Markdown."""

from __future__ import annotations

import os
from collections.abc import Sequence


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
