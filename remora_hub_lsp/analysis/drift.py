"""Docstrings that no longer fit: what a docstring says against what its function is, and was.

`reasons` compares with the pair of signature and docstring that last belonged together, `mismatches` looks at the
present alone. Both tell only what the docstring itself gives away: a changed signature alone is no reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Literal, NamedTuple

from .defaults import is_sentinel, same_value, says_optional, stated_defaults
from .docstring import Docstring, Entry, read
from .parameters import Difference, Signature, difference, parse_signature
from .prose import is_template, line_that_names, mentions

# Raise it when the rules give other reasons: what is stored is then judged anew.
RULES = 5

ReasonCode = Literal[
    "parameter-removed", "parameter-renamed", "parameter-added", "default-changed", "return-removed", "return-added",
    "yield-removed", "yield-added", "exception-gone", "kind-changed", "signature-changed", "unknown-parameter",
]  # fmt: skip


class Pair(NamedTuple):
    """A function's signature and docstring, and what else a docstring can tell of.

    signature: normalised, as NodeState has it; of a class its `__init__`'s. docstring: cleaned. kind: models.Kind.
    returns: whether it returns a value; yields: whether it is a generator; stub: whether there is no body that could
    tell. raises: exceptions raised in the body, by name. calls: what the body calls. decorators: as written.
    allowed: `# remora: docstring-ok` stands beside it.
    """

    signature: str
    docstring: str
    kind: str = "function"
    returns: bool = False
    yields: bool = False
    stub: bool = False
    raises: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    allowed: bool = False


class Reason(NamedTuple):
    """Why a docstring no longer fits. message: for people, a clause about the docstring.

    line: of the cleaned docstring, 0-based; None where it is about something that is not there.
    old, new: names, defaults or signatures before and now, by `code`.
    """

    code: ReasonCode
    message: str
    parameter: str | None = None
    line: int | None = None
    old: str | None = None
    new: str | None = None

    @property
    def static(self) -> bool:
        """Whether it needs no memory of how things were."""
        return self.code == "unknown-parameter"


def reasons(remembered: Pair, now: Pair, *, literal: bool = False) -> tuple[Reason, ...]:
    """Why the docstring of `now` does not fit, given what belonged together once; in the order of its lines.

    literal: also that the signature changed at all while the docstring did not.
    """
    if now.allowed:
        return ()
    found: list[Reason] = []
    if _shape(remembered) != _shape(now):
        found = sorted(_Comparison(remembered, now).found(), key=lambda reason: reason.line or 0)
    if literal and not found and _nameless(remembered) != _nameless(now) and same_text(remembered, now):
        text = "has not changed with the signature"
        found.append(Reason("signature-changed", text, old=remembered.signature, new=now.signature))
    return tuple(found)


def mismatches(now: Pair) -> tuple[Reason, ...]:
    """What is wrong with the docstring whatever was before: parameters that do not exist."""
    if now.allowed or (":" not in now.docstring and "--" not in now.docstring):
        return ()
    if now.kind == "property":  # whose docstring may be that of what it gives, which can be called
        return ()
    documented = read(now.docstring).parameters
    if not documented:
        return ()
    signature = parse_signature(now.signature, now.kind)
    if signature.open_ended or any(parameter.kind == "star" for parameter in signature.parameters):
        return ()
    names = signature.names
    missing = [name for name in names if name not in documented]
    every = {*parse_signature(now.signature, "function").names, "self", "cls"}  # the one that is bound may be told, too
    return tuple(
        _unknown(name, entry, missing)
        for name, entry in documented.items()
        if name not in every and not name.endswith("_") and not _known_elsewhere(name, entry, now)
    )


def same_text(one: Pair, other: Pair) -> bool:
    """Whether two docstrings say the same, white space aside."""
    return one.docstring == other.docstring or one.docstring.split() == other.docstring.split()


def _nameless(pair: Pair) -> tuple[str, str]:
    """The signature without the name, which no docstring has to repeat."""
    head, _, rest = pair.signature.partition("(")
    return head.rpartition(" ")[0], rest


def _shape(pair: Pair) -> tuple[object, ...]:
    return pair.signature, pair.kind, pair.returns, pair.yields, pair.raises


def _unknown(name: str, entry: Entry, missing: list[str]) -> Reason:
    near = get_close_matches(name, missing, n=1, cutoff=0.6)
    advice = f": is it `{near[0]}`?" if near else ""
    text = f"documents `{name}`, which is no parameter{advice}"
    return Reason("unknown-parameter", text, name, entry.line, name, near[0] if near else None)


def _known_elsewhere(name: str, entry: Entry | None, now: Pair) -> bool:
    """A decorator takes the name, or the docstring says that it is on its way out."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(one) for one in now.decorators) or (entry is not None and is_deprecated(entry))


