"""`match` -> what its patterns bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..forms import ATTR, ITEM, NARROW, PART, Expression
from .annotations import plain

if TYPE_CHECKING:
    from .writer import Writer


def match(writer: Writer, node: ast.Match) -> bool:
    subject = writer.expression(node.subject)
    if subject.__class__ is list:
        subject = writer.scope.bind("", subject, own=True) if writer.scope.local else subject
    before = writer.scope.env
    branches = [before]
    for case in node.cases:
        writer.scope.env = dict(before)
        bind_pattern(writer, case.pattern, subject, node.subject)
        writer.effect(case.guard)
        if writer.block(case.body):
            branches.append(writer.scope.env)
    writer.scope.join(branches, before)
    return True


def bind_pattern(writer: Writer, pattern: ast.pattern, subject: Expression, whole: ast.expr | None = None) -> None:
    """What a pattern binds. subject: what it stands for; whole: the expression that is matched, if that is it."""
    if isinstance(pattern, ast.MatchClass):
        _bind_class(writer, pattern, subject, whole)
    elif isinstance(pattern, ast.MatchAs):
        _bind_as(writer, pattern, subject, whole)
    elif isinstance(pattern, ast.MatchSequence):
        for i, inner in enumerate(pattern.patterns):
            bind_pattern(writer, inner, [PART, subject, i, 0])
    elif isinstance(pattern, ast.MatchMapping):
        _bind_mapping(writer, pattern, subject)
    elif isinstance(pattern, ast.MatchOr):
        for inner in pattern.patterns:
            bind_pattern(writer, inner, subject)
    elif isinstance(pattern, ast.MatchStar):
        if pattern.name:
            writer.scope.bind(pattern.name, [PART, subject, 0, -1])
    elif isinstance(pattern, ast.MatchValue):
        writer.effect(pattern.value)


def _bind_class(writer: Writer, pattern: ast.MatchClass, subject: Expression, whole: ast.expr | None) -> None:
    writer.effect(pattern.cls)
    value: Expression = [NARROW, subject, plain(pattern.cls), False]
    if isinstance(whole, ast.Name) and writer.scope.local:
        value = writer.scope.bind(whole.id, value)
    for inner in pattern.patterns:
        bind_pattern(writer, inner, None)
    for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
        bind_pattern(writer, inner, [ATTR, value, name, -1])


def _bind_as(writer: Writer, pattern: ast.MatchAs, subject: Expression, whole: ast.expr | None) -> None:
    if pattern.pattern is not None:
        if pattern.name and isinstance(pattern.pattern, ast.MatchClass):
            subject = [NARROW, subject, plain(pattern.pattern.cls), False]
        bind_pattern(writer, pattern.pattern, subject, whole)
    if pattern.name:
        writer.scope.bind(pattern.name, subject)


def _bind_mapping(writer: Writer, pattern: ast.MatchMapping, subject: Expression) -> None:
    for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
        bind_pattern(writer, inner, [ITEM, subject, writer.expression(key), -1])
    if pattern.rest:
        writer.scope.bind(pattern.rest, subject)
