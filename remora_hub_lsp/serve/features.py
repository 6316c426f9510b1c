"""What an editor can ask. Answers are JSON-native dicts: no classes are built or checked on the way out."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from . import rpc
from .convert import Json, Shift, document_symbols, module_name, symbol_information
from .documents import Place
from .hover import hover_content
from .links import linked
from .uris import from_path

if TYPE_CHECKING:
    from ..index.view import IndexView
    from .session import Session

SYMBOL_LIMIT = 256
# From here on reading an outline takes milliseconds.
MANY_NODES = 200
# Seconds that an outline waits for the newest text: one of an older text has its ranges in the wrong places. An editor
# that does not want to wait any more cancels the request.
OUTLINE_WAIT = 30.0
# Seconds that the first hover waits until the tests have been collected; it says nothing of them if they have not.
TESTS_WAIT = 0.1
# And any hover for what others' changes mean for its callers and tests; nothing is said of these where that is unknown.
CALLS_WAIT = 0.3


async def hover(session: Session, params: types.HoverParams) -> Json | None:
    """The definition whose head is under the cursor; what is in its body, other servers tell."""
    place = session.place_of(params.text_document.uri)
    if place is None or not place.hub.config.hover:
        return None
    line = params.position.line
    character = await session.utf16_column(place, line, params.position.character)
    with_tests = await place.hub.relations.collected(TESTS_WAIT)

    def question(view: IndexView) -> Json | None:
        found = view.node_at(place.path, line, character)
        view.joins_tests = with_tests
        return view.node(found["file_path"], found["qualname"]) if found else None

    answer = await place.hub.read(question, paths=(place.path,), heavy=True, calls_wait=CALLS_WAIT)
    node: Json | None = answer.value
    if node and answer.late:
        node |= {"callers": None, "related_tests": None}
    if node is None or not node["range"]["start"]["line"] <= line <= node["name_range"]["end"]["line"]:
        return None
    late = place.path in answer.pending
    links = await linked(session, place, node) if session.peer.markdown else {}
    return {"contents": hover_content(node, markdown=session.peer.markdown, late=late, links=links)}


async def document_symbol(session: Session, params: types.DocumentSymbolParams) -> list[Json] | None:
    """The file's definitions. None, not [], where the file could not be read or parsed at all."""
    uri = params.text_document.uri
    place = session.place_of(uri)
    if place is None:
        return None
    file, outline = await _outline(place)
    if not outline and (file is None or file["error"]):
        return None
    shift = await session.shift(place)
    if session.peer.tree:
        return document_symbols(outline, shift)
    return [symbol_information(node, uri, shift(node["range"]), _parent(node)) for node in outline]


async def _outline(place: Place) -> tuple[Json | None, list[Json]]:
    """A file and its definitions. The outline of a big file is made off the event loop."""
    path = place.path

    def small(view: IndexView) -> tuple[Json | None, list[Json] | None]:
        file = view.file(path)
        return file, None if file and file["node_count"] > MANY_NODES else view.outline(path)

    def big(view: IndexView) -> tuple[Json | None, list[Json]]:
        return view.file(path), view.outline(path)

    answer = await place.hub.read(small, paths=(path,), wait=OUTLINE_WAIT, calls=False)
    if answer.value[1] is None or answer.pending:
        answer = await place.hub.read(big, paths=(path,), heavy=True, calls=False)
    file, outline = answer.value
    if file is None and answer.pending:
        raise JsonRpcException(f"{path} is not indexed yet", rpc.REQUEST_FAILED)
    return file, outline


async def workspace_symbol(session: Session, params: types.WorkspaceSymbolParams) -> list[Json] | None:
    """The best matches of all roots, in turn. None while an index is not ready and has found nothing."""
    answers = [(hub, await hub.search(params.query, SYMBOL_LIMIT)) for hub in session.roots]
    ranked = [[(Place(hub, node["path"]), node) for node in answer.value] for hub, answer in answers]
    turns = chain.from_iterable(zip_longest(*ranked))
    found = [hit for hit in turns if hit is not None][:SYMBOL_LIMIT]
    if not found and any(answer.state != "ready" for _, answer in answers):
        return None
    shifts = await session.shifts({place for place, _ in found})
    return [_workspace_hit(place, node, shifts[place]) for place, node in found]


def _workspace_hit(place: Place, node: Json, shift: Shift) -> Json:
    container = ".".join(part for part in (module_name(node["path"]), _parent(node)) if part)
    return symbol_information(node, from_path(str(place.file)), shift(node["name_range"]), container)


def _parent(node: Json) -> str:
    qualname: str = node["qualname"]
    return qualname.rpartition(".")[0]
