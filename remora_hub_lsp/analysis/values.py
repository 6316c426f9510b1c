"""What an expression may be, as the resolver knows it: small sets of abstract values.

A value is one of

    Scope               a function, lambda or class itself
    Module              a module of the project
    str                 something outside the project, by its dotted name (builtins too: `builtins.len`)
    tuple               anything else, by its first element:
        INSTANCE class              an instance of a class of the project
        SELF class                  the same, where `self` stands for whatever the method is called on
        CLS class                   a class or a subclass of it, as `cls` is in a classmethod
        BOUND function receiver     a method with its receiver
        PARAMETER function number   whatever the callers pass
        OUTER name                  an instance of a class outside the project
        SEQUENCE name values        a container by its type, and what it may hold
        FIXED name (values, ...)    a list or tuple of known length
        MAPPING ((key, values), ...) a dict; the key is None where it is unknown
        SUPER class receiver        what super() gives
        PARTIAL values              functools.partial and the like
        PROPERTY function           the property itself
        CONSTANT value              a short string or number
        MANAGED values              what a context manager made by contextlib gives
        NAMESPACE name              a folder without an __init__
        BEGINS text                 a string that begins so
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

(
    INSTANCE, SELF, CLS, BOUND, PARAMETER, OUTER, SEQUENCE, FIXED, MAPPING, SUPER, PARTIAL, PROPERTY, CONSTANT,
    MANAGED, NAMESPACE, BEGINS,
) = range(16)  # fmt: skip

Value = Any
Values = frozenset[Value]
NOTHING: Values = frozenset()
# Containers in containers.
MOST_DEPTH = 4
# A set of more values than that tells nothing.
MOST_VALUES = 100


def limited(values: Values) -> Values:
    """The values, or nothing where there are too many."""
    return values if len(values) <= MOST_VALUES else NOTHING


def union(parts: Iterable[Values]) -> Values:
    """All values of the parts."""
    only: Values = NOTHING
    more: list[Values] = []
    for part in parts:
        if part:
            if not only:
                only = part
            else:
                more.append(part)
    return limited(only.union(*more)) if more else only


def depth(value: Value) -> int:
    """How deeply containers are nested in a value."""
    if value.__class__ is not tuple:
        return 0
    kind = value[0]
    if kind == SEQUENCE:
        return 1 + _deepest(value[2])
    if kind == FIXED:
        return 1 + max(map(_deepest, value[2]), default=0)
    if kind == MAPPING:
        return 1 + max([_deepest(part) for _, part in value[1]], default=0)
    if kind in (PARTIAL, MANAGED):
        return 1 + _deepest(value[1])
    if kind in (BOUND, SUPER):
        return 1 + depth(value[2])
    return 0


def _deepest(values: Values) -> int:
    most = 0
    for value in values:
        if value.__class__ is tuple and value[0] not in _FLAT:
            most = max(most, depth(value))
    return most


_FLAT = frozenset((INSTANCE, SELF, CLS, PARAMETER, OUTER, PROPERTY, CONSTANT, NAMESPACE, BEGINS))


def shallow(values: Values) -> Values:
    """The values without those that are nested too deeply to be finitely many."""
    for value in values:
        if value.__class__ is tuple and depth(value) > MOST_DEPTH:
            return frozenset([value for value in values if depth(value) <= MOST_DEPTH])
    return values
