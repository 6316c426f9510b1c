"""Which tests reach a definition: backwards along the likeliest ways, the likeliest tests first."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from .catalogue import Catalogue

# How sure a step is, the surest first; a way is as sure as its least sure step.
EXACT, INFERRED, BY_NAME = 1, 2, 3
EVIDENCE = {EXACT: "exact", INFERRED: "inferred", BY_NAME: "name"}
# What runs before a test does so nearly always.
_BEFORE = 0.99
# Ways are followed in groups of about the same likelihood: each group is one question to the index.
_GROUP = -math.log(0.9)
_LEAST = 1e-6


class Step(NamedTuple):
    """`caller` leads to `callee`, by their keys. likelihood: of the callee to run when the caller does."""

    callee: str
    caller: str
    likelihood: float
    evidence: int


Steps = Callable[[Collection[str]], Iterable[Step]]
"""The steps that lead to some definitions."""


class RelatedTest(NamedTuple):
    """A test by the key of its function. distance: steps from the test; 0 for the test itself, 1 for what it calls.
    likelihood: that it runs the definition, as far as that can be told from the outside."""

    key: str
    distance: int
    likelihood: float
    evidence: str


class _Way(NamedTuple):
    likelihood: float
    distance: int
    evidence: int


def related_tests(
    keys: Collection[str], catalogue: Catalogue, steps: Steps, depth: int, limit: int | None
) -> list[RelatedTest]:
    """The tests that reach one of the definitions in `depth` steps, the likeliest first; once there are `limit` of
    them, those that are about as likely as the last one, and no more."""
    found: dict[str, _Way] = {}
    best: dict[str, _Way] = {}
    waiting: dict[int, dict[str, _Way]] = {0: {key: _Way(1.0, 0, EXACT) for key in keys}}
    while waiting and (limit is None or len(found) < limit):
        group = {key: way for key, way in waiting.pop(min(waiting)).items() if key not in best}
        best |= group
        found |= {key: way for key, way in group.items() if key in catalogue.by_key}
        for key, way in _onward(group, catalogue, steps):
            if key not in best and way.distance <= depth and way.likelihood >= _LEAST:
                level = waiting.setdefault(int(-math.log(way.likelihood) / _GROUP), {})
                if key not in level or way.likelihood > level[key].likelihood:
                    level[key] = way
    order = sorted(found, key=lambda key: (-found[key].likelihood, found[key].distance, key))
    return [
        RelatedTest(key, found[key].distance, found[key].likelihood, EVIDENCE[found[key].evidence]) for key in order
    ]


def _onward(group: dict[str, _Way], catalogue: Catalogue, steps: Steps) -> Iterable[tuple[str, _Way]]:
    for key, way in group.items():
        for further, tests in catalogue.before.get(key, ()):
            onward = _Way(way.likelihood * _BEFORE**further, way.distance + further, way.evidence)
            yield from ((test, onward) for test in tests)
    for step in steps(list(group)):
        way = group[step.callee]
        yield step.caller, _Way(way.likelihood * step.likelihood, way.distance + 1, max(way.evidence, step.evidence))
