"""What containers hold: of values that are containers, and into new ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..values import CONSTANT, FIXED, MAPPING, NOTHING, SEQUENCE, Value, Values, union

# Of a dict with more keys it is not kept which has which value.
MOST_KEYS = 64


def elements(value: Value) -> Values:
    """What iterating over a container gives."""
    kind = value[0]
    if kind == SEQUENCE:
        found: Values = value[2]
        return found
    if kind == FIXED:
        return union(value[2])
    return keys_of(value) if kind == MAPPING else NOTHING


def keys_of(value: Value) -> Values:
    """The known keys of a dict."""
    return frozenset([(CONSTANT, key) for key, _ in value[1] if key is not None])


def at_keys(value: Value, keys: Values) -> Values:
    """What a dict has for these keys."""
    wanted = constants(keys)
    return union([inner for key, inner in value[1] if key is None or key in wanted or None in wanted])


def constants(values: Values) -> list[Any]:
    """The constants among keys; None where there are others or none."""
    found: list[Any] = [value[1] for value in values if value.__class__ is tuple and value[0] == CONSTANT]
    if len(found) != len(values) or not found:
        found.append(None)
    return found


def sequence(name: str, values: Values) -> Values:
    """A container of that type that may hold these."""
    return frozenset(((SEQUENCE, name, values),))


def fixed(name: str, parts: Iterable[Values]) -> Values:
    """A container of that type with these elements."""
    return frozenset(((FIXED, name, tuple(parts)),))


def mapping(found: dict[Any, Values]) -> Value:
    """A dict. found: values by key; None: the key is not known."""
    if len(found) > MOST_KEYS:
        return (MAPPING, ((None, union(found.values())),))
    return (MAPPING, tuple(sorted(found.items(), key=lambda item: (str(type(item[0])), str(item[0])))))


def type_of(value: Value) -> str:
    """The name of a container's type."""
    return "dict" if value[0] == MAPPING else str(value[1])


def with_item(value: Value, keys: Values, assigned: Values) -> Value:
    """A container after an assignment to one of its items."""
    if value.__class__ is not tuple:
        return value
    if value[0] == MAPPING:
        found = dict(value[1])
        for key in constants(keys):
            found[key] = found.get(key, NOTHING) | assigned
        return mapping(found)
    if value[0] == FIXED:
        return _fixed_with_item(value, keys, assigned)
    return (SEQUENCE, value[1], value[2] | assigned) if value[0] == SEQUENCE else value


def _fixed_with_item(value: Value, keys: Values, assigned: Values) -> Value:
    _, name, known = value
    numbers = [key for key in constants(keys) if key.__class__ is int and -len(known) <= key < len(known)]
    if not numbers:
        return (SEQUENCE, name, union([*known, assigned]))
    parts = list(known)
    for number in numbers:
        parts[number] |= assigned
    return (FIXED, name, tuple(parts))
