"""Expressions -> forms."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..forms import (
    ATTR,
    AWAIT,
    CALL,
    CONST,
    DICT,
    EACH,
    GENERATOR,
    ITEM,
    LIST,
    NAME,
    OPERATOR,
    PREFIX,
    STAR,
    TUPLE,
    TYPE,
    Expression,
)

if TYPE_CHECKING:
    from .writer import Writer


# Texts of constants up to this length are kept: keys of dicts, names of attributes.
LONGEST_TEXT = 40
# Methods of containers that add their last argument to them.
_ADDS = frozenset(("append", "appendleft", "add", "insert", "setdefault"))


def name_(writer: Writer, node: ast.Name) -> Expression:
    name = node.id
    state = writer.scope.env.get(name)
    if state is not None:
        return state
    return [NAME, name, writer.place(node.lineno, node.col_offset, (node.end_col_offset or 0) - node.col_offset)]


def attribute(writer: Writer, node: ast.Attribute) -> Expression:
    value = writer.expression(node.value)
    name = node.attr
    length = len(name) if name.isascii() else len(name.encode())
    return [ATTR, value, name, writer.place(node.end_lineno or 0, (node.end_col_offset or 0) - length, length)]


def call(writer: Writer, node: ast.Call) -> Expression:
    function = node.func
    called = writer.expression(function)
    is_attribute = called.__class__ is list and called[0] == ATTR
    if is_attribute:
        number = called[3]
    elif called.__class__ is list and called[0] == NAME:
        number = called[2]
    else:  # a variable: a call has a place even so
        number = writer.at(function) if called.__class__ is str else writer.after(function)
    arguments = [writer.expression(argument) for argument in node.args]
    keywords: list[Any] = []
    for keyword in node.keywords:
        keywords.append(keyword.arg or "")
        keywords.append(writer.expression(keyword.value))
    if is_attribute and called[2] in _ADDS and arguments and not keywords:
        # What a container gets is as if it was assigned to one of its items; -1: without __setitem__.
        writer.scope.items.append([called[1], [TYPE, "int"], arguments[-1], -1])
    return [CALL, called, arguments, keywords, number]


def starred(writer: Writer, node: ast.Starred) -> Expression:
    return [STAR, writer.expression(node.value)]


def constant(writer: Writer, node: ast.Constant) -> Expression:
    value: Any = node.value
    kind = value.__class__
    if kind is str:
        return [CONST, value] if len(value) <= LONGEST_TEXT and value.isascii() else [TYPE, "str"]
    if kind is int:
        return [CONST, value] if -1000 < value < 1000 else [TYPE, "int"]
    if value is None or value is Ellipsis:
        return None
    return [TYPE, kind.__name__]


def item(writer: Writer, node: ast.Subscript) -> Expression:
    value = writer.expression(node.value)
    if node.slice.__class__ is ast.Slice:
        for part in (node.slice.lower, node.slice.upper, node.slice.step):
            writer.effect(part)
        return [ITEM, value, [TYPE, _slice_text(node.slice)], writer.after(node.value)]
    return [ITEM, value, writer.expression(node.slice), writer.after(node.value)]


def slice_(writer: Writer, node: ast.Slice) -> Expression:
    for part in (node.lower, node.upper, node.step):
        writer.effect(part)
    return [TYPE, "slice"]


def tuple_(writer: Writer, node: ast.Tuple) -> Expression:
    return [TUPLE, [writer.expression(element) for element in node.elts]]


def list_(writer: Writer, node: ast.List | ast.Set) -> Expression:
    if node.__class__ is ast.List:
        return [TUPLE, [writer.expression(element) for element in node.elts], "list"]
    return [LIST, "set", [writer.expression(element) for element in node.elts]]


def dict_(writer: Writer, node: ast.Dict) -> Expression:
    out: list[Any] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            out.append([STAR, writer.expression(value)])
            out.append(None)
        else:
            out.append(writer.expression(key))
            out.append(writer.expression(value))
    return [DICT, out]


def await_(writer: Writer, node: ast.Await) -> Expression:
    return [AWAIT, writer.expression(node.value)]


def yield_(writer: Writer, node: ast.Yield) -> Expression:
    writer.scope.flags |= GENERATOR
    writer.scope.yields.append(writer.expression(node.value))
    return None


def yield_from(writer: Writer, node: ast.YieldFrom) -> Expression:
    writer.scope.flags |= GENERATOR
    value = writer.expression(node.value)
    writer.scope.yields.append([EACH, value, writer.at(node.value)])
    return None


def joined(writer: Writer, node: ast.JoinedStr) -> Expression:
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            formatted(writer, value)
    first = node.values[0] if len(node.values) > 1 else None
    text = first.value if isinstance(first, ast.Constant) else None
    return [PREFIX, text] if isinstance(text, str) and text.isidentifier() else [TYPE, "str"]


def formatted(writer: Writer, node: ast.FormattedValue) -> Expression:
    method = {115: "__str__", 114: "__repr__"}.get(node.conversion, "__format__")
    writer.scope.effects.append([OPERATOR, writer.expression(node.value), method, writer.at(node.value), None])
    if node.format_spec is not None:
        writer.effect(node.format_spec)
    return [TYPE, "str"]


def named(writer: Writer, node: ast.NamedExpr) -> Expression:
    value = writer.expression(node.value)
    writer.scope.keep(value)
    return writer.scope.bind(node.target.id, value) or [NAME, node.target.id, writer.at(node.target)]


def _slice_text(node: ast.Slice) -> str:
    """`slice:1:3` where both ends are written down, `slice` elsewhere."""
    ends = []
    for end in (node.lower, node.upper):
        sign = ""
        if isinstance(end, ast.UnaryOp) and isinstance(end.op, ast.USub):
            sign, end = "-", end.operand
        if end is not None and not (isinstance(end, ast.Constant) and end.value.__class__ is int):
            return "slice"
        ends.append("" if end is None else f"{sign}{end.value!r}")
    return "slice" if node.step is not None else f"slice:{ends[0]}:{ends[1]}"
