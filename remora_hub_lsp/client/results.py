"""What a client gives: the protocol's results, and how each came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from pydantic import BaseModel

from ..errors import HubUnavailable
from ..models import HubState, NodeState
from ..protocol import GetContextResult, SearchResult

Source = Literal["hub", "local"]


class ContextResult(GetContextResult):
    """source: `hub`, or `local` where no hub could be asked: then it was read from the index as it lies on disk, with
    stale files analysed in memory. reason: why it is local.
    """

    source: Source = "hub"
    reason: str | None = None


class Nodes(Mapping[str, NodeState]):
    """NodeStates by the ids as asked; each is made of the answer's JSON when it is first looked at."""

    def __init__(self, answer: bytes) -> None:
        """answer: a GetContextResult as JSON. Raises HubUnavailable if it is none."""
        try:
            self._raw = _ANSWER.decode(answer).nodes
        except msgspec.MsgspecError as error:
            raise HubUnavailable(f"the hub's answer cannot be read: {error}") from error
        self._made: dict[str, NodeState] = {}

    def __getitem__(self, node_id: str) -> NodeState:
        if node_id not in self._made:
            self._made[node_id] = NodeState.model_validate_json(bytes(self._raw[node_id]))
        return self._made[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(dict(self))


class _Answer(msgspec.Struct):
    nodes: dict[str, msgspec.Raw]


_ANSWER = msgspec.json.Decoder(_Answer)


class Symbols(SearchResult):
    """source, reason: as for ContextResult. unseen: changed files that there was no time to look at (local only)."""

    source: Source = "hub"
    reason: str | None = None
    unseen: int = 0


class Health(BaseModel):
    """Whether a hub answers; `reason` says why not. seconds: the round trip."""

    ok: bool
    reason: str | None = None
    state: HubState | None = None
    revision: int | None = None
    version: str | None = None
    seconds: float
