"""Which files are the project's: Python sources below the root that nothing leaves out.

What decides about a file or folder is the first of these that says something:

1. the setting `exclude`: patterns as in a .gitignore at the root; `!pattern` brings something back,
2. the folders left out by default: EXCLUDED_FOLDERS, EXCLUDED_UNLESS_PACKAGE and virtual environments,
3. the repository's .gitignore files and its .git/info/exclude (see gitrules).

Below a folder that is left out nothing comes back. All of it concerns what is *below* the root: the root itself
may lie anywhere, even in an ignored folder. A file counts once, under its real path: links to folders are not
followed, and a link to a file counts only where the file itself does not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from ..config import Config
from .gitignore import IgnoreRules
from .gitrules import GitRules, Layers, verdict_of

SUFFIXES = (".py", ".pyi")
EXCLUDED_FOLDERS = frozenset({
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".jj",
    ".mypy_cache", ".nox", ".pixi", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv",
    ".vscode", "__pycache__", "__pypackages__", "bower_components", "dist-packages", "node_modules",
    "site-packages",
})  # fmt: skip
# Usual names of packages too (pypa's build, the standard library's venv): a package has an __init__ file.
EXCLUDED_UNLESS_PACKAGE = frozenset({"build", "dist", "venv"})
ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
PACKAGE_MARKS = frozenset({"__init__.py", "__init__.pyi"})
_MARKS = ENVIRONMENT_MARKS | PACKAGE_MARKS | {".gitignore"}
_NAME = attrgetter("name")


class FileEntry(NamedTuple):
    """A source file of the project; `path` is relative to the root, with `/`."""

    path: str
    mtime_ns: int
    size: int
    inode: int


class Problem(NamedTuple):
    """A file or folder that could not be read, and why."""

    path: str
    error: str


class SourceTree:
    """The project's files below `root`. `problems`, and `folders` looked into, are those of the last whole `walk`."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = os.path.realpath(root)
        self.problems: list[Problem] = []
        self.folders: list[str] = []
        self._exclude = IgnoreRules("\n".join(config.exclude), "the setting exclude")
        self._git = GitRules(self.root)
        self._owner_of: dict[str, str] = {}

    def walk(self) -> Iterator[FileEntry]:
        """Every file, each once, in an order that names alone decide. What cannot be read: see `problems`."""
        self._git.refresh()
        self._owner_of = {}
        walk = _Walk(self)
        yield from walk.files()
        unreadable = [Problem(*item) for item in self._git.unreadable.items()]
        self.problems = walk.problems + unreadable
        self.folders = walk.seen

    def includes(self, path: str) -> bool:
        """Whether the file `path` (relative, with `/`) is one of the project's, or would be if it existed."""
        return self.why_not(path) is None

    def why_not(self, path: str) -> str | None:
        """Why the file `path` is left out, for people; None if it is not left out."""
        parts = path.split("/")
        if "\0" in path or any(part in ("", ".", "..") for part in parts):
            return f"{path!r} is not a path below the root"
        if not path.endswith(SUFFIXES):
            return f"{path} is not Python source (*.py, *.pyi)"
        layers = self._git.at_root()
        for depth, name in enumerate(parts[:-1], start=1):
            folder = "/".join(parts[:depth])
            reason = self._why_not_folder(folder, name, layers)
            if reason is not None:
                return reason
            layers = self._git.below(folder, layers)
        return self._why_not_name(path, parts[-1], False, layers) or self._why_not_file(path)

    # ----------------------------------------------------------------------- the reasons, one for each rule

    def _why_not_name(self, path: str, name: str, is_folder: bool, layers: Layers) -> str | None:
        verdict = self._exclude.verdict(path, name, is_folder)
        if verdict is None and is_folder and name in EXCLUDED_FOLDERS:
            return _by_default(path)
        if verdict is None:
            verdict = verdict_of(layers, path, name, is_folder)
        if verdict is None or not verdict.ignored:
            return None
        return f"{path} matches {verdict.rule.text!r} ({verdict.source}, line {verdict.rule.line})"

    def _why_not_content(self, path: str, name: str, marks: set[str]) -> str | None:
        """For a folder that holds files named `marks`."""
        found = sorted(ENVIRONMENT_MARKS & marks)
        if not found and (name not in EXCLUDED_UNLESS_PACKAGE or PACKAGE_MARKS & marks):
            return None
        if self._exclude.verdict(path, name, True) is not None:  # it says keep: else nobody would ask
            return None
        return f"{path} is a virtual environment: it has {found[0]}" if found else _by_default(path)

    def _why_not_folder(self, path: str, name: str, layers: Layers) -> str | None:
        absolute = self._absolute(path)
        if os.path.islink(absolute):
            return f"{path} is a link to {os.path.realpath(absolute)}: its files count where they are"
        reason = self._why_not_name(path, name, True, layers)
        if reason is not None:
            return reason
        marks = {mark for mark in _MARKS if os.path.lexists(os.path.join(absolute, mark))}
        return self._why_not_content(path, name, marks)

    def _why_not_file(self, path: str) -> str | None:
        try:
            mode = os.lstat(self._absolute(path)).st_mode
        except OSError:
            return None
        if stat.S_ISLNK(mode):
            return self._why_not_link(path)
        return None if stat.S_ISREG(mode) else f"{path} is not a regular file"

    def _why_not_link(self, path: str) -> str | None:
        absolute = self._absolute(path)
        real = os.path.realpath(absolute)
        if not os.path.isfile(real):
            return f"{path} is a link to {real}, which is not a file"
        if not real.startswith(os.path.join(self.root, "")):
            return f"{path} is a link to {real}, outside the root"
        target = os.path.relpath(real, self.root).replace(os.sep, "/")
        if self.includes(target):
            return f"{path} is a link to {target}, which is included itself"
        owner = self._owner_of.setdefault(real, path)
        if owner != path and os.path.realpath(self._absolute(owner)) == real:
            return f"{path} is a link to {target}, as is {owner}"
        self._owner_of[real] = path
        return None

    def _absolute(self, path: str) -> str:
        return os.path.join(self.root, path)


