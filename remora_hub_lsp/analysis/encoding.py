"""Values -> JSON that keeps what is worth passing on, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .program import Module, Scope
from .values import (
    BOUND,
    CLS,
    CONSTANT,
    FIXED,
    INSTANCE,
    MANAGED,
    MAPPING,
    PARAMETER,
    PARTIAL,
    PROPERTY,
    SELF,
    SEQUENCE,
    Value,
    Values,
)  # fmt: skip

# Finds a module by its path.
Find = Callable[[str], Module | None]
_WITH_CLASS = (INSTANCE, SELF, CLS, PROPERTY)


def encode(value: Value) -> Any:
    """A value as JSON; None where it is not worth passing on."""
    if value.__class__ is Scope:
        return [value.module.path, value.unique]
    if value.__class__ is Module:
        return [value.path, ""]
    if value.__class__ is str:
        return value
    kind = value[0]
    if kind in _WITH_CLASS:
        return [kind, encode(value[1])]
    if kind == PARAMETER:
        return [kind, encode(value[1]), value[2]]
    if kind == BOUND:
        if value[1].__class__ is str:
            return None
        function, receiver = encode(value[1]), encode(value[2])
        return [kind, function, receiver] if receiver is not None else None
    if kind == CONSTANT:
        small = value[1].__class__ is int and -9 < value[1] < 9
        return [kind, value[1]] if small or (value[1].__class__ is str and len(value[1]) <= 24) else None
    if kind == SEQUENCE:
        return [kind, value[1], encoded(value[2])]
    if kind == FIXED:
        return [kind, value[1], [encoded(part) for part in value[2]]]
    if kind == MAPPING:
        return [kind, [[key, encoded(part)] for key, part in value[1]]]
    if kind in (PARTIAL, MANAGED):
        return [kind, encoded(value[1])]
    return None


def encoded(values: Values) -> list[Any]:
    """Values as JSON, in an order of their own."""
    codes = [code for value in values if (code := encode(value)) is not None]
    if len(codes) > 1:
        codes.sort(key=repr)
    return codes


def decode(code: Any, find: Find) -> Value | None:
    """The value that `encode` made this of; None where what it names is gone. find: a module by its path."""
    if code.__class__ is str:
        return code
    kind = code[0]
    if kind.__class__ is str:
        module = find(kind)
        if module is None:
            return None
        return module if not code[1] else module.by_unique.get(code[1])
    if kind in _WITH_CLASS:
        inner = decode(code[1], find)
        return None if inner is None else (kind, inner)
    if kind == PARAMETER:
        inner = decode(code[1], find)
        return None if inner is None else (kind, inner, code[2])
    if kind == BOUND:
        function, receiver = decode(code[1], find), decode(code[2], find)
        return None if function is None or receiver is None else (kind, function, receiver)
    if kind == CONSTANT:
        return (kind, code[1])
    if kind == SEQUENCE:
        return (kind, code[1], decoded(code[2], find))
    if kind == FIXED:
        return (kind, code[1], tuple(decoded(part, find) for part in code[2]))
    if kind == MAPPING:
        return (kind, tuple((key, decoded(part, find)) for key, part in code[1]))
    return (kind, decoded(code[1], find))


def decoded(codes: Iterable[Any], find: Find) -> Values:
    """The values that are still there."""
    return frozenset(value for code in codes if (value := decode(code, find)) is not None)
