"""Bytes of a Python file -> text, as PEP 263 says."""

from __future__ import annotations

import codecs
import re

from ..errors import SourceError

# https://peps.python.org/pep-0263/: in one of the first two lines; the first must be a comment or blank.
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#|$)")
_LATIN_1 = ("latin-1", "iso-8859-1", "iso-latin-1")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def decode(data: bytes) -> str:
    """The text of a source file, without a BOM. Line ends are kept.

    Raises SourceError for an unknown encoding, a cookie that contradicts the BOM, or bytes that do not decode.
    """
    bom = data.startswith(codecs.BOM_UTF8)
    if bom:
        data = data[3:]
    encoding = _cookie(data) or "utf-8"
    if bom and encoding != "utf-8":
        raise SourceError(f"the file starts with a UTF-8 BOM but declares the encoding {encoding!r}", 0)
    return _decode(data, encoding)


def encode(text: str) -> bytes:
    """The bytes from which `decode` makes this text: in the encoding that it declares, or UTF-8.

    Where there are none, as for an unknown encoding, bytes that are no source file's.
    """
    plain = text.encode("utf-8", "surrogatepass")
    try:
        encoding = _cookie(plain[:4096]) or "utf-8"
        if encoding == "utf-8" and not text.startswith("\ufeff"):
            return plain
        if encoding != "utf-8" and (data := text.encode(encoding)).decode(encoding) == text:
            return data
    except (SourceError, UnicodeError, ValueError):
        pass
    return b"\0" + plain


def _cookie(data: bytes) -> str | None:
    rest = data[:4096]
    for number, line in enumerate(_LINE_END.split(rest, maxsplit=2)[:2]):
        if found := _COOKIE.match(line):
            name = _normal(found[1].decode("ascii"))
            try:
                codec = codecs.lookup(name)
            except LookupError:
                raise SourceError(f"unknown encoding {name!r} declared in line {number + 1}", number) from None
            if not getattr(codec, "_is_text_encoding", True):
                raise SourceError(f"{name!r} (line {number + 1}) is not a text encoding", number)
            return name
        if not _BLANK.match(line):
            return None
    return None


def _normal(name: str) -> str:
    """The encoding's name as Python's tokenizer reads it: Emacs adds the line ends (`utf-8-unix`)."""
    start = name[:12].lower().replace("_", "-")
    if start == "utf-8" or start.startswith("utf-8-"):
        return "utf-8"
    if start in _LATIN_1 or start.startswith(tuple(f"{latin}-" for latin in _LATIN_1)):
        return "iso-8859-1"
    return name


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start]))
        raise SourceError(
            f"line {line + 1}: byte 0x{data[error.start]:02x} is not {encoding}; "
            "declare the file's encoding (# -*- coding: ... -*-) or save it as UTF-8",
            line,
        ) from None
    except (UnicodeError, ValueError) as error:
        raise SourceError(f"cannot be decoded as {encoding}: {error}") from None
