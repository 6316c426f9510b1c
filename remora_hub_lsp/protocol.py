"""The remora/* methods: names, parameters and results, as they stand on the wire.

Parameters are strict: an unknown or wrong field is refused with its path.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .models import Drift, Evidence, HubState, HubStatus, Kind, NodeState, NodeType, Position, Range, ScriptStatus

PROTOCOL_VERSION = "1.0"
GET_CONTEXT = "remora/getContext"
STATUS = "remora/status"
CHANGES_SINCE = "remora/changesSince"
SUBSCRIBE = "remora/subscribe"
CHANGED = "remora/changed"
SEARCH = "remora/search"
PROCESS = "remora/process"
REINDEX = "remora/reindex"
SCRIPTS = "remora/scripts"
HELLO = "remora/hello"
CALLS = "remora/calls"
TESTS = "remora/tests"
DEAD = "remora/dead"
OUTDATED = "remora/outdated"
ACKNOWLEDGE = "remora/acknowledgeDocstring"
LONGEST_WAIT = 600_000  # milliseconds

Include = Literal["callers", "callees", "tests", "source", "siblings"]
CallKind = Literal["call", "implicit", "reference"]
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
    include: what is wanted beside the nodes. `source` adds each one's text as `extra.source`, the others the nodes
    around it: its callers, callees, tests, and siblings (defined in the same class, function or module).
    depth: 0 only names the nodes around in `relations`, 1 also gives them in `related`, 2 also those around them.
    brief: leave the details away: docstring_full, imports and extra.
    budget: tokens that the answer may have, estimated at 4 characters of JSON each. In this order there is room for
    what is missing or stale, the nodes asked for, their details, their source, the relations, the related nodes.
    What is cut is named in `omitted`, which does not count.
    min_revision: wait (up to wait_ms) until the index has reached this revision.
    wait_ms: how long to wait for pending changes of the asked files before answering with what is there.
    """

    nodes: tuple[str, ...] = ()
    positions: tuple[DocumentPosition, ...] = ()
    include: tuple[Include, ...] = ()
    depth: int = Field(default=1, ge=0, le=2)
    brief: bool = False
    budget: int | None = Field(default=None, ge=0)
    min_revision: int = Field(default=0, ge=0)
    wait_ms: int = Field(default=2000, ge=0, le=LONGEST_WAIT)


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


class Omitted(BaseModel):
    """Something that was asked for and is not in the answer.

    id: as asked, or a related node's key; `*`: several. what: `node`, `details` (see GetContextParams.brief), what
    `include` names, or `related node` and `related details` (which ones: those in `relations` without a node). reason:
    `budget`, `brief`, `not computed`, or why a text could not be read. tokens: what it would have cost. count: how
    many of a list.
    """

    id: str
    what: str
    reason: str
    tokens: int | None = None
    count: int | None = None


class GetContextResult(BaseModel):
    """`nodes` is keyed by the ids as they were asked, `related` by keys, `relations` by both.

    revision: the first root's. revisions: those of all roots by their URIs, where a session has several.
    """

    nodes: dict[str, NodeState]
    missing: tuple[MissingNode, ...]
    stale: tuple[StaleNode, ...]
    related: dict[str, NodeState] = Field(default_factory=dict)
    relations: dict[str, dict[Include, tuple[str, ...]]] = Field(default_factory=dict)
    omitted: tuple[Omitted, ...] = ()
    revision: int
    revisions: dict[str, int] = Field(default_factory=dict)
    state: HubState


class StatusParams(Params):
    """root: of which root (a URI or path); none named: of the first, with the others' in `others`."""

    root: str | None = None


class SearchParams(Params):
    """Fuzzy search over names, best first; with dots (`Cart.total`) the qualified name has to match."""

    query: str
    limit: int = Field(default=50, ge=1, le=100_000)


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


class OutdatedParams(Params):
    """paths: only in these files and folders (relative to the root, absolute, or URIs); none: everywhere."""

    paths: tuple[str, ...] = ()
    limit: int = Field(default=1000, ge=1, le=100_000)


class OutdatedNode(BaseModel):
    """A definition whose docstring no longer fits. reason: why, for people; drift: in detail."""

    key: str
    uri: str
    path: str
    qualname: str
    name_range: Range
    signature: str | None
    reason: str
    drift: Drift


class OutdatedResult(BaseModel):
    """In the order of files and lines, at most `limit` of `total`."""

    outdated: tuple[OutdatedNode, ...]
    total: int
    revision: int
    state: HubState


class AcknowledgeParams(Params):
    """The docstring of `node` (an id in any accepted form) is accurate as it is; undo: that was said too soon."""

    node: str
    undo: bool = False


class AcknowledgeResult(BaseModel):
    """changed: whether there was something to acknowledge or to undo."""

    key: str
    changed: bool
    revision: int


