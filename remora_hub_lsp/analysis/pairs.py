"""Facts of nodes -> the pairs of signature and docstring that are to be watched."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from .drift import Pair
from .facts import NodeFacts, PlacedNode


class Watched(NamedTuple):
    """A documented node's pair; body: hash of its text behind the signature, by which it is found again elsewhere."""

    pair: Pair
    body: str


INIT = ".__init__"


def watched(nodes: Iterable[PlacedNode]) -> dict[str, Watched]:
    """What is to be watched in a file, by unique name."""
    by_name = {placed.unique: placed.facts for placed in nodes}
    found = {name: watched_node(facts, by_name.get(name + INIT)) for name, facts in by_name.items()}
    return {name: one for name, one in found.items() if one is not None}


def watched_node(facts: NodeFacts, init: NodeFacts | None) -> Watched | None:
    """The pair of one node; None where there is no docstring, no signature, or text that does not parse just now.

    init: of a class its `__init__`, which the class's docstring documents if it has none of its own.
    """
    behaviour = facts.behaviour
    if not facts.docstring or behaviour is None or facts.broken:
        return None
    if facts.node_type == "function":
        return Watched(_pair(facts, facts.docstring), behaviour.body)
    if init is None or init.docstring or init.broken or init.behaviour is None:
        return None
    pair = _pair(init, facts.docstring)._replace(kind="class", stub=True, decorators=facts.decorators)
    allowed = pair.allowed or behaviour.allowed
    return Watched(pair._replace(allowed=allowed), sha256((behaviour.body + init.behaviour.body).encode()).hexdigest())


def _pair(facts: NodeFacts, docstring: str) -> Pair:
    behaviour = facts.behaviour
    assert behaviour is not None
    calls = facts.calls if behaviour.raises or "aise" in docstring else ()
    return Pair(
        facts.signature or "",
        docstring,
        facts.kind,
        behaviour.returns,
        behaviour.yields,
        behaviour.stub,
        behaviour.raises,
        tuple(sorted(calls)),
        facts.decorators,
        behaviour.allowed,
    )
