"""Whether the program, what it needs, and the editors' side of it are installed as they should be."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ... import __version__
from .finding import PATIENCE, Finding

_PROGRAM = "remora-hub-lsp"
_UPGRADE = f"pip install --upgrade {_PROGRAM}"


def python(root: Path) -> Iterator[Finding]:
    here = sys.version_info[:2]
    said = f"{platform.python_version()} ({sys.executable})"
    wanted = _wanted_python(root)
    if wanted is not None and wanted > here:
        newer = ".".join(map(str, wanted))
        yield Finding(
            "warning", "python", f"{said}, but the project is for {newer}: what is new in it cannot be parsed",
            f"install {_PROGRAM} with Python {newer} or newer, e.g. `pipx install --python python{newer} {_PROGRAM}`",
        )  # fmt: skip
    else:
        yield Finding("ok", "python", said)


def _wanted_python(root: Path) -> tuple[int, ...] | None:
    """The lowest version that the project's pyproject.toml asks for."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8-sig")).get("project", {})
        found = re.search(r">=\s*(\d+)\.(\d+)", project.get("requires-python", ""))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, AttributeError):
        return None  # the settings' check tells of it
    return tuple(map(int, found.groups())) if found else None


def packages() -> Iterator[Finding]:
    """Whether what is installed fits what this version was made for."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in requires(_PROGRAM) or ()]
    except PackageNotFoundError:
        yield Finding("problem", "packages", f"{_PROGRAM} is not installed in {sys.prefix}", f"pipx install {_PROGRAM}")
        return
    wrong = []
    for one in needed:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            wrong.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            wrong.append(f"{one.name} is {found}, not {one.specifier}")
    if wrong:
        yield Finding("problem", "packages", "; ".join(wrong), _UPGRADE)
    else:
        yield Finding("ok", "packages", f"{_PROGRAM} {__version__}, and what it needs")


def program() -> Iterator[Finding]:
    """What an editor would start."""
    found = shutil.which(_PROGRAM)
    here = Path(sys.executable).with_name(_PROGRAM)
    if found is None:
        advice = f"put {here.parent} into PATH, or give the editor the whole path {here}"
        yield Finding("warning", "program", f"{_PROGRAM} is not in PATH: editors do not find it by its name", advice)
        return
    try:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("problem", "program", f"{found} cannot be run: {error}", "install it anew")
        return
    said = done.stdout.strip()
    if done.returncode != 0:
        yield Finding("problem", "program", f"{found} fails: {done.stderr.strip()[-300:]}", "install it anew")
    elif said != f"{_PROGRAM} {__version__}":
        yield Finding("warning", "program", f"{found} is {said}, this is {__version__}", "upgrade the older one")
    else:
        yield Finding("ok", "program", found)


def scripts() -> Iterator[Finding]:
    """Whether the sandbox for analysis scripts works."""
    try:
        from pydantic_monty import Monty, MontyError
    except ImportError as error:
        yield Finding("problem", "scripts", f"the sandbox cannot be loaded: {error}", _UPGRADE)
        return
    try:
        with Monty() as pool, pool.checkout() as session:
            told = session.feed_run("6 * 7")
    except (MontyError, OSError, RuntimeError) as error:
        yield Finding("problem", "scripts", f"the sandbox does not run: {error}", _UPGRADE)
        return
    if told == 42:
        yield Finding("ok", "scripts", "the sandbox runs")
    else:
        yield Finding("problem", "scripts", f"the sandbox says that 6 * 7 is {told!r}", "report this")


# Editor program, and where its Remora Hub plugin may be below the home folder.
_EDITORS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("code", "VS Code", (".vscode/extensions/remora*", ".vscode-server/extensions/remora*")),
    ("codium", "VSCodium", (".vscode-oss/extensions/remora*",)),
    ("nvim", "Neovim", (
        ".local/share/nvim/site/pack/*/*/remora*", ".local/share/nvim/lazy/remora*", ".config/nvim/pack/*/*/remora*",
    )),
)  # fmt: skip


def editors() -> Iterator[Finding]:
    for program, name, places in _EDITORS:
        if shutil.which(program) is None:
            continue
        home = Path.home()
        found = [str(path) for place in places for path in home.glob(place)]
        if found:
            yield Finding("ok", "editors", f"{name}: {', '.join(found)}")
        else:
            what = f"{name} is here, and no Remora Hub plugin was found where it usually is"
            yield Finding(
                "note", "editors", what, 'the README\'s chapter "In an editor" says how to install one, or do without'
            )
