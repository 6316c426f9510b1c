"""The part of `initialize` that is read here.

Clients send many strange things in the rest of it, and none of that may fail a session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .. import __version__
from ..analysis.text import Encoding
from ..protocol import PROTOCOL_VERSION
from .changes import FILE_OPERATIONS
from .uris import to_path
from .wire import NAME

_ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)


class _General(_Lenient):
    position_encodings: list[str] | None = None


class _Hover(_Lenient):
    content_format: list[str] | None = None


class _DocumentSymbol(_Lenient):
    hierarchical_document_symbol_support: bool | None = None


class _Diagnostics(_Lenient):
    """What both ways of telling diagnostics have; the way by asking has no version."""

    related_information: bool | None = None
    tag_support: Any = None  # an object, of old clients a boolean
    code_description_support: bool | None = None
    data_support: bool | None = None
    version_support: bool | None = None


class _TextDocument(_Lenient):
    hover: _Hover | None = None
    document_symbol: _DocumentSymbol | None = None
    publish_diagnostics: _Diagnostics | None = None
    diagnostic: _Diagnostics | None = None


class _Window(_Lenient):
    work_done_progress: bool | None = None


class _WatchedFiles(_Lenient):
    dynamic_registration: bool | None = None


class _Refresh(_Lenient):
    refresh_support: bool | None = None


class _WorkspaceEdit(_Lenient):
    document_changes: bool | None = None


class _Workspace(_Lenient):
    workspace_edit: _WorkspaceEdit | None = None
    did_change_watched_files: _WatchedFiles | None = None
    diagnostics: _Refresh | None = None
    code_lens: _Refresh | None = None


class _Capabilities(_Lenient):
    workspace: _Workspace | None = None
    general: _General | None = None
    text_document: _TextDocument | None = None
    window: _Window | None = None
    experimental: Any = None


class Folder(_Lenient):
    uri: str


def folder_paths(folders: Iterable[Folder]) -> list[Path]:
    """Where folders are on this machine; those elsewhere are left out."""
    return [Path(path) for folder in folders if (path := to_path(folder.uri))]


class Handshake(_Lenient):
    """What a peer says about itself: where its project is, and what it can show."""

    capabilities: _Capabilities
    process_id: int | None = None
    root_uri: str | None = None
    root_path: str | None = None
    workspace_folders: list[Folder] | None = None
    initialization_options: Any = None

    @property
    def folders(self) -> list[Path]:
        """The project roots on this machine; the newest way of saying them counts alone."""
        if self.workspace_folders:
            return folder_paths(self.workspace_folders)
        if self.root_uri is not None:
            return folder_paths([Folder(uri=self.root_uri)])
        path = Path(self.root_path or "")
        return [path] if path.is_absolute() else []  # relative to what, only the peer knows

    @property
    def options(self) -> Mapping[str, Any] | None:
        """The initialization options; an empty list is how Lua clients write an empty object."""
        return self.initialization_options or None

    @property
    def encoding(self) -> Encoding:
        """The first one the peer names that is known here; UTF-16 is what the protocol assumes."""
        general = self.capabilities.general
        for name in (general and general.position_encodings) or ():
            if name in _ENCODINGS:
                return _ENCODINGS[name]
        return "utf-16"

    @property
    def markdown(self) -> bool:
        """Whether hovers may be Markdown: whichever of the two formats the peer names first."""
        hover = self.capabilities.text_document and self.capabilities.text_document.hover
        known = [name for name in (hover and hover.content_format) or () if name in ("markdown", "plaintext")]
        return known[:1] == ["markdown"]

    @property
    def tree(self) -> bool:
        """Whether document symbols may be nested."""
        symbols = self.capabilities.text_document and self.capabilities.text_document.document_symbol
        return bool(symbols and symbols.hierarchical_document_symbol_support)

    @property
    def progress(self) -> bool:
        """Whether the server may start a progress display."""
        return bool(self.capabilities.window and self.capabilities.window.work_done_progress)

    @property
    def pulls_diagnostics(self) -> bool:
        """Whether the peer asks for diagnostics, and so has not to be told of them."""
        document = self.capabilities.text_document
        return document is not None and document.diagnostic is not None

    @property
    def refreshes_diagnostics(self) -> bool:
        """Whether the peer asks again when it is told to."""
        workspace = self.capabilities.workspace
        return bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support)

    @property
    def versions_edits(self) -> bool:
        """Whether an edit may name the version of the document that it is meant for."""
        workspace = self.capabilities.workspace
        return bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes)

    @property
    def versions_diagnostics(self) -> bool:
        """Whether the peer reads the version of published diagnostics."""
        document = self.capabilities.text_document
        published = document and document.publish_diagnostics
        return bool(published and published.version_support)

    @property
    def diagnostics(self) -> frozenset[str]:
        """The optional parts of a diagnostic that the peer can show."""
        document = self.capabilities.text_document
        said = [way for way in (document and document.diagnostic, document and document.publish_diagnostics) if way]
        known = {
            "relatedInformation": any(way.related_information for way in said),
            "tags": any(way.tag_support for way in said),
            "codeDescription": any(way.code_description_support for way in said),
            "data": any(way.data_support for way in said),
        }
        return frozenset(name for name, knows in known.items() if knows)

    @property
    def refreshes_lenses(self) -> bool:
        """Whether the peer can be asked to ask for its code lenses again."""
        workspace = self.capabilities.workspace
        return bool(workspace and workspace.code_lens and workspace.code_lens.refresh_support)

    @property
    def commands(self) -> frozenset[str]:
        """The commands of this project's own that links in a hover may run: `experimental.remora.commands`."""
        experimental = self.capabilities.experimental
        remora = experimental.get("remora") if isinstance(experimental, Mapping) else None
        commands = remora.get("commands") if isinstance(remora, Mapping) else None
        return frozenset(filter(_is_text, commands)) if isinstance(commands, list) else frozenset()

    @property
    def watches_files(self) -> bool:
        """Whether the peer can be asked to tell of changes on disk."""
        workspace = self.capabilities.workspace
        watched = workspace and workspace.did_change_watched_files
        return bool(watched and watched.dynamic_registration)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


NOBODY = Handshake(capabilities=_Capabilities())


def initialize_result(encoding: Encoding, features: Mapping[str, Any], methods: list[str]) -> dict[str, Any]:
    """What a peer is told: `features` are capabilities by their LSP name, `methods` the remora/* ones."""
    return {
        "capabilities": {
            "positionEncoding": encoding,
            "textDocumentSync": {"openClose": True, "change": 2, "save": {"includeText": False}},
            **features,
            "workspace": {
                "workspaceFolders": {"supported": True, "changeNotifications": True},
                "fileOperations": FILE_OPERATIONS,
            },
            "experimental": {"remora": {"protocolVersion": PROTOCOL_VERSION, "methods": methods}},
        },
        "serverInfo": {"name": NAME, "version": __version__},
    }


class WorkspaceFoldersEvent(_Lenient):
    added: list[Folder] = Field(default_factory=list)
    removed: list[Folder] = Field(default_factory=list)


class WorkspaceFoldersParams(_Lenient):
    event: WorkspaceFoldersEvent
