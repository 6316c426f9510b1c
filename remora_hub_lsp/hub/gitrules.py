"""Which .gitignore files speak about a path, read anew when they change.

As git has it: the file in the path's own folder decides first, then the ones above it, up to the repository's
top, and last the repository's .git/info/exclude. The user's global excludes file is not read: what a project
consists of does not depend on whose machine it is.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from ..regular import open_regular
from .gitignore import IgnoreRules, Verdict


class Layer(NamedTuple):
    """Rules, and how they name a path of the tree: without its first `cut` characters, after `prefix`."""

    rules: IgnoreRules
    cut: int
    prefix: str


Layers = tuple[Layer, ...]  # the deepest folder's first


def verdict_of(layers: Layers, path: str, name: str, is_folder: bool) -> Verdict | None:
    """What the first layer that has a matching rule says; `path` is relative to the tree's root."""
    for rules, cut, prefix in layers:
        verdict = rules.verdict(prefix + path[cut:], name, is_folder)
        if verdict is not None:
            return verdict
    return None


class GitRules:
    """The ignore rules on disk for the tree at `root` (an absolute real path)."""

    def __init__(self, root: str) -> None:
        self.unreadable: dict[str, str] = {}
        self._root = root
        self._read_before: dict[str, tuple[tuple[int, ...], IgnoreRules]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Looks for the repository's top again, and forgets what could not be read."""
        self.unreadable.clear()
        self._top = _repository_of(self._root)
        self._info = None if self._top is None else _info_exclude(self._top)

    def at_root(self) -> Layers:
        """The layers for what lies directly in the root."""
        return self.below("", self._outside())

    def below(self, folder: str, layers: Layers) -> Layers:
        """`layers`, and before them the .gitignore file in `folder` (relative to the root), if any."""
        rules = self._read(os.path.join(self._root, folder, ".gitignore"))
        return layers if rules is None else (Layer(rules, len(folder) + 1 if folder else 0, ""), *layers)

    def _outside(self) -> Layers:
        """The repository's rules from above the root; none of them where they ignore the root itself."""
        if self._top is None or self._info is None:
            return ()
        below_top = os.path.relpath(self._root, self._top).replace(os.sep, "/")
        parts = [] if below_top == "." else below_top.split("/")
        info = self._read(self._info)
        layers: Layers = () if info is None else (Layer(info, 0, ""),)
        for depth, name in enumerate(parts):
            folder = "/".join(parts[:depth])
            rules = self._read(os.path.join(self._top, folder, ".gitignore"))
            if rules is not None:
                layers = (Layer(rules, len(folder) + 1 if folder else 0, ""), *layers)
            verdict = verdict_of(layers, "/".join(parts[: depth + 1]), name, is_folder=True)
            if verdict is not None and verdict.ignored:
                return ()
        whole = "".join(f"{part}/" for part in parts)
        return tuple(Layer(rules, 0, whole[cut:]) for rules, cut, _ in layers)

    def _read(self, file: str) -> IgnoreRules | None:
        """The rules in `file`; None if there is no such regular file (git follows no links here either)."""
        try:
            status = os.lstat(file)
            if not stat.S_ISREG(status.st_mode):
                return None
            version = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            known = self._read_before.get(file)
            if known is not None and known[0] == version:
                return known[1]
            with open_regular(file) as stream:
                text = os.fsdecode(stream.read())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unreadable[self._shown(file)] = error.strerror or str(error)
            return None
        rules = IgnoreRules(text, self._shown(file))
        self._read_before[file] = (version, rules)
        return rules

    def _shown(self, file: str) -> str:
        return os.path.relpath(file, self._root).replace(os.sep, "/")


def _repository_of(root: str) -> str | None:
    """The nearest folder from `root` upwards that has a .git, or None."""
    folder = root
    while not os.path.lexists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _info_exclude(top: str) -> str:
    """Where the repository's info/exclude is; a linked work tree's .git is a file that names the real one."""
    git = os.path.join(top, ".git")
    try:
        with open_regular(git) as stream:
            line = os.fsdecode(stream.read(4096)).strip()
        git = os.path.join(top, line.removeprefix("gitdir:").strip())
        with open_regular(os.path.join(git, "commondir")) as stream:
            git = os.path.join(git, os.fsdecode(stream.read(4096)).strip())
    except OSError:
        pass  # a folder, the usual case; or a submodule's, which has no commondir
    return os.path.join(git, "info", "exclude")
