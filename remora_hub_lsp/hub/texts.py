"""The source texts of nodes, from the buffer or file that their facts come from, if it still is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from ..analysis.source import decode, encode
from ..analysis.text import TextDocument, split_lines
from ..errors import SourceError
from ..index.around import Text, texts_of
from ..index.view import Json
from ..regular import read_bytes

_CHANGING = "its file is changing just now"


def by_path(nodes: Iterable[Json]) -> dict[str, list[Json]]:
    """The nodes of each file."""
    found: dict[str, list[Json]] = {}
    for node in nodes:
        found.setdefault(node["file_path"], []).append(node)
    return found


def texts_in_buffer(document: TextDocument, nodes: Sequence[Json]) -> dict[str, Text] | None:
    """Texts by key of nodes of one file; None if their facts are not those of the buffer."""
    if hashlib.sha256(encode("".join(document.lines))).hexdigest() != nodes[0]["file_hash"]:
        return None
    return texts_of(nodes, document.lines)


def texts_on_disk(files: Iterable[tuple[str, Sequence[Json]]], absolute: Callable[[str], str]) -> dict[str, Text]:
    """Texts by key of nodes of several files. Reads them: not for the event loop."""
    found: dict[str, Text] = {}
    for path, nodes in files:
        try:
            data = read_bytes(absolute(path))
            if hashlib.sha256(data).hexdigest() == nodes[0]["file_hash"]:
                found |= texts_of(nodes, split_lines(decode(data)))
                continue
            why = _CHANGING
        except (OSError, SourceError) as error:
            why = f"its file cannot be read: {error}"
        found |= {node["key"]: Text(None, why) for node in nodes}
    return found
