"""Of tests that are about as likely, those come first that speak of the same things as the definition."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from .keys import split_key
from .named import row_ids
from .related import RelatedTest

if TYPE_CHECKING:
    from .view import IndexView

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NAME, _AROUND, _MODULE = 3.0, 1.0, 0.5
# How much a shared word counts against likelihood.
_WEIGHT = 0.1


def by_words(view: IndexView, keys: Collection[str], tests: Sequence[RelatedTest]) -> list[RelatedTest]:
    """The tests, likeliest first, where each word that a test has in common with the definitions' names makes it
    likelier: the more so the fewer of the tests have it."""
    if len(tests) < 2:
        return list(tests)
    wanted = _words_of(keys)
    named = {test.key: set(_words(test.key.removeprefix("node:"))) for test in tests}
    said = _said(view, named)
    common = Counter(word for key in named for word in named[key] | said.get(key, set()) if word in wanted)

    def score(test: RelatedTest) -> float:
        shared = 0.0
        for word, weight in wanted.items():
            if word in named[test.key] or word in said.get(test.key, ()):
                shared += weight * math.log((len(tests) + 1) / common[word]) * (1 + (word in named[test.key]))
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
            for word in _words(part):
                found[word] = max(weight, found.get(word, 0.0))
    return found


def _said(view: IndexView, keys: Collection[str]) -> dict[str, set[str]]:
    """The words in the names and short texts of the tests' code."""
    rows = {number: key for key, number in row_ids(view, keys).items()}
    found: dict[str, set[str]] = {key: set() for key in keys}
    by_segment: dict[int, list[str]] = {}
    for number, key in rows.items():
        by_segment.setdefault(number & ~0xFFFF, []).append(key)
    sql = "SELECT id, data FROM summaries WHERE id IN (SELECT value FROM json_each(?))"
    for segment, data in view.select(sql, list(by_segment)):
        words = set(_words(data.decode("utf-8", "replace")))
        for key in by_segment[segment]:
            found[key] |= words
    return found


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
