"""Answers -> LSP's shapes. The index counts columns in UTF-16 code units; a session may count otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..analysis.text import Encoding, character_of, index_of

Json = dict[str, Any]
Shift = Callable[[Json], Json]
"""Turns a range of the index into a range of the session."""

_KINDS = {
    "module": 2,
    "class": 5,
    "method": 6,
    "staticmethod": 6,
    "classmethod": 6,
    "property": 7,
    "function": 12,
}
_CONSTRUCTOR = 9
_HEAD = re.compile(r"^\s*(?:async\s+def|def|class)\s+\w+")


def same(range_: Json) -> Json:
    """The Shift of a session that counts in UTF-16 itself."""
    return range_


def shift_for(lines: Sequence[str], encoding: Encoding) -> Shift:
    """The Shift into `encoding`, for ranges in the text of `lines`."""
    if encoding == "utf-16":
        return same

    def shift(range_: Json) -> Json:
        return {edge: _recount(range_[edge], lines, "utf-16", encoding) for edge in ("start", "end")}

    return shift


def column_to_utf16(line: int, character: int, lines: Sequence[str], encoding: Encoding) -> int:
    """The session's column `character` as the index counts."""
    return int(_recount({"line": line, "character": character}, lines, encoding, "utf-16")["character"])


def _recount(position: Json, lines: Sequence[str], source: Encoding, target: Encoding) -> Json:
    number, character = position["line"], position["character"]
    if source == target or number >= len(lines) or lines[number].isascii():
        return position
    line = lines[number]
    return {"line": number, "character": character_of(line, index_of(line, character, source), target)}


def symbol_kind(node: Json) -> int:
    """LSP's SymbolKind of an outline or search entry."""
    return symbol_kind_of(node["name"], node["kind"])


def symbol_kind_of(name: str, kind: str) -> int:
    """LSP's SymbolKind of a definition."""
    return _CONSTRUCTOR if name == "__init__" and kind == "method" else _KINDS.get(kind, _KINDS["function"])


def document_symbols(outline: Sequence[Json], shift: Shift) -> list[Json]:
    """The tree of an outline: an entry is below the nearest one before it whose name starts its own."""
    top: list[Json] = []
    above: list[tuple[list[str], Json]] = []
    for node in outline:
        parts = base_names(node["qualname"])
        while above and not _below(parts, above[-1][0]):
            above.pop()
        symbol = _document_symbol(node, shift)
        (above[-1][1]["children"] if above else top).append(symbol)
        above.append((parts, symbol))
    return top


def _below(parts: list[str], parent: list[str]) -> bool:
    return len(parent) < len(parts) and parts[: len(parent)] == parent


def _document_symbol(node: Json, shift: Shift) -> Json:
    range_, selection = shift(node["range"]), shift(node["name_range"])
    if not _contains(range_, selection):
        # VS Code throws a whole outline away for one selectionRange outside its range.
        selection = {"start": range_["start"], "end": range_["start"]}
    return {
        "name": node["name"],
        "detail": detail(node),
        "kind": symbol_kind(node),
        "range": range_,
        "selectionRange": selection,
        "children": [],
    }


def detail(node: Json) -> str:
    """What follows the name in a signature: parameters and return type, or bases."""
    return _HEAD.sub("", node["signature"] or "").rstrip(":").strip()


def symbol_information(node: Json, uri: str, range_: Json, container: str) -> Json:
    """The flat form, for workspace/symbol and for clients without a tree."""
    symbol = {"name": node["name"], "kind": symbol_kind(node), "location": {"uri": uri, "range": range_}}
    if container:
        symbol["containerName"] = container
    return symbol


def base_names(qualname: str) -> list[str]:
    """`Cart#2.total` -> ["Cart", "total"]."""
    return [part.partition("#")[0] for part in qualname.split(".")]


def module_name(path: str) -> str:
    """`shop/cart.py` -> `shop.cart`, `shop/__init__.py` -> `shop`."""
    stem = path.rpartition(".")[0]
    return stem.removesuffix("/__init__").replace("/", ".")


def _contains(outer: Json, inner: Json) -> bool:
    def key(position: Json) -> tuple[int, int]:
        return position["line"], position["character"]

    return key(outer["start"]) <= key(inner["start"]) and key(inner["end"]) <= key(outer["end"])
