"""Every error this package raises on purpose.

    HubError
    ├── ConfigError        a setting is unknown or has the wrong type
    ├── RootError          the project root is missing or not a directory
    ├── SourceError        a file cannot be turned into facts (encoding, size, syntax)
    ├── StoreError         the index database cannot be opened or written
    ├── KeyFormatError     a node id cannot be read
    └── HubClosed          the hub was closed while a question waited

The text of an error is for people: what happened, to what, and what to do about it.
"""

from __future__ import annotations


class HubError(Exception):
    """Base of all errors raised on purpose by this package."""


class ConfigError(HubError):
    """A setting is unknown or has the wrong type; the text names the setting and its source."""


class RootError(HubError):
    """The project root is missing or not a directory."""


class SourceError(HubError):
    """A file cannot be turned into facts; `line` is 0-based, or None where no line is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class StoreError(HubError):
    """The index database cannot be opened, read or written."""


class KeyFormatError(HubError):
    """A node id has none of the accepted forms; the text lists them."""


class HubClosed(HubError):
    """The hub was closed while a question waited for it."""
