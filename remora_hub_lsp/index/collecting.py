"""The tests of one file, as pytest and unittest collect them, and what runs before each: fixtures and set-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..analysis.fixtures import fixture_of, used_by_marks
from ..analysis.testing import (
    CONFTEST,
    SETUP_OF_FUNCTION,
    SETUP_OF_METHOD,
    SETUP_OF_MODULE,
    UNITTEST_BASES,
    CollectionRules,
    bases_of,
    name_of,
    owner_of,
)
from .fileshare import Definition, FileShare, Place
from .keys import node_key
from .testfiles import IndexedFiles

# How many steps further than the test itself is what runs for it.
DIRECT, INDIRECT = 1, 2


class Test(NamedTuple):
    """A function as it is collected in one place: what several classes inherit is a test of each.

    key: that of the function. id: as pytest names it, without parameters.
    """

    key: str
    id: str


class FileTests:
    """The tests that are collected in one file.

    before: by a definition's key, the tests (keys) for which it runs without being called by them,
    as (distance, tests).
    by_class: the tests of a class (inherited ones, and those of what inherits from it, too) by its key.
    rests_on: all that was looked at in other files, and names of modules that were looked for: all this holds as
    long as nothing of it changes.
    """

    def __init__(self, files: IndexedFiles, rules: CollectionRules, path: str) -> None:
        self._files = files
        self._rules = rules
        self.tests: list[Test] = []
        self.before: dict[str, list[tuple[int, list[str]]]] = {}
        self.by_class: dict[str, list[str]] = {}
        self._chains: dict[Place, tuple[list[Place], list[str]]] = {}
        self._groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        with files.noting() as noted:
            share = files.share(path)
            if share is not None:
                self._collect(share)
        self.rests_on = frozenset(noted)

    def _collect(self, share: FileShare) -> None:
        path = share.path
        if self._rules.is_test_file(path):
            for name, one in share.members[""].items():
                if self._rules.is_function(name) and fixture_of(name, one.decorators) is None:
                    self._add(one, share, share, "", [])
        for qualname in share.classes:
            if owner_of(qualname) in ("", *share.classes):
                self._collect_class(share, qualname)

    def _collect_class(self, share: FileShare, qualname: str) -> None:
        chain, external = self._chain((share.path, qualname))
        members = self._members(chain)
        if self._is_unittest(external) and self._rules.is_unittest_file(share.path):
            wanted = [name for name in members if name.startswith("test")]
            wanted = wanted or [name for name in members if name == "runTest"]
        elif self._is_plain(share.path, qualname, members):
            wanted = [name for name in members if self._rules.is_function(name)]
        else:
            return
        for name in wanted:
            definer, one = members[name]
            if one.kind != "property" and fixture_of(name, one.decorators) is None:
                self._add(one, definer, share, qualname, chain)

    def _is_plain(self, path: str, qualname: str, members: Mapping[str, object]) -> bool:
        """Whether pytest takes a class that is none of unittest's for one with tests."""
        names = [part.partition("#")[0] for part in qualname.split(".")]
        return (
            self._rules.is_test_file(path)
            and all(map(self._rules.is_class, names))
            and "__init__" not in members
            and "__new__" not in members
        )

    @staticmethod
    def _is_unittest(external: Iterable[str]) -> bool:
        # A class of another library that is called so is one, as good as always.
        return any(base in UNITTEST_BASES or base.rpartition(".")[2].endswith("TestCase") for base in external)

    def _members(self, chain: Sequence[Place]) -> dict[str, tuple[FileShare, Definition]]:
        """What a class has by its own and its bases' definitions, the nearest one of each name."""
        found: dict[str, tuple[FileShare, Definition]] = {}
        for path, qualname in chain:
            share = self._files.share(path)
            for name, one in (share.members.get(qualname, {}) if share else {}).items():
                found.setdefault(name, (share, one))  # type: ignore[arg-type]
        return found

    def _chain(self, place: Place) -> tuple[list[Place], list[str]]:
        """A class and its bases in the project, and its bases outside. Depth first, each once: near enough to C3."""
        if place not in self._chains:
            self._chains[place] = [place], []  # for one that is its own base
            share = self._files.share(place[0])
            project, external = [place], []
            for base in self._bases(share, place[1]) if share else ():
                if isinstance(base, str):
                    external.append(base)
                else:
                    inner, outer = self._chain(base)
                    project += [one for one in inner if one not in project]
                    external += outer
            self._chains[place] = project, external
        return self._chains[place]

    def _bases(self, share: FileShare, qualname: str) -> Iterator[Place | str]:
        for name in bases_of(share.classes[qualname].signature) if qualname in share.classes else ():
            around = owner_of(qualname)
            near = f"{around}.{name}" if around else name
            own = next((one for one in (near, name) if one in share.classes and one != qualname), None)
            if own is not None:
                yield share.path, own
                continue
            dotted = self._dotted(share, name)
            if dotted in UNITTEST_BASES:
                yield dotted
                continue
            found = self._files.locate(dotted)
            yield found if found is not None else dotted

    @staticmethod
    def _dotted(share: FileShare, name: str) -> str:
        """The dotted name that a name in the file stands for, by the longest import."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            target = share.bindings.get(".".join(parts[:length]))
            if target is not None:
                return ".".join([target, *parts[length:]])
        return name

    def _add(
        self, one: Definition, definer: FileShare, collected: FileShare, owner: str, chain: Sequence[Place]
    ) -> None:
        inside = [part.partition("#")[0] for part in owner.split(".") if part]
        self.tests.append(Test(one.key, "::".join([collected.path, *inside, name_of(one.qualname)])))
        asks = definer.asks(one)
        group = self._groups.get((owner, asks))
        if group is None:
            group = self._groups[owner, asks] = []
            for runs, distance in self._before(collected, owner, chain, asks).items():
                self.before.setdefault(runs, []).append((distance, group))
        group.append(one.key)
        for place in chain:
            self.by_class.setdefault(node_key(*place), []).append(one.key)

    def _before(self, share: FileShare, owner: str, chain: Sequence[Place], asks: Sequence[str]) -> dict[str, int]:
        """Keys of all that runs for a test of these fixtures collected there, with their distance from it."""
        found = dict.fromkeys(self._setups(share, owner, chain), DIRECT)
        scopes = list(self._scopes(share, chain))
        marks = [name for place in chain for name in self._marks(place)]
        todo = [(name, DIRECT, 0) for name in (*asks, *marks)]
        todo += [(name, INDIRECT, index) for index, scope in enumerate(scopes) for name in scope.autouse]
        done = set()
        for name, distance, start in todo:  # which grows meanwhile
            index, served = next(
                ((index, one) for index in range(start, len(scopes)) if (one := scopes[index].find(name))), (-1, None)
            )
            if served is None or (name, index) in done:
                continue
            done.add((name, index))
            found.setdefault(served.definition.key, distance)
            # A fixture that asks for its own name gets the one that it hides.
            asked = served.home.asks(served.definition)
            todo += [(one, distance + 1, index + 1 if one == name else 0) for one in asked]
        return found

    def _setups(self, share: FileShare, owner: str, chain: Sequence[Place]) -> Iterator[str]:
        names = SETUP_OF_MODULE if owner else SETUP_OF_MODULE | SETUP_OF_FUNCTION
        yield from (one.key for name, one in share.members[""].items() if name in names)
        seen = set()
        for path, qualname in chain:
            home = self._files.share(path)
            for name, one in (home.members.get(qualname, {}) if home else {}).items():
                if name in SETUP_OF_METHOD and name not in seen:
                    seen.add(name)
                    yield one.key

    def _marks(self, place: Place) -> Iterator[str]:
        share = self._files.share(place[0])
        if share is not None and place[1] in share.classes:
            yield from used_by_marks(share.classes[place[1]].decorators)

    def _scopes(self, share: FileShare, chain: Sequence[Place]) -> Iterator[_Scope]:
        """Where a test can see fixtures, from the nearest place to the farthest: classes, module, conftest files."""
        for path, qualname in chain:
            if (home := self._files.share(path)) is not None:
                yield _Scope(self._files, home, qualname)
        yield _Scope(self._files, share)
        folder = share.path
        while folder:
            folder = folder.rpartition("/")[0]
            conftest = self._files.share(f"{folder}/{CONFTEST}" if folder else CONFTEST)
            if conftest is not None and conftest is not share:
                yield _Scope(self._files, conftest)


class _Served(NamedTuple):
    """The fixture that a name leads to."""

    home: FileShare
    definition: Definition


class _Scope:
    """One of the places where a test's fixtures are looked up: a class, or a module ('') with what it imports."""

    def __init__(self, files: IndexedFiles, share: FileShare, owner: str = "") -> None:
        self._files = files
        self._share = share
        self._own = share.fixtures.get(owner, {})
        self._imports = not owner

    @property
    def autouse(self) -> list[str]:
        return [name for name, (_, fixture) in self._own.items() if fixture.autouse]

    def find(self, name: str) -> _Served | None:
        """The fixture of that name, if this is where it comes from."""
        if name in self._own:
            return _Served(self._share, self._own[name][0])
        return self._imported(name) if self._imports else None

    def _imported(self, name: str) -> _Served | None:
        target = self._share.bindings.get(name)
        for dotted in (target,) if target else [f"{module}.{name}" for module in self._share.stars]:
            place = self._files.locate(dotted)
            home = self._files.share(place[0]) if place else None
            one = home.definitions.get(place[1]) if home and place else None
            if home and one and (fixture := fixture_of(name, one.decorators)) and fixture.name == name:
                return _Served(home, one)
        return None
