"""Text as LSP and Python count it: lines end at \\n, \\r\\n or \\r and nowhere else.

`TextDocument` is a line table: an edit touches the lines it names and nothing else, and remembers which lines
at the top and at the bottom no edit has touched since `take_dirty` was last called.
"""

from __future__ import annotations

from io import StringIO
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]


def split_lines(text: str) -> list[str]:
    """`text` as lines with their line ends; joined they give `text` again. Empty text has no lines."""
    return StringIO(text, newline="").readlines()  # newline="": split at all three, translate none


def units(text: str, encoding: Encoding) -> int:
    """How many code units of `encoding` `text` takes."""
    if text.isascii() or encoding == "utf-32":
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(1 for c in text if c > "\uffff")


def index_of(line: str, character: int, encoding: Encoding) -> int:
    """The index in `line` (a str) of code unit `character`; past the line's text it is the end of that text.

    A unit inside a character gives that character's start.
    """
    body = len(line.rstrip("\r\n"))
    if encoding == "utf-32" or line.isascii():
        return min(character, body)
    seen = 0
    for i in range(body):
        code = ord(line[i])
        if encoding == "utf-16":
            width = 2 if code > 0xFFFF else 1
        else:
            width = 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        if seen + width > character:
            return i
        seen += width
    return body


def character_of(line: str, index: int, encoding: Encoding) -> int:
    """The code unit offset in `line` of str index `index`."""
    return units(line[:index], encoding)


class Untouched(NamedTuple):
    """How many lines at the start and at the end no edit has touched; None when the whole text is new."""

    prefix: int
    suffix: int


class TextDocument:
    """One open document, edited in place.

    lines: the text's lines with their ends. version: the peer's version number of it.
    """

    def __init__(self, text: str, version: int = 0) -> None:
        self.lines = split_lines(text)
        self.version = version
        self._untouched: Untouched | None = None

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def replace_all(self, text: str) -> None:
        """The whole text anew (a change event without a range)."""
        self.lines = split_lines(text)
        self._untouched = None

    def edit(self, start: tuple[int, int], end: tuple[int, int], text: str, encoding: Encoding) -> None:
        """Replace the text from `start` to `end` (line, character), as LSP's content change does.

        Positions past a line's or the text's end are clamped, as the protocol demands. A range whose end lies
        before its start is read with the two exchanged.
        """
        if end < start:
            start, end = end, start
        lines = self.lines
        count = len(lines)
        first, head = self._locate(start, encoding)
        last, tail_at = self._locate(end, encoding)
        head_text = lines[first][:head] if first < count else ""
        tail_text = lines[last][tail_at:] if last < count else ""
        new = split_lines(head_text + text + tail_text)
        # Text that starts with \n joins a \r before it. Nothing joins behind: the end of a range never lies
        # behind its line's \r or \n, so that the replacement keeps the last line's end (or that of the text).
        if first and new and new[0][0] == "\n" and lines[first - 1][-1] == "\r":
            first -= 1
            new[0] = lines[first] + "\n"
        stop = min(last + 1, count)
        lines[first:stop] = new
        if self._untouched is not None:
            prefix, suffix = self._untouched
            self._untouched = Untouched(min(prefix, first), min(suffix, count - stop))

    def take_dirty(self) -> tuple[list[str], Untouched | None]:
        """A copy of the lines, and what is untouched since the last call (None: all is new)."""
        untouched, self._untouched = self._untouched, Untouched(len(self.lines), len(self.lines))
        return list(self.lines), untouched

    def _locate(self, position: tuple[int, int], encoding: Encoding) -> tuple[int, int]:
        line, character = position
        count = len(self.lines)
        if line >= count:
            # Past the end: the end of the text, which is on the last line if that has no line end.
            if count and self.lines[-1][-1] not in "\r\n":
                return count - 1, len(self.lines[-1])
            return count, 0
        return line, index_of(self.lines[line], character, encoding)
