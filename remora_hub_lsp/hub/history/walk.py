"""From HEAD backwards through a file's versions, until it is known of every docstring since when it stands.

Most versions need no parsing: where the lines from a function's decorators to the end of its docstring stand in the
older text as they are, neither signature nor docstring changed there.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ...analysis.drift import Pair, reasons
from .documented import Documented, documented
from .git import Change, Commit

# A docstring of fewer characters does not tell who a function is that has another name now.
TELLING = 40


class Version(NamedTuple):
    """What a file contained from a commit on."""

    commit: Commit
    path: str
    blob: str


@dataclass
class Chain:
    """A file's versions, newest first, HEAD's included. base: path and blob of the one before, if that is known."""

    path: str
    versions: list[Version] = field(default_factory=list)
    base: tuple[str, str] | None = None

    @property
    def blobs(self) -> list[str]:
        """Of the versions and of the base."""
        return [*(version.blob for version in self.versions), *([self.base[1]] if self.base else [])]


class Settled(NamedTuple):
    """Since which commit a function has its docstring, and what it was then.

    pair: None where all that a docstring can tell of is as it is in the file now. left: the commit that changed the
    signature since, so that the docstring was left behind.
    """

    commit: Commit
    pair: Pair | None = None
    left: Commit | None = None


def chains(
    log: Iterable[tuple[Commit, list[Change]]], paths: Iterable[str], known: Container[tuple[str, str]]
) -> dict[str, Chain]:
    """The versions of files at HEAD, as far as they are not known. Reads no more of the log than that needs."""
    found = {path: Chain(path) for path in paths}
    here = dict(found)
    for commit, changes in log:
        touched = [(change, here.pop(change.path)) for change in changes if change.path in here]
        for change, chain in touched:
            if change.blob:
                chain.versions.append(Version(commit, change.path, change.blob))
            if change.blob and change.old_blob:
                if (change.old_path, change.old_blob) in known:
                    chain.base = change.old_path, change.old_blob
                else:
                    here[change.old_path] = chain
        if not here:
            break
    return found


def settle(chain: Chain, base: Mapping[str, Settled], contents: Iterator[bytes | None]) -> dict[str, Settled]:
    """Since when the file's docstrings stand, by the functions' names at HEAD; nothing where HEAD does not parse.

    base: what is known of the version `chain.base`. contents: of `chain.blobs`, of which it takes what it needs.
    """
    found: dict[str, Settled] = {}
    text = _Text(next(contents, None))
    open_ = [_Open(one, one) for one in text.functions.values()]
    for version in chain.versions:
        if not open_:
            break
        older = _Text(next(contents, None))
        still = []
        for one in open_:
            was = older.find(one.then, text)
            if was is None:
                found[one.now.name] = one.settled(Settled(version.commit), text)
            else:
                still.append(one.before(was, version.commit))
        open_, text = still, older
    for one in open_:
        if (known := base.get(one.then.name)) is not None:
            found[one.now.name] = one.settled(known, text)
    return found


class _Open(NamedTuple):
    """A function whose docstring's last change is not found yet: as it is at HEAD, and in the version just seen.

    signed: what it was from the commits on that changed its signature, the newest first.
    """

    now: Documented
    then: Documented
    signed: tuple[tuple[Commit, Documented], ...] = ()

    def before(self, was: Documented, commit: Commit) -> _Open:
        """The same, seen one version further back: what the commit found."""
        same = was.signature == self.then.signature
        return self._replace(then=was, signed=self.signed if same else (*self.signed, (commit, self.then)))

    def settled(self, known: Settled, text: _Text) -> Settled:
        """With what the function was in a text, unless that is what it is now."""
        then = text.whole(self.then)
        was, now = known.pair, self.now.pair
        if was is None and then.source != self.now.source:
            was = then.pair
        if was is None or now is None or _telling(was) == _telling(now):
            return Settled(known.commit)
        return Settled(known.commit, was, known.left or self._left(was))

    def _left(self, was: Pair) -> Commit | None:
        """The first commit whose signature is a reason to doubt the docstring; without one, the first to change it."""
        for commit, one in reversed(self.signed):
            if (pair := one.pair) is not None and reasons(was, pair):
                return commit
        return self.signed[-1][0] if self.signed else None


class _Text:
    """A version's bytes, parsed only when it has to be; nothing is in a text that is missing or does not parse."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data or b""

    @cached_property
    def functions(self) -> dict[str, Documented]:
        return documented(self.data) or {}

    def find(self, one: Documented, newer: _Text) -> Documented | None:
        """The function with the docstring it had in the next newer text; also where it had another name."""
        if one.stands_in(self.data):
            return one
        same = self.functions.get(one.name)
        if same is not None:
            return same if _same_words(same, one) else None
        if len(one.docstring) < TELLING:
            return None
        others = [
            other for other in self.functions.values()
            if _same_words(other, one) and other.name not in newer.functions
        ]  # fmt: skip
        return others[0] if len(others) == 1 else None

    def whole(self, one: Documented) -> Documented:
        """A function whose head stands here, with all its lines as they are here."""
        if "functions" in self.__dict__ or len(one.heads) > 1:
            return self.functions.get(one.name, one)
        return one._replace(source=_cut(self.data, one.heads[0]))


def _same_words(one: Documented, other: Documented) -> bool:
    """Whether two docstrings are the same, white space aside."""
    return one.docstring == other.docstring or one.docstring.split() == other.docstring.split()


def _cut(data: bytes, head: bytes) -> bytes:
    """The definition that begins with these lines: they, and what is indented further below."""
    start = data.find(head)
    end = start + len(head)
    indent = len(head) - len(head.lstrip(b" \t"))
    for line in data[end:].splitlines(keepends=True):
        if line.strip() and len(line) - len(line.lstrip(b" \t")) <= indent:
            break
        end += len(line)
    return data[start:end]


def _telling(pair: Pair) -> tuple[object, ...]:
    """What of a pair makes a difference."""
    return pair.signature, pair.kind, pair.returns, pair.yields, pair.raises
