"""The functions of a file's text, with what each says of itself. A statement that did not change is parsed once."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from remora_hub_lsp.analysis.extract import docstring_of
from remora_hub_lsp.analysis.signature import function_signature
from remora_hub_lsp.analysis.source import decode
from remora_hub_lsp.errors import SourceError

# Where a top-level statement can begin: text in column 0 that closes nothing.
_BEGINS = re.compile(r"^(?=[@A-Za-z_])(?!(?:else|elif|except|finally)\b)", re.MULTILINE)
_DEFINES = re.compile(r"^\s*(?:async\s+)?(?:def|class)\s", re.MULTILINE)


class Function(NamedTuple):
    """signature: normalised. source: whole text, decorators included, dedented."""

    signature: str
    docstring: str
    source: str


Named = dict[str, Function]


class Functions:
    """Reads files; remembers the statements seen."""

    def __init__(self) -> None:
        self._seen: dict[str, Named | None] = {}

    def changed(self, old: bytes, new: bytes) -> tuple[Named, Named] | None:
        """Documented functions by qualname in the statements that differ; None where a text does not parse."""
        try:
            before, after = decode(old).replace("\r\n", "\n"), decode(new).replace("\r\n", "\n")
        except SourceError:
            return None
        old_chunks, new_chunks = list(chunks(before)), list(chunks(after))
        one, other = self._of(old_chunks, set(new_chunks)), self._of(new_chunks, set(old_chunks))
        if one is None or other is None:  # a statement may have been cut: the whole text decides
            one, other = self._parse(before), self._parse(after)
        return None if one is None or other is None else (one, other)

    def _of(self, some: list[str], without: set[str]) -> Named | None:
        found: Named = {}
        for chunk in some:
            if chunk not in without:
                inside = self._chunk(chunk)
                if inside is None:
                    return None
                for name, function in inside.items():
                    found[unique(name, found)] = function
        return found

    def _chunk(self, chunk: str) -> Named | None:
        if not _DEFINES.search(chunk):
            return {}
        if chunk not in self._seen:
            self._seen[chunk] = self._parse(chunk)
        return self._seen[chunk]

    def _parse(self, text: str) -> Named | None:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        found: Named = {}
        lines = text.split("\n")
        for name, node in walk(tree.body, ""):
            if docstring := docstring_of(node.body):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                source = textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno]))
                found[unique(name, found)] = Function(function_signature(node), docstring, source)
        return found


def chunks(text: str) -> Iterator[str]:
    """The text in pieces that begin in column 0; decorators stay with what they decorate."""
    start, decorated = 0, False
    for match in _BEGINS.finditer(text):
        place = match.start()
        if place > start and not decorated:
            yield text[start:place]
            start = place
        decorated = text[place] == "@"
    yield text[start:]


def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions in these statements, by qualname."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from walk(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from walk(node.body, f"{prefix}{node.name}.")
        else:
            for field in ("body", "orelse", "finalbody"):
                yield from walk(getattr(node, field, []), prefix)
            for handler in getattr(node, "handlers", ()):
                yield from walk(handler.body, prefix)


def unique(name: str, taken: Named) -> str:
    """The name, with #2, #3 ... for further definitions of it."""
    key, number = name, 1
    while key in taken:
        number += 1
        key = f"{name}#{number}"
    return key
