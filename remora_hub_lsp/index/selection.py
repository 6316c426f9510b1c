"""Related tests as they are asked for: of nodes that are read, and of what changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.facts import MODULE
from ..analysis.testing import CONFTEST
from .catalogue import Catalogue
from .graph import is_ready, subclasses
from .keys import node_key, split_key
from .named import inside, keys_of
from .related import RelatedTest, related_tests
from .setup import setup_of
from .testfiles import FilesRead, IndexedFiles
from .ways import Known, Ways
from .words import by_words

if TYPE_CHECKING:
    from .view import IndexView, Json

# Who selects the tests to run does not stop at a distance.
ANY_DEPTH = 1000
_MOST_INDEXES = 8
# Tests so many times less likely than the likeliest one are left out of what changed. On the suites of eight packages
# that loses a failing test in 4 % of the trials of tests/bench/truth. Of so many nodes each is looked at by itself.
_UNLIKELY, _MOST_APART = 0.015, 200
# Stands for the tests of a node of which different ones have been told since it was last marked as changed.
SEVERAL = 0


class _Collected(NamedTuple):
    """A catalogue, and what it was made from."""

    revision: int
    files: FilesRead
    catalogue: Catalogue


class _Kept:
    """What is known of one index from one question to the next: for as long as what it was read from is the same."""

    def __init__(self) -> None:
        self.collected: _Collected | None = None
        self.revision = -1
        self.known: dict[bool, Known] = {False: {}, True: {}}
        self.answers: dict[str, list[RelatedTest]] = {}
        self.told: dict[str, int] = {}

    def at(self, revision: int) -> _Kept:
        if revision != self.revision:
            self.known, self.answers = {False: {}, True: {}}, {}
            self.revision = revision
        return self


_KEPT: OrderedDict[str, _Kept] = OrderedDict()


def _kept(view: IndexView) -> _Kept:
    kept = _KEPT.setdefault(view.identity, _Kept())
    _KEPT.move_to_end(view.identity)
    while len(_KEPT) > _MOST_INDEXES:
        _KEPT.popitem(last=False)
    return kept.at(view.revision)


def catalogue_of(view: IndexView) -> Catalogue:
    """All tests, as they are collected at this moment."""
    return _collected(view).catalogue


def _collected(view: IndexView) -> _Collected:
    kept = _kept(view)
    before = kept.collected
    if before is not None and before.revision == view.revision:
        return before
    files = IndexedFiles(view, before.files if before else None)
    catalogue = Catalogue(files, setup_of(view).rules, before.catalogue if before else None)
    kept.collected = _Collected(view.revision, files.read, catalogue)
    return kept.collected


def join(view: IndexView, ids: Sequence[int]) -> Mapping[int, Json]:
    """The related tests of many nodes, for models.NodeState."""
    if not is_ready(view):
        return {}
    found, told = {}, told_of(view)
    for row, key in keys_of(view, ids).items():
        tests = nearest(view, key)
        if told.setdefault(key, said := fingerprint(tests)) != said:
            told[key] = SEVERAL
        found[row] = {
            "related_tests": [test.key for test in tests],
            "related_tests_distance": [test.distance for test in tests],
            "evidence": {"related_tests": [test.evidence for test in tests]},
        }
    return found


def told_of(view: IndexView) -> dict[str, int]:
    """The fingerprints of the tests that nodes were last told to have, by the nodes' keys."""
    return _kept(view).told


def fingerprint(tests: Sequence[RelatedTest]) -> int:
    """Of what a NodeState says of its tests."""
    return hash(tuple((test.key, test.distance, test.evidence) for test in tests))


def fixtures_near(view: IndexView, path: str) -> list[str]:
    """The fixtures that tests in a file may see in it and in the conftest files above."""
    shares = _collected(view).files.shares
    folders = [path.rpartition("/")[0]]
    while folders[-1]:
        folders.append(folders[-1].rpartition("/")[0])
    near = [path, *(f"{folder}/{CONFTEST}" if folder else CONFTEST for folder in folders)]
    return [
        definition.key
        for one in near
        if (share := shares.get(one))
        for fixtures in share.fixtures.values()
        for definition, _ in fixtures.values()
    ]


def nearest(view: IndexView, key: str) -> list[RelatedTest]:
    """The tests that a NodeState names."""
    kept = _kept(view)
    found = kept.answers.get(key)
    if found is None:
        catalogue = catalogue_of(view)
        setup = setup_of(view)
        ways = Ways(view, catalogue, kept.known[False])
        sources = _sources(view, [key])
        found = by_words(view, sources, related_tests(sources, catalogue, ways, setup.depth, setup.limit))
        found = found[: setup.limit]
        kept.answers[key] = found
    return found


def tests_for(view: IndexView, keys: Collection[str], depth: int | None, limit: int | None) -> list[Json]:
    """The tests for some nodes, the likeliest first: {key, ids, distance, likelihood, evidence}."""
    catalogue, setup = catalogue_of(view), setup_of(view)
    ways, sources = Ways(view, catalogue, _kept(view).known[False]), _sources(view, keys)
    limit = setup.limit if limit is None else limit
    found = related_tests(sources, catalogue, ways, setup.depth if depth is None else depth, limit)
    return _told(catalogue, by_words(view, sources, found)[:limit])


def tests_for_changed(
    view: IndexView, keys: Collection[str], depth: int | None, limit: int | None, *, unlikely: bool
) -> list[Json]:
    """The same for what changed: whatever may well run it, so that hardly a test is missed. unlikely: also those of a
    node that are very unlikely beside the likeliest one of that node."""
    catalogue = catalogue_of(view)
    ways = Ways(view, catalogue, _kept(view).known[True], True)
    depth = ANY_DEPTH if depth is None else depth
    apart = [[key] for key in keys] if len(keys) <= _MOST_APART else [list(keys)]
    best: dict[str, RelatedTest] = {}
    for some in apart:
        tests = related_tests(_sources(view, some, True), catalogue, ways, depth, None)
        if not tests:  # somebody runs it, in a way that cannot be seen: perhaps whoever imports it
            modules = dict.fromkeys(node_key(split_key(key)[0], MODULE) for key in some)
            tests = related_tests(list(modules), catalogue, ways, depth, None)
        least = _UNLIKELY * tests[0].likelihood if tests and len(some) == 1 and not unlikely else 0.0
        for test in tests:
            if test.likelihood >= least and (test.key not in best or test.likelihood > best[test.key].likelihood):
                best[test.key] = test
    order = sorted(best.values(), key=lambda test: (-test.likelihood, test.distance, test.key))
    return _told(catalogue, order[:limit])


def _told(catalogue: Catalogue, tests: Sequence[RelatedTest]) -> list[Json]:
    return [
        test._asdict()
        | {"likelihood": round(test.likelihood, 6), "ids": [one.id for one in catalogue.by_key[test.key]]}
        for test in tests
    ]


def _sources(view: IndexView, keys: Collection[str], wide: bool = False) -> list[str]:
    """The asked definitions with those that stand in them. wide: and what inherits from asked classes; but not all of
    a module, since who imports it is found anyway."""
    found = dict.fromkeys(keys)
    todo = list(keys)
    for key in todo:
        path, qualname = split_key(key)
        if qualname != MODULE or not wide:
            found |= dict.fromkeys(inside(view, path, "" if qualname == MODULE else qualname))
        if wide and (more := [one for one in subclasses(view, key) if one not in found]):
            found |= dict.fromkeys(more)
            todo += more
    return list(found)
