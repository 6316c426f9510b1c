"""File URIs <-> file system paths, as `os.fsdecode` gives them: names that are not UTF-8 survive."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, unquote_to_bytes

WINDOWS = os.name == "nt"

_FILE = re.compile(r"file:(?://([^/]*)(?=/)|(?!//))(/.*)", re.IGNORECASE | re.DOTALL)
_DRIVE = re.compile(r"/[A-Za-z]:(?=/|$)")
# RFC 3986's path characters; everything else is percent-encoded.
_SAFE = "/-._~!$&'()*+,;=@"


def to_path(uri: str, *, windows: bool = WINDOWS) -> str | None:
    """The absolute path a file URI names; None for other schemes, other hosts and what no file can be called.

    `#` and `?` count as part of the name, since clients that forget to encode them mean the name.
    """
    found = _FILE.fullmatch(uri)
    if not found:
        return None
    host, rest = found[1] or "", unquote_to_bytes(found[2].encode("utf-8", "surrogatepass"))
    if b"\0" in rest:
        return None
    path = rest.decode("utf-8", "surrogateescape")
    if windows:
        return _windows_path(host, path)
    return path if host.lower() in ("", "localhost") else None


def from_path(path: str, *, windows: bool = WINDOWS) -> str:
    """The file URI of an absolute path."""
    if windows:
        path = path.replace("\\", "/")
    raw = path.encode("utf-8", "surrogateescape")
    if path.startswith("//"):
        return "file:" + quote(raw, _SAFE)
    drive = "" if path.startswith("/") else "/"
    return "file://" + drive + quote(raw, _SAFE)


def _windows_path(host: str, path: str) -> str:
    if host and host.lower() != "localhost":
        return f"//{host}{path}".replace("/", "\\")
    if _DRIVE.match(path):
        path = path[1].upper() + path[2:]
    return path.replace("/", "\\")
