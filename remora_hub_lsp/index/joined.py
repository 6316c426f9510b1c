"""Fields of a node that do not stand in its row, because they rest on other files: joined when nodes are read.

Each source of such fields has tables of its own, and a function here that looks many nodes up at once. Whatever changes
what it would answer for a node has to raise that node's revision and its file's (NodeStateKV._touch).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import drift, graph, scripts, selection

if TYPE_CHECKING:
    from .view import IndexView

Fields = Mapping[str, Any]

# Row ids of nodes -> by row id the fields that are known. What is not there keeps the value that models.NodeState has
# for "not computed"; so does a field that the row itself holds (see rows.LATER_FIELDS).
Joiner = Callable[["IndexView", Sequence[int]], Mapping[int, Fields]]

JOINERS: tuple[Joiner, ...] = (drift.join, graph.join, scripts.join)
# Related tests cost milliseconds a node: they are joined for whoever asks for them (IndexView.joins_tests).
WITH_TESTS: tuple[Joiner, ...] = (*JOINERS, selection.join)
