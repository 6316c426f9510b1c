"""A session: one peer on one connection, with its roots and its open documents."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pydantic.alias_generators import to_camel
from pygls.exceptions import JsonRpcException

from ..errors import HubError, RootError
from ..protocol import GET_CONTEXT
from . import rpc
from .agent import context_now
from .changes import FILE_METHODS, ChangeWatch, register_watchers, watch_changes
from .convert import Shift, column_to_utf16, same, shift_for
from .documents import Documents, Place, lines_in, lines_on_disk, python_file
from .handshake import NOBODY, Handshake, WorkspaceFoldersParams, folder_paths, initialize_result
from .lens import LensRefresh
from .methods import DOCUMENT_METHODS, METHODS, Method
from .params import invalid
from .parent import watch_process
from .progress import ProgressDisplay, displays_of
from .publishing import Publishing
from .uris import from_path
from .wire import Limits, PeerServer, shared_threads

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from .hubs import Hubs

log = logging.getLogger(__name__)
_IDS = itertools.count(1)


class Session:
    """Lives from `initialize` to `exit`, end of file or the end of the peer's process, whichever is first.

    ended: done once the session is over, with the exit code that a process for this session alone has.
    """

    def __init__(self, hubs: Hubs, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self.id = next(_IDS)
        self.hubs = hubs
        self.peer: Handshake = NOBODY
        self.roots: list[Hub] = []
        self.documents = Documents(self.id, self.route)
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.wire = PeerServer().protocol
        self.wire.limits = limits
        self.wire.set_writer(writer)
        self.wire.on_exit = self.end
        self.publishing = Publishing(self)
        self.documents.opened, self.documents.closed = self.publishing.opened, self.publishing.closed
        self._displays: dict[Hub, list[ProgressDisplay]] = {}
        self._refreshing: dict[Hub, LensRefresh] = {}
        self.wants_changes = False
        self.watches: dict[Hub, ChangeWatch] = {}  # of a peer that asked for remora/changed
        self._stop_watching: Callable[[], None] = lambda: None
        self._register()

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)

    def close(self) -> None:
        """Give back what the session holds. Its open documents count as closed."""
        self._stop_watching()
        self.publishing.close()
        self.wire.cancel_all()
        self.documents.close_all()
        for hub in [*self.roots]:
            self._leave(hub)

    # -- where things are ----------------------------------------------------------------------------------

    def route(self, file: str) -> Place | None:
        """The place of a Python file, in the root that reaches deepest; None outside every root."""
        found = [Place(hub, path) for hub in self.roots if (path := hub.path_of(file)) is not None]
        return max(found, key=lambda place: len(place.hub.root.parts), default=None)

    def place_of(self, uri: str) -> Place | None:
        """The place of a document, open or not; None for what is no Python file of a root."""
        document = self.documents.get(uri)
        if document:
            return document.place
        file = python_file(uri)
        return self.route(file) if file else None

    def name_of(self, place: Place) -> tuple[str, int | None]:
        """How the peer names a file, and the version of its document there if it has it open."""
        document = self.documents.at(place)
        return (document.uri, document.text.version) if document else (from_path(str(place.file)), None)

    async def utf16_column(self, place: Place, line: int, character: int) -> int:
        """The peer's column as the index counts."""
        encoding = self.documents.encoding
        if encoding == "utf-16":
            return character
        return column_to_utf16(line, character, (await self._lines([place]))[place], encoding)

    async def shift(self, place: Place) -> Shift:
        return (await self.shifts([place]))[place]

    async def shifts(self, places: Collection[Place]) -> dict[Place, Shift]:
        """What turns ranges of these files into the peer's way of counting. No file is read if both agree."""
        encoding = self.documents.encoding
        if encoding == "utf-16":
            return dict.fromkeys(places, same)
        return {place: shift_for(lines, encoding) for place, lines in (await self._lines(places)).items()}

    async def text_of(self, place: Place) -> Sequence[str]:
        """The file's lines as this peer sees them; none if it cannot be read."""
        document = self.documents.at(place)
        if document:
            return list(document.text.lines)
        return await asyncio.get_running_loop().run_in_executor(shared_threads(), lines_in, place.file)

    async def _lines(self, places: Collection[Place]) -> dict[Place, Sequence[str]]:
        """The files' texts as this peer sees them: its own buffers, or else the disk."""
        found: dict[Place, Sequence[str]] = {}
        for place in places:
            document = self.documents.at(place)
            if document:
                found[place] = document.text.lines
        closed = {place: place.file for place in places if place not in found}
        if closed:
            loop = asyncio.get_running_loop()
            read = await loop.run_in_executor(shared_threads(), lambda: list(map(lines_on_disk, closed.values())))
            found.update(zip(closed, read, strict=True))
        return found

    # -- life ----------------------------------------------------------------------------------------------

    def _register(self) -> None:
        register = self.wire.register
        register(types.INITIALIZE, self._initialize, Handshake)
        register(types.INITIALIZED, self._initialized, object)
        register(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, self._change_folders, WorkspaceFoldersParams)
        register(types.WINDOW_WORK_DONE_PROGRESS_CANCEL, self._cancel_display)
        for name, handler in DOCUMENT_METHODS.items():
            register(name, partial(handler, self.documents))
        for name, handle in FILE_METHODS.items():
            register(name, partial(handle, self))
        for method in METHODS:
            register(method.name, method.bind(self), method.params)
        self.wire.register_at_once(GET_CONTEXT, partial(context_now, self))

    async def _initialize(self, peer: Handshake) -> dict[str, Any]:
        options = peer.options
        if options is not None and not isinstance(options, Mapping):
            raise invalid([("params.initializationOptions", "must be an object")])
        for folder in peer.folders:
            await self._join(folder, options)
        self.peer = peer
        self.documents.encoding = peer.encoding
        if peer.process_id is not None:
            self._stop_watching = watch_process(peer.process_id, self._peer_died)
        self.wire.initialized = True
        capabilities = {
            name: value for method in METHODS if self._offers(method) for name, value in method.capability.items()
        }
        return initialize_result(peer.encoding, capabilities, [m.name for m in METHODS if m.remora])

    def _offers(self, method: Method) -> bool:
        """Whether the settings of any root have it."""
        setting = method.setting
        return setting is None or not self.roots or any(getattr(hub.config, setting) for hub in self.roots)

    def _initialized(self, _: Any) -> None:
        for hub in self.roots:
            self._display(hub)
        register_watchers(self)

    def _peer_died(self) -> None:
        log.info("the peer's process is gone: its session ends")
        self.end(0)

    async def _change_folders(self, params: WorkspaceFoldersParams) -> None:
        removed = {path.resolve() for path in folder_paths(params.event.removed)}
        for hub in [hub for hub in self.roots if hub.root in removed]:
            self._leave(hub)
        for path in folder_paths(params.event.added):
            if joined := await self._join(path, self.peer.options):
                self._display(joined)
        self.documents.reroute()

    async def _join(self, folder: Path, options: Mapping[str, Any] | None) -> Hub | None:
        """Use the hub of `folder`; if that is not there, tell the peer and go on without."""
        try:
            hub = await self.hubs.open(folder, options)
        except RootError as error:
            self._warn(str(error))
            return None
        except HubError as error:
            raise JsonRpcException(str(error), rpc.REQUEST_FAILED, {"retry": False}) from error
        if overruled := self.hubs.overruled(hub, options):
            settings = ", ".join(map(to_camel, overruled))
            self._warn(f"{hub.root} is in use with other settings, and those count: {settings}")
        if hub in self.roots:
            self.hubs.release(hub)
        else:
            self.roots.append(hub)
            watch_changes(self, hub)
            self.publishing.join(hub)
            if options and options.get("trusted") is True:
                hub.scripts.trust(self.id)
        return hub

    def _warn(self, text: str) -> None:
        """Tell the person at the other end."""
        log.warning("%s", text)
        self.wire.notify(types.WINDOW_SHOW_MESSAGE, {"type": 2, "message": f"Remora Hub: {text}"})

    def _leave(self, hub: Hub) -> None:
        self.roots.remove(hub)
        self.publishing.leave(hub)
        hub.scripts.distrust(self.id)
        self.hubs.release(hub)
        for display in self._displays.pop(hub, ()):
            display.close()
        if watch := self.watches.pop(hub, None):
            watch.close()
        if refresh := self._refreshing.pop(hub, None):
            refresh.close()

    def _display(self, hub: Hub) -> None:
        if self.peer.progress and hub not in self._displays:
            self._displays[hub] = displays_of(self.wire, hub)
        if self.peer.refreshes_lenses and hub.config.lens and hub not in self._refreshing:
            self._refreshing[hub] = LensRefresh(self, hub)

    def _cancel_display(self, params: types.WorkDoneProgressCancelParams) -> None:
        for display in (display for displays in self._displays.values() for display in displays):
            if display.token == params.token:
                display.cancel()
