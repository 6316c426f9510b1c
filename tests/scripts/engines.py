"""Shipped scripts on real files, through either engine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pygls
import rich

from remora_hub_lsp.analysis.pym import compile_native, evaluate
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.text import split_lines
from remora_hub_lsp.hub.scripts import PERMISSIVE
from remora_hub_lsp.hub.scripts.externals import raw_facts
from remora_hub_lsp.hub.scripts.results import facts_of, fields_of, own_texts
from remora_hub_lsp.hub.scripts.sandbox import Sandbox
from remora_hub_lsp.hub.scripts.script import Script
from remora_hub_lsp.hub.scripts.shelf import STEPS
from remora_hub_lsp.index.kv import MEMORY, NodeStateKV, Stamp
from remora_hub_lsp.index.rows import encode

Json = dict[str, Any]


def given(script: Script, path: str, text: str) -> tuple[Json, Json]:
    """Inputs and answers of externals for a script on one file."""
    if script.name in STEPS:
        return {"file_path": path}, raw_facts(path, text)
    states = nodes_of(path, text)
    texts = own_texts(states, split_lines(text))
    nodes = [facts_of(state, fields_of(script.declared), texts[state["key"]]) for state in states]
    return {"nodes": nodes} | ({"limit": 4} if "limit" in script.inputs else {}), {}


@cache
def nodes_of(path: str, text: str) -> list[Json]:
    kv = NodeStateKV(MEMORY)
    kv.replace_file(encode(path, extract(text)), Stamp(0, 0, 0))
    with kv.view() as view:
        states = view.nodes_of(path)
    kv.close()
    return [state | {"related_tests": []} for state in states]  # computed, none


def natively(script: Script, path: str, text: str) -> Any:
    inputs, raw = given(script, path, text)

    async def parse_python(_: str) -> Json:
        return raw

    externals = {"parse_python": parse_python} if script.externals else {}
    return plain(evaluate(compile_native(script.declared, "x"), script.given(inputs, externals), externals))


async def sandboxed(script: Script, path: str, text: str, sandbox: Sandbox) -> Any:
    inputs, raw = given(script, path, text)
    externals = {"parse_python": lambda _: raw} if script.externals else {}
    return plain(await script.run(inputs, externals, PERMISSIVE, sandbox=sandbox))


def plain(value: Any) -> Any:
    """As it would be in JSON: what is a tuple here is a list there."""
    return json.loads(json.dumps(value))


def real_files() -> list[Path]:
    """Every tenth file of this project and its tests, and of two packages that it uses."""
    root = Path(__file__).parents[2]
    folders = [root / "remora_hub_lsp", root / "tests", Path(rich.__file__).parent, Path(pygls.__file__).parent]
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))[::10]]
