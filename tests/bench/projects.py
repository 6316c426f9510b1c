"""Real code to measure on: a given folder, the standard library, or Django's source from PyPI."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import platformdirs

from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.tree import SourceTree


def stdlib() -> Path:
    """The running Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def django() -> Path:
    """Django's source distribution; fetched from PyPI once and kept in the user's cache directory."""
    return _released("Django", "5.2")


def flask() -> Path:
    """Flask's, where something small will do."""
    return _released("flask", "3.1.2")


def _released(name: str, version: str) -> Path:
    cache = platformdirs.user_cache_path("remora-hub-bench")
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = f"{name}-{version}".lower()
    if not (found := _named(cache, unpacked)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(cache), f"{name}=={version}"], check=True, stdout=sys.stderr)
        (archive,) = _named(cache, f"{unpacked}.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
        found = _named(cache, unpacked)
    return found[0]


def _named(folder: Path, name: str) -> list[Path]:
    """What is called so there; capital letters are PyPI's and the project's choice."""
    return [path for path in folder.iterdir() if path.name.lower() == name]


def files_of(root: Path) -> list[str]:
    """The absolute paths of the files that the index of `root` holds."""
    return [os.path.join(root, entry.path) for entry in SourceTree(root, load_config(root)).walk()]
