"""A project in an index, edited file by file, with its call graph kept as the hub keeps it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.index.building import Builder, unpacked
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.resolver import Resolver
from remora_hub_lsp.index.rows import encode

from .store import stamp

MANY = 1000


def histories(
    choices: Mapping[str, Sequence[str | None]], most: int
) -> tuple[st.SearchStrategy[dict[str, int]], st.SearchStrategy[list[tuple[str, int]]]]:
    """What each file may have at first, and up to so many edits: which of its texts a file gets (None: it is not there)."""
    starts = st.fixed_dictionaries({path: st.integers(0, len(texts) - 1) for path, texts in choices.items()})
    step = st.sampled_from(sorted(choices)).flatmap(
        lambda path: st.tuples(st.just(path), st.integers(0, len(choices[path]) - 1))
    )
    return starts, st.lists(step, min_size=1, max_size=most)


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
        builder = Builder(kv.connection)
        builder.flows(sorted(hashes))
        for path in sorted(hashes):  # one by one, as in steps
            self.kv.write_built(kv.unchanged([path], hashes), builder.edges([path]))
        while rows := unpacked(builder.rests()):
            self.kv.write_rests(rows)
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
        while self.kv.is_unresolved:
            followed = self.resolver.follow(3)
            assert self.kv.write_graph(*followed)[1] == []
            count += len(followed.asked)
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
