"""Which names mean something else after a change of a file, by its summaries: as in `analysis.program.Rest`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from ..analysis.forms import (
    ATTR,
    BINDS,
    BODY,
    CHILD_NAME,
    CHILDREN,
    CLASS,
    EXPORTS,
    FUNCTION,
    GLOBALS,
    IMPORTS,
    ITEMS,
    KIND,
    NAME,
    STORES,
)  # fmt: skip
from ..analysis.resolver.rests import ALL_NAMES, ANY_NAME, PRESENCE


def names_that_differ(old: Iterable[bytes], new: Iterable[bytes]) -> set[str]:
    """What a file's statements give another meaning to, by their summaries before and after."""
    before, after = Counter(old), Counter(new)
    was, now = (Counter(one for data in found for one in _pieces(data)) for found in (before - after, after - before))
    unbound, bound = {name for name, _ in was - now}, {name for name, _ in now - was}
    names = unbound | bound
    tops = {name for name in names if "." not in name}
    for name in (unbound ^ bound) - tops:  # what is bound anew was there, and is
        owner, _, member = name.partition(".")
        names |= {f"{owner}.{ALL_NAMES}", f"{owner}{PRESENCE}{member}"}
    return names | {ALL_NAMES} if tops else names


def _pieces(summary: bytes) -> Iterator[tuple[str, bytes]]:
    owner, fragment = orjson.loads(summary)
    return _fragment_pieces(fragment, f"{owner}." if owner else "")


def _fragment_pieces(fragment: list[Any], prefix: str) -> Iterator[tuple[str, bytes]]:
    """What a statement of a module (of a class, if `prefix` is its name with a dot) binds, name by name."""
    for state, value in _pairs(fragment[BINDS]):
        if name := state.partition("%")[0]:
            yield prefix + name, orjson.dumps([state, value])
    for name, target in _pairs(fragment[IMPORTS]):
        yield ANY_NAME if name == "*" else prefix + name.partition(".")[0], orjson.dumps([name, target])
    for entry in fragment[ITEMS]:
        holder = entry[0][1] if entry[0].__class__ is list and entry[0][0] == NAME else entry[0]
        if holder.__class__ is str:
            yield prefix + holder.partition("%")[0], orjson.dumps(entry)
    if fragment[EXPORTS] is not None:
        yield ANY_NAME, b"exports"
        for name in fragment[EXPORTS]:
            yield name, b"exported"
    for child in fragment[CHILDREN]:
        yield from _child_pieces(child, prefix)


def _child_pieces(child: list[Any], prefix: str) -> Iterator[tuple[str, bytes]]:
    name, data = child[CHILD_NAME], orjson.dumps(child)
    if child[KIND] == CLASS and not prefix:
        yield name, orjson.dumps([*child[:BODY], *child[BODY + 1 :]])
        yield from _fragment_pieces(child[BODY], f"{name}.")
        return
    yield prefix + name, data
    if child[KIND] == CLASS:
        return
    for stored in _stored(child) if prefix else ():
        yield prefix + stored, data
    for declared in _declared_global(child):
        yield declared, data


def _stored(method: list[Any]) -> set[str]:
    """Attributes that a method may set, of `self` among others."""
    body = method[BODY]
    found = {entry[1] for entry in body[STORES]}
    found |= {entry[0][2] for entry in body[ITEMS] if entry[0].__class__ is list and entry[0][0] == ATTR}
    return found.union(*(_stored(child) for child in body[CHILDREN] if child[KIND] == FUNCTION))


def _declared_global(child: list[Any]) -> set[str]:
    body = child[BODY]
    return set(body[GLOBALS]).union(*(_declared_global(inner) for inner in body[CHILDREN]))


def _pairs(flat: list[Any]) -> Iterator[tuple[str, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)
