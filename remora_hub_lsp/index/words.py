"""Of tests that are about as likely, those come first that speak of the same things as the definition."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from .keys import split_key
from .named import row_ids
from .related import RelatedTest

if TYPE_CHECKING:
    from .view import IndexView

Patterns = Mapping[str, tuple[bytes, re.Pattern[bytes]]]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_NAME, _AROUND, _MODULE = 3.0, 1.0, 0.5
# How much a shared word counts against likelihood.
_WEIGHT = 0.1


def by_words(view: IndexView, keys: Collection[str], tests: Sequence[RelatedTest]) -> list[RelatedTest]:
    """The tests, likeliest first, where each word that a test has in common with the definitions' names makes it
    likelier: the more so the fewer of the tests have it."""
    if len(tests) < 2:
        return list(tests)
    wanted = _words_of(keys)
    patterns = {word: _pattern(word) for word in wanted}
    named = {test.key: _found(patterns, test.key.removeprefix("node:").encode("utf-8", "replace")) for test in tests}
    said = _said(view, named, patterns)
    common = Counter(word for key in named for word in named[key] | said[key])

    def score(test: RelatedTest) -> float:
        shared = 0.0
        for word in named[test.key] | said[test.key]:
            rare = math.log((len(tests) + 1) / common[word])
            shared += wanted[word] * rare * (1 + (word in named[test.key]))
        return math.log(test.likelihood) + _WEIGHT * shared

    return sorted(tests, key=lambda test: (-score(test), test.distance, test.key))


def _words_of(keys: Collection[str]) -> Mapping[str, float]:
    """The words of definitions' names, with their weights."""
    found: dict[str, float] = {}
    for key in keys:
        path, qualname = split_key(key)
        *around, name = qualname.split(".")
        module = path.rpartition("/")[2].partition(".")[0]
        for part, weight in ((name, _NAME), *((one, _AROUND) for one in around), (module, _MODULE)):
            for word in filter(_tells, _words(part)):
                found[word] = max(weight, found.get(word, 0.0))
    return found


def _said(view: IndexView, keys: Collection[str], patterns: Patterns) -> dict[str, set[str]]:
    """The words in the names and short texts of the tests' code."""
    found: dict[str, set[str]] = {key: set() for key in keys}
    by_segment: dict[int, list[str]] = {}
    for key, number in row_ids(view, keys).items():
        by_segment.setdefault(number & ~0xFFFF, []).append(key)
    sql = "SELECT id, data FROM summaries WHERE id IN (SELECT value FROM json_each(?))"
    for segment, data in view.select(sql, list(by_segment)):
        words = _found(patterns, data)
        for key in by_segment[segment]:
            found[key] |= words
    return found


def _found(patterns: Patterns, text: bytes) -> set[str]:
    """The words that are in a text."""
    lower = text.lower()
    return {word for word, (small, pattern) in patterns.items() if _is_in(small, lower, pattern, text)}


def _is_in(small: bytes, lower: bytes, pattern: re.Pattern[bytes], text: bytes) -> bool:
    at = lower.find(small)
    while at >= 0:  # looking for the pattern itself would take many times as long
        if pattern.match(text, at):
            return True
        at = lower.find(small, at + 1)
    return False


@lru_cache(maxsize=5000)
def _pattern(word: str) -> tuple[bytes, re.Pattern[bytes]]:
    """A word, and what it looks like in snake_case, CamelCase and UPPER_CASE, as `_WORD` would find it."""
    if word.isdecimal():
        return word.encode(), re.compile(rb"(?<![0-9])%b(?![0-9])" % word.encode())
    small, title, upper = word.encode(), word.title().encode(), word.upper().encode()
    return small, re.compile(
        rb"(?<![A-Za-z])%b(?![a-z])|%b(?![a-z])|(?<![A-Z])%b(?![a-z]|[A-Z](?![a-z]))" % (small, title, upper)
    )


def _tells(word: str) -> bool:
    return len(word) > 1 or word.isdecimal()


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
