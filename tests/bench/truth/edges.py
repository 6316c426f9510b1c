"""The edges that the index has of a project."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.hub.tree import SourceTree
from remora_hub_lsp.index.view import IndexView

EVIDENCE = ("exact", "inferred", "name")
T = TypeVar("T")


class Found(NamedTuple):
    """One edge of the graph. caller, callee: node keys, or the dotted name of a callee outside of the project.
    sites: 1-based lines in the caller's file."""

    caller: str
    callee: str
    evidence: str
    implicit: bool
    sites: tuple[int, ...] = ()


def found_in(root: Path, database: Path) -> list[Found]:
    """Index `root` (what did not change since the last time is not analysed again) and give all its edges."""
    config = load_config(root)
    paths = [entry.path for entry in SourceTree(root, config).walk()]
    return asyncio.run(asked(root, database, partial(all_edges, paths)))


async def asked(root: Path, database: Path, question: Callable[[IndexView], T], **settings: object) -> T:
    """The answer of the index of `root`, once it is up to date."""
    overrides = {"workers": 0, "database": database, "watch": False, **settings}
    hub = Hub(root, load_config(root, overrides=overrides), needs_store=True)
    await hub.start()
    try:
        await hub.indexed()
        value: T = (await hub.read(question, heavy=True)).value
        return value
    finally:
        await hub.close()


def all_edges(paths: Sequence[str], view: IndexView) -> list[Found]:
    """Every edge, asked node by node through what everybody else asks through."""
    edges = []
    for path in paths:
        for qualname in view.qualnames(path):
            for edge in view.callees(f"node:{path}:{qualname}", evidence=EVIDENCE):
                lines = tuple(line + 1 for line, _, _ in edge.sites)
                edges.append(Found(edge.caller, edge.callee, edge.evidence, edge.implicit, lines))
    return edges
