"""Methods of lists, dicts and the like -> what they give."""

from __future__ import annotations

from collections.abc import Callable

from ..values import BEGINS, MAPPING, NOTHING, Value, Values, union
from .call import Call
from .contents import at_keys, elements, fixed, keys_of, sequence
from .part import Part

_GIVE_ELEMENT = frozenset(("pop", "popleft", "__next__", "send", "__getitem__"))
_GIVE_THEMSELVES = frozenset(("copy", "union", "__iter__", "difference", "intersection", "__enter__", "reverse"))


class Containers(Part):
    def method(self, method: str, receiver: Value, given: list[Values], call: Call) -> Values:
        """What a method of a container, or of a text of which the beginning is known, gives."""
        kind = receiver[0]
        if kind == BEGINS:
            return _of_text(method, receiver)
        if method == "sort":
            self.world.outside.call_keyword("key", [elements(receiver)], call)
            return NOTHING
        if kind == MAPPING:
            result = _OF_MAPPING.get(method)
            return result(receiver, given) if result is not None else NOTHING
        if method in _GIVE_ELEMENT:
            return elements(receiver)
        return frozenset((receiver,)) if method in _GIVE_THEMSELVES else NOTHING


def _of_text(method: str, receiver: Value) -> Values:
    if method in ("strip", "rstrip"):
        return frozenset((receiver,))
    return frozenset(((BEGINS, receiver[1].lower()),)) if method in ("lower", "casefold") else NOTHING


def _get(receiver: Value, given: list[Values]) -> Values:
    found = at_keys(receiver, given[0]) if given else _all(receiver)
    return found | (given[1] if len(given) > 1 else NOTHING)


def _all(receiver: Value) -> Values:
    return union([inner for _, inner in receiver[1]])


def _items(receiver: Value, given: list[Values]) -> Values:
    return sequence("ItemsView", fixed("tuple", (keys_of(receiver), _all(receiver))))


_OF_MAPPING: dict[str, Callable[[Value, list[Values]], Values]] = {
    **dict.fromkeys(("get", "pop", "setdefault", "popitem"), _get),
    "keys": lambda receiver, given: sequence("KeysView", keys_of(receiver)),
    "values": lambda receiver, given: sequence("ValuesView", _all(receiver)),
    "items": _items,
    "copy": lambda receiver, given: frozenset((receiver,)),
}
