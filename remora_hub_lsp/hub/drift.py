"""Questions and answers about docstrings that no longer fit."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import KeyFormatError
from ..index import drift
from ..index.dotted import locate
from ..index.ids import BadId, parse_id
from ..protocol import OutdatedParams
from .recorder import DiskFile

if TYPE_CHECKING:
    from ..index.view import IndexView, Json
    from .hub import Hub


async def outdated(hub: Hub, params: OutdatedParams) -> Json:
    """remora/outdated."""
    below = [_below(hub, path) for path in params.paths]

    def question(view: IndexView) -> Json:
        ids = drift.outdated(view, below)
        nodes = view.by_ids(ids[: params.limit])
        found = [_entry(hub, nodes[row_id]) for row_id in ids[: params.limit] if row_id in nodes]
        found.sort(key=lambda entry: (entry["path"], entry["name_range"]["start"]["line"]))
        return {"outdated": found, "total": len(ids)}

    answer = await hub.read(question, heavy=True)
    result: Json = {**answer.value, "revision": answer.revision, "state": answer.state}
    return result


def _entry(hub: Hub, node: Json) -> Json:
    path = node["file_path"]
    return {
        "key": node["key"], "uri": Path(hub.paths.absolute(path)).as_uri(), "path": path, "qualname": node["qualname"],
        "name_range": node["name_range"], "signature": node["signature"],
        "reason": node["docstring_outdated_reason"], "drift": node["drift"],
    }  # fmt: skip


def _below(hub: Hub, text: str) -> str:
    """A path as asked, relative to the root; empty for the root itself. Raises KeyFormatError."""
    if text in ("", ".", "./"):
        return ""
    found = parse_id(f"{text.rstrip('/')}/_.py", hub.path_of)
    if isinstance(found, BadId) or found.path is None:
        detail = found.detail if isinstance(found, BadId) else "it names no path"
        raise KeyFormatError(f"{text!r} is no path of the project: {detail}")
    return posixpath.dirname(found.path)


async def acknowledge(hub: Hub, node: str, undo: bool) -> Json:
    """remora/acknowledgeDocstring. Raises KeyFormatError for an id that names nothing."""
    found = parse_id(node, hub.path_of)
    if isinstance(found, BadId):
        raise KeyFormatError(f"{node!r}: {found.detail}")
    path, qualname = found.path, found.qualname
    if path is None:
        answer = await hub.read(lambda view: locate(view, found.dotted))
        if answer.value is None:
            raise KeyFormatError(f"{node!r} names nothing in the project")
        path, qualname = answer.value
    known = await hub.read(lambda view: view.has(path, qualname), paths=(path,))
    if not known.value:
        raise KeyFormatError(f"{path} defines no {qualname}")
    file = DiskFile(path, hub.paths.absolute(path), True)
    changed = await hub.write(hub.recorder.acknowledge, file, qualname, undo)
    if changed is not None:
        hub.tell(changed)
    return {"key": f"node:{path}:{qualname}", "changed": changed is not None, "revision": hub.revision}
