"""Kept JSON of nodes is the JSON of now, whatever was written since it was kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.index.encoded import EncodedNodes, encode, result
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.protocol import GetContextResult

from .store import put, stamp

PATHS = ("a.py", "b.py", "pkg/c.py")
TEXTS = (
    "def f(): ...\n",
    "\n\ndef f(): ...\n",
    "import b\nclass A:\n    def g(self, x): return b.f\n",
    "class A:\n    def g(self): ...\ndef f(\n",
    "",
)
NAMES = {f"{path}:{name}": (path, name) for path in PATHS for name in ("<module>", "f", "A", "A.g")}

paths = st.sampled_from(PATHS)
writes = st.one_of(
    st.tuples(st.just("put"), paths, st.sampled_from(TEXTS)),
    st.tuples(st.just("restamp"), paths, st.sampled_from(["disk", "buffer"])),
    st.tuples(st.just("diverge"), paths, st.booleans()),
    st.tuples(st.just("remove"), paths, st.none()),
    st.tuples(st.just("delete"), st.sampled_from(sorted(NAMES)), st.none()),
    st.tuples(st.just("set"), st.sampled_from(sorted(NAMES)), st.integers()),
    st.tuples(st.just("dependency"), paths, st.none()),
    st.tuples(st.just("elsewhere"), paths, st.none()),
)


def write(kv: NodeStateKV, what: str, where: str, value: object) -> None:
    match what:
        case "put":
            put(kv, where, str(value))
        case "restamp":
            kv.restamp([(where, stamp(origin=value, version=3 if value == "buffer" else None))])
        case "diverge":
            kv.set_diverging(where, bool(value))
        case "remove":
            kv.invalidate_file(where)
        case "delete":
            kv.delete(f"node:{where}")
        case "set":
            if (state := kv.get(f"node:{where}")) is not None:
                changed = {"signature": f"def written({value})", "last_updated": datetime.now(UTC)}
                kv.set(state.model_copy(update=changed))
        case "dependency":
            kv.refresh_dependants([(where, ())])
        case "elsewhere":
            kv.continue_from(kv.revision + 5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(writes, st.booleans()), max_size=25))
def test_kept_nodes_are_true_at_each_revision(history: Sequence[tuple[tuple[str, str, object], bool]]) -> None:
    kept = EncodedNodes()
    with tempfile.TemporaryDirectory() as folder:
        kv = NodeStateKV(Path(folder, "index.db"))
        for (what, where, value), looks in [*history, (("put", "a.py", TEXTS[0]), True)]:
            write(kv, what, where, value)
            if looks:
                with kv.view() as view:
                    kept.catch_up(view)
                    now = encode(view, NAMES)
                    assert {text: node for text in NAMES if (node := kept.get(text))}.items() <= now.items()
                    kept.keep(now)
                with kv.view() as view:
                    assert now == encode(view, NAMES), "what is shared of files is true, too"
        kv.close()


def test_the_pieces_are_the_answer(kv: NodeStateKV) -> None:
    put(kv, "a.py", "class A:\n    def g(self): ...\ndef f(\n")
    with kv.view() as view:
        found = encode(view, {"a.py:A": ("a.py", "A"), 'a "name"': ("a.py", "A.g")})
        answer = b"".join(result(list(found.values()), view.revision, "ready"))
        assert orjson.loads(answer)["nodes"] == {
            "a.py:A": view.node("a.py", "A"), 'a "name"': view.node("a.py", "A.g"),
        }  # fmt: skip
    assert GetContextResult.model_validate_json(answer).revision == kv.revision
    assert orjson.loads(b"".join(result([], 3, "ready")))["nodes"] == {}


def test_there_is_an_end_to_what_is_kept(kv: NodeStateKV) -> None:
    for number in range(40):
        put(kv, f"m{number}.py", "def f(): ...\n")
    kept = EncodedNodes(most_bytes=20_000)
    with kv.view() as view:
        kept.catch_up(view)
        for number in range(40):
            kept.keep(encode(view, {f"m{number}.py:f": (f"m{number}.py", "f")}))
    assert 5 < len(kept) < 30
    assert kept.get("m39.py:f") is not None
    assert kept.get("m0.py:f") is None
