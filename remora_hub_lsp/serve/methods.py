"""Everything a session answers, in one table: what a peer is told it can ask is made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lsprotocol import types

from ..protocol import (
    ACKNOWLEDGE,
    CALLS,
    CHANGES_SINCE,
    DEAD,
    GET_CONTEXT,
    OUTDATED,
    PROCESS,
    REINDEX,
    SCRIPTS,
    SEARCH,
    STATUS,
    SUBSCRIBE,
    TESTS,
    AcknowledgeParams,
    CallsParams,
    ChangesSinceParams,
    DeadParams,
    GetContextParams,
    OutdatedParams,
    ProcessParams,
    ReindexParams,
    ScriptsParams,
    SearchParams,
    StatusParams,
    SubscribeParams,
    TestsParams,
)
from .agent import get_context, search
from .calls import incoming_calls, outgoing_calls, prepare_call_hierarchy, references
from .changes import changes_since, subscribe
from .codeactions import (
    ACKNOWLEDGE_COMMAND,
    KINDS,
    acknowledge_docstring,
    code_action,
    execute_command,
    outdated_docstrings,
)
from .diagnostics import PROVIDERS, SOURCE, document_diagnostic, workspace_diagnostic
from .documents import Documents
from .drift import Drift
from .features import document_symbol, hover, workspace_symbol
from .lens import code_lens, resolve
from .relations import calls, dead, tests
from .scripts import scripts
from .upkeep import process, reindex, status


@dataclass(frozen=True, slots=True)
class Method:
    """A request. params: their class where LSP does not say it. capability: how a peer is told of it. setting: the
    one that switches it off."""

    name: str
    handler: Callable[..., Awaitable[Any]]
    params: type | None = None
    capability: Mapping[str, Any] = field(default_factory=dict)
    setting: str | None = None

    @property
    def remora(self) -> bool:
        """Whether the method is this project's own."""
        return self.name.startswith("remora/")

    def bind(self, session: Any) -> Callable[[Any], Awaitable[Any]]:
        return partial(self.handler, session)


METHODS = (
    Method(types.TEXT_DOCUMENT_HOVER, hover, capability={"hoverProvider": True}, setting="hover"),
    Method(
        types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        document_symbol,
        capability={"documentSymbolProvider": {"label": "Remora Hub"}},
    ),
    Method(types.WORKSPACE_SYMBOL, workspace_symbol, capability={"workspaceSymbolProvider": True}),
    Method(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        document_diagnostic,
        capability={
            "diagnosticProvider": {
                "identifier": SOURCE,
                "interFileDependencies": False,
                "workspaceDiagnostics": True,
            }
        },
    ),
    Method(types.WORKSPACE_DIAGNOSTIC, workspace_diagnostic),
    Method(
        types.TEXT_DOCUMENT_CODE_ACTION,
        code_action,
        capability={"codeActionProvider": {"codeActionKinds": list(KINDS), "resolveProvider": False}},
    ),
    Method(
        types.WORKSPACE_EXECUTE_COMMAND,
        execute_command,
        capability={"executeCommandProvider": {"commands": [ACKNOWLEDGE_COMMAND]}},
    ),
    Method(
        types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY,
        prepare_call_hierarchy,
        capability={"callHierarchyProvider": True},
        setting="call_hierarchy",
    ),
    Method(types.CALL_HIERARCHY_INCOMING_CALLS, incoming_calls),
    Method(types.CALL_HIERARCHY_OUTGOING_CALLS, outgoing_calls),
    Method(types.TEXT_DOCUMENT_REFERENCES, references, capability={"referencesProvider": True}, setting="references"),
    Method(
        types.TEXT_DOCUMENT_CODE_LENS,
        code_lens,
        capability={"codeLensProvider": {"resolveProvider": True}},
        setting="lens",
    ),
    Method(types.CODE_LENS_RESOLVE, resolve),
    Method(GET_CONTEXT, get_context, GetContextParams),
    Method(STATUS, status, StatusParams),
    Method(SEARCH, search, SearchParams),
    Method(CALLS, calls, CallsParams),
    Method(TESTS, tests, TestsParams),
    Method(DEAD, dead, DeadParams),
    Method(PROCESS, process, ProcessParams),
    Method(REINDEX, reindex, ReindexParams),
    Method(SCRIPTS, scripts, ScriptsParams),
    Method(CHANGES_SINCE, changes_since, ChangesSinceParams),
    Method(SUBSCRIBE, subscribe, SubscribeParams),
    Method(OUTDATED, outdated_docstrings, OutdatedParams),
    Method(ACKNOWLEDGE, acknowledge_docstring, AcknowledgeParams),
)

PROVIDERS.append(Drift())


# Plain functions, because only those see each edit at its place among the messages.
def _did_open(documents: Documents, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    documents.open(document.uri, document.text, document.version)


def _did_change(documents: Documents, params: types.DidChangeTextDocumentParams) -> None:
    documents.change(params.text_document.uri, params.text_document.version, params.content_changes)


def _did_save(documents: Documents, params: types.DidSaveTextDocumentParams) -> None:
    documents.save(params.text_document.uri)


def _did_close(documents: Documents, params: types.DidCloseTextDocumentParams) -> None:
    documents.close(params.text_document.uri)


DOCUMENT_METHODS: Mapping[str, Callable[[Documents, Any], None]] = {
    types.TEXT_DOCUMENT_DID_OPEN: _did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: _did_change,
    types.TEXT_DOCUMENT_DID_SAVE: _did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: _did_close,
}
