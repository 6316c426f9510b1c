"""Hostile text, all the way through: no exception, and facts that make sense. `python -m tests.bench.fuzz_source` has more."""

from __future__ import annotations

import random

import pytest

from ..index.graphs import index
from .chain import graph_of, run_through
from .corpus import sample
from .hostile import WRITTEN, changed
from .test_source import DEEP


@pytest.mark.parametrize("depth", [90, 300])
def test_deep_and_long_text_goes_all_the_way(depth: int) -> None:
    texts = [f"def before(): pass\n{text(depth)}\ndef after(): pass\n" for text in DEEP.values()]
    problems = {name: found for name, text in zip(DEEP, texts, strict=True) if (found := run_through(text.encode()))}
    assert problems == {}
    with index() as kv:
        graph_of(kv, texts)


def test_syntax_of_other_pythons_and_odd_bytes() -> None:
    for data in WRITTEN:
        for before in (b"", b"x = 1\n", b"class A:\n    def f(self):\n        "):
            assert run_through(before + data + b"\ndef after(): pass\n", data) == []


@pytest.mark.parametrize("seed", range(4))
def test_real_files_with_bytes_changed(seed: int) -> None:
    rng = random.Random(seed)
    files = [path.read_bytes() for path in sample(6, seed, max_bytes=6000)[-6:]]
    texts = [changed(data, rng, files) for data in files for _ in range(3)]
    assert [problem for data in texts for problem in run_through(data, rng.choice(files))] == []
    with index() as kv:
        graph_of(kv, [data.decode("latin-1") for data in texts])
