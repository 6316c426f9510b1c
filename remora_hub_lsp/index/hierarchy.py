"""The callers of a node as a call hierarchy shows them: of the most called one there are thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .graph import CALLS, COUNTED, FILE_SHIFT, Edge, edges_in, number_of
from .keys import node_key
from .named import Head, head, heads

if TYPE_CHECKING:
    from .view import IndexView

# The row of a function's edges is that of its node; code of modules and classes stands in rows of its own.
_CALLING = (
    "SELECT edges.id, owner, edges.data, places, name, facts FROM called JOIN edges ON edges.id = called.caller"
    " LEFT JOIN summaries ON summaries.id = edges.id & ~65535"
    " LEFT JOIN nodes ON nodes.id = edges.id AND qualname = owner WHERE target = ?"
)


def incoming(view: IndexView, key: str) -> tuple[list[Edge], dict[str, Head]]:
    """The calls of a node by caller, and the callers by their keys."""
    rows = view.rows(_CALLING, (number_of(key),))
    edges = sorted(edge for edge in edges_in(view, rows, key) if edge.evidence in COUNTED and edge.kind in CALLS)
    callers = {}
    for row_id, owner, _, _, name, facts in rows:
        file = view.file_of(row_id >> FILE_SHIFT)
        if file is not None and facts is not None:
            caller = node_key(file.path, owner)
            callers[caller] = head(caller, file, row_id, owner, name, facts)
    return edges, callers | heads(view, [edge.caller for edge in edges if edge.caller not in callers])
