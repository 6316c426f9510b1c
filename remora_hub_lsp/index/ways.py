"""The steps that lead from a definition back to whoever may make it run, from the tables of the graph.

Beside calls there are ways that no call is written for: a method takes the place of the one it overrides, what a class
defines may run wherever the class is used, a function within another one comes with that. They are less likely.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import orjson

from ..analysis.facts import MODULE
from ..analysis.testing import CONFTEST
from .catalogue import Catalogue
from .graph import CALL, IMPLICIT, KINDS, REFERENCE, bases, number_of, subclasses
from .keys import node_key, split_key
from .named import kinds
from .related import BY_NAME, EXACT, INFERRED, Step
from .rows import FACT_FIELDS, module_of

if TYPE_CHECKING:
    from .view import IndexView

Known = dict[str, tuple[Step, ...]]

# How likely what is called runs when its caller does, by the caller's complexity (up to 1, 3, 7, more): measured on the
# suites of eight packages, where an exact edge is to be found in 99, 87, 72 and 65 % of the tests that run its caller;
# where a caller may mean one of several definitions of the same name (1, 2, up to 5, more), in so much fewer.
_CALLED = {EXACT: (0.98, 0.87, 0.73, 0.65), INFERRED: (0.96, 0.81, 0.75, 0.62), BY_NAME: (0.5, 0.4, 0.3, 0.3)}
_ONE_OF = (1.0, 0.55, 0.35, 0.3)
_IMPLICIT, _NAMED, _BY_TEST = 0.8, 0.6, 0.995
# ... the ways that no call is written for,
_WITHIN, _MADE, _SUBCLASS, _OVERRIDING, _USED = 0.7, 0.98, 0.6, 0.16, 0.15
# ... what the code of a class with tests, or of their module, is for (parameters of tests, what they share),
_OF_CLASS, _OF_FILE, _OF_NAMED = 0.7, 0.3, 0.8
# ... and what runs when other modules are imported, or nobody knows when.
_IMPORTED, _IMPORTED_NAME, _GUESSED = 0.02, 0.01, 0.01
_CONSTRUCTORS = ("__init__", "__new__")
_COMPLEXITY = FACT_FIELDS.index("complexity")


class Ways:
    """What leads to definitions at one moment.

    wide: also what runs when modules are imported, and where a method of an unknown object has that name: for who must
    not miss a test, rather than name a good one. known: what was found out before, of the same moment.
    """

    def __init__(self, view: IndexView, catalogue: Catalogue, known: Known, wide: bool = False) -> None:
        self._view = view
        self._catalogue = catalogue
        self._known = known
        self._wide = wide
        self._alike: dict[int, Counter[str]] = {}
        self._bases: dict[str, list[str]] = {}

    def __call__(self, keys: Collection[str]) -> Iterator[Step]:
        """The steps that lead to these definitions."""
        new = [key for key in keys if key not in self._known]
        if new:
            found: dict[str, list[Step]] = defaultdict(list)
            for step in self._find(new):
                found[step.callee].append(step)
            for key in new:
                self._known[key] = tuple(found.get(key, ()))
        for key in keys:
            yield from self._known[key]

    def _find(self, keys: Collection[str]) -> Iterator[Step]:
        called, met = set(), set()
        for step, at_run in self._callers(keys):
            met.add(step.callee)
            if at_run:
                called.add(step.callee)
            yield step
        known = self._kinds([*keys, *filter(None, map(_outer, keys))])
        named = self._named(keys) if self._wide else set()
        for key in keys:
            kind = "module" if key.endswith(f":{MODULE}") else known.get(key)
            further: list[Step] = []
            if kind == "module":
                yield from self._importers(key)
                continue
            if kind == "class":
                further += self._users(key)
            elif kind is not None:
                further += self._around(key, known, key in called and key not in named)
            yield from further
            if self._wide and key not in met and not further:
                yield Step(key, node_key(split_key(key)[0], MODULE), _GUESSED, BY_NAME)

    def _callers(self, keys: Collection[str]) -> Iterator[tuple[Step, bool]]:
        """The steps from callers, and whether that is code of functions, which runs when a test does."""
        by_number = {number_of(key): key for key in keys}
        for target, flags, path, owner, kind, complexity, row_id, data in self._view.rows(
            _CALLED_BY, (orjson.dumps(list(by_number)).decode(),)
        ):
            key, caller = by_number[target], node_key(path, owner)
            at_import = kind is None or kind == "class" or kind == "module"
            if at_import:
                caller, likely = self._of_tests(path, caller)
                if not likely and not self._wide:
                    continue
            for number, way in enumerate(KINDS):
                if not (sure := flags >> 2 * number & 3):
                    continue
                if not at_import:
                    likelihood = self._likelihood(caller, way, sure, complexity or 1)
                    if way != REFERENCE and caller not in self._catalogue.by_key:
                        likelihood *= _ONE_OF[bisect_left((1, 2, 5), self._count(row_id, data)[_name(key)])]
                elif likely:
                    likelihood = likely * (_OF_NAMED if way == REFERENCE else 1)
                else:
                    likelihood = _IMPORTED_NAME if way == REFERENCE else _IMPORTED
                yield Step(key, caller, likelihood, sure), not at_import and way != REFERENCE

    def _of_tests(self, path: str, owner: str) -> tuple[str, float]:
        """Whose code it is that runs at import, and how likely it is for the tests there; 0 where there are none."""
        if any(self._catalogue.of_class(owner)):
            return owner, _OF_CLASS
        return node_key(path, MODULE), _OF_FILE if self._catalogue.in_file(path) else 0.0

    def _count(self, row_id: int, data: bytes) -> Counter[str]:
        """How many definitions of each name a caller may call."""
        if row_id not in self._alike:
            called = {target for target, kind, *_ in orjson.loads(data) if KINDS[kind] != REFERENCE}
            self._alike[row_id] = Counter(map(_name, called))
        return self._alike[row_id]

    def _named(self, keys: Collection[str]) -> set[str]:
        """Those of the definitions by whose name functions call a method of something unknown."""
        by_number: dict[int, list[str]] = defaultdict(list)
        for key in keys:
            by_number[number_of(f".{_name(key)}")].append(key)
        rows = self._view.rows(_NAMED_BY, (orjson.dumps(list(by_number)).decode(),))
        return {key for (number,) in rows for key in by_number[number]}

    def _likelihood(self, caller: str, way: str, sure: int, complexity: int) -> float:
        if way == REFERENCE:
            return _NAMED
        if caller in self._catalogue.by_key and sure != BY_NAME:
            return _BY_TEST if way == CALL else _IMPLICIT
        return _IMPLICIT if way == IMPLICIT else _CALLED[sure][bisect_left((1, 3, 7), complexity)]

    def _around(self, key: str, known: Mapping[str, str], called: bool) -> Iterator[Step]:
        """What a function stands in. known: kinds."""
        outer = _outer(key)
        if outer is None:
            return
        if known.get(outer) != "class":
            yield Step(key, outer, _WITHIN, INFERRED)
            return
        name, above = _name(key), self._above(outer)
        outside = any(not base.startswith("node:") for base in above)
        overridden = [f"{base}.{name}" for base in above if base.startswith("node:")]
        yield from (Step(key, one, _OVERRIDING, BY_NAME) for one in (self._kinds(overridden) if overridden else ()))
        if key in self._catalogue.by_key:
            return  # the runner runs it
        if name in _CONSTRUCTORS:
            yield Step(key, outer, _NAMED, INFERRED)
        elif outside or not called or name.startswith("__"):
            yield Step(key, outer, _USED, BY_NAME)

    def _users(self, key: str) -> Iterator[Step]:
        """Where a class is used: where it is made, where its subclasses are, and by the tests in it."""
        for constructor in self._kinds([f"{key}.{name}" for name in _CONSTRUCTORS]):
            yield Step(key, constructor, _MADE, EXACT)
        yield from (Step(key, one, _SUBCLASS, INFERRED) for one in subclasses(self._view, key))
        yield from (Step(key, test, _MADE, EXACT) for test in self._catalogue.of_class(key))

    def _importers(self, key: str) -> Iterator[Step]:
        """The tests for which a module is, and (wide) the modules that import it."""
        path, _ = split_key(key)
        folder, _, file = path.rpartition("/")
        tests: Iterable[str] = self._catalogue.in_file(path)
        if file == CONFTEST:
            tests = self._catalogue.below(folder)
        yield from (Step(key, test, _MADE, EXACT) for test in dict.fromkeys(tests))
        name = module_of(path)
        if not self._wide:
            return
        for (importer,) in self._view.rows(_IMPORTS, (name, f"{name}.", f"{name}/")):
            yield Step(key, node_key(importer, MODULE), _MADE, EXACT)

    def _above(self, key: str) -> list[str]:
        """All bases of a class, nearest first; those outside the project by their dotted names."""
        if key not in self._bases:
            found: dict[str, None] = {}
            todo = [key]
            for one in todo:
                for base in bases(self._view, one):
                    if base not in found and base != key and base not in ("object", "builtins.object"):
                        found[base] = None
                        if base.startswith("node:"):
                            todo.append(base)
            self._bases[key] = list(found)
        return self._bases[key]

    def _kinds(self, keys: Collection[str]) -> dict[str, str]:
        """The kinds of those of the definitions that there are."""
        return kinds(self._view, keys)


_CALLED_BY = (
    "SELECT called.target, called.flags, files.path, edges.owner, nodes.kind,"
    f" json_extract(CAST(nodes.facts AS TEXT), '$[{_COMPLEXITY}]'), edges.id, edges.data FROM called"
    " JOIN edges ON edges.id = called.caller JOIN files ON files.id = called.caller >> 40"
    " LEFT JOIN nodes ON nodes.id = called.caller"
    " WHERE called.target IN (SELECT value FROM json_each(?))"
)
_NAMED_BY = (
    "SELECT DISTINCT called.target FROM called JOIN nodes ON nodes.id = called.caller"
    " WHERE called.target IN (SELECT value FROM json_each(?)) AND nodes.kind NOT IN ('class', 'module')"
)
_IMPORTS = (
    "SELECT DISTINCT path FROM imports JOIN files ON files.id = imports.file"
    " WHERE target = ? OR (target > ? AND target < ?)"
)


def _outer(key: str) -> str | None:
    """The key of what a definition stands in; None for what stands in a module."""
    path, qualname = split_key(key)
    around = qualname.rpartition(".")[0]
    return node_key(path, around) if around else None


def _name(key: str) -> str:
    return key.rpartition(":")[2].rpartition(".")[2].partition("#")[0]
