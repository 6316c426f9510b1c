"""Definitions as one normalised line that parses back to the same parameters."""

from __future__ import annotations

import ast
from typing import Any

# A default longer than this is shown as `...`: it still says that there is one.
LONG_DEFAULT = 80


def function_signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """`[async ]def name[T](a, /, b: int = 1, *args, c=2, **kw) -> R`."""
    head = "async def " if node.__class__ is ast.AsyncFunctionDef else "def "
    returns = f" -> {expression(node.returns)}" if node.returns is not None else ""
    return f"{head}{node.name}{_type_params(node)}({parameters(node.args)}){returns}"


def class_signature(node: ast.ClassDef) -> str:
    """`class Name[T](Base, metaclass=M)`."""
    inside = [expression(base) for base in node.bases]
    inside += [
        f"{keyword.arg}={expression(keyword.value)}" if keyword.arg else f"**{expression(keyword.value)}"
        for keyword in node.keywords
    ]
    bases = f"({', '.join(inside)})" if inside else ""
    return f"class {node.name}{_type_params(node)}{bases}"


def parameters(args: ast.arguments) -> str:
    """The text between a signature's parentheses."""
    if not (args.args or args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg):
        return ""
    positional = args.posonlyargs + args.args if args.posonlyargs else args.args
    out = [_parameter(arg) for arg in positional]
    if args.defaults:
        first = len(positional) - len(args.defaults)
        for i, default in enumerate(args.defaults, first):
            out[i] += _default(positional[i], default)
    if args.posonlyargs:
        out.insert(len(args.posonlyargs), "/")
    if args.vararg:
        out.append("*" + _parameter(args.vararg))
    elif args.kwonlyargs:
        out.append("*")
    for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        out.append(_parameter(arg) + (_default(arg, value) if value is not None else ""))
    if args.kwarg:
        out.append("**" + _parameter(args.kwarg))
    return ", ".join(out)


def expression(node: ast.expr) -> str:
    """The expression's normalised source; `...` where it is nested too deeply to be printed."""
    kind = node.__class__
    if kind is ast.Name:
        return node.id  # type: ignore[attr-defined, no-any-return]
    if kind is ast.Constant:
        value = node.value  # type: ignore[attr-defined]
        if value is None or value is True or value is False or value.__class__ is str:
            return repr(value)
    elif kind is ast.Attribute:
        inner = node.value  # type: ignore[attr-defined]
        if inner.__class__ is ast.Name:
            return f"{inner.id}.{node.attr}"  # type: ignore[attr-defined]
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):  # ValueError: an int of more digits than str() may give
        return "..."


def _parameter(arg: ast.arg) -> str:
    if arg.annotation is None:
        return arg.arg
    return f"{arg.arg}: {expression(arg.annotation)}"


def _default(arg: ast.arg, default: ast.expr) -> str:
    text = expression(default)
    if len(text) > LONG_DEFAULT:
        text = "..."
    return f"={text}" if arg.annotation is None else f" = {text}"


def _type_params(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    params = getattr(node, "type_params", None)  # Python 3.12: PEP 695
    return f"[{', '.join(map(_type_param, params))}]" if params else ""


def _type_param(param: Any) -> str:
    try:
        return ast.unparse(param)
    except RecursionError:  # a bound nested too deeply to be printed
        return str(param.name)
