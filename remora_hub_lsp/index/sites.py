"""What is named at a place in a file: the definition whose head is there, or what is called or used there."""

from __future__ import annotations

from collections.abc import Iterator

from .keys import node_key
from .named import Head, heads
from .view import IndexView


def named_at(view: IndexView, path: str, line: int, character: int) -> list[Head]:
    """What is named at a place (UTF-16): several where it may be any of them, none where that is not known or not the
    project's.
    """
    found = list(heads(view, _used_at(view, path, line, character)).values())
    if found:
        return found
    inside = next(iter(_around(view, path, line, character)))
    return [one for one in heads(view, [node_key(path, inside)]).values() if _names(one, line, character)]


def _used_at(view: IndexView, path: str, line: int, character: int) -> Iterator[str]:
    """Keys of what the code at the place calls or uses. What stands in a signature, the scope around evaluates."""
    seen = set()
    for qualname in _around(view, path, line, character):
        for edge in view.callees(f"node:{path}:{qualname}"):
            if edge.callee not in seen and any(
                site[0] == line and site[1] <= character <= site[2] for site in edge.sites
            ):
                seen.add(edge.callee)
                yield edge.callee
        if seen:
            return


def _around(view: IndexView, path: str, line: int, character: int) -> Iterator[str]:
    """The innermost definition at a place and those around it, the module last."""
    inside = view.node_at(path, line, character)
    name = inside["qualname"] if inside else ""
    while name and name != "<module>":
        yield name
        name = name.rpartition(".")[0]
    yield "<module>"


def _names(one: Head, line: int, character: int) -> bool:
    first, start, last, end = one.name_range
    return (first, start) <= (line, character) <= (last, end)
