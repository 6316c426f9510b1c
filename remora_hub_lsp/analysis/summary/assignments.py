"""Assignments -> states of variables, and what is stored in attributes and items."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..forms import ANY, CONST, DECLARED, NAME, OPERATOR, PART, TUPLE, TYPE, Expression
from .annotations import annotation
from .expressions import attribute, item
from .operators import BINARY

if TYPE_CHECKING:
    from .writer import Writer


def assign(writer: Writer, node: ast.Assign) -> None:
    value = writer.expression(node.value)
    if len(node.targets) > 1 and value.__class__ is list and value[0] not in (CONST, TYPE):
        value = writer.scope.bind("", value, own=True)
    for target in node.targets:
        assign_to(writer, target, value)
        if not writer.scope.local and isinstance(target, ast.Name) and target.id == "__all__":
            _export(writer, node.value)


def annotated(writer: Writer, node: ast.AnnAssign) -> None:
    kind = annotation(writer, node.annotation)
    value = writer.expression(node.value) if node.value is not None else None
    target = node.target
    if isinstance(target, ast.Name):
        writer.scope.bind(target.id, [ANY, [value, [DECLARED, kind]]])
    elif isinstance(target, ast.Attribute):
        where = writer.expression(target.value)
        writer.scope.stores.append([where, target.attr, [ANY, [value, [DECLARED, kind]]], writer.at(target)])
    else:
        writer.scope.keep(value)


def augmented(writer: Writer, node: ast.AugAssign) -> None:
    value = writer.expression(node.value)
    target = node.target
    method = "i" + BINARY[node.op.__class__]
    if isinstance(target, ast.Name):
        if target.id == "__all__" and not writer.scope.local:
            _export(writer, node.value)
        old = writer.scope.env.get(target.id) or [NAME, target.id, writer.at(target)]
        writer.scope.bind(target.id, [OPERATOR, old, method, writer.at(target), value])
    elif isinstance(target, ast.Attribute):
        old = attribute(writer, target)
        writer.scope.stores.append([old[1], target.attr, [OPERATOR, old, method, old[3], value], writer.at(target)])
    elif isinstance(target, ast.Subscript):
        old = item(writer, target)
        writer.scope.keep([OPERATOR, old, method, old[3], value])


def delete(writer: Writer, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            value, key = writer.expression(target.value), writer.expression(target.slice)
            writer.scope.keep([OPERATOR, value, "__delitem__", writer.after(target.value), key])
        elif isinstance(target, ast.Attribute):
            writer.scope.keep(writer.expression(target.value))


def _export(writer: Writer, node: ast.expr) -> None:
    """`__all__` has these, too."""
    if isinstance(node, (ast.List, ast.Tuple)):
        names = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        writer.scope.exports = (writer.scope.exports or []) + names


def assign_to(writer: Writer, node: ast.expr, value: Expression, own: bool = False) -> None:
    """Assign `value` to a target. own: of a comprehension, which has variables of its own."""
    if isinstance(node, ast.Name):
        writer.scope.bind(node.id, value, own)
    elif isinstance(node, ast.Attribute):
        writer.scope.stores.append([writer.expression(node.value), node.attr, value, writer.at(node)])
    elif isinstance(node, ast.Subscript):
        key = writer.expression(node.slice)
        writer.scope.items.append([writer.expression(node.value), key, value, writer.after(node.value)])
    elif isinstance(node, (ast.Tuple, ast.List)):
        _unpack(writer, node.elts, value, own)
    elif isinstance(node, ast.Starred):
        assign_to(writer, node.value, value, own)


def _unpack(writer: Writer, targets: list[ast.expr], value: Expression, own: bool) -> None:
    star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if value.__class__ is list and value[0] == TUPLE and len(value[1]) == len(targets) and star is None:
        parts = value[1]
    else:
        if value.__class__ is list and len(targets) > 1:  # evaluated once
            value = writer.scope.bind("", value, own=True)
        parts = [_part(value, i, star, len(targets)) for i in range(len(targets))]
    for target, part in zip(targets, parts, strict=True):
        assign_to(writer, target, part, own)


def _part(value: Expression, number: int, star: int | None, count: int) -> Expression:
    """What one of several targets gets. star: the number of the starred one."""
    if star is None or number < star:
        return [PART, value, number, 0]
    if number > star:
        return [PART, value, number - count, 0]
    return [PART, value, number, count - 1 - number or -1]
