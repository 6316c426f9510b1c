"""What a script may say of nodes, and what it is given of them.

A result is a list of `{"key", "extra"?, "findings"?}`: `extra` is shown as it is, each finding is a diagnostic. What a
project's version of a shipped step gives has that step's form instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from ...analysis.pym import Declared
from ...analysis.pymcheck import Problem
from ...errors import OutputError
from ...models import NodeState

Json = dict[str, Any]

NODES, FILE_PATH, TEXT = "nodes", "file_path", "text"
# The fields of a node that say nothing of its code, and so are not for scripts.
_NOT_OFFERED = frozenset({"extra", "last_updated", "update_source", "origin", "version", "diverges"})
OFFERED = (*(name for name in NodeState.model_fields if name not in _NOT_OFFERED), TEXT)
EXTERNALS = ("read_file", "parse_python", "sha256")
_RESERVED = ("findings", "stale")
# Bytes of JSON that a script may say of one node, and in one run.
_MOST_OF_NODE = 8_000
_MOST_OF_RUN = 1_000_000


# A tuple is as good as a list.
_Texts = Annotated[list[str], Strict(False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Finding(_Strict):
    """A diagnostic. line: 1 is the node's first; without it the finding stands on the node's name."""

    message: str = Field(min_length=1, max_length=1000)
    severity: Literal["error", "warning", "information", "hint"] = "warning"
    line: int | None = Field(default=None, ge=1)
    code: str | None = Field(default=None, max_length=100)


class Entry(_Strict):
    """What is said of one node."""

    key: str
    extra: dict[str, Any] = Field(default_factory=dict)
    findings: list[Finding] = Field(default_factory=list, max_length=100)


class Record(BaseModel):
    """What a project's version of a shipped step may record otherwise; all else in it is not looked at."""

    model_config = ConfigDict(extra="ignore", strict=True)

    qualname: str
    signature: str | None = None
    docstring: str | None = None
    docstring_full: str | None = None
    imports: _Texts | None = None
    decorators: _Texts | None = None
    complexity: int | None = None
    has_type_hints: bool | None = None


class _Step(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    nodes: list[Record]


_ENTRIES = TypeAdapter(list[Entry])


def fields_of(declared: Declared) -> tuple[str, ...]:
    """The fields of nodes that a script is sent: those whose names stand in it as strings, and always the key."""
    return tuple(name for name in OFFERED if name == "key" or name in declared.strings)


def misfits(declared: Declared) -> list[Problem]:
    """Where what the script declares is not what the hub has for it."""
    found = []
    if not {NODES, FILE_PATH} & declared.inputs.keys():
        advice = f'write {NODES}: list[dict[str, Any]] = Input("{NODES}")'
        found.append(Problem("H101", 1, 0, f"it declares neither the input {NODES} nor {FILE_PATH}", advice))
    for given in declared.inputs.values():
        if given.name not in (NODES, FILE_PATH) and given.required:
            message = f"the hub has no input {given.name}: it gives {NODES} and {FILE_PATH}"
            found.append(Problem("H102", given.line, given.column, message, "give it a default"))
    for external in declared.externals.values():
        if external.name not in EXTERNALS:
            message = f"the hub has no external {external.name}: it offers {', '.join(EXTERNALS)}"
            found.append(Problem("H103", external.line, external.column, message, "remove it"))
        elif not external.is_async:
            advice = f"write async def {external.name}, and await it"
            found.append(Problem("H104", external.line, external.column, "the hub's externals are awaited", advice))
    return found


def facts_of(state: Mapping[str, Any], fields: Sequence[str], text: str | None = None) -> Json:
    """What a script is sent of a node."""
    return {name: text if name == TEXT else state[name] for name in fields}


def facts_hash(state: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Names these facts. A node's text is named by its hash; a broken one, whose hash is the last good one's, by its
    file's as well."""
    text = [state["source_hash"], state["file_hash"] if state["broken"] else None]
    values = [text if name == TEXT else state[name] for name in fields]
    return hashlib.blake2b(orjson.dumps(values), digest_size=8).hexdigest()


def own_texts(states: Sequence[Json], lines: Sequence[str]) -> dict[str, str]:
    """The text of each of a file's nodes by key; the lines of what is defined inside it are empty."""
    owner: list[str] = [""] * len(lines)
    spans = {}
    for state in sorted(states, key=_outer_first):
        first, last = state["range"]["start"]["line"], min(state["range"]["end"]["line"], len(lines) - 1)
        spans[state["key"]] = (first, last + 1)
        owner[first : last + 1] = [state["key"]] * (last + 1 - first)
    return {
        key: "".join(lines[at] if owner[at] == key else "\n" for at in range(first, last))
        for key, (first, last) in spans.items()
    }


def _outer_first(state: Json) -> tuple[bool, int, int]:
    return state["node_type"] != "module", state["range"]["start"]["line"], -state["range"]["end"]["line"]


def read_entries(value: Any, sent: Collection[str]) -> dict[str, Json]:
    """What a script's result says of the nodes, by key. Raises OutputError where it has not the form, or is too big."""
    if not isinstance(value, list):
        raise OutputError(f"its result is {_kind(value)}, not a list of {{'key', 'extra'?, 'findings'?}}")
    if len(value) > 10 * len(sent) + 100:
        raise OutputError(f"its result has {len(value):,} entries for {len(sent):,} nodes")
    found: dict[str, Json] = {}
    size = 0
    for entry in _validated(_ENTRIES, value):
        if entry.key not in sent:
            raise OutputError(f"its result names {entry.key[:200]!r}, which is none of the nodes that it was given")
        if reserved := [name for name in _RESERVED if name in entry.extra]:
            raise OutputError(f"extra of {entry.key} has the field {reserved[0]}, which is the hub's own")
        _add(found.setdefault(entry.key, {}), entry)
        size += _size(entry.key, found[entry.key])
        if size > _MOST_OF_RUN:
            raise OutputError(f"its result has more than {_MOST_OF_RUN:,} bytes")
    return {key: said for key, said in found.items() if said}


def _add(said: Json, entry: Entry) -> None:
    if entry.extra:
        said["extra"] = said.get("extra", {}) | entry.extra
    if entry.findings:
        findings = [finding.model_dump(exclude_none=True) for finding in entry.findings]
        said["findings"] = said.get("findings", []) + findings


def read_records(value: Any, shipped: Iterable[Mapping[str, Any]]) -> dict[str, Json]:
    """Where a project's version of a step records something else than the shipped one, by qualname."""
    before = {record["qualname"]: record for record in shipped}
    found = {}
    for record in _validated(TypeAdapter(_Step), value).nodes:
        told = record.model_dump(exclude_unset=True)
        known = before.get(told.pop("qualname"))
        if known is not None:
            other = {name: new for name, new in told.items() if name in known and _plain(known[name]) != new}
            if other:
                found[record.qualname] = {"record": other}
                _size(record.qualname, found[record.qualname])
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _validated(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"[{part!r}]" for part in first["loc"])
        raise OutputError(f"its result{place}: {first['msg']}") from None


def _size(name: str, said: Json) -> int:
    """Bytes of JSON. Raises OutputError where there are too many, or what is said is no JSON."""
    try:
        size = len(orjson.dumps(said))
    except TypeError as error:
        raise OutputError(f"what it says of {name} is no JSON: {error}") from None
    if size > _MOST_OF_NODE:
        raise OutputError(f"it says {size:,} bytes of {name}; {_MOST_OF_NODE:,} are the most")
    return size


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
