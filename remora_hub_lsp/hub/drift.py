"""What the settings say about docstrings that no longer fit, and of which files."""

from __future__ import annotations

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

    def docstrings(self, database: Path) -> Docstrings:
        """How the docstrings of the index at `database` are watched."""
        rules = IgnoreRules("\n".join(self.exclude), "the setting drift-exclude")
        return Docstrings(database, self.mode, lambda path: _excludes(rules, path), self.exclude)


def _excludes(rules: IgnoreRules, path: str) -> bool:
    """Whether the patterns match the file or a folder around it."""
    parts = path.split("/")
    for depth, name in enumerate(parts, start=1):
        verdict = rules.verdict("/".join(parts[:depth]), name, depth < len(parts))
        if verdict is not None and verdict.ignored:
            return True
    return False
