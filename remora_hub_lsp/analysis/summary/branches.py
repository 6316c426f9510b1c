"""Branches and loops -> the states that variables may have behind them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..forms import AEACH, AENTER, ANY, ATTR, CALL, EACH, ENTER, NAME, NARROW, OPERATOR
from .annotations import plain
from .assignments import assign_to
from .narrowing import narrow
from .scope import Env, Scope

if TYPE_CHECKING:
    from .writer import Writer


def if_(writer: Writer, node: ast.If) -> bool:
    before = writer.scope.env
    ends: list[Env] = []
    while True:  # and its `elif`s
        writer.effect(node.test)
        before_test = writer.scope.env
        writer.scope.env = dict(before_test)
        narrow(writer, node.test, True)
        if writer.block(node.body):
            ends.append(writer.scope.env)
        writer.scope.env = dict(before_test)
        narrow(writer, node.test, False)
        if len(node.orelse) != 1 or node.orelse[0].__class__ is not ast.If:
            break
        node = node.orelse[0]
    if writer.block(node.orelse):
        ends.append(writer.scope.env)
    writer.scope.join(ends, before)
    return bool(ends)


def for_(writer: Writer, node: ast.For | ast.AsyncFor) -> None:
    over = writer.expression(node.iter)
    each = [AEACH if node.__class__ is ast.AsyncFor else EACH, over, writer.at(node.iter)]

    def body() -> bool:
        assign_to(writer, node.target, each)
        return writer.block(node.body)

    _loop(writer, node, body)
    writer.block(node.orelse)


def while_(writer: Writer, node: ast.While) -> None:
    def body() -> bool:
        writer.effect(node.test)
        narrow(writer, node.test, True)
        return writer.block(node.body)

    _loop(writer, node, body)
    writer.block(node.orelse)


def _loop(writer: Writer, node: ast.stmt, body: Callable[[], bool]) -> None:
    """A loop: what its body assigns may reach its beginning."""
    scope = writer.scope
    if not scope.local:
        body()
        return
    env, heads = _heads(scope, node)
    scope.env = dict(env)
    scope.loops.append(([], []))
    ends = body()
    left, again = scope.loops.pop()
    again = [*again, scope.env] if ends else again
    for name, at in heads.items():
        states = {branch.get(name) for branch in again} - {env[name]}
        # One that a definition or import took over has all that the name is bound to.
        scope.binds[at][1] += sorted(state or name for state in states)
    scope.join([env, *again, *left], env)


def _heads(scope: Scope, node: ast.stmt) -> tuple[Env, dict[str, int]]:
    """The states at the beginning of a loop, and for the new ones the numbers of their binds."""
    env = dict(scope.env)
    heads: dict[str, int] = {}
    for name in sorted(_assigned(node) & env.keys()):
        if (state := env[name]) is not None:
            env[name] = head = scope.fresh(name)
            heads[name] = len(scope.binds) + 1
            scope.binds += (head, [ANY, [state]])
    return env, heads


def with_(writer: Writer, node: ast.With | ast.AsyncWith) -> bool:
    form = AENTER if node.__class__ is ast.AsyncWith else ENTER
    for item in node.items:
        entered = [form, writer.expression(item.context_expr), writer.at(item.context_expr)]
        if item.optional_vars is not None:
            assign_to(writer, item.optional_vars, entered)
        else:
            writer.scope.keep(entered)
    return writer.block(node.body)


def try_(writer: Writer, node: ast.Try | ast.TryStar) -> bool:
    scope = writer.scope
    before = dict(scope.env)
    first = len(scope.binds)
    ends = writer.block(node.body)
    inside = scope.env
    at_handler = _at_handler(scope, before, inside, first)
    branches = []
    for handler in node.handlers:
        scope.env = dict(at_handler)
        writer.effect(handler.type)
        if handler.name:
            scope.bind(handler.name, [NARROW, None, plain(handler.type) if handler.type else None, False])
        if writer.block(handler.body):
            branches.append(scope.env)
    scope.env = inside
    if writer.block(node.orelse) and ends:
        branches.append(scope.env)
    scope.join(branches, at_handler)
    return writer.block(node.finalbody) and bool(branches)


def _at_handler(scope: Scope, before: Env, inside: Env, first: int) -> Env:
    """A handler begins with what was assigned anywhere in the body, which begins with the bind of that number."""
    env = dict(before)
    if scope.local:
        assigned: dict[str, set[str | None]] = {}
        for i in range(first, len(scope.binds), 2):
            state = scope.binds[i]
            assigned.setdefault(state.partition("%")[0], set()).add(state)
        for name, states in assigned.items():
            if name in inside:  # and not a comprehension's
                env[name] = scope.either(name, states | ({before[name]} if name in before else set()))
    return env


def return_(writer: Writer, node: ast.Return) -> bool:
    if node.value is not None:
        writer.scope.returns.append(writer.expression(node.value))
    return False


def raise_(writer: Writer, node: ast.Raise) -> bool:
    if node.exc is not None:
        form = writer.expression(node.exc)
        # A class is called when it is raised.
        if form.__class__ is str or (form.__class__ is list and form[0] in (NAME, ATTR, CALL)):
            writer.scope.effects.append([OPERATOR, form, "raise", writer.at(node.exc), None])
        else:
            writer.scope.keep(form)
    writer.effect(node.cause)
    return False


def leave(writer: Writer, node: ast.Break | ast.Continue) -> bool:
    if writer.scope.loops:
        writer.scope.loops[-1][node.__class__ is ast.Continue].append(writer.scope.env)
    return False


def _assigned(node: ast.AST) -> set[str]:
    """Names that are stored anywhere in a statement, nested functions aside."""
    found: set[str] = set()
    todo: list[Any] = [node]
    while todo:
        at = todo.pop()
        cls = at.__class__
        if cls is ast.Name:
            if at.ctx.__class__ is ast.Store:
                found.add(at.id)
            continue
        if cls in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda):
            continue
        if cls is ast.ExceptHandler and at.name:
            found.add(at.name)
        todo += ast.iter_child_nodes(at)
    return found
