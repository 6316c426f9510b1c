"""Annotations in quotes -> forms, of which the places are unknown."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .. import syntax
from ..forms import ATTR, ITEM, NAME, OPERATOR, TUPLE, Expression

if TYPE_CHECKING:
    from .writer import Writer


def annotation(writer: Writer, node: ast.expr | None) -> Expression:
    """An annotation; one in quotes is read."""
    if node is None:
        return None
    if node.__class__ is ast.Constant and isinstance(node.value, str):
        return quoted(node.value)
    return writer.expression(node)


def plain(node: ast.expr) -> Expression:
    """A quoted annotation's form: its places are unknown."""
    if isinstance(node, ast.Name):
        return [NAME, node.id, -1]
    if isinstance(node, ast.Attribute):
        return [ATTR, plain(node.value), node.attr, -1]
    if isinstance(node, ast.Subscript):
        return [ITEM, plain(node.value), plain(node.slice), -1]
    if isinstance(node, (ast.Tuple, ast.List)):
        return [TUPLE, [plain(element) for element in node.elts]]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [OPERATOR, plain(node.left), "or", -1, plain(node.right)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return quoted(node.value)
    return None


def quoted(text: str) -> Expression:
    """An annotation in quotes; None where it cannot be read."""
    if len(text) > 400:
        return None
    if text.isidentifier():
        return [NAME, text, -1]
    try:
        return plain(syntax.expression(text.strip()))
    except syntax.UNPARSEABLE:
        return None
