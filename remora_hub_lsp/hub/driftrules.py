"""What the settings say about docstrings that no longer fit: by which rule, and in which files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..config import Config, DriftMode
from ..index.drift import Docstrings
from .gitignore import IgnoreRules


class DriftRules(NamedTuple):
    """The settings `drift` and `drift-exclude`."""

    mode: DriftMode = "evidence"
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> DriftRules:
        return cls(config.drift, config.drift_exclude)

    def docstrings(self, database: Path, *, read_only: bool = False) -> Docstrings:
        """How the docstrings of the index at `database` are watched."""
        return Docstrings(database, self.mode, excluder(self), self.exclude, read_only=read_only)


def excluder(rules: DriftRules) -> Callable[[str], bool]:
    """Tells of a file whether it is left out."""
    patterns = IgnoreRules("\n".join(rules.exclude), "the setting drift-exclude")
    return lambda path: _excludes(patterns, path)


def _excludes(rules: IgnoreRules, path: str) -> bool:
    """Whether the patterns match the file or a folder around it."""
    parts = path.split("/")
    for depth, name in enumerate(parts, start=1):
        verdict = rules.verdict("/".join(parts[:depth]), name, depth < len(parts))
        if verdict is not None and verdict.ignored:
            return True
    return False
