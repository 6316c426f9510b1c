"""Every error this package raises on purpose.

    HubError
    ├── ConfigError        a setting is unknown or has the wrong type
    ├── RootError          the project root is missing or not a directory
    ├── SourceError        a file cannot be turned into facts (encoding, size, syntax)
    ├── StoreError         the index database cannot be opened or written
    │   ├── StoreLocked    ... because another process writes it
    │   ├── StoreDamaged   ... because what is in the file is no index any more
    │   └── StoreReplaced  ... because another one has taken its place meanwhile
    ├── KeyFormatError     a node id cannot be read
    ├── HubClosed          the hub was closed while a question waited
    ├── DiscoveryError     the folder of sockets and discovery files cannot be used or trusted
    ├── SharingError       the shared hub process cannot be started or reached
    ├── HubUnavailable     a client has no hub to talk to
    │   └── HubTimeout     ... or one that does not answer in time
    ├── HubRefused         the hub answered a client with an error
    └── GitError           git is not there, or cannot tell what changed

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


class StoreLocked(StoreError):
    """Another process writes the index database."""


class StoreDamaged(StoreError):
    """The index database's file does not hold what was written to it."""


class StoreReplaced(StoreError):
    """Another index has taken the place of the one that was in use: what failed may be tried again."""


class KeyFormatError(HubError):
    """A node id has none of the accepted forms; the text lists them."""


class HubClosed(HubError):
    """The hub was closed while a question waited for it."""


class DiscoveryError(HubError):
    """The folder of sockets and discovery files cannot be used or trusted."""


class SharingError(HubError):
    """The shared hub process cannot be started or reached; serving in the own process still works."""


class HubUnavailable(HubError):
    """A client has no hub to talk to."""


class HubTimeout(HubUnavailable):
    """The hub did not answer in time."""


class HubRefused(HubError):
    """The hub answered with an error; `code` is JSON-RPC's, `data` the particulars."""

    def __init__(self, message: str, code: int = 0, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class GitError(HubError):
    """git is not there, or cannot tell what changed since a revision."""


class ScriptError(HubError):
    """Something is wrong with a .pym script; `line` is 1-based in the script, or None where no line is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class ParseError(ScriptError):
    """The text is no script: it does not parse, or the sandbox cannot run what it says."""


class CheckError(ScriptError):
    """The script has errors that a check finds."""


class InputError(ScriptError):
    """A needed input is missing, or one is given that the script does not declare."""


class ExternalError(ScriptError):
    """A declared external is missing, or one is given that the script does not declare."""


class ExecutionError(ScriptError):
    """The script raised an exception."""


class Crashed(ExecutionError):
    """The process that the script ran in ended."""


class LimitError(ScriptError):
    """The script reached a limit; `limit` says which: time, memory, recursion, calls or output."""

    def __init__(self, message: str, limit: str, line: int | None = None) -> None:
        super().__init__(message, line)
        self.limit = limit


class OutputError(ScriptError):
    """The script's result has not the form that is asked of it, or is too big."""
