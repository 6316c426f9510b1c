"""The patterns of .gitignore files, decided exactly as git decides them.

`IgnoreRules` answers for one path at a time and never looks at its parents: who asks goes down from the top
and stops at the first ignored folder, as git does. (The patterns are translated here because pathspec takes
`a/b` as matched where `a` is, so that it cannot tell a re-included folder from its still ignored content.)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

_STAR = "[^/]*"
_ANY_FOLDERS = "(?:.*/)?"
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": r"\ \t", "cntrl": r"\x00-\x1f\x7f", "digit": "0-9",
    "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\ \t\n\v\f\r", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


class Rule(NamedTuple):
    """One pattern. `name_only` patterns are matched with a path's last part, others with all of it."""

    text: str
    line: int
    regex: str
    negated: bool
    folders_only: bool
    name_only: bool

    @property
    def is_literal(self) -> bool:
        """Whether the text, without `/` at its end, is itself what it matches."""
        return self.text.isascii() and not re.search(r"[^\w. -]", self.text.removesuffix("/"))


class Verdict(NamedTuple):
    """The rule that decided a path, and where it stands."""

    ignored: bool
    source: str
    rule: Rule


class IgnoreRules:
    """The rules of one file; `source` is what people are told it is."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        rules = list(parse(text))
        self._names = _Matcher([rule for rule in rules if rule.name_only])
        self._paths = _Matcher([rule for rule in rules if not rule.name_only])

    def verdict(self, path: str, name: str, is_folder: bool) -> Verdict | None:
        """What the last rule that matches `path` says, None if none does.

        `path` is relative to the folder of the rules' file; `name` is its last part.
        """
        rule = self._names.last(as_git_sees(name), is_folder)
        if self._paths.rules:
            other = self._paths.last(as_git_sees(path), is_folder)
            if other is not None and (rule is None or other.line > rule.line):
                rule = other
        return None if rule is None else Verdict(not rule.negated, self.source, rule)


def parse(text: str) -> Iterator[Rule]:
    """The rules in `text`, in order; without comments and blank lines and patterns that can match nothing."""
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = _without_trailing_blanks(raw.removesuffix("\r"))
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        body = pattern.removesuffix("/")
        regex = _translate(as_git_sees(body.removeprefix("/")))
        if body and regex is not None:
            folders_only = body != pattern
            yield Rule(line, number, regex, line != pattern, folders_only, "/" not in body)


def as_git_sees(path: str) -> str:
    """One character for each byte: git's `?` and `[...]` stand for a byte, whatever the encoding."""
    return path if path.isascii() else os.fsencode(path).decode("latin-1")


