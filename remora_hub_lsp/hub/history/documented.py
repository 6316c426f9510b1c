"""A file's bytes -> its documented functions and classes, with the lines that hold their signature and docstring."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...analysis import syntax
from ...analysis.drift import Pair
from ...analysis.extract import docstring_of
from ...analysis.pairs import watched
from ...analysis.segments import extract
from ...analysis.signature import function_signature

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef
# What a definition's text is put into, so that it parses with its indent, and the name it then has.
_IN_CLASS, _ELSEWHERE = ("class C:\n", "C."), ("if True:\n", "")


class Documented(NamedTuple):
    """A function, or a class whose `__init__` its docstring documents.

    signature: of a class its `__init__`'s. heads: the lines that hold decorators, signature and docstring.
    source: all its lines.
    """

    name: str
    signature: str
    docstring: str
    in_class: bool
    heads: tuple[bytes, ...]
    source: bytes

    def stands_in(self, data: bytes) -> bool:
        """Whether signature and docstring stand in another text, word for word."""
        return all(head in data for head in self.heads)

    @property
    def pair(self) -> Pair | None:
        """All that a docstring can tell of it; None where its text is nothing by itself."""
        around, prefix = _IN_CLASS if self.in_class else _ELSEWHERE
        text = self.source.decode("utf-8", "replace")
        indented = text[:1] in " \t"
        found = watched(extract(around + text if indented else text).nodes)
        name = self.name.rpartition(".")[2].partition("#")[0]
        one = found.get(prefix + name if indented else name)
        return one.pair._replace(signature=self.signature, docstring=self.docstring) if one else None


def documented(data: bytes) -> dict[str, Documented] | None:
    """By the names that the index gives nodes; None where the text does not parse."""
    try:
        tree = syntax.module(data)
    except syntax.UNPARSEABLE:
        return None
    lines = data.splitlines(keepends=True)
    found: dict[str, Documented] = {}
    seen: Counter[str] = Counter()
    for qualname, node, in_class in _definitions(tree.body, "", False):
        seen[qualname] += 1
        name = qualname if seen[qualname] == 1 else f"{qualname}#{seen[qualname]}"
        docstring = docstring_of(node.body)
        function = _init(node) if isinstance(node, ast.ClassDef) else node
        if docstring and function is not None:
            first = _first_line(node)
            heads = [b"".join(lines[first : node.body[0].end_lineno])]
            if function is not node:
                heads.append(b"".join(lines[_first_line(function) : _last_of_head(function)]))
            source = b"".join(lines[first : node.end_lineno])
            found[name] = Documented(
                name, function_signature(function), docstring, in_class, tuple(heads), source
            )  # fmt: skip
    return found


def _definitions(body: Sequence[ast.stmt], prefix: str, in_class: bool) -> Iterator[tuple[str, _Definition, bool]]:
    """In the order of the source, each with its qualname and whether it is a class's member."""
    for node in body:
        if isinstance(node, _Definition):
            yield prefix + node.name, node, in_class
            yield from _definitions(node.body, f"{prefix}{node.name}.", isinstance(node, ast.ClassDef))
        elif isinstance(node, ast.Try | ast.TryStar):
            inside = [*node.body, *(one for handler in node.handlers for one in handler.body)]
            yield from _definitions([*inside, *node.orelse, *node.finalbody], prefix, in_class)
        elif isinstance(node, ast.Match):
            yield from _definitions([one for case in node.cases for one in case.body], prefix, in_class)
        elif isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
            yield from _definitions([*node.body, *node.orelse], prefix, in_class)
        elif isinstance(node, ast.With | ast.AsyncWith):
            yield from _definitions(node.body, prefix, in_class)


def _init(node: ast.ClassDef) -> _Function | None:
    """The `__init__` that the class's docstring documents."""
    for member in node.body:
        if isinstance(member, _Function) and member.name == "__init__":
            return None if docstring_of(member.body) else member
    return None


def _first_line(node: _Definition) -> int:
    """0-based, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1


def _last_of_head(node: _Function) -> int:
    """The line, excluded, where what can be told from the signature ends."""
    return max(node.lineno, node.body[0].lineno - 1)
