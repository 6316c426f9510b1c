"""Whom a change concerns: nodes whose related tests have been told, and are others now.

A node's tests rest on the calls on all ways to it, so a change anywhere above it may change them. Only what has been
told since the process began is compared; what nobody has been told needs no news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import orjson

from ..analysis.testing import CONFTEST
from .keys import split_key
from .named import inside, kinds, row_ids
from .selection import catalogue_of, fingerprint, fixtures_near, nearest, told_of

if TYPE_CHECKING:
    from .view import IndexView

# What is looked at below a change, and how many answers are compared; those of the rest count as changed.
_MOST_BELOW, _MOST_COMPARED = 5000, 300


def outdated_tests(view: IndexView, changed: Collection[str]) -> list[str]:
    """The keys of the nodes that were told to have other tests than they have now. changed: what changed, or whose
    callers or callees did."""
    told = told_of(view)
    if not told:
        return []
    below = [key for key in _below(view, [*changed, *_fixtures(view, changed)]) if key in told]
    found = []
    for number, key in enumerate(below):
        if number >= _MOST_COMPARED or fingerprint(nearest(view, key)) != told[key]:
            found.append(key)
            del told[key]
    return found


def _below(view: IndexView, keys: Iterable[str]) -> dict[str, None]:
    """The definitions and all that they call or use, directly or not; of a class all that it defines."""
    found: dict[str, None] = {}
    level = list(dict.fromkeys(keys))
    while level and len(found) < _MOST_BELOW:
        found |= dict.fromkeys(level)
        used = {one: None for key in _classes(view, level) for one in inside(view, *split_key(key))}
        for _, data in view.select(_EDGES, list(row_ids(view, level).values())):
            used |= {edge[0]: None for edge in orjson.loads(data) if edge[0].startswith("node:")}
        level = [key for key in used if key not in found]
    return found


def _classes(view: IndexView, keys: Iterable[str]) -> list[str]:
    return [key for key, kind in kinds(view, list(keys)).items() if kind == "class"]


_EDGES = "SELECT id, data FROM edges WHERE id IN (SELECT value FROM json_each(?))"


def _fixtures(view: IndexView, changed: Collection[str]) -> Iterable[str]:
    """The fixtures that changed tests may ask for, or have asked for."""
    tests = catalogue_of(view).by_key
    paths = {split_key(key)[0] for key in changed}
    of_tests = {path for path in paths if path.rpartition("/")[2] == CONFTEST}
    of_tests |= {split_key(key)[0] for key in changed if key in tests}
    return (key for path in of_tests for key in fixtures_near(view, path))
