"""Operators -> forms."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..forms import ANY, CONST, OPERATOR, TYPE, Expression
from .narrowing import narrow

if TYPE_CHECKING:
    from .writer import Writer


BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.MatMult: "matmul", ast.Div: "truediv", ast.Mod: "mod",
    ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or", ast.BitXor: "xor",
    ast.BitAnd: "and", ast.FloorDiv: "floordiv",
}  # fmt: skip
_UNARY = {ast.Invert: "__invert__", ast.UAdd: "__pos__", ast.USub: "__neg__"}
_COMPARED = {
    ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__",
    ast.In: "__contains__", ast.NotIn: "__contains__",
}  # fmt: skip


def boolean(writer: Writer, node: ast.BoolOp) -> Expression:
    if node.op.__class__ is ast.And:
        before = writer.scope.env
        values = []
        for value in node.values:
            values.append(writer.expression(value))
            narrow(writer, value, True)
        writer.scope.env = before
        # What is false in front of the last is no object that anything is called on.
        for value in values[:-1]:
            writer.scope.keep(value)
        return values[-1]
    return [ANY, [writer.expression(value) for value in node.values]]


def binary(writer: Writer, node: ast.BinOp) -> Expression:
    left = writer.expression(node.left)
    right = writer.expression(node.right)
    text = node.left.__class__ is ast.Constant and isinstance(node.left.value, str)
    if text and node.right.__class__ is not ast.Name:
        writer.scope.keep(right)
        return [OPERATOR, [TYPE, "str"], "mod" if node.op.__class__ is ast.Mod else "add", -1, right]
    return [OPERATOR, left, BINARY[node.op.__class__], writer.after(node.left), right]


def unary(writer: Writer, node: ast.UnaryOp) -> Expression:
    value = writer.expression(node.operand)
    if node.op.__class__ is ast.Not:
        writer.scope.keep(value)
        return [TYPE, "bool"]
    if value.__class__ is list and value[0] in (CONST, TYPE):
        if value[0] == CONST and node.op.__class__ is ast.USub and value[1].__class__ is int:
            return [CONST, -value[1]]
        return value
    return [OPERATOR, value, _UNARY[node.op.__class__], writer.at(node), None]


def compare(writer: Writer, node: ast.Compare) -> Expression:
    left_node = node.left
    left = writer.expression(left_node)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = writer.expression(right_node)
        method = _COMPARED.get(op.__class__)
        if method is None:
            writer.scope.keep(left)
            writer.scope.keep(right)
        else:
            one, other = (right, left) if method == "__contains__" else (left, right)
            writer.scope.effects.append([OPERATOR, one, method, writer.after(left_node), other])
        left, left_node = right, right_node
        if method is not None:  # it is evaluated once
            left = None
    return [TYPE, "bool"]


def conditional(writer: Writer, node: ast.IfExp) -> Expression:
    writer.effect(node.test)
    before = writer.scope.env
    narrow(writer, node.test, True)
    first = writer.expression(node.body)
    writer.scope.env = before
    narrow(writer, node.test, False)
    second = writer.expression(node.orelse)
    writer.scope.env = before
    return [ANY, [first, second]]
