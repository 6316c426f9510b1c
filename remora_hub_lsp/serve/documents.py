"""The documents a peer has open, as line tables, each routed to the hub of its root."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types

from ..analysis.source import decode
from ..analysis.text import Encoding, TextDocument, split_lines
from ..errors import SourceError
from ..hub.changes import Closed, DiskChanged, Edited, Opened, Saved
from ..regular import read_bytes
from .uris import to_path

if TYPE_CHECKING:
    from ..hub.hub import Hub

log = logging.getLogger(__name__)

SUFFIXES = (".py", ".pyi", ".pym")


class Place(NamedTuple):
    """A Python file (or script) of a root: `path` is relative to it, with /."""

    hub: Hub
    path: str

    @property
    def file(self) -> Path:
        return Path(self.hub.paths.absolute(self.path))


@dataclass(slots=True)
class OpenDocument:
    """uri: as the peer writes it. `place` is None while the document is in no root."""

    uri: str
    file: str
    text: TextDocument
    place: Place | None


class Documents:
    """Every method takes any URI; what is no Python file on disk is not kept, and editing it does nothing.

    owner: names the session to the hubs. route: finds a file's place. encoding: what a column counts.
    opened, closed: called when a document has come to a place, or is about to leave it.
    """

    def __init__(self, owner: int, route: Callable[[str], Place | None]) -> None:
        self.encoding: Encoding = "utf-16"
        self.opened: Callable[[OpenDocument], None] = lambda document: None
        self.closed: Callable[[OpenDocument], None] = lambda document: None
        self._owner = owner
        self._route = route
        self._open: dict[str, OpenDocument] = {}

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(self._open.values())

    def open(self, uri: str, text: str, version: int) -> None:
        file = python_file(uri)
        if file is None:
            return
        document = OpenDocument(uri, file, TextDocument(_whole(text), version), self._route(file))
        self._open[file] = document
        self._opened(document)

    def change(self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        document = self.get(uri)
        if document is None:
            if python_file(uri):
                log.warning("an edit of %s, which is not open, is dropped", uri)
            return
        for change in changes:
            _edit(document.text, change, self.encoding)
        document.text.version = version
        if document.place:
            hub, path = document.place
            hub.apply(Edited(path, document.text, self._owner))

    def save(self, uri: str) -> None:
        document = self.get(uri)
        if document is None:
            file = python_file(uri)
            if place := self._route(file) if file else None:
                place.hub.apply(DiskChanged(place.path))
        elif document.place:
            document.place.hub.apply(Saved(document.place.path, self._owner))

    def close(self, uri: str) -> None:
        file = python_file(uri)
        document = self._open.pop(file, None) if file else None
        if document:
            self._closed(document)

    def close_all(self) -> None:
        """What a disconnect means."""
        while self._open:
            self._closed(self._open.popitem()[1])

    def reroute(self) -> None:
        """The roots have changed: documents move to the hub that is theirs now."""
        for document in self._open.values():
            place = self._route(document.file)
            if place != document.place:
                self._closed(document)
                document.place = place
                self._opened(document)

    def get(self, uri: str) -> OpenDocument | None:
        file = python_file(uri)
        return self._open.get(file) if file else None

    def at(self, place: Place) -> OpenDocument | None:
        """The open document at a place."""
        found = self._open.get(str(place.file))
        if found:
            return found
        return next((document for document in self if document.place == place), None)

    def _opened(self, document: OpenDocument) -> None:
        if document.place:
            hub, path = document.place
            hub.apply(Opened(path, document.text, self._owner))
            self.opened(document)

    def _closed(self, document: OpenDocument) -> None:
        if document.place:
            document.place.hub.apply(Closed(document.place.path, self._owner))
            self.closed(document)


def python_file(uri: str) -> str | None:
    """The path of a Python file's (or script's) URI, None for anything else."""
    file = to_path(uri)
    return file if file and file.endswith(SUFFIXES) else None


def lines_in(file: Path) -> list[str]:
    """The file's lines; none if it cannot be read."""
    try:
        return split_lines(decode(read_bytes(file)))
    except (OSError, SourceError):
        return []


def lines_on_disk(file: Path) -> list[str]:
    """The file's lines; none if it cannot be read or is all ASCII, and then positions in it stay as they are."""
    try:
        data = read_bytes(file)
        if data.isascii() and b"coding" not in data[:2000]:
            return []
        return split_lines(decode(data))
    except (OSError, SourceError):
        return []


def _edit(text: TextDocument, change: types.TextDocumentContentChangeEvent, encoding: Encoding) -> None:
    if isinstance(change, types.TextDocumentContentChangePartial):
        start, end = change.range.start, change.range.end
        text.edit((start.line, start.character), (end.line, end.character), _whole(change.text), encoding)
    else:
        text.replace_all(_whole(change.text))


def _whole(text: str) -> str:
    """`text` with halves of characters replaced by U+FFFD, which is as long: nothing can parse or store them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
