"""A project in an index, edited file by file, with its call graph kept as the hub keeps it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.resolving import Resolver
from remora_hub_lsp.index.rows import encode

from .store import stamp

MANY = 1000


@contextmanager
def index() -> Iterator[NodeStateKV]:
    """An empty index."""
    with tempfile.TemporaryDirectory() as folder:
        kv = NodeStateKV(Path(folder) / "index.db")
        try:
            yield kv
        finally:
            kv.close()


class Graphed:
    """The index of a project."""

    def __init__(self, kv: NodeStateKV, texts: Mapping[str, str]) -> None:
        self.kv = kv
        self.texts: dict[str, str] = {}
        for path, text in texts.items():
            self._write(path, text)
        self.resolver = Resolver(kv.connection)
        hashes = kv.all_hashes()
        self.resolver.flows(sorted(hashes))
        self.kv.write_graph(kv.unchanged(sorted(hashes), hashes), self.resolver.edges(sorted(hashes)))
        self.kv.graph_is_ready()

    def _write(self, path: str, text: str | None) -> None:
        if text is None:
            self.texts.pop(path, None)
            self.kv.invalidate_file(path)
        else:
            self.texts[path] = text
            self.kv.replace_file(encode(path, extract(text)), stamp())

    def edit(self, path: str, text: str | None) -> int:
        """A file has another text, or none; gives how many files' graphs were worked out for that."""
        self._write(path, text)
        count = 0
        asked = self.kv.unresolved(1, [path])
        while asked:
            paths = [one.path for one in asked]
            count += len(paths)
            self.kv.write_graph(asked, *self.resolver.work({one.path: one.names for one in asked}))
            asked = self.kv.unresolved(3)
            assert count < MANY
        return count

    def graph(self) -> dict[str, Any]:
        """Everything that can be asked of the graph, by node."""
        out: dict[str, Any] = {}
        every = ("exact", "inferred", "name")
        kinds = ("call", "implicit", "reference")
        with self.kv.view() as view:
            for path in self.texts:
                for name in view.qualnames(path):
                    key = f"node:{path}:{name}"
                    state = view.node(path, name)
                    assert state is not None
                    fields = state["callers"], state["callees"], state["evidence"]
                    out[key] = view.callees(key, every, kinds), view.callers(key, every, kinds), fields
        return out


def scratch(texts: Mapping[str, str]) -> dict[str, Any]:
    """The graph of the same texts, built at once."""
    with index() as kv:
        return Graphed(kv, texts).graph()