class _Matcher:
    """The last rule that matches a text. A set and a union of all first tell the usual case: none."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self._literal = {rule.text.removesuffix("/") for rule in rules if rule.name_only and rule.is_literal}
        patterns = [rule.regex for rule in rules if not (rule.name_only and rule.is_literal)]
        self._wild = re.compile("|".join(patterns), re.DOTALL).fullmatch if patterns else None

    def last(self, text: str, is_folder: bool) -> Rule | None:
        if text not in self._literal and (self._wild is None or self._wild(text) is None):
            return None
        for rule in reversed(self.rules):
            if (is_folder or not rule.folders_only) and re.fullmatch(rule.regex, text, re.DOTALL):
                return rule
        return None


def _without_trailing_blanks(line: str) -> str:
    """Spaces at the end do not count, unless escaped with a backslash."""
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return kept + " " if backslashes % 2 and kept != line else kept


def _translate(glob: str) -> str | None:
    """A regular expression for fullmatch; None for a pattern that git lets match nothing."""
    # Git compares the part before the first wildcard by itself and starts anew there, so that `**` after it
    # stands for any number of folders even in the middle of a name: a**/b matches ax/y/b.
    literal = re.match(r"[^*?\[\\]*", glob)
    start = literal.end() if literal else 0
    parts = [re.escape(character) for character in glob[:start]]
    at = start
    while at < len(glob):
        part, at = _PIECES.get(glob[at], _literal)(glob, at, start)
        if part is None:
            return None
        parts.append(part)
    return _without_retries(parts)


def _without_retries(parts: list[str]) -> str:
    """Joins the parts so that each `*` and `**` keeps the first place where the text up to the next one fits.

    That next one can stand for whatever lies between, so nothing is missed; and `*a*a*a*a*a*a` costs no more
    than it is long, where a plain regular expression would try for years.
    """
    *earlier, last = _split(parts, _ANY_FOLDERS)
    joined = [_join_names(group) for group in earlier]
    committed = [f"(?>(?:.*?/)??{group})" for group in joined[1:] if group]
    return "".join([*joined[:1], *committed, *([_ANY_FOLDERS] if earlier else []), _join_names(last)])


def _join_names(parts: list[str]) -> str:
    names = []
    for name in _split(parts, "/"):
        *earlier, last = ["".join(group) for group in _split(name, _STAR)]
        committed = [f"(?>[^/]*?{group})" for group in earlier[1:]]
        names.append("".join([*earlier[:1], *committed, *([_STAR] if earlier else []), last]))
    return "/".join(names)


def _split(parts: list[str], separator: str) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for part in parts:
        if part == separator:
            groups.append([])
        else:
            groups[-1].append(part)
    return groups


def _stars(glob: str, at: int, start: int) -> tuple[str, int]:
    end = at
    while end < len(glob) and glob[end] == "*":
        end += 1
    alone = at == start or glob[at - 1] == "/"
    if end - at < 2 or not alone or (end < len(glob) and glob[end] != "/" and glob[end : end + 2] != "\\/"):
        return _STAR, end
    if end < len(glob) and glob[end] == "/":
        return _ANY_FOLDERS, end + 1
    return ".*", end


def _any_character(glob: str, at: int, start: int) -> tuple[str, int]:
    return "[^/]", at + 1


def _escaped(glob: str, at: int, start: int) -> tuple[str | None, int]:
    if at + 1 == len(glob):
        return None, at
    return re.escape(glob[at + 1]), at + 2


def _literal(glob: str, at: int, start: int) -> tuple[str, int]:
    return re.escape(glob[at]), at + 1


def _bracket(glob: str, at: int, start: int) -> tuple[str | None, int]:
    """`[a-z]`, `[!a]`, `[]a]`, `[[:digit:]_]`; unclosed, it can match nothing."""
    at += 1
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    first = True
    while first or glob[at : at + 1] != "]":
        first = False
        item, at = _class(glob, at) if glob.startswith("[:", at) else _range(glob, at)
        if item is None:
            return None, at
        items.append(item)
    return _set("".join(items), negated), at + 1


def _set(items: str, negated: bool) -> str:
    """A character set that never matches `/`."""
    if not items:
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{items}]"


def _class(glob: str, at: int) -> tuple[str | None, int]:
    end = glob.find("]", at)
    if end < 0:
        return None, at
    if glob[end - 1] != ":" or end < at + 3:
        return re.escape("["), at + 1
    return _CLASSES.get(glob[at + 2 : end - 1]), end + 1


def _range(glob: str, at: int) -> tuple[str | None, int]:
    """One character or `a-z`; an empty text for a range that holds nothing."""
    low, at = _member(glob, at)
    if low is None:
        return None, at
    if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("", "]"):
        high, at = _member(glob, at + 1)
        if high is None:
            return None, at
        # Git has already accepted `low` when it comes to the range.
        return _char(low) + (f"{_char(low)}-{_char(high)}" if low <= high else ""), at
    return _char(low), at


def _member(glob: str, at: int) -> tuple[str | None, int]:
    at += glob[at : at + 1] == "\\"
    return (glob[at], at + 1) if at < len(glob) else (None, at)


def _char(character: str) -> str:
    return f"\\x{ord(character):02x}"


_PIECES = {"*": _stars, "?": _any_character, "\\": _escaped, "[": _bracket}
