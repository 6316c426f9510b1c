"""Which scripts there are for a root: those of the package, and those of the project, which win by name."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from ...index.steps import EXTRACT_SIGNATURES, SCAN_IMPORTS, shipped_folder
from ...regular import read_text
from .script import SUFFIX, hash_of

log = logging.getLogger(__name__)

# Where a project has its scripts, relative to its root.
FOLDER = "agents/hub/tools"
STEPS = frozenset({EXTRACT_SIGNATURES, SCAN_IMPORTS})
_MOST_BYTES = 256_000
_MOST_SCRIPTS = 100

Origin = Literal["shipped", "project"]


class Found(NamedTuple):
    """A script's text and where it is from. shown: its place for people; a project's is relative to the root.

    shipped: its text is one of the package's own, wherever it lies, so it is trusted. problem: why it has no text.
    """

    name: str
    path: Path
    shown: str
    origin: Origin
    text: str
    shipped: bool
    problem: str | None = None


@cache
def shipped() -> Mapping[str, Found]:
    """The package's own scripts by name."""
    found = {}
    for path in sorted(shipped_folder().glob(f"*{SUFFIX}")):
        text = path.read_text(encoding="utf-8")
        found[path.stem] = Found(path.stem, path, f"{path.name} (shipped)", "shipped", text, True)
    return found


def scripts_of(root: Path, extra_folder: Path | None, unsaved: Mapping[Path, str]) -> dict[str, Found]:
    """The scripts of the project at `root` by name. unsaved: texts of scripts that are open in an editor. It reads."""
    found: dict[str, Found] = {}
    ours = {hash_of(one.text) for one in shipped().values()}
    for folder in folders(root, extra_folder):
        paths = {path for path in unsaved if path.parent == folder}
        for path in sorted(paths | set(_files(folder)))[:_MOST_SCRIPTS]:
            shown = path.relative_to(root).as_posix()
            text, problem = (unsaved[path], None) if path in unsaved else _read(path, root)
            is_ours = problem is None and hash_of(text) in ours
            found[path.stem] = Found(path.stem, path, shown, "project", text, is_ours, problem)
    return found


def folders(root: Path, extra: Path | None) -> list[Path]:
    """Where scripts are looked for; the later ones win."""
    wanted = [root / FOLDER]
    if extra is not None:
        if extra.is_relative_to(root):
            wanted.append(extra)
        else:
            log.warning("the setting scripts_folder names %s, which is outside %s: it is left out", extra, root)
    return wanted


def _files(folder: Path) -> Iterable[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == SUFFIX and path.stem.isidentifier()]
    except OSError:  # there is none
        return []


def _read(path: Path, root: Path) -> tuple[str, str | None]:
    """A script's text, or why it cannot be had."""
    try:
        if not Path(os.path.realpath(path)).is_relative_to(root):
            return "", "it is a link to a place outside the project's root"
        if path.stat().st_size > _MOST_BYTES:
            return "", f"it has more than {_MOST_BYTES:,} bytes"
        return read_text(path), None
    except (OSError, UnicodeDecodeError) as error:
        return "", f"it cannot be read: {error}"
