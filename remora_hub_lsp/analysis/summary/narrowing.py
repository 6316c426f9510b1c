"""Tests -> what they tell of variables."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..forms import NARROW
from .annotations import plain

if TYPE_CHECKING:
    from .writer import Writer


def narrow(writer: Writer, test: ast.expr, holds: bool) -> None:
    """What a test that holds (or not) tells of variables."""
    if isinstance(test, ast.UnaryOp):
        if test.op.__class__ is ast.Not:
            narrow(writer, test.operand, not holds)
    elif isinstance(test, ast.BoolOp):
        if (test.op.__class__ is ast.And) == holds:
            for value in test.values:
                narrow(writer, value, holds)
    elif isinstance(test, ast.Call) and writer.scope.local:
        _narrow_instance(writer, test, holds)


def _narrow_instance(writer: Writer, test: ast.Call, holds: bool) -> None:
    """isinstance(variable, classes)"""
    if not isinstance(test.func, ast.Name) or test.func.id != "isinstance" or len(test.args) != 2:
        return
    variable, classes = test.args
    state = writer.scope.env.get(variable.id) if isinstance(variable, ast.Name) else None
    if isinstance(variable, ast.Name) and state is not None:
        writer.scope.env = dict(writer.scope.env)
        writer.scope.bind(variable.id, [NARROW, state, plain(classes), not holds])


def assert_(writer: Writer, node: ast.Assert) -> None:
    writer.effect(node.test)
    narrow(writer, node.test, True)
    writer.effect(node.msg)
