"""Which file a dotted name is a module of, from the paths of a project alone."""

from __future__ import annotations

from collections.abc import Iterable

from .known import STANDARD_LIBRARY


class Modules:
    """The modules of a set of files, by the names that they can be imported by."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self.paths: set[str] = set()
        self._folders: dict[str, int] = {}  # folders with files below them, and how many
        self._packages: set[str] = set()  # folders with an __init__
        self._roots: dict[str, str] = {}
        self._sources: list[str] | None = None
        self._found: dict[tuple[str, str], str | None] = {}
        for path in paths:
            self._add(path)

    def add(self, path: str) -> None:
        """A file came."""
        self._add(path)
        self._forget()

    def remove(self, path: str) -> None:
        """A file went."""
        if path not in self.paths:
            return
        self.paths.discard(path)
        for folder in _folders(path):
            self._folders[folder] -= 1
            if not self._folders[folder]:
                del self._folders[folder]
        folder, _, name = path.rpartition("/")
        if name.startswith("__init__.") and not {f"{folder}/__init__.py", f"{folder}/__init__.pyi"} & self.paths:
            self._packages.discard(folder)
        self._forget()

    def _add(self, path: str) -> None:
        if path in self.paths:
            return
        self.paths.add(path)
        for folder in _folders(path):
            self._folders[folder] = self._folders.get(folder, 0) + 1
        folder, _, name = path.rpartition("/")
        if name.startswith("__init__."):
            self._packages.add(folder)

    def _forget(self) -> None:
        self._roots.clear()
        self._found.clear()
        self._sources = None

    def root_of(self, folder: str) -> str:
        """The folder that modules in `folder` are imported from: the first one above that is no package."""
        root = self._roots.get(folder)
        if root is None:
            root = folder
            while root in self._packages and root:
                root = root.rpartition("/")[0]
            self._roots[folder] = root
        return root

    def package(self, path: str) -> tuple[str, ...]:
        """The package whose relative imports a file's are."""
        folder = path.rpartition("/")[0]
        root = self.root_of(folder)
        if root == folder and folder and not self._is_source(folder):
            root = next((source for source in self.sources() if _below(folder, source)), root)
        inside = folder[len(root) :].strip("/") if root else folder
        return tuple(inside.split("/")) if inside else ()

    def _is_source(self, folder: str) -> bool:
        return folder in self.sources()

    def sources(self) -> list[str]:
        """Folders that absolute imports are looked for in, the deepest first and the project's root last."""
        if self._sources is None:
            roots = {self.root_of(package) for package in self._packages} - {""}
            found = {root for root in roots if root.rpartition("/")[2] in ("src", "lib", "source", "python")}
            found |= {root for root in roots if root and root not in self._packages}
            if "src" in self._folders:
                found.add("src")
            self._sources = [*sorted(found, key=lambda root: (root.count("/"), root)), ""]
        return self._sources

    def find(self, dotted: str, importer: str) -> str | None:
        """The file of a module; "" for a folder without __init__; None where the project has no such module."""
        folder = importer.rpartition("/")[0]
        root = self.root_of(folder)
        key = (dotted, root)
        if key not in self._found:
            self._found[key] = self._find(dotted, root)
        return self._found[key]

    def _find(self, dotted: str, root: str) -> str | None:
        stem = dotted.replace(".", "/")
        namespace = None
        first = dotted.partition(".")[0]
        for base in self._bases(root):
            if base == root and root and first in STANDARD_LIBRARY and base not in ("src",):
                continue  # a script's neighbour does not hide the standard library
            place = f"{base}/{stem}" if base else stem
            for suffix in ("/__init__.py", ".py", "/__init__.pyi", ".pyi"):
                if place + suffix in self.paths:
                    return place + suffix
            if namespace is None and place in self._folders and first not in STANDARD_LIBRARY:
                namespace = ""
        return namespace

    def _bases(self, root: str) -> list[str]:
        """Where to look, for files that are imported from `root`."""
        near = [root]
        sources = self.sources()
        # Further roots by how much of their path they share with the importer's.
        rest = sorted((source for source in sources if source != root),
                      key=lambda source: (-_shared(source, root), source.count("/"), source))  # fmt: skip
        if "" in rest:
            rest.remove("")
            rest.insert(0, "")
        return near + rest


def _folders(path: str) -> Iterable[str]:
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _below(folder: str, root: str) -> bool:
    return not root or folder == root or folder.startswith(root + "/")


def _shared(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one.split("/"), other.split("/"), strict=False):
        if a != b:
            break
        count += 1
    return count
