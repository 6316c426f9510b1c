"""What the collection of tests reads from the index: what files say by themselves, and where dotted names lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import orjson

from ..analysis.facts import MODULE
from ..analysis.testing import CollectionRules
from .fileshare import Definition, FileShare, Place
from .keys import node_key
from .rows import FACT_FIELDS, module_of

if TYPE_CHECKING:
    from .view import IndexView

_SIGNATURE, _DECORATORS = FACT_FIELDS.index("signature"), FACT_FIELDS.index("decorators")
_LONGEST = 20  # parts of a dotted name


class FilesRead(NamedTuple):
    """What was read at one revision: each file's row and hash, shares (None: there is no such file), and (None: nobody
    asked) files by the dotted names of their modules."""

    revision: int
    files: dict[str, tuple[int, str]]
    shares: dict[str, FileShare | None]
    modules: dict[str, str] | None


class IndexedFiles:
    """The files of one moment. earlier: what was read at another one; what still holds is taken from it.

    changed: paths of files that say something else than then (or are new, or gone), of those that were asked for; and
    dotted names of modules that lead to another file. are_the_same: whether there are the same files as then.
    """

    def __init__(self, view: IndexView, earlier: FilesRead | None = None) -> None:
        self._view = view
        self._files = _files(view, earlier)
        self._shares: dict[str, FileShare | None] = {}
        self._modules: dict[str, str] | None = None
        self._located: dict[str, tuple[Place | None, set[str]]] = {}
        self._noted: set[str] = set()
        self.changed: set[str] = set()
        self.are_the_same = earlier is not None and self._files.keys() == earlier.files.keys()
        if earlier is not None:
            self._take_shares(earlier)
            self._take_modules(earlier)

    @property
    def read(self) -> FilesRead:
        """What was read until now."""
        return FilesRead(self._view.revision, self._files, self._shares, self._modules)

    def _take_shares(self, earlier: FilesRead) -> None:
        for path, share in earlier.shares.items():
            now = self._files.get(path)
            if now == earlier.files.get(path):
                self._shares[path] = share
                continue
            new = self._read(path, now[0]) if now is not None else None
            self._shares[path] = share if new == share else new
            if new != share:
                self.changed.add(path)

    def _take_modules(self, earlier: FilesRead) -> None:
        if earlier.modules is None or self.are_the_same:
            self._modules = earlier.modules
        else:
            self.changed |= {name for name, _ in earlier.modules.items() ^ self.modules.items()}

    @contextmanager
    def noting(self) -> Iterator[set[str]]:
        """All that is asked for meanwhile: paths of files, dotted names of modules."""
        outer, self._noted = self._noted, set()
        try:
            yield self._noted
        finally:
            self._noted = outer

    def test_paths(self, rules: CollectionRules) -> Iterator[str]:
        """Files that may have tests."""
        return (path for path in sorted(self._files) if rules.is_test_file(path) or rules.is_unittest_file(path))

    def named(self, name: str) -> list[str]:
        """Files of that name."""
        return [path for path in self._files if path.rpartition("/")[2] == name]

    def share(self, path: str) -> FileShare | None:
        """The file's share; None where there is no such file. One that says the same as before is the same object."""
        self._noted.add(path)
        if path not in self._shares:
            self._shares[path] = self._read(path, self._files[path][0]) if path in self._files else None
        return self._shares[path]

    def _read(self, path: str, number: int) -> FileShare:
        definitions = []
        sql = "SELECT qualname, kind, facts FROM nodes WHERE id BETWEEN ? << 40 AND ((? + 1) << 40) - 1"
        for qualname, kind, data in self._view.rows(sql, (number, number)):
            facts = orjson.loads(data)
            key = node_key(path, qualname)
            definitions.append(Definition(key, qualname, kind, facts[_SIGNATURE], tuple(facts[_DECORATORS])))
        return FileShare(path, definitions, self._view.bindings(path))

    @property
    def modules(self) -> dict[str, str]:
        """Files by the dotted names that they may be imported by."""
        if self._modules is None:
            self._modules = {}
            for path in sorted(self._files, key=lambda path: (-path.count("/"), path.endswith(".pyi"))):
                for name in self._names(path):
                    self._modules[name] = path  # of several with one name, the one that is nearest to the root
        return self._modules

    def locate(self, dotted: str) -> Place | None:
        """The definition (or module) of the project that a dotted name leads to, through re-exports."""
        if dotted not in self._located:
            with self.noting() as noted:
                self._located[dotted] = self._locate(dotted, set()), noted
        place, noted = self._located[dotted]
        self._noted |= noted
        return place

    def _locate(self, dotted: str, seen: set[str]) -> Place | None:
        """seen: names that were tried before, for those that lead in a circle."""
        parts = dotted.split(".")
        if dotted in seen or len(parts) >= _LONGEST:  # a name this long comes from a circle of re-exports
            return None
        seen.add(dotted)
        for length in range(len(parts), 0, -1):  # the longest module that there is decides
            self._noted.add(module := ".".join(parts[:length]))
            path = self.modules.get(module)
            share = self.share(path) if path is not None else None
            if share is None:
                continue
            rest = parts[length:]
            if not rest:
                return share.path, MODULE
            if ".".join(rest) in share.definitions:
                return share.path, ".".join(rest)
            return next((place for one in self._onward(share, rest) if (place := self._locate(one, seen))), None)
        return None

    @staticmethod
    def _onward(share: FileShare, rest: list[str]) -> Iterable[str]:
        """The dotted names that a module's name may come from."""
        target = share.bindings.get(rest[0])
        if target is not None:
            return [".".join([target, *rest[1:]])]
        return [".".join([module, *rest]) for module in share.stars]

    def _names(self, path: str) -> Iterator[str]:
        """The dotted names that a file may be imported by: from the root, and from where its package lies."""
        name = module_of(path)
        yield name
        folder, inside = path.rpartition("/")[0], name.rpartition(".")[2]
        if path.rpartition("/")[2].startswith("__init__."):
            folder, inside = folder.rpartition("/")[0], folder.rpartition("/")[2]
        while folder and (f"{folder}/__init__.py" in self._files or f"{folder}/__init__.pyi" in self._files):
            folder, _, last = folder.rpartition("/")
            inside = f"{last}.{inside}"
        yield inside


def _files(view: IndexView, earlier: FilesRead | None) -> dict[str, tuple[int, str]]:
    """Each file's row and hash; of those that did not change since, as they were."""
    sql = "SELECT path, id, file_hash FROM files"
    if earlier is not None and earlier.revision <= view.revision:
        rows = view.rows(f"{sql} WHERE revision > ?", (earlier.revision,))
        files = earlier.files | {path: (number, digest) for path, number, digest in rows}
        if len(files) == view.select_one("SELECT count(*) FROM files"):  # none is gone
            return files
    return {path: (number, digest) for path, number, digest in view.rows(sql)}
