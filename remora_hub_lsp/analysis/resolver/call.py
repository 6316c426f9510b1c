"""One call: what is passed, and what is said of its edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..program import Scope
from ..values import Values
from .sink import CALLED, INFERRED, Sink

# What is passed by keyword; "" for **values.
Named = Sequence[tuple[str, Values]]


class Call:
    """arguments: values; of a starred one a list of them, which ends with None if nobody knows how many there are.
    sink: takes the edges, None: nobody wants them. place: see `Sink`; kind, evidence: see `sink`."""

    __slots__ = ("arguments", "evidence", "kind", "named", "place", "sink")

    def __init__(
        self, arguments: Sequence[Any], sink: Sink | None, place: int, named: Named = (), kind: int = CALLED,
        evidence: int = INFERRED,
    ) -> None:  # fmt: skip
        self.arguments, self.named = arguments, named
        self.sink, self.place, self.kind, self.evidence = sink, place, kind, evidence

    def inferred(self) -> Call:
        """The same call of something that only types tell."""
        if self.evidence == INFERRED:
            return self
        return Call(self.arguments, self.sink, self.place, self.named, self.kind)

    def edge(self, target: Scope | str) -> None:
        """It calls that."""
        if self.sink is not None:
            self.sink.edge(target, self.kind, self.evidence, self.place)

    def positions(self, first: int) -> list[tuple[int, bool, Values]]:
        """(position, whether it is for all from there on, values), from `first` on."""
        out: list[tuple[int, bool, Values]] = []
        at = first
        for argument in self.arguments:
            if argument.__class__ is not list:
                out.append((at, False, argument))
                at += 1
            elif argument and argument[-1] is None:
                out += [(at, True, values) for values in argument[:-1]]
            else:
                out += [(number, False, values) for number, values in enumerate(argument, at)]
                at += len(argument)
        return out
