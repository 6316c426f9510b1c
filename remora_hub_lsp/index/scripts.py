"""What scripts said of nodes: kept by script and node, joined into NodeState.extra under the script's name.

A result knows up to which revision it has seen its node; where the node is newer, the answer says that it is `stale`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from .view import IndexView

Json = dict[str, Any]


class Seen(NamedTuple):
    """What a script has seen of a file. script_hash: of the script that did; hashes: of the facts, by qualname."""

    script_hash: str
    hashes: dict[str, str]


def join(view: IndexView, ids: Sequence[int]) -> dict[int, Json]:
    """NodeState.extra of the nodes, and what a project's own version of a shipped step records of them."""
    found: dict[int, Json] = {}
    if not view.select("SELECT 1 FROM scripts WHERE active LIMIT json_array_length(?)", [1]):
        return found
    rows = view.select(
        "SELECT nodes.id, script, result, nodes.revision > said.revision FROM nodes"
        " JOIN script_results AS said ON said.file = nodes.file AND said.qualname = nodes.qualname"
        " JOIN scripts ON scripts.name = script AND active WHERE nodes.id IN (SELECT value FROM json_each(?))"
        " ORDER BY script",
        ids,
    )
    for row_id, script, result, stale in rows:
        said = orjson.loads(result)
        fields = found.setdefault(row_id, {"extra": {}})
        fields.update(said.get("record", {}))
        extra = said.get("extra", {})
        if findings := said.get("findings"):
            extra["findings"] = findings
        if stale:
            extra["stale"] = True
        if extra:
            fields["extra"][script] = extra
    return found


def due(view: IndexView, scripts: Mapping[str, str]) -> dict[str, list[str]]:
    """For each of the scripts, given with their hashes, the files that have something it has not seen."""
    found: dict[str, list[str]] = {}
    for name, script_hash in scripts.items():
        rows = view.select(
            "SELECT path FROM files LEFT JOIN script_runs AS run ON run.file = files.id AND run.script ="
            " (SELECT value FROM json_each(?)) WHERE run.revision IS NULL OR run.revision < files.revision"
            " OR run.script_hash != ? ORDER BY path",
            [name],
            script_hash,
        )
        found[name] = [path for (path,) in rows]
    return found


def seen(view: IndexView, path: str, names: Sequence[str]) -> dict[str, Seen]:
    """What the scripts have seen of a file."""
    rows = view.select(
        "SELECT script, script_hash, seen FROM script_runs JOIN files ON files.id = file"
        " WHERE script IN (SELECT value FROM json_each(?)) AND path = ?",
        names,
        path,
    )
    return {script: Seen(script_hash, orjson.loads(hashes)) for script, script_hash, hashes in rows}


def with_findings(view: IndexView) -> list[str]:
    """Files of which an active script has found something."""
    rows = view.select(
        "SELECT DISTINCT path FROM script_results JOIN scripts ON scripts.name = script AND active"
        " JOIN files ON files.id = file WHERE has_findings = (SELECT value FROM json_each(?)) ORDER BY path",
        [1],
    )
    return [path for (path,) in rows]


def nodes_with_findings(view: IndexView, path: str) -> list[Json]:
    """The NodeStates of a file's nodes of which an active script has found something."""
    rows = view.select(
        "SELECT DISTINCT nodes.id FROM script_results AS said JOIN scripts ON scripts.name = script AND active"
        " JOIN files ON files.id = said.file"
        " JOIN nodes ON nodes.file = said.file AND nodes.qualname = said.qualname"
        " WHERE has_findings AND path = (SELECT value FROM json_each(?))",
        [path],
    )
    return list(view.by_ids([row_id for (row_id,) in rows]).values())
