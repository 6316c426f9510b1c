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

DJANGO = "Django==5.2"


def stdlib() -> Path:
    """The running Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def django() -> Path:
    """Django's source distribution; fetched from PyPI once and kept in the user's cache directory."""
    cache = platformdirs.user_cache_path("remora-hub-bench")
    cache.mkdir(parents=True, exist_ok=True)
    if not (found := list(cache.glob("[dD]jango-*/"))):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", str(cache), DJANGO], check=True, stdout=sys.stderr)
        (archive,) = cache.glob("[dD]jango-*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
        found = list(cache.glob("[dD]jango-*/"))
    return found[0]


def files_of(root: Path) -> list[str]:
    """The absolute paths of the files that the index of `root` holds."""
    return [os.path.join(root, entry.path) for entry in SourceTree(root, load_config(root)).walk()]
