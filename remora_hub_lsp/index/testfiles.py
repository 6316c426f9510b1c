"""What the catalogue of tests reads from the index: a file's share, kept until the file changes, and dotted names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import orjson

from ..analysis.facts import MODULE
from ..analysis.testing import CollectionRules
from .catalogue import Definition, FileShare, Place
from .keys import node_key
from .rows import FACT_FIELDS, module_of

if TYPE_CHECKING:
    from .view import IndexView

_SIGNATURE, _DECORATORS = FACT_FIELDS.index("signature"), FACT_FIELDS.index("decorators")
_LONGEST = 20  # parts of a dotted name

Shares = dict[str, tuple[str, FileShare]]
"""By path: the file's hash, and its share then."""


class IndexedFiles:
    """The files of one moment. shares: what is kept from one moment to the next.

    used: the shares that were asked for, None: there is no such file.
    """

    def __init__(self, view: IndexView, shares: Shares) -> None:
        self._view = view
        self._shares = shares
        self.used: dict[str, FileShare | None] = {}
        rows = view.rows("SELECT path, id, file_hash FROM files")
        self._files: dict[str, tuple[int, str]] = {path: (number, digest) for path, number, digest in rows}
        self._located: dict[str, Place | None] = {}
        self._modules: dict[str, str] = {}

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._files)

    def is_as_before(self, paths: frozenset[str], used: Mapping[str, FileShare | None]) -> bool:
        """Whether all that was asked for at another moment has the same answers now."""
        return self._files.keys() == paths and all(self.share(path) is share for path, share in used.items())

    def test_paths(self, rules: CollectionRules) -> Iterator[str]:
        """Files that may have tests."""
        return (path for path in sorted(self._files) if rules.is_test_file(path) or rules.is_unittest_file(path))

    def share(self, path: str) -> FileShare | None:
        """The file's share; None where there is no such file. One that says the same as before is the same object."""
        if path not in self.used:
            self.used[path] = self._share(path) if path in self._files else None
        return self.used[path]

    def _share(self, path: str) -> FileShare:
        number, digest = self._files[path]
        kept = self._shares.get(path)
        if kept is not None and kept[0] == digest:
            return kept[1]
        share = self._read(path, number)
        if kept is not None and kept[1] == share:
            share = kept[1]
        self._shares[path] = digest, share
        return share

    def _read(self, path: str, number: int) -> FileShare:
        definitions = []
        sql = "SELECT qualname, kind, facts FROM nodes WHERE id BETWEEN ? << 40 AND ((? + 1) << 40) - 1"
        for qualname, kind, data in self._view.rows(sql, (number, number)):
            facts = orjson.loads(data)
            key = node_key(path, qualname)
            definitions.append(Definition(key, qualname, kind, facts[_SIGNATURE], tuple(facts[_DECORATORS])))
        bindings = self._view.select_one("SELECT bindings FROM files WHERE id = ?", (number,))
        return FileShare(path, definitions, orjson.loads(bindings), {})

    def _index(self) -> dict[str, str]:
        """Files by the dotted names that they may be imported by."""
        if not self._modules:
            for path in sorted(self._files, key=lambda path: (-path.count("/"), path.endswith(".pyi"))):
                for name in self._names(path):
                    self._modules[name] = path  # of several with one name, the one that is nearest to the root
        return self._modules

    def locate(self, dotted: str) -> Place | None:
        """The definition (or module) of the project that a dotted name leads to, through re-exports."""
        if dotted not in self._located:
            self._located[dotted] = None  # for names that lead in a circle
            self._located[dotted] = self._locate(dotted)
        return self._located[dotted]

    def _locate(self, dotted: str) -> Place | None:
        parts = dotted.split(".")
        # The longest module that there is decides. A name this long comes from a circle of re-exports.
        for length in range(len(parts), 0, -1) if len(parts) < _LONGEST else ():
            path = self._index().get(".".join(parts[:length]))
            share = self.share(path) if path is not None else None
            if share is None:
                continue
            rest = parts[length:]
            if not rest:
                return share.path, MODULE
            if ".".join(rest) in share.definitions:
                return share.path, ".".join(rest)
            return next((place for one in self._onward(share, rest) if (place := self.locate(one))), None)
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
