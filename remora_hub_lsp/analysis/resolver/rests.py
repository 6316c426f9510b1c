"""What is found out -> which names of which files it rests on, noted while it is found out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..forms import CLASS
from ..program import FRAGMENT, MODULE_KIND, Module, Rest, Scope

# What is asked, and of what: (kind of question, the scope that it is about, ...).
Question = tuple[Any, ...]
# `Class.?name`: whether the class has that name at all; and what rests on it that it has not, nor any above it.
PRESENCE = ".?"
# A name that stands for all of a file's.
ANY_NAME = "*"
# What rests on which names a module or class has rests on this one, too.
ALL_NAMES = "<names>"
# `Class.<below>`: which classes are below it.
BELOW = "<below>"
# Questions that are asked for the asker: what the answer rests on comes with it.
LOOKUPS = frozenset(("find", "instance", "overriding", "below"))
# Questions about a class that are about one name of it.
_OF_MEMBERS = frozenset(("member", "stored", "name", "state")) | LOOKUPS
# And those about its subclasses.
_OF_SUBCLASSES = frozenset(("subclasses", "names below"))


class Rests:
    """Notes, for what is asked now, what it rests on.

    found: by file and name ("": the edges of its code), which names of which files that rests on; names as in
    `Scope.rest`. What was found out since the last `take`.
    owner: what is asked for now. into: what that rests on. looked: what was looked up for the edges of a file; None:
    it is something else that is found out.
    """

    def __init__(self, lasting: bool) -> None:
        """lasting: whether it is asked, later, what rests on what."""
        self.found: dict[Rest, set[Rest]] = {}
        self.owner: Rest = ("", "")
        self.into: set[Rest] = set()
        self.looked: set[Question] | None = None
        self._lasting = lasting
        self._known: dict[Rest, set[Rest]] = {}  # all that was found
        self._on: dict[Rest, set[Rest]] = {}  # the same the other way round, and what rested on it once
        self._absent: dict[str, set[Rest]] = {}  # of that what `absent` gives, by the name
        self._links: list[tuple[Rest, tuple[Rest, ...]]] = []  # what was looked up in classes, to go there

    def begin(self, path: str, apart: bool = False) -> set[Rest]:
        """What is asked next is asked for code of a file; what that rests on comes into the set. apart: it is not
        noted yet."""
        self.owner = (path, "")
        self.into = set() if apart else self.found.setdefault(self.owner, set())
        self.looked = set()
        return self.into

    def begin_question(self, owner: Rest) -> None:
        """What is asked next is asked for this name."""
        if owner != self.owner:
            self.owner, self.looked = owner, None
            into = self.found.get(owner)
            if into is None:
                into = self.found[owner] = set()
            self.into = into

    def begin_again(self, owner: Rest) -> None:
        """What is asked next was asked for this name before."""
        self.owner, self.looked = owner, None
        self.into = self.found.setdefault(owner, set())

    def on_name(self, module: Module, name: str) -> None:
        """What is being found out rests on a name of the module."""
        self.into.add((module.path, name))

    def on_absent(self, dotted: str) -> None:
        """What is being found out rests on there being no such module."""
        self.into.add(("", dotted.partition(".")[0]))

    def link(self, member: Rest, found: tuple[Rest, ...]) -> None:
        """A name was looked up in a class, and what came of it rests on these."""
        if self._lasting:
            self._links.append((member, found))

    def note(self, owner: Rest, *found: set[Rest]) -> None:
        """It rests on these."""
        self.found.setdefault(owner, set()).update(*found)

    def take(self) -> dict[Rest, set[Rest]]:
        """What was found out, since the last time, to rest on what."""
        if self._lasting:
            self.merge()
        taken, self.found = self.found, {}
        return taken

    def merge(self) -> None:
        """Know by what is rested on what was found out lately."""
        for owner, found in self.found.items():
            known = self._known.setdefault(owner, set())
            self._add(owner, found - known)
            known |= found
        for owner, looked_up in self._links:
            self._add(owner, looked_up)
        self._links.clear()

    def _add(self, owner: Rest, rested: Iterable[Rest]) -> None:
        on = self._on
        for one in rested:
            owners = on.get(one)
            if owners is None:
                owners = on[one] = set()
                _, is_absent, name = one[1].partition("?")
                if is_absent:
                    self._absent.setdefault(name, set()).add(one)
            owners.add(owner)

    def forget(self, owner: Rest) -> None:
        """What it rests on is found out anew."""
        self._known.pop(owner, None)

    def in_files(self, paths: Iterable[str]) -> set[Rest]:
        """All names of these files that something rests on."""
        return {one for one in self._on if one[0] in paths}

    def absences(self, cls: Rest, name: str) -> set[Rest]:
        """What `absent` gives of this name for classes that have to do with this one."""
        looked = self._absent.get(name)
        if not looked:
            return set()
        concerned = self.above([cls])
        return {one for one in looked if any(around in concerned for around in _around(one))}

    def above(self, start: Iterable[Rest]) -> set[Rest]:
        """These, and all that rests on them."""
        return _above(start, self._on)


def absent(cls: Scope, name: str, below: str = "") -> Rest:
    """What rests on it that a class and those above it (in front of the one that has it) do not have a name rests on
    this, see PRESENCE. below: BELOW, what rests on it that those below the class do not have it."""
    key = f"{below}?{name}"
    found = cls.members.get(key)
    if found is None:
        found = cls.members[key] = cls.module.path, f"{cls.qualname}.{key}"
    return found


def rest_of(key: Question) -> Rest:
    """What a question is about."""
    about: Scope = key[1]
    kind = about.kind
    if kind == CLASS:
        if key[0] in _OF_MEMBERS:
            return about.member_rest(key[2])
        return about.member_rest(BELOW) if key[0] in _OF_SUBCLASSES else about.rest
    if kind == MODULE_KIND:
        return about.module.path, key[2]
    if kind == FRAGMENT:
        name = key[2].partition("%")[0]
        around = about.parent
        assert around is not None
        return around.member_rest(name) if around.kind == CLASS else (about.module.path, name)
    return about.rest


def _around(absence: Rest) -> Iterator[Rest]:
    """The class of an absence, as far as it may be named, and what stands around it."""
    path, text = absence
    parts = text.partition("?")[0].rstrip(".").split(".")
    return ((path, ".".join(parts[:length])) for length in range(1, len(parts) + 1))


def _above(start: Iterable[Rest], on: Mapping[Rest, Iterable[Rest]]) -> set[Rest]:
    todo = list(start)
    found = set(todo)
    while todo:
        for owner in on.get(todo.pop(), ()):
            if owner not in found:
                found.add(owner)
                todo.append(owner)
    return found
