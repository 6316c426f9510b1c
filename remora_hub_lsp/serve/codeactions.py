"""Quick fixes for docstrings that no longer fit, and the command that says that one does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ..analysis.docfix import fixed
from ..analysis.text import units
from ..errors import KeyFormatError
from ..hub.drift import acknowledge, outdated
from ..index import drift
from ..protocol import AcknowledgeParams, OutdatedParams
from . import rpc
from .convert import Json
from .diagnostics import SOURCE, shown
from .documents import Place
from .drift import Finding, findings, lines_of_node
from .params import invalid

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.view import IndexView
    from .session import Session

ACKNOWLEDGE_COMMAND = "remora.acknowledgeDocstring"
FIX_ALL = f"source.fixAll.{SOURCE}"
KINDS = ("quickfix", FIX_ALL)
_SEVERITY = 2


async def code_action(session: Session, params: types.CodeActionParams) -> list[Json] | None:
    """textDocument/codeAction."""
    place = session.place_of(params.text_document.uri)
    if place is None:
        return None
    found = await _findings(session, place)
    wanted = [kind for kind in KINDS if _is_wanted(kind, params.context.only)]
    here = [finding for finding in found if _touches(finding, params.range)]
    actions: list[Json] = []
    if "quickfix" in wanted:
        for finding in here:
            actions += await _quick_fixes(session, place, finding)
        actions += [_still_accurate(params.text_document.uri, node) for node in _nodes(here)]
    everything = _fix_all(found)
    if everything and (
        (FIX_ALL in wanted and params.context.only) or ("quickfix" in wanted and here and len(found) > 1)
    ):
        title = "Mend all docstrings in this file"
        kind = FIX_ALL if params.context.only and "quickfix" not in wanted else "quickfix"
        actions.append({"title": title, "kind": kind, "edit": _edit(session, place, found[0].lines, everything)})
    return actions


async def execute_command(session: Session, params: types.ExecuteCommandParams) -> Json:
    """workspace/executeCommand: remora.acknowledgeDocstring with [id of the node, whether to undo it]."""
    if params.command != ACKNOWLEDGE_COMMAND:
        raise invalid([("params.command", f"there is no command {params.command!r}")])
    arguments = params.arguments or []
    if not arguments or not isinstance(arguments[0], str) or not all(isinstance(one, bool) for one in arguments[1:2]):
        raise invalid([("params.arguments", "must be the node's id and, to undo it, true")])
    return await acknowledge_docstring(session, AcknowledgeParams(node=arguments[0], undo=arguments[1:2] == [True]))


async def acknowledge_docstring(session: Session, params: AcknowledgeParams) -> Json:
    """remora/acknowledgeDocstring, in the first root that knows the node."""
    unknown: KeyFormatError | None = None
    for hub in _roots(session):
        try:
            return await acknowledge(hub, params.node, params.undo)
        except KeyFormatError as error:
            unknown = unknown or error
    assert unknown is not None
    raise unknown


async def outdated_docstrings(session: Session, params: OutdatedParams) -> Json:
    """remora/outdated, of all roots in the order the peer named them; revision and state are the first one's."""
    found: list[Json] = []
    wrong: KeyFormatError | None = None
    for hub in _roots(session):
        try:
            result = await outdated(hub, params)
        except KeyFormatError as error:
            wrong = wrong or error
            continue
        shifts = await session.shifts({Place(hub, entry["path"]) for entry in result["outdated"]})
        for entry in result["outdated"]:
            entry["name_range"] = shifts[Place(hub, entry["path"])](entry["name_range"])
        found.append(result)
    if wrong is not None and not found:
        raise wrong
    entries = [entry for result in found for entry in result["outdated"]][: params.limit]
    return {**found[0], "outdated": entries, "total": sum(result["total"] for result in found)}


def _roots(session: Session) -> list[Hub]:
    if not session.roots:
        raise JsonRpcException("this session has no project root: name one in `initialize`", rpc.REQUEST_FAILED)
    return session.roots


async def _findings(session: Session, place: Place) -> list[Finding]:
    """What is wrong in the file; nothing while the index has not seen its newest text."""
    document = session.documents.at(place)
    version = document.text.version if document else None

    def question(view: IndexView) -> list[Json]:
        return list(view.by_ids(drift.of_file(view, place.path)).values())

    answer = await place.hub.read(question, paths=(place.path,), calls=False)
    if not answer.value or place.path in answer.pending or (document and document.text.version != version):
        return []
    lines = await session.text_of(place)
    return findings(sorted(answer.value, key=lambda node: node["range"]["start"]["line"]), lines)


