"""Where in its text a definition has its parameters and its docstring's lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from inspect import cleandoc
from typing import NamedTuple

from . import syntax

Function = ast.FunctionDef | ast.AsyncFunctionDef
_QUOTES = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')")


class Span(NamedTuple):
    """Part of a line: str indexes, the end excluded."""

    line: int
    start: int
    end: int


class DocstringPlace(NamedTuple):
    """A docstring that is one literal, whose text's lines are lines of the source.

    first, start: where the text begins, behind the quotes; last, end: where the closing quotes are.
    lead: the line of the text's first line once it is cleaned. text: cleaned. raw: without escapes.
    """

    first: int
    start: int
    last: int
    end: int
    lead: int
    quotes: str
    raw: bool
    text: str


class Definition(NamedTuple):
    """Lines count from those that were searched. A class has the parameters of its `__init__`."""

    parameters: dict[str, Span]
    annotations: dict[str, str]
    defaults: frozenset[str]
    docstring: DocstringPlace | None


def locate(lines: Sequence[str]) -> Definition | None:
    """The parts of the definition that `lines` are the text of, decorators included; None where it does not parse."""
    inside = lines[0][:1].isspace() if lines else False
    text = "".join(lines)
    try:
        tree = syntax.module("if 1:\n" + text if inside else text)
    except syntax.UNPARSEABLE:
        return None
    body = tree.body[0].body if inside and isinstance(tree.body[0], ast.If) else tree.body
    node = body[0] if body else None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    finder = _Finder(lines, 1 + inside)
    function = _constructor(node) if isinstance(node, ast.ClassDef) else node
    return Definition(*finder.parameters(function), finder.docstring(node.body[0]))


def _constructor(node: ast.ClassDef) -> Function | None:
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)


class _Finder:
    def __init__(self, lines: Sequence[str], base: int) -> None:
        self.lines = lines
        self.base = base  # a tree's line -> ours

    def parameters(self, node: Function | None) -> tuple[dict[str, Span], dict[str, str], frozenset[str]]:
        if node is None:
            return {}, {}, frozenset()
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        given = every[len(args.posonlyargs) + len(args.args) - len(args.defaults) :]
        without = {arg.arg for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True) if value is None}
        every += [arg for arg in (args.vararg, args.kwarg) if arg is not None]
        spans = {arg.arg: self._span(arg) for arg in every}
        annotations = {arg.arg: ast.unparse(arg.annotation) for arg in every if arg.annotation is not None}
        return spans, annotations, frozenset(arg.arg for arg in given) - without

    def _span(self, arg: ast.arg) -> Span:
        line = arg.lineno - self.base
        start = self._index(line, arg.col_offset)
        return Span(line, start, start + len(arg.arg))

    def docstring(self, node: ast.stmt) -> DocstringPlace | None:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return None
        value, first, last = node.value.value, node.lineno - self.base, (node.end_lineno or 0) - self.base
        if not isinstance(value, str):
            return None
        start, end = self._index(first, node.col_offset), self._index(last, node.end_col_offset or 0)
        found = _QUOTES.match(self.lines[first], start)
        quotes = found[1] if found else ""
        # Several literals in one, or lines joined by a backslash, have no line of their own for each line of text.
        inner = last - first == value.count("\n") and (first != last or end - start >= 2 * len(quotes))
        if found is None or not inner or self.lines[last][end - len(quotes) : end] != quotes:
            return None
        if quotes in self._between(first, found.end(), last, end - len(quotes)):
            return None
        text = cleandoc(value)
        raw = found[0][0] in "rR"
        return DocstringPlace(first, found.end(), last, end - len(quotes), first + _lead(value), quotes, raw, text)

    def _between(self, first: int, start: int, last: int, end: int) -> str:
        if first == last:
            return self.lines[first][start:end]
        return "".join([self.lines[first][start:], *self.lines[first + 1 : last], self.lines[last][:end]])

    def _index(self, line: int, byte: int) -> int:
        text = self.lines[line]
        return byte if text.isascii() else len(text.encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "ignore"))


def _lead(value: str) -> int:
    """How many lines at the start `cleandoc` takes away."""
    lines = value.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.lstrip()), default=0)
    cut = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    return next((number for number, line in enumerate(cut) if line), 0)
