"""Functions and classes -> children of their scope."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..forms import ABSTRACT, ASYNC, CLASS, EITHER, FUNCTION, KEYWORD, KWARGS, POSITIONAL, TRIVIAL, VARARGS
from .annotations import annotation
from .scope import Scope

if TYPE_CHECKING:
    from .writer import Writer


def function(writer: Writer, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    decorators = [writer.expression(decorator) for decorator in node.decorator_list]
    parameters = parameters_of(writer, node.args)
    returns = annotation(writer, node.returns)
    outer, writer.scope = writer.scope, Scope(local=True)
    scope = writer.scope
    for parameter in parameters:
        scope.env[parameter[0]] = parameter[0]
    if node.__class__ is ast.AsyncFunctionDef:
        scope.flags |= ASYNC
    writer.block(node.body)
    scope.flags |= _openness(node)
    writer.scope = outer
    writer.scope.hides(node.name)
    # In source order: its own place is before those of the functions in its decorators.
    outer.children.append(
        [FUNCTION, node.name, scope.fragment(), decorators, parameters, returns, scope.returns, scope.yields,
         scope.flags]
    )  # fmt: skip


def class_(writer: Writer, node: ast.ClassDef, body: Sequence[ast.stmt] | None = None) -> None:
    decorators = [writer.expression(decorator) for decorator in node.decorator_list]
    bases = [writer.expression(base) for base in node.bases]
    keywords: list[Any] = []
    for keyword in node.keywords:
        keywords += (keyword.arg or "", writer.expression(keyword.value))
    outer, writer.scope = writer.scope, Scope(local=False)
    writer.block(node.body if body is None else body)
    scope, writer.scope = writer.scope, outer
    writer.scope.hides(node.name)
    outer.children.append([CLASS, node.name, scope.fragment(), decorators, bases, keywords])


def parameters_of(writer: Writer, arguments: ast.arguments) -> list[Any]:
    """See `forms`."""
    out: list[Any] = []
    positional = [(arg, POSITIONAL) for arg in arguments.posonlyargs] + [(arg, EITHER) for arg in arguments.args]
    without = len(positional) - len(arguments.defaults)
    for i, (arg, kind) in enumerate(positional):
        default = writer.expression(arguments.defaults[i - without]) if i >= without else None
        out.append([arg.arg, kind, annotation(writer, arg.annotation), default])
    if arguments.vararg:
        out.append([arguments.vararg.arg, VARARGS, annotation(writer, arguments.vararg.annotation), None])
    for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        out.append([arg.arg, KEYWORD, annotation(writer, arg.annotation), writer.expression(value)])
    if arguments.kwarg:
        out.append([arguments.kwarg.arg, KWARGS, annotation(writer, arguments.kwarg.annotation), None])
    return out


def _openness(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """ABSTRACT or TRIVIAL: whether a body leaves what there is to do to others."""
    body = [one for one in node.body if not (one.__class__ is ast.Expr and one.value.__class__ is ast.Constant)]
    if any(getattr(one, "attr", getattr(one, "id", "")) == "abstractmethod" for one in node.decorator_list):
        return ABSTRACT
    if len(body) > 1:
        return 0
    only = body[0] if body else None
    if only is None or only.__class__ is ast.Pass:
        return ABSTRACT
    if isinstance(only, ast.Raise):
        exc = only.exc.func if isinstance(only.exc, ast.Call) else only.exc
        return ABSTRACT if isinstance(exc, ast.Name) and exc.id.startswith("NotImplemented") else TRIVIAL
    if isinstance(only, ast.Return) and isinstance(only.value, ast.Constant | ast.Name | None):
        return TRIVIAL
    return 0
