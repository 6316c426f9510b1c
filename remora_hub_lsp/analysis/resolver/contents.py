"""What containers hold."""

from __future__ import annotations

from typing import Any

from ..values import CONSTANT, FIXED, MAPPING, NOTHING, SEQUENCE, Value, Values, union


def constants(values: Values) -> list[Any]:
    """The constants among keys; None where there are others or none."""
    found: list[Any] = [value[1] for value in values if value.__class__ is tuple and value[0] == CONSTANT]
    if len(found) != len(values) or not found:
        found.append(None)
    return found


def mapping(found: dict[Any, Values]) -> Value:
    if len(found) > 64:
        return (MAPPING, ((None, union(found.values())),))
    return (MAPPING, tuple(sorted(found.items(), key=lambda item: (str(type(item[0])), str(item[0])))))


def type_of(value: Value) -> str:
    return "dict" if value[0] == MAPPING else str(value[1])


def elements(value: Value) -> Values:
    """What iterating over a container gives."""
    kind = value[0]
    if kind == SEQUENCE:
        found: Values = value[2]
        return found
    if kind == FIXED:
        return union(value[2])
    if kind == MAPPING:
        return frozenset((CONSTANT, key) for key, _ in value[1] if key is not None)
    return NOTHING


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
        numbers = [key for key in constants(keys) if key.__class__ is int and -len(value[2]) <= key < len(value[2])]
        if not numbers:
            return (SEQUENCE, value[1], union([*value[2], assigned]))
        parts = list(value[2])
        for number in numbers:
            parts[number] |= assigned
        return (FIXED, value[1], tuple(parts))
    if value[0] == SEQUENCE:
        return (SEQUENCE, value[1], value[2] | assigned)
    return value
