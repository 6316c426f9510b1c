"""The remora/* methods: names, parameters and results, as they stand on the wire.

Parameters are strict: an unknown or wrong field is refused with its path.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .models import HubState, NodeState, Position

PROTOCOL_VERSION = "1.0"
GET_CONTEXT = "remora/getContext"
STATUS = "remora/status"

MissingReason = Literal["no such file", "no such node", "file ignored", "file failed", "bad id", "not indexed yet"]


class Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class DocumentPosition(Params):
    """The innermost node at a place in a document; `position` counts in the session's encoding."""

    uri: str
    position: Position


class GetContextParams(Params):
    """Which nodes, and how fresh.

    nodes: ids in any accepted form (key, path:qualname, absolute path, file URI, pkg.mod.Class.method).
    positions: places in documents; each is answered under the id ``{uri}:{line}:{character}``.
    include: `source` adds each node's text as `extra.source`.
    min_revision: wait (up to wait_ms) until the index has reached this revision.
    wait_ms: how long to wait for pending changes of the asked files before answering with what is there.
    """

    nodes: tuple[str, ...] = ()
    positions: tuple[DocumentPosition, ...] = ()
    min_revision: int = Field(default=0, ge=0)
    wait_ms: int = Field(default=2000, ge=0, le=600_000)


class MissingNode(BaseModel):
    """An asked id that has no answer, and why; `near` holds the closest existing keys."""

    id: str
    reason: MissingReason
    detail: str | None = None
    near: tuple[str, ...] = ()


class StaleNode(BaseModel):
    """An answered node whose newest text is not fully in its facts, and why."""

    id: str
    reason: str


class GetContextResult(BaseModel):
    """`nodes` is keyed by the ids as they were asked."""

    nodes: dict[str, NodeState]
    missing: tuple[MissingNode, ...]
    stale: tuple[StaleNode, ...]
    revision: int
    state: HubState


class StatusParams(Params):
    """remora/status takes no parameters."""
