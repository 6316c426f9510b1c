"""Frames: `Content-Length: N`, a blank line, N bytes. Little else is accepted there.

`read_message` never raises for what a peer sends: it gives a `Message`, an `End`, or a `Refused`. After a
`Refused` nobody knows where the next message starts, so the connection has to be closed.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

MAX_BODY = 64 * 1024 * 1024
MAX_HEADER_LINE = 8 * 1024
MAX_HEADER_LINES = 16
READ_LIMIT = 64 * 1024
"""For the StreamReader's `limit`: a line without end is refused when it has come this far."""

_LENGTH = re.compile(rb"[0-9]{1,15}")
_UTF8 = re.compile(rb"charset\s*=\s*\"?utf-?8\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Message:
    """A whole body, not looked into yet."""

    body: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The peer closed the connection, perhaps in the middle of a message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What came is not a frame; `reason` is for people."""

    reason: str


Outcome = Message | End | Refused


async def read_first_message(reader: asyncio.StreamReader, longest: int) -> Outcome:
    """The same for who may be anybody: what does not begin as a frame is refused without waiting for a whole line."""
    try:
        begun = await reader.readexactly(1)
    except (asyncio.IncompleteReadError, OSError):
        return End()
    if begun not in b"cC\r\n \t":
        return Refused(f"this is no frame, it begins with {begun!r}")
    return await read_message(reader, longest, begun)


async def read_message(reader: asyncio.StreamReader, longest: int = MAX_BODY, begun: bytes = b"") -> Outcome:
    """The next frame of `reader`; one of more than `longest` bytes is refused unread. begun: what was read of it."""
    try:
        length = await _read_header(reader, longest, begun)
        if isinstance(length, int):
            return Message(await reader.readexactly(length))
        return length
    except asyncio.LimitOverrunError:
        return Refused("a header line is too long")
    except (asyncio.IncompleteReadError, OSError):
        return End()


def frame(*body: bytes) -> bytes:
    """A body, in one piece or several, with its header."""
    return b"".join((b"Content-Length: %d\r\n\r\n" % sum(map(len, body)), *body))


async def _read_header(reader: asyncio.StreamReader, longest: int, begun: bytes) -> int | Refused:
    length: int | None = None
    for _ in range(MAX_HEADER_LINES):
        raw = begun if begun == b"\n" else begun + await reader.readuntil(b"\n")
        begun = b""
        if len(raw) > MAX_HEADER_LINE:
            return Refused("a header line is too long")
        line = raw.strip()
        if line:
            found = _header_line(line, length, longest)
            if isinstance(found, Refused):
                return found
            length = found
        elif length is not None:
            return length
    return Refused("no Content-Length in the header")


def _header_line(line: bytes, length: int | None, longest: int) -> int | Refused | None:
    """The length as known after `line`. Unknown names are refused at once: a browser may be talking HTTP."""
    name, colon, value = line.partition(b":")
    name, value = name.strip().lower(), value.strip()
    if not colon or name not in (b"content-length", b"content-type"):
        return Refused(f"unknown header line {line[:60].decode('ascii', 'replace')!r}")
    if name == b"content-type":
        if b"charset" in value.lower() and not _UTF8.search(value):
            return Refused("only utf-8 is spoken here")
        return length
    if not _LENGTH.fullmatch(value):
        return Refused(f"Content-Length is not a number: {value[:30].decode('ascii', 'replace')!r}")
    number = int(value)
    if number > longest:
        return Refused(f"a message of {number} bytes is too long, at most {longest} are read")
    if length not in (None, number):
        return Refused("two different Content-Lengths")
    return number
