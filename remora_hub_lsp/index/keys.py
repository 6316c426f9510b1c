"""The keys of nodes."""

from __future__ import annotations

from ..errors import KeyFormatError


def node_key(path: str, qualname: str) -> str:
    """node:{path}:{qualname}."""
    return f"node:{path}:{qualname}"


def split_key(key: str) -> tuple[str, str]:
    """(path, qualname) of a key. Raises KeyFormatError."""
    head, _, rest = key.partition(":")
    # A qualname has no colon; a path may.
    path, colon, qualname = rest.rpartition(":")
    if head != "node" or not colon or not path or not qualname:
        raise KeyFormatError(f"{key!r} is no node key: it has the form node:{{path}}:{{qualname}}")
    return path, qualname
