"""The contract: what the hub tells about nodes, files and itself. All models are frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NodeType = Literal["module", "class", "function"]
Kind = Literal["module", "class", "function", "method", "property", "staticmethod", "classmethod"]
UpdateSource = Literal["cold_start", "file_change", "buffer_change", "dependency_change", "manual"]
# exact: scopes and imports alone decide; inferred: through a type; name: only the name fits; observed: it ran.
Evidence = Literal["exact", "inferred", "name", "observed"]
HubState = Literal["indexing", "ready", "degraded"]
ScriptState = Literal["ready", "running", "failing", "paused", "invalid", "untrusted"]


class Model(BaseModel):
    """Frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(Model):
    """A place between two characters, as LSP counts: 0-based line and UTF-16 code units."""

    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Range(Model):
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position


class DriftReason(Model):
    """Why a docstring no longer fits."""

    code: str = Field(description="parameter-removed, parameter-added, default-changed, unknown-parameter ...")
    message: str = Field(description="for people: a clause about the docstring")
    parameter: str | None = None
    line: int | None = Field(default=None, description="of the cleaned docstring, 0-based")
    old: str | None = Field(
        default=None, description="name, default or signature before; what it is depends on the code"
    )
    new: str | None = Field(default=None, description="the same now")


class Drift(Model):
    """What is wrong with a docstring, and since when."""

    reasons: tuple[DriftReason, ...]
    since: datetime | None = Field(default=None, description="when the signature left the docstring behind, if known")
    commit: str | None = Field(default=None, description="the commit that did it, where the project's history tells")
    author: str | None = None
    signature: str | None = Field(default=None, description="the signature that the docstring last belonged to")


class NodeState(Model):
    """What the hub knows about one module, class or function.

    `None` for `callers`, `callees` and `related_tests` means "not computed", an empty tuple "computed, none". Related
    tests are computed for whoever asks for them: `include` has `tests`.
    """

    key: str = Field(description="node:{path}:{qualname}, unique in the index; path is relative to the root")
    file_path: str = Field(description="path relative to the root, with /")
    node_name: str = Field(description="last part of the qualified name; <module> for a module")
    node_type: NodeType
    kind: Kind = Field(description="node_type, told apart further for functions inside a class")
    qualname: str = Field(description="__qualname__ without <locals>; #2, #3 ... for further definitions of it")
    source_hash: str = Field(description="SHA-256 (hex) of the node's source text, decorators included")
    file_hash: str = Field(description="SHA-256 (hex) of the file's bytes, or of what the buffer would be saved as")

    signature: str | None = Field(default=None, description="normalised, parses back; None for a module")
    docstring: str | None = Field(default=None, description="first line, at most 100 characters")
    docstring_full: str | None = Field(default=None, description="whole, cleaned as inspect.cleandoc does")
    imports: tuple[str, ...] = Field(default=(), description="dotted names of the imports the node uses")
    decorators: tuple[str, ...] = ()

    callers: tuple[str, ...] | None = Field(
        default=None, description="keys of what calls it, by exact or inferred edges"
    )
    callees: tuple[str, ...] | None = Field(
        default=None, description="keys of what it calls, and dotted names of what is outside the project"
    )
    evidence: dict[str, tuple[Evidence, ...]] = Field(
        default_factory=dict, description="how sure each of callers, callees, ... is, in their order"
    )
    related_tests: tuple[str, ...] | None = Field(
        default=None, description="keys of the tests that reach it, the likeliest to run it first"
    )
    related_tests_distance: tuple[int, ...] | None = Field(
        default=None, description="steps from each of the related tests: 0 is the test itself, 1 what it calls"
    )

    line_count: int | None = None
    complexity: int | None = Field(default=None, description="McCabe, counted as ruff's C901; functions only")
    docstring_outdated: bool = False
    docstring_outdated_reason: str | None = None
    drift: Drift | None = Field(default=None, description="docstring_outdated in detail")
    has_type_hints: bool = False

    last_updated: datetime
    update_source: UpdateSource

    range: Range = Field(description="definition with its decorators")
    name_range: Range = Field(description="the name; the file's start for a module")
    origin: Literal["disk", "buffer"] = "disk"
    version: int | None = Field(default=None, description="the buffer's version where origin is buffer")
    diverges: bool = Field(default=False, description="the file changed on disk while a buffer of it was open")
    broken: str | None = Field(
        default=None, description="why the text does not parse just now; the facts are the last good ones"
    )
    extra: dict[str, Any] = Field(default_factory=dict, description="what the project's own scripts found")


class FileIndex(Model):
    """What the hub knows about one file."""

    file_path: str
    file_hash: str
    node_count: int
    last_scanned: datetime
    size: int = Field(description="bytes on disk when scanned; of the text for a buffer")
    origin: Literal["disk", "buffer"] = "disk"
    version: int | None = None
    error: str | None = Field(default=None, description="why (part of) the file could not be parsed")
    error_line: int | None = Field(default=None, description="0-based")
    revision: int = Field(default=0, description="the index's revision when the file last changed")


class FailedFile(Model):
    """A file that could not be indexed as a whole, and why."""

    file: str
    error: str
    line: int | None = None


class SlowPath(Model):
    """A change that took long: seconds from taking it up to the revision it made."""

    path: str
    seconds: float


class HistoryStatus(Model):
    """How far the reading of the project's git history is."""

    state: Literal["off", "waiting", "reading", "done", "unavailable"]
    reason: str | None = Field(default=None, description="why it is unavailable")
    done: int = Field(default=0, description="files whose history is known, of those that it was not known of")
    total: int = 0
    commit: str | None = Field(default=None, description="the commit from which on it is read, as hex digits")
    shallow: bool = Field(default=False, description="the clone has only the newest part of the history")


class ScriptStatus(Model):
    """How one .pym script is doing."""

    name: str
    path: str = Field(description="relative to the root; of a shipped one its name")
    origin: Literal["project", "shipped"]
    state: ScriptState = Field(
        description="running: files wait for it; failing, paused: see reason, what it said before stays; invalid: a "
        "check finds errors; untrusted: nobody vouches for the project, so its results do not count"
    )
    reason: str | None = None
    hash: str = Field(description="SHA-256 (hex) of its text")
    runs: int = 0
    seconds: float = Field(default=0.0, description="all its runs together")
    pending: int = Field(default=0, description="files that wait for it")


class HubStatus(Model):
    """How the hub of one root is doing."""

    running: bool
    state: HubState
    state_reason: str | None = None
    version: str
    pid: int | None
    project_root: str
    database: str
    revision: int
    indexed_files: int
    indexed_nodes: int
    failed: tuple[FailedFile, ...] = ()
    outdated_docstrings: int = Field(default=0, description="nodes whose docstring no longer fits")
    pending: int = Field(default=0, description="paths whose newest change is not in the index yet")
    open_buffers: int = 0
    diverging: tuple[str, ...] = Field(default=(), description="open files that changed on disk meanwhile")
    sessions: int = 0
    started_at: datetime | None = None
    last_update: datetime | None = None
    cold_start_seconds: float | None = Field(default=None, description="of the last one; None while one runs")
    database_bytes: int | None = None
    slowest: tuple[SlowPath, ...] = Field(default=(), description="the slowest changes since the start, worst first")
    counters: dict[str, int] = Field(default_factory=dict)
    others: tuple[HubStatus, ...] = Field(default=(), description="the other roots of the session that asked")
    history: HistoryStatus | None = None
    scripts: tuple[ScriptStatus, ...] = Field(default=(), description="the scripts that have a say, by name")