def is_deprecated(entry: Entry) -> bool:
    """Whether the entry says that what it documents is gone or will be."""
    return re.search(r"\b(?:deprecated|removed|no longer|ignored|obsolete)\b", entry.text, re.IGNORECASE) is not None


class _Comparison:
    """One docstring against how its function was and is."""

    def __init__(self, was: Pair, now: Pair) -> None:
        self.was = was
        self.now = now
        self.doc: Docstring = read(now.docstring)
        self.documented = self.doc.parameters
        self.old: Signature = parse_signature(was.signature, was.kind)
        self.new: Signature = parse_signature(now.signature, now.kind)
        self.change: Difference = difference(self.old, self.new)

    def found(self) -> Iterator[Reason]:
        yield from self._gone()
        yield from self._added()
        yield from self._defaults()
        yield from self._results()
        yield from self._exceptions()
        yield from self._kind()

    # ---- parameters

    def _gone(self) -> Iterator[Reason]:
        for name in (*self.change.removed, *self.change.renamed):
            entry = self.documented.get(name)
            line = entry.line if entry else line_that_names(self.now.docstring, name)
            if line is None or _known_elsewhere(name, entry, self.now):
                continue
            does = "documents" if entry else "mentions"
            new = self.change.renamed.get(name)
            if new is not None and new not in self.documented:
                text = f"still {does} `{name}`, which was renamed to `{new}`"
                yield Reason("parameter-renamed", text, name, line, name, new)
            elif not self.new.open_ended:
                text = f"still {does} `{name}`, which is no longer a parameter"
                yield Reason("parameter-removed", text, name, line, name)

    def _added(self) -> Iterator[Reason]:
        """A parameter that is not documented, while those that were there before are."""
        added = [name for name in self.change.added if self._should_be_told(name)]
        others = [name for name in self.new.names if self._counts(name) and name not in added]
        if not added or not others or is_template(self.now.docstring):
            return
        if self.documented:
            told = sum(name in self.documented or self._told_by_rename(name) for name in others)
            enough = 10 * told >= 9 * len(others)
        else:
            told = sum(line_that_names(self.now.docstring, name) is not None for name in others)
            enough = told == len(others) >= 2  # prose that names one may not mean to name them all
        if told and enough:
            line = next((section.line for section in self.doc.of("parameters")), None)
            for name in added:
                text = f"does not document `{name}`, which was added, while it documents the other parameters"
                yield Reason("parameter-added", text, name, line, None, name)

    def _should_be_told(self, name: str) -> bool:
        return self._counts(name) and name not in self.documented and not mentions(self.now.docstring, name)

    def _counts(self, name: str) -> bool:
        parameter = self.new.names[name]
        return not name.startswith("_") and parameter.kind not in ("star", "stars")

    def _told_by_rename(self, name: str) -> bool:
        """Whether the docstring documents the parameter by its old name, of which `_gone` tells."""
        return any(new == name and old in self.documented for old, new in self.change.renamed.items())

    def _defaults(self) -> Iterator[Reason]:
        for name in self.change.redefaulted:
            old, new = self.old.names[name].default, self.new.names[name].default
            entry = self.documented.get(name)
            if entry is None or old is None or (new is not None and is_sentinel(new)):
                continue
            if new == "None":  # which may stand for the same value
                continue
            stated = stated_defaults(entry)
            if any(same_value(one, old) for one in stated):
                if new is None:
                    text = f"states the default {old} of `{name}`, which has none any more"
                elif any(same_value(one, new) for one in stated):
                    continue
                else:
                    text = f"states the default {old} of `{name}`, which is {new} now"
                yield Reason("default-changed", text, name, entry.line, old, new)
            elif new is None and says_optional(entry):
                text = f"calls `{name}` optional, but it has to be given now"
                yield Reason("default-changed", text, name, entry.line, old, new)

    # ---- what comes out

    def _results(self) -> Iterator[Reason]:
        was, now = self.was, self.now
        if was.stub or now.stub:
            return
        returns, yields = self.doc.of("returns"), self.doc.of("yields")
        if yields and was.yields and not now.yields:
            yield Reason("yield-removed", "tells what is yielded, but it is no generator any more", line=yields[0].line)
        if returns and not yields and now.yields and not was.yields and not _tells_of_iterator(self.now.docstring):
            text = "tells what is returned, but it has become a generator"
            yield Reason("yield-added", text, line=returns[0].line)
        if returns and was.returns and not now.returns and not now.yields and not self._returns_something():
            yield Reason("return-removed", "tells what is returned, but nothing is any more", line=returns[0].line)
        if now.returns and not was.returns and not was.yields and (line := self._tells_of_none()) is not None:
            yield Reason("return-added", "says that nothing is returned, but something is now", line=line)

    def _returns_something(self) -> bool:
        return self._tells_of_none() is not None or self.new.returns not in (None, "None")

    def _tells_of_none(self) -> int | None:
        """The line that says that None is returned."""
        for section in self.doc.of("returns"):
            if any("None" in (entry.type.strip("`"), entry.text.strip("`. ")) for entry in section.entries):
                return section.line
        return None

    def _exceptions(self) -> Iterator[Reason]:
        """Documented exceptions that were raised here and are not. What is called now may raise them instead."""
        gone = _last_parts(self.was.raises) - _last_parts(self.now.raises)
        if self.old.open_ended and not self.new.open_ended:
            gone.discard("TypeError")  # the call itself raises it now
        if not gone or self.now.stub or not set(self.now.calls) <= set(self.was.calls):
            return
        for name, entry in self.doc.raises.items():
            if name.rpartition(".")[2] in gone and not is_deprecated(entry):
                yield Reason(
                    "exception-gone", f"tells of {name}, which is not raised any more", line=entry.line, old=name
                )

    def _kind(self) -> Iterator[Reason]:
        doc = self.now.docstring
        was, now = _kind_word(self.was, self.old), _kind_word(self.now, self.new)
        if was != now and (found := _KIND_WORDS[was].search(doc)) and not _KIND_WORDS[now].search(doc):
            line = doc.count("\n", 0, found.start())
            text = f"speaks of a {found[0].lower()}, but it is a {now} now"
            yield Reason("kind-changed", text, line=line, old=was, new=now)


_KIND_WORDS = {
    "coroutine": re.compile(r"\b(?:coroutine|awaitable)\b", re.IGNORECASE),
    "property": re.compile(r"\b(?:property)\b", re.IGNORECASE),
    "function": re.compile(r"\bsynchronous (?:function|method)\b", re.IGNORECASE),
}


def _last_parts(names: Iterable[str]) -> set[str]:
    """Names without the modules that they are reached by."""
    return {name.rpartition(".")[2] for name in names}


def _kind_word(pair: Pair, signature: Signature) -> str:
    if pair.kind == "property":
        return "property"
    return "coroutine" if signature.is_async else "function"


def _tells_of_iterator(text: str) -> bool:
    return re.search(r"\b(?:iter\w*|generat\w*|yield\w*|stream\w*)\b", text, re.IGNORECASE) is not None
