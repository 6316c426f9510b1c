"""The shipped scripts that turn raw facts into what is recorded, run natively: one run for a file, or for what an
edit changed of it.

They are this package's own files, and so trusted; what a workspace has under the same names runs elsewhere, in the
sandbox (see hub/scripts).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from ..analysis.facts import Binding, PlacedNode
from ..analysis.pym import compile_native, evaluate, parse

Json = dict[str, Any]

EXTRACT_SIGNATURES, SCAN_IMPORTS = "extract_signatures", "scan_imports"
_PACKAGE = Path(__file__).parents[1]


def shipped_folder() -> Path:
    """Where the package's own scripts are: in it once it is installed, beside it in a clone."""
    installed = _PACKAGE / "_agents" / "hub" / "tools"
    return installed if installed.is_dir() else _PACKAGE.parent / "agents" / "hub" / "tools"


def extract_signatures(path: str, file_hash: str, nodes: Sequence[PlacedNode]) -> list[Json]:
    """A record for each of the nodes: what NodeState says of its text."""
    raw = {"file_path": path, "file_hash": file_hash, "nodes": [raw_text(node) for node in nodes]}
    records: list[Json] = run_shipped(EXTRACT_SIGNATURES, path, raw)["nodes"]
    return records


def scan_imports(
    path: str, package: Sequence[str], bindings: Iterable[Binding], nodes: Sequence[PlacedNode]
) -> tuple[list[list[str]], list[list[str]]]:
    """The module's imports as (name, absolute target), and for each of the nodes the dotted names that it uses."""
    bound = [[name, target] for name, target in bindings]
    result = run_shipped(SCAN_IMPORTS, path, raw_imports(path, package, bound, nodes))
    return result["bindings"], [node["imports"] for node in result["nodes"]]


def raw_text(node: PlacedNode) -> Json:
    """One node's share of `parse_python` for extract_signatures."""
    facts = node.facts
    return {
        "name": facts.name,
        "qualname": node.unique,
        "node_type": facts.node_type,
        "kind": facts.kind,
        "source_hash": facts.source_hash,
        "signature": facts.signature,
        "docstring": facts.docstring,
        "decorators": facts.decorators,
        "line_count": facts.line_count,
        "complexity": facts.complexity,
        "has_type_hints": facts.has_type_hints,
    }


def raw_imports(path: str, package: Sequence[str], bindings: list[list[str]], nodes: Sequence[PlacedNode]) -> Json:
    """`parse_python` for scan_imports. names: dotted names a node uses, told where the file binds dotted names."""
    dotted = any("." in name for name, _ in bindings)
    return {
        "file_path": path,
        "package": list(package),
        "bindings": bindings,
        "nodes": [
            {
                "qualname": node.unique,
                "node_type": node.facts.node_type,
                "roots": list(node.facts.roots),
                "local_imports": node.facts.local_imports,
                # A class's own names stand with its members.
                "names": [*node.facts.dotted, *node.facts.roots]
                if dotted and node.facts.node_type == "function"
                else [],
            }
            for node in nodes
        ],
    }


def run_shipped(name: str, path: str, raw: Json) -> Json:
    """The result of one of the two steps for a file of which `parse_python` gives `raw`."""

    async def parse_python(_: str) -> Json:
        return raw

    result: Json = evaluate(_code(name), {"file_path": path}, {"parse_python": parse_python})
    return result


@cache
def _code(name: str) -> CodeType:
    file = shipped_folder() / f"{name}.pym"
    return compile_native(parse(file.read_text(encoding="utf-8")), str(file))
