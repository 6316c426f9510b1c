"""Lambdas and comprehensions -> forms."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..forms import AEACH, DICT, EACH, LAMBDA, LAMBDA_KIND, LIST, Expression
from .assignments import assign_to
from .definitions import parameters_of
from .narrowing import narrow
from .scope import Scope

if TYPE_CHECKING:
    from .writer import Writer


def lambda_(writer: Writer, node: ast.Lambda) -> Expression:
    parameters = parameters_of(writer, node.args)
    outer, writer.scope = writer.scope, Scope(local=True)
    for parameter in parameters:
        writer.scope.env[parameter[0]] = parameter[0]
    value = writer.expression(node.body)
    scope, writer.scope = writer.scope, outer
    outer.children.append(
        [LAMBDA_KIND, "<lambda>", scope.fragment(), [], parameters, None, [value], scope.yields, scope.flags]
    )
    return [LAMBDA, len(outer.children) - 1]


def comprehension(writer: Writer, node: Any) -> Expression:
    scope = writer.scope
    before = scope.env
    scope.env = dict(before)
    for generator in node.generators:
        over = writer.expression(generator.iter)
        each = [AEACH if generator.is_async else EACH, over, writer.at(generator.iter)]
        assign_to(writer, generator.target, each, own=True)
        for test in generator.ifs:
            writer.effect(test)
            narrow(writer, test, True)
    if node.__class__ is ast.DictComp:
        key, value = writer.expression(node.key), writer.expression(node.value)
        scope.env = before
        return [DICT, [key, value]]
    element = writer.expression(node.elt)
    scope.env = before
    kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(node.__class__, "Generator")
    return [LIST, kind, [element]]
