"""Docstrings left behind since a revision of git: the working tree against it, without any memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..analysis.drift import Reason, mismatches, reasons, same_text
from ..analysis.facts import FileFacts
from ..analysis.pairs import Watched, watched
from ..analysis.segments import extract
from ..analysis.source import decode
from ..config import Config
from ..errors import SourceError
from ..index.drift import is_below
from ..index.memory import Verdict
from ..regular import read_bytes
from .driftrules import DriftRules, excluder
from .gitdiff import changes_since
from .tree import SourceTree


class LeftBehind(NamedTuple):
    """A definition by its place: line and columns (UTF-16) of its name."""

    path: str
    qualname: str
    line: int
    column: int
    end: int
    signature: str | None
    verdict: Verdict


def left_behind(root: Path, config: Config, revision: str, below: Sequence[str] = ()) -> list[LeftBehind]:
    """What does not fit any more since `revision`, in files and folders `below`. Raises GitError."""
    excluded, tree = excluder(DriftRules.of(config)), SourceTree(root, config)
    found: list[LeftBehind] = []
    for file in changes_since(root, revision).sources:
        wanted = not below or any(is_below(file.path, one) for one in below)
        if wanted and config.drift != "off" and not excluded(file.path) and tree.includes(file.path):
            now = _text(root / file.path)
            if now is not None:
                found += _of_file(file.path, extract(file.old or ""), extract(now), config.drift == "any")
    return found


def _of_file(path: str, old: FileFacts, new: FileFacts, literal: bool) -> Iterator[LeftBehind]:
    before, starts = watched(old.nodes), {segment.id: line for segment, line in new.segments}
    now = watched(new.nodes)
    for placed in new.nodes:
        pair = now.get(placed.unique)
        if pair is None:
            continue
        was = before.get(placed.unique) or _renamed(pair, before, now.keys())
        if was is not None and was.pair == pair.pair:
            continue
        told: tuple[Reason, ...] = ()
        if was is not None and same_text(was.pair, pair.pair):
            told = reasons(was.pair, pair.pair, literal=literal)
        known = {reason.parameter for reason in told}
        told += tuple(reason for reason in mismatches(pair.pair) if reason.parameter not in known)
        if told:
            facts, start = placed.facts, starts.get(placed.segment, 0)
            verdict = Verdict(told, signature=was.pair.signature if was and not told[0].static else None)
            yield LeftBehind(
                path, placed.unique, start + facts.name_line, facts.name_col, facts.name_end, facts.signature, verdict
            )


def _renamed(pair: Watched, before: dict[str, Watched], now: Collection[str]) -> Watched | None:
    """The same content under a name that is gone."""
    return next((was for name, was in before.items() if was.body == pair.body and name not in now), None)


def _text(file: Path) -> str | None:
    try:
        return decode(read_bytes(file))
    except (OSError, SourceError):
        return None
