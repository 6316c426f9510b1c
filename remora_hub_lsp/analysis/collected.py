"""Edges and what is passed -> rows of the call graph."""

from __future__ import annotations

from typing import Any

from .encoding import encoded
from .forms import LAMBDA_KIND
from .program import Scope
from .values import Values

# [target, kind, evidence, [numbers of places]]; the target is a node's key, a dotted name outside the project, or
# `.name` of a method called on something unknown.
EdgeRow = tuple[str, int, int, list[int]]
# What is passed: by file, by function's unique name, by position ("0"), by positions from one on ("2*") or by keyword;
# encoded values. SUBCLASSES of a class travel in the same way.
Flows = dict[str, dict[str, dict[str, list[Any]]]]
# The same before it is encoded.
Passed = dict[tuple[Scope, str], Values]


class Collected:
    """Collects edges, of one caller at a time, and, if wanted, what is passed. See `resolver.sink.Sink`."""

    def __init__(self, passes: bool) -> None:
        self.passes = passes
        self.edges: dict[tuple[Scope | str, int], tuple[int, set[int]]] = {}  # of the code that is walked
        self.passed: Passed = {}

    def edge(self, target: Scope | str, kind: int, evidence: int, place: int) -> None:
        """See `Sink`; lambdas and builtins have no node."""
        key = target, kind
        entry = self.edges.get(key)
        if entry is None:
            if target.startswith("builtins.") if isinstance(target, str) else target.kind == LAMBDA_KIND:
                return
            self.edges[key] = evidence, {place} if place >= 0 else set()
            return
        if evidence < entry[0]:
            self.edges[key] = entry = evidence, entry[1]
        if place >= 0:
            entry[1].add(place)

    def flow(self, function: Scope, key: str, values: Values) -> None:
        """See `Sink`."""
        if values and self.passes:
            known = self.passed.get((function, key))
            self.passed[function, key] = values if known is None else known | values

    def rows(self) -> list[EdgeRow]:
        """The edges."""
        found = [
            (target if isinstance(target, str) else target.key, kind, evidence, sorted(places))
            for (target, kind), (evidence, places) in self.edges.items()
        ]
        return sorted(found)

    def flows(self) -> Flows:
        """What was passed."""
        out: Flows = {}
        for (function, key), values in self.passed.items():
            codes = encoded(values)
            if len(codes) > 1:  # other values may have the same code
                codes = [code for number, code in enumerate(codes) if code not in codes[:number]]
            if codes:
                out.setdefault(function.module.path, {}).setdefault(function.unique, {})[key] = codes
        return out