class CallsParams(Params):
    """Who calls the nodes (`callers`) or what they call (`callees`), as far as the wanted evidence goes.

    kinds: `call`, `implicit` (where none is written: properties, operators, iteration, `with`), and `reference` (the
    name is used without being called).
    """

    nodes: tuple[str, ...]
    direction: Literal["callers", "callees"] = "callers"
    evidence: tuple[Evidence, ...] = ("exact", "inferred")
    kinds: tuple[CallKind, ...] = ("call", "implicit")


class Call(BaseModel):
    """The other end of an edge. key: a node's key, or the dotted name of what is outside the project. sites: the
    ranges in the calling file where it is called."""

    key: str
    evidence: Evidence
    kind: CallKind
    sites: tuple[Range, ...]


class CallsResult(BaseModel):
    """`calls` is keyed by the ids as they were asked."""

    calls: dict[str, tuple[Call, ...]]
    missing: tuple[MissingNode, ...]
    revision: int
    state: HubState


class TestsParams(Params):
    """The tests for some nodes, the likeliest first.

    changed: the nodes changed, and hardly a test that runs them is to be missing: what runs when modules are imported
    and calls of which only the name is known count as well, and keys of what is gone may stand among the nodes.
    unlikely: of what changed also the tests that are very unlikely beside the likeliest one of the same node.
    depth: how many calls may lie between, at most. limit: how many tests, at most. Not set: with `changed` no limit,
    else the settings.
    """

    nodes: tuple[str, ...]
    changed: bool = False
    unlikely: bool = False
    depth: int | None = Field(default=None, ge=0)
    limit: int | None = Field(default=None, ge=1)


class FoundTest(BaseModel):
    """key: of the test's function. ids: as pytest names it, once for each class that it is collected in. distance: 0
    for the test itself, 1 for what it calls. likelihood: that it runs the node, as far as that can be told without
    running it. evidence: of the least sure step on the way."""

    key: str
    ids: tuple[str, ...]
    distance: int
    likelihood: float
    evidence: Evidence


class TestsResult(BaseModel):
    """known: how many tests the project has."""

    tests: tuple[FoundTest, ...]
    known: int
    missing: tuple[MissingNode, ...]
    revision: int
    state: HubState


class DeadParams(Params):
    """What nothing seems to use. public: names without a leading underscore count as used (by others: for a library).
    under: only in files below this path."""

    public: bool = False
    under: str = ""


class Unused(BaseModel):
    """A definition that no code calls or names, and no test reaches. sure: its name stands nowhere else; else it does,
    but nothing leads here from there."""

    key: str
    kind: Kind
    path: str
    range: Range
    sure: bool


class DeadResult(BaseModel):
    """In the order of the files."""

    unused: tuple[Unused, ...]
    revision: int
    state: HubState


class HelloParams(Params):
    """The first message over TCP, before `initialize`; over the Unix socket it may be left out.

    token: the discovery file's. goodbye: after the last message, before it closes the connection, the hub sends a
    byte 0 and the exit code that a process for this session alone would have (and ` stopped` if the hub itself ends).
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


class ScriptsParams(Params):
    """remora/scripts takes no parameters."""


class RootScripts(BaseModel):
    """The scripts of one root. folders: where the project's own are, relative to it. trusted: those may run."""

    root: str
    folders: tuple[str, ...]
    trusted: bool
    scripts: tuple[ScriptStatus, ...]


class ScriptsResult(BaseModel):
    """The scripts of each root of the session."""

    roots: tuple[RootScripts, ...]


class ChangesSinceParams(Params):
    """What changed after `cursor`, which came from an earlier answer; without one only the cursor of now is given.

    limit: about how many keys one answer names; whole revisions are never cut.
    """

    cursor: str | None = None
    limit: int = Field(default=1000, ge=1, le=100_000)


class RootChanges(BaseModel):
    """What changed in one root; see ChangesSinceResult. root: its URI."""

    root: str
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    more: bool
    reset: bool
    revision: int
    state: HubState


class ChangesSinceResult(BaseModel):
    """Keys whose facts changed and keys that are gone since the cursor, and the cursor to ask with next.

    more: there is more to ask for at once. reset: the old cursor means nothing any more (the index was rebuilt, or
    the cursor is too old): nothing is named, read what you need anew. Where a session has several roots, the cursor is
    for all of them, these fields tell of all together (revision: the first root's), and `roots` of each.
    """

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    cursor: str
    more: bool
    reset: bool
    revision: int
    state: HubState
    roots: tuple[RootChanges, ...] = ()


class ReindexParams(Params):
    """Compare the files with the index, and analyse those that differ.

    paths: only these files and folders (relative to the root, absolute, or file URIs). anew: analyse all of them,
    different or not. Open documents stay as their editors have them.
    """

    paths: tuple[str, ...] = ()
    anew: bool = False


class ReindexResult(BaseModel):
    """files: how many were analysed, in all roots. seconds: how long it took. revision: the (first) root's."""

    files: int
    seconds: float
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