class _Walk:
    """One walk over the whole tree: the same rules, asked with what a folder's listing already tells."""

    def __init__(self, tree: SourceTree) -> None:
        self.problems: list[Problem] = []
        self.seen: list[str] = []
        self._tree = tree
        self._folders: list[tuple[str, str, Layers]] = [("", "", tree._git.at_root())]
        self._links: list[str] = []

    def files(self) -> Iterator[FileEntry]:
        while self._folders:
            yield from self._files_in(*self._folders.pop())
        for path in sorted(self._links):
            if self._tree._why_not_link(path) is None:
                yield from self._entry(path, Path(self._tree._absolute(path)))

    def _files_in(self, path: str, name: str, layers: Layers) -> Iterator[FileEntry]:
        """The folder's own files; the folders and links in it are kept for later."""
        tree = self._tree
        sources, folders, marks = self._listing(path)
        if path and tree._why_not_content(path, name, marks):
            return
        self.seen.append(path)
        if path and ".gitignore" in marks:
            layers = tree._git.below(path, layers)
        prefix = f"{path}/" if path else ""
        for child in sorted(folders, reverse=True):
            if tree._why_not_name(prefix + child, child, True, layers) is None:
                self._folders.append((prefix + child, child, layers))
        for entry in sorted(sources, key=_NAME):
            child = prefix + entry.name
            if tree._why_not_name(child, entry.name, False, layers) is not None:
                continue
            if entry.is_symlink():
                self._links.append(child)
            else:
                yield from self._entry(child, entry)

    def _listing(self, path: str) -> tuple[list[os.DirEntry[str]], list[str], set[str]]:
        """A folder's sources (with links named like one), its folders, and its names that mean something."""
        sources: list[os.DirEntry[str]] = []
        folders: list[str] = []
        marks: set[str] = set()
        try:
            with os.scandir(self._tree._absolute(path)) as entries:
                for entry in entries:
                    name = entry.name
                    if name in _MARKS:
                        marks.add(name)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif name.endswith(SUFFIXES) and (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                        sources.append(entry)
        except OSError as error:
            self._report(path, error)
        return sources, folders, marks

    def _entry(self, path: str, file: os.DirEntry[str] | Path) -> Iterator[FileEntry]:
        try:
            status = file.stat()
        except OSError as error:
            self._report(path, error)
        else:
            yield FileEntry(path, status.st_mtime_ns, status.st_size, status.st_ino)

    def _report(self, path: str, error: OSError) -> None:
        """What vanished while the walk was under way is no problem: its deletion is a change of its own."""
        if not isinstance(error, FileNotFoundError):
            self.problems.append(Problem(path or ".", error.strerror or str(error)))


def _by_default(path: str) -> str:
    return f'{path} is left out by default; "!/{path}/" in the setting exclude brings it back'
