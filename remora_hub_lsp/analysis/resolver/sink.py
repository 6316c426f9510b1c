"""Where the edges of the code that is evaluated go, and what is said of each."""

from __future__ import annotations

from typing import Protocol

from ..program import Scope
from ..values import Values

# Kinds of edges: a call is written; it is not (properties, operators ...); a name is used without being called.
CALLED, IMPLICIT, REFERENCE = range(3)
# Evidence: scopes and imports alone decide; a type does; only the name fits.
EXACT, INFERRED, BY_NAME = 1, 2, 3


class Sink(Protocol):
    """Takes the edges of the code that is evaluated, and what it passes. place: a number (see `forms`) or -1."""

    def edge(self, target: Scope | str, kind: int, evidence: int, place: int) -> None: ...

    def flow(self, function: Scope, key: str, values: Values) -> None: ...
