"""The remora/* methods: names, parameters and results, as they stand on the wire.

Parameters are strict: an unknown or wrong field is refused with its path.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .models import HubState, HubStatus, Kind, NodeState, NodeType, Position, Range

PROTOCOL_VERSION = "1.0"
GET_CONTEXT = "remora/getContext"
STATUS = "remora/status"
CHANGES_SINCE = "remora/changesSince"
SUBSCRIBE = "remora/subscribe"
CHANGED = "remora/changed"
SEARCH = "remora/search"
PROCESS = "remora/process"
HELLO = "remora/hello"

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


class SearchParams(Params):
    """Fuzzy search over names, best first; with dots (`Cart.total`) the qualified name has to match."""

    query: str
    limit: int = Field(default=50, ge=1, le=1000)


class Symbol(BaseModel):
    """A class or function that a search found."""

    key: str
    name: str
    qualname: str
    kind: Kind
    node_type: NodeType
    path: str
    signature: str | None
    range: Range
    name_range: Range


class SearchResult(BaseModel):
    """revision and state are those of the (first) root."""

    symbols: tuple[Symbol, ...]
    revision: int
    state: HubState


class HelloParams(Params):
    """The first message over TCP, before `initialize`; over the Unix socket it may be left out.

    token: the discovery file's. goodbye: before the hub closes the connection, tell why (`$/remora/goodbye`).
    """

    token: str | None = None
    goodbye: bool = False


class HelloResult(BaseModel):
    """Who answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    version: str
    protocol_version: str
    pid: int


class ProcessParams(Params):
    """remora/process takes no parameters, and needs no root."""


class ProcessStatus(BaseModel):
    """The process that hubs run in. memory_bytes: resident."""

    pid: int
    version: str
    protocol_version: str = PROTOCOL_VERSION
    started_at: datetime
    addresses: tuple[str, ...] = ()
    sessions: int
    memory_bytes: int | None
    log: str | None = None
    roots: tuple[HubStatus, ...]


class ChangesSinceParams(Params):
    """What changed after `cursor`, which came from an earlier answer; without one only the cursor of now is given.

    limit: about how many keys one answer names; whole revisions are never cut.
    """

    cursor: str | None = None
    limit: int = Field(default=1000, ge=1, le=100_000)


class ChangesSinceResult(BaseModel):
    """Keys whose facts changed and keys that are gone since the cursor, and the cursor to ask with next.

    more: there is more to ask for at once. reset: the old cursor means nothing any more (the index was rebuilt, or
    the cursor is too old): nothing is named, read what you need anew.
    """

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    cursor: str
    more: bool
    reset: bool
    revision: int
    state: HubState


class SubscribeParams(Params):
    """changed: whether remora/changed notifications are wanted."""

    changed: bool = True


class ChangedParams(BaseModel):
    """remora/changed: what changed since the last one, gathered for a tenth of a second.

    truncated: more changed than is named; remora/changesSince tells it all.
    """

    root: str
    revision: int
    state: HubState
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    truncated: bool