def _is_wanted(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    if only is None:
        return True
    named = [str(getattr(one, "value", one)) for one in only]
    return any(one == "" or kind == one or kind.startswith(one + ".") for one in named)


def _touches(finding: Finding, range_: types.Range) -> bool:
    """Whether the range meets the finding's line, or the definition's head."""
    node, lines = finding.node, (finding.range["start"]["line"], finding.range["end"]["line"])
    head = node["range"]["start"]["line"], node["name_range"]["end"]["line"]
    return any(first <= range_.end.line and range_.start.line <= last for first, last in (lines, head))


def _nodes(found: Iterable[Finding]) -> list[Json]:
    return list({finding.node["key"]: finding.node for finding in found}.values())


async def _quick_fixes(session: Session, place: Place, finding: Finding) -> list[Json]:
    diagnostics = await shown(session, place, [finding.diagnostic(_SEVERITY)])
    actions: list[Json] = []
    for title, remove in _titles(finding):
        lines = lines_of_node(finding.node, finding.lines)
        new = fixed(lines, finding.reason, remove=remove)
        if new is not None and new != lines:
            edit = _edit(session, place, finding.lines, {finding.first: (len(lines), new)})
            actions.append({"title": title, "kind": "quickfix", "diagnostics": diagnostics, "edit": edit})
    if actions:
        actions[0]["isPreferred"] = True
    return actions


def _titles(finding: Finding) -> list[tuple[str, bool]]:
    """What can be done, best first, and whether that takes an entry out."""
    reason = finding.reason
    match reason.code:
        case "parameter-added":
            return [(f"Document `{reason.parameter}`", False)]
        case "parameter-renamed" | "unknown-parameter" if reason.new:
            rename = f"Rename `{reason.parameter}` to `{reason.new}` in the docstring"
            return [(rename, False), (f"Remove `{reason.parameter}` from the docstring", True)]
        case "parameter-removed" | "unknown-parameter":
            return [(f"Remove `{reason.parameter}` from the docstring", True)]
        case "default-changed":
            return [(f"State the default {reason.new} of `{reason.parameter}`", False)]
    return []


def _still_accurate(uri: str, node: Json) -> Json:
    title = f"The docstring of `{node['node_name']}` is still accurate"
    command = {"title": title, "command": ACKNOWLEDGE_COMMAND, "arguments": [f"{uri}:{node['qualname']}"]}
    return {"title": title, "kind": "quickfix", "command": command}


def _fix_all(found: Sequence[Finding]) -> dict[int, tuple[int, list[str]]]:
    """By first line of a definition: how many lines it has, and its new ones, which differ in its docstring alone."""
    done: dict[int, tuple[int, list[str]]] = {}
    for finding in found:
        lines = lines_of_node(finding.node, finding.lines)
        count, now = done.get(finding.first, (len(lines), lines))
        new = fixed(now, finding.reason)
        if new is not None and new != now:
            done[finding.first] = (count, new)
    return done


def _edit(session: Session, place: Place, lines: Sequence[str], changes: dict[int, tuple[int, list[str]]]) -> Json:
    """A WorkspaceEdit that replaces definitions; only lines that differ are in it."""
    edits = []
    for first, (count, new) in changes.items():
        edits += _line_edits(session, lines, first, list(lines[first : first + count]), new)
    uri, version = session.name_of(place)
    if session.peer.versions_edits:
        return {"documentChanges": [{"textDocument": {"uri": uri, "version": version}, "edits": edits}]}
    return {"changes": {uri: edits}}


def _line_edits(session: Session, lines: Sequence[str], first: int, old: list[str], new: list[str]) -> list[Json]:
    edits: list[Json] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            start_position: Any = {"line": first + start, "character": 0}
            end_position = {"line": first + end, "character": 0}
            if first + end >= len(lines) and lines[-1][-1] not in "\r\n":
                end_position = {"line": len(lines) - 1, "character": units(lines[-1], session.documents.encoding)}
            edits.append(
                {"range": {"start": start_position, "end": end_position}, "newText": "".join(new[new_start:new_end])}
            )
    return edits
