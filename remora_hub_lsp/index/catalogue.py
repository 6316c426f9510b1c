"""All tests of a project at one moment, and what runs before each.

Each file's tests are kept as long as what they rest on stays: an edit has those collected again that it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..analysis.testing import CONFTEST, CollectionRules
from .collecting import FileTests, Test
from .testfiles import IndexedFiles

# How many steps further than the test itself is what runs around it.
AROUND = 3


class Catalogue:
    """earlier: that of another moment, with the rules that held then.

    by_key: the tests by the keys of their functions; what several classes inherit is a test of each. before: by a
    definition's key, the tests (keys) for which it runs without being called by them, as (distance, tests): fixtures,
    set-ups, hooks.
    """

    def __init__(self, files: IndexedFiles, rules: CollectionRules, earlier: Catalogue | None = None) -> None:
        self.rules = rules
        kept = earlier.files if earlier is not None and earlier.rules == rules else {}
        self.files: dict[str, FileTests] = {}
        for path in kept if kept and files.are_the_same else files.test_paths(rules):
            tests = kept.get(path)
            if tests is None or not files.changed.isdisjoint(tests.rests_on):
                tests = FileTests(files, rules, path)
            self.files[path] = tests
        self.by_key: dict[str, list[Test]] = {}
        self.before: dict[str, list[tuple[int, Sequence[str]]]] = {}
        self._by_class: dict[str, list[FileTests]] = {}
        if earlier is not None and self.files == earlier.files:
            self.by_key, self.before, self._by_class = earlier.by_key, earlier.before, earlier._by_class
        else:
            self._join()
            self._hooks(files)

    def _join(self) -> None:
        for tests in self.files.values():
            for test in tests.tests:
                self.by_key.setdefault(test.key, []).append(test)
            for key, groups in tests.before.items():
                self.before.setdefault(key, []).extend(groups)
            for key in tests.by_class:
                self._by_class.setdefault(key, []).append(tests)

    def _hooks(self, files: IndexedFiles) -> None:
        """pytest's hooks in a conftest.py run for every test below."""
        for path in files.named(CONFTEST):
            below = list(self.below(path.rpartition("/")[0]))
            share = files.share(path) if below else None
            for name, one in share.members[""].items() if share else ():
                if name.startswith("pytest_"):
                    self.before.setdefault(one.key, []).append((AROUND, below))

    def in_file(self, path: str) -> list[str]:
        """The tests that are collected in a file."""
        return [test.key for test in self.files[path].tests] if path in self.files else []

    def of_class(self, key: str) -> Iterator[str]:
        """The tests of a class: inherited ones, and those of what inherits from it, too."""
        return (test for tests in self._by_class.get(key, ()) for test in tests.by_class[key])

    def below(self, folder: str) -> Iterator[str]:
        """The tests in a folder ('': the root) and below it."""
        start = f"{folder}/" if folder else ""
        return (test.key for path, tests in self.files.items() if path.startswith(start) for test in tests.tests)
