"""Fields that are joined when nodes are read: in every kind of answer, with few questions for many nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from remora_hub_lsp.index import joined
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.view import IndexView

from .store import rows, stamp

TEXT = "class A:\n    def f(self): ...\n\ndef g(): ...\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many nodes each question was for; every function has callers, as its own key says."""
    counts: list[int] = []

    def join(view: IndexView, ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        counts.append(len(ids))
        kinds = view.select("SELECT id, qualname, kind FROM nodes WHERE id IN (SELECT value FROM json_each(?))", ids)
        return {number: {"callers": [f"of {name}"]} for number, name, kind in kinds if kind not in ("module", "class")}

    monkeypatch.setattr(joined, "JOINERS", (join,))
    return counts


def test_every_answer_is_joined(kv: NodeStateKV, asked: list[int]) -> None:
    kv.replace_file(rows("a.py", TEXT), stamp())
    with kv.view() as view:
        assert view.node("a.py", "g")["callers"] == ["of g"]
        assert [state["callers"] for state in view.nodes_of("a.py")] == [None, None, ["of A.f"], ["of g"]]
        assert view.node_at("a.py", 1, 9)["callers"] == ["of A.f"]
        [(number, _, _)] = view.symbols("name = ?", ("g",), 9)
        assert view.by_id(number)["callers"] == ["of g"]


def test_many_nodes_are_joined_at_once(kv: NodeStateKV, asked: list[int]) -> None:
    text = "".join(f"def f{number}(): ...\n" for number in range(300))
    for path in ("a.py", "b.py"):
        kv.replace_file(rows(path, text), stamp())
    with kv.view() as view:
        states = view.nodes((path, f"f{number}") for path in ("a.py", "b.py") for number in range(300))
    assert {state["callers"][0] for state in states.values()} == {f"of f{number}" for number in range(300)}
    assert asked == [600]


def test_what_was_written_by_hand_stands(kv: NodeStateKV, asked: list[int]) -> None:
    kv.replace_file(rows("a.py", TEXT), stamp())
    state = kv.get("node:a.py:g")
    assert state is not None
    kv.set(state.model_copy(update={"callers": ("by hand",)}))
    assert kv.get("node:a.py:g").callers == ("by hand",)
