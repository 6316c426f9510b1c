"""JSON for a method's parameters, made from their class: as it has to be, and nearly so."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from hypothesis import strategies as st
from lsprotocol import converters
from pydantic import BaseModel

Json = Any

TEXTS = st.sampled_from(["", "f", "Cart.total", "é🙂", "\ud83d", "\0", "a" * 300, "%", "\n", "<module>", "../..", "-1", "/\ud83d/a.py", "/\0"])
INTEGERS = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 7, 100, -1, 10**6, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63, 2**64])
FEW = st.sampled_from([0, 0, 1, 1, 2, 3, 7, 40, 10**6, 2**31 - 1])
LEAVES = st.sampled_from([None, True, False, 0, -1, 1.5, 1e300, 2**63, "", "x", [], {}, [[]], {"x": None}, "\ud83d"])
DEEP: Json = {"a": [{"a": [{"a": [{"a": [1]}]}]}]}


class Shapes:
    """uris: what a document may be called. ids: what a node may be called."""

    def __init__(self, uris: Sequence[str], ids: Sequence[str]) -> None:
        converters.get_converter()  # resolves the names in lsprotocol's annotations
        self.uris = st.sampled_from(uris)
        self.ids = st.sampled_from(ids)
        self.of = cache(self._of)

    def nearly(self, kind: type) -> st.SearchStrategy[Json]:
        """Right ones, and right ones with one or two things changed."""
        return st.builds(_broken, self.of(kind), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), LEAVES), max_size=2))

    def _of(self, kind: Any, name: str = "") -> st.SearchStrategy[Json]:
        found = self._by_name(name, kind)
        if found is not None:
            return found
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            return st.one_of([self.of(one, name) for one in get_args(kind)])
        if origin is Literal:
            return st.sampled_from(get_args(kind))
        if origin is tuple or (origin is not None and issubclass(origin, Sequence)):
            return st.lists(self.of(get_args(kind)[0], name), max_size=3)
        if origin is not None and issubclass(origin, Mapping):
            return st.dictionaries(st.sampled_from(["a", "b", ""]), LEAVES, max_size=2)
        return self._plain(kind)

    def _by_name(self, name: str, kind: Any) -> st.SearchStrategy[Json] | None:
        if name in ("uri", "target_uri", "old_uri", "new_uri"):
            return self.uris
        if name in ("nodes", "node", "paths", "root", "cursor", "under", "arguments") and kind is str:
            return st.one_of(self.ids, self.uris, TEXTS)
        if name == "wait_ms":
            return st.sampled_from([0, 0, 1, 20, 300])
        if name in ("line", "character"):
            return FEW
        return None

    def _plain(self, kind: Any) -> st.SearchStrategy[Json]:
        if kind is str:
            return TEXTS
        if kind is bool:
            return st.booleans()
        if kind is int:
            return INTEGERS
        if kind is float:
            return st.sampled_from([0.0, -1.5, 1e300])
        if kind is type(None):
            return st.none()
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return st.sampled_from([member.value for member in kind])
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {(one.alias or name): self.of(one.annotation, name) for name, one in kind.model_fields.items()}
            return _object(fields, {one.alias or name for name, one in kind.model_fields.items() if one.is_required()})
        if isinstance(kind, type) and attrs.has(kind):
            fields = {_wire(one.name): self.of(one.type, one.name) for one in attrs.fields(kind)}
            return _object(fields, {_wire(one.name) for one in attrs.fields(kind) if one.default is attrs.NOTHING})
        return LEAVES  # LSPAny and the like


def _object(fields: Mapping[str, st.SearchStrategy[Json]], required: set[str]) -> st.SearchStrategy[Json]:
    optional = {name: value for name, value in fields.items() if name not in required}
    return st.fixed_dictionaries({name: fields[name] for name in sorted(required)}, optional=optional)


def _wire(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)


def _broken(params: Json, changes: Sequence[tuple[int, int, Json]]) -> Json:
    params = deepcopy(params)  # strategies give the same lists and objects again
    for where, how, leaf in changes:
        places = list(_places(params))
        if places:
            holder, key = places[where % len(places)]
            _change(holder, key, how, deepcopy(leaf))
    return params


def _places(value: Json) -> Iterator[tuple[Json, Any]]:
    """Every (object or list, key) in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def _change(holder: Json, key: Any, how: int, leaf: Json) -> None:
    match how:
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder["unheardOf"] = leaf
        case 2:
            holder[key] = deepcopy(DEEP)
        case 3:
            holder[key] = [holder[key], holder[key]]
        case _:
            holder[key] = leaf
