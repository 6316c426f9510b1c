"""The language servers that people run for Python, each from PyPI in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import platformdirs

from remora_hub_lsp import __version__


class Rival(NamedTuple):
    """A server: PyPI's name of it, its command, and why it cannot be measured (empty: it can)."""

    name: str
    command: tuple[str, ...]
    version: str = ""
    absent: str = ""


OURS = Rival("remora-hub-lsp", (sys.executable, "-P", "-m", "remora_hub_lsp", "--stdio"), __version__)
RIVALS = (
    Rival("jedi-language-server", ("jedi-language-server",)),
    Rival("python-lsp-server", ("pylsp",)),
    Rival("basedpyright", ("basedpyright-langserver", "--stdio")),
    Rival("ty", ("ty", "server")),
    Rival("pyrefly", ("pyrefly", "lsp")),
)


def installed(rival: Rival) -> Rival:
    """The server with its whole command and its version; installed by pip the first time."""
    place = platformdirs.user_cache_path("remora-hub-bench") / "servers" / rival.name
    program = place / "bin" / rival.command[0]
    if not program.exists() and (problem := _install(rival.name, place)):
        return rival._replace(absent=problem)
    code = f"from importlib.metadata import version; print(version({rival.name!r}))"
    version = subprocess.run([place / "bin" / "python", "-c", code], check=True, capture_output=True, text=True).stdout
    return rival._replace(command=(str(program), *rival.command[1:]), version=version.strip())


def _install(name: str, place: Path) -> str:
    """Why it cannot be installed; empty: it is."""
    make = [sys.executable, "-m", "venv", "--clear", str(place)]
    pip = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", name]
    for command in (make, pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"`pip install {name}`: {(done.stderr.strip().splitlines() or ['failed'])[-1]}"
    return ""
