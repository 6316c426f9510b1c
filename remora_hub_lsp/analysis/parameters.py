"""A normalised signature -> its parameters, and how those of two signatures differ."""

from __future__ import annotations

import ast
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from . import syntax
from .signature import expression

# Kinds of functions whose first parameter the caller does not give.
_BOUND = frozenset(("method", "classmethod", "property", "class"))


class Parameter(NamedTuple):
    """kind: `positional` (only), `plain`, `star`, `keyword` (only) or `stars`. default: None without."""

    name: str
    kind: str
    default: str | None
    annotation: str | None


class Signature(NamedTuple):
    """What a function's signature says."""

    parameters: tuple[Parameter, ...]
    returns: str | None
    is_async: bool

    @property
    def names(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def open_ended(self) -> bool:
        """Whether it takes keywords that it does not name."""
        return any(parameter.kind == "stars" for parameter in self.parameters)


@lru_cache(maxsize=512)
def parse_signature(signature: str, kind: str) -> Signature:
    """The parts of `signature` (as `function_signature` writes it), without the parameter that is bound.

    kind: as in models.Kind. What does not parse has no parameters.
    """
    try:
        node = syntax.module(signature + ": ...").body[0]
    except syntax.UNPARSEABLE:
        return Signature((), None, False)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return Signature((), None, False)
    found = _parameters(node.args)
    if kind in _BOUND and found and found[0].kind in ("plain", "positional"):
        found = found[1:]
    returns = None if node.returns is None else expression(node.returns)
    return Signature(tuple(found), returns, isinstance(node, ast.AsyncFunctionDef))


def _parameters(args: ast.arguments) -> list[Parameter]:
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + [expression(value) for value in args.defaults]
    out = [
        _parameter(arg, "positional" if at < len(args.posonlyargs) else "plain", default)
        for at, (arg, default) in enumerate(zip(positional, defaults, strict=True))
    ]
    if args.vararg:
        out.append(_parameter(args.vararg, "star", None))
    for arg, value in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        out.append(_parameter(arg, "keyword", None if value is None else expression(value)))
    if args.kwarg:
        out.append(_parameter(args.kwarg, "stars", None))
    return out


def _parameter(arg: ast.arg, kind: str, default: str | None) -> Parameter:
    return Parameter(arg.arg, kind, default, None if arg.annotation is None else expression(arg.annotation))


class Difference(NamedTuple):
    """renamed: old name -> new name; those are not in `added` and `removed`. redefaulted: the default is another."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: dict[str, str]
    redefaulted: tuple[str, ...]


def difference(old: Signature, new: Signature) -> Difference:
    """What became of the parameters. One that took the place of another is that one renamed."""
    before, after = old.names, new.names
    removed = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    renamed = _renamed(list(before), list(after), before, after) if removed and added else {}
    came = set(renamed.values())
    return Difference(
        tuple(name for name in added if name not in came),
        tuple(name for name in removed if name not in renamed),
        renamed,
        tuple(name for name in before if name in after and before[name].default != after[name].default),
    )


def _renamed(
    old: list[str], new: list[str], before: dict[str, Parameter], after: dict[str, Parameter]
) -> dict[str, str]:
    """Parameters replaced one for one at their place, and of the same kind."""
    found = {}
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "replace" and end - start == new_end - new_start:
            for was, now in zip(old[start:end], new[new_start:new_end], strict=True):
                if was not in after and now not in before and _same_kind(before[was], after[now]):
                    found[was] = now
    return found


def _same_kind(one: Parameter, other: Parameter) -> bool:
    starred = ("star", "stars")
    return one.kind == other.kind or (one.kind not in starred and other.kind not in starred)
