"""Tells one peer what diagnostics changed: published where it cannot ask for them, else a hint to ask again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from lsprotocol import types

from ..errors import HubError
from .convert import Json
from .diagnostics import PROVIDERS, find, in_workspace, result_id, shown
from .documents import OpenDocument, Place

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.view import IndexView
    from .session import Session

log = logging.getLogger(__name__)

# Seconds in which changes are gathered.
_GATHER = 0.1
_NOTHING = result_id([])


class Publishing:
    """One session's. It tells only of documents that the peer has open, and of what is told of all files."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._told: dict[Place, str] = {}  # what the peer has of each file, by result id
        self._due: set[Place] = set()
        self._stops: dict[Hub, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def join(self, hub: Hub) -> None:
        """The session has a root more."""
        changed = lambda paths, hub=hub: self._changed(hub, paths)  # noqa: E731
        self._stops[hub] = [provider.watch(hub, changed) for provider in PROVIDERS]

    def leave(self, hub: Hub) -> None:
        for stop in self._stops.pop(hub, ()):
            stop()
        for place in [place for place in self._told if place.hub is hub]:
            self._publish(place, [], None)
        self._due = {place for place in self._due if place.hub is not hub}

    def close(self) -> None:
        """The session is over."""
        for hub in [*self._stops]:
            for stop in self._stops.pop(hub):
                stop()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def opened(self, document: OpenDocument) -> None:
        if document.place is not None:
            self._changed(document.place.hub, [document.place.path])

    def closed(self, document: OpenDocument) -> None:
        """Of a file that is not open less is told."""
        self.opened(document)

    def told(self, place: Place, items: Collection[Json]) -> None:
        """The peer has asked, and knows this now."""
        self._told[place] = result_id(items)

    def _changed(self, hub: Hub, paths: Collection[str]) -> None:
        self._due.update(Place(hub, path) for path in paths)
        if self._timer is None and self._due:
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._task is not None and not self._task.done():  # once more when that has ended
            self._changed_later()
            return
        due, self._due = self._due, set()
        self._task = asyncio.get_running_loop().create_task(self._tell(due))

    def _changed_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_GATHER, self._begin)

    async def _tell(self, due: Collection[Place]) -> None:
        refresh = False
        for hub in {place.hub for place in due}:
            if hub not in self._stops:
                continue
            paths = {place.path for place in due if place.hub is hub}
            try:
                refresh |= await self._tell_of(hub, paths)
            except HubError as error:
                log.info("diagnostics of %s: %s", hub.root, error)
        if refresh and self._session.peer.refreshes_diagnostics:
            self._session.wire.send_request(types.WORKSPACE_DIAGNOSTIC_REFRESH)

    async def _tell_of(self, hub: Hub, paths: set[str]) -> bool:
        """Tell what is other in these files; whether something is that the peer has to ask for."""
        open_now = {document.place.path: document for document in self._session.documents
                    if document.place and document.place.hub is hub and document.place.path in paths}  # fmt: skip
        versions = {path: document.text.version for path, document in open_now.items()}

        def question(view: IndexView) -> dict[str, list[Json]]:
            found = in_workspace(hub, view, paths - versions.keys())
            return found | {path: find(hub, view, path) for path in versions}

        answer = await hub.read(question, paths=tuple(versions), heavy=True, calls=False)
        changed = False
        for path in paths:
            place = Place(hub, path)
            document = open_now.get(path)
            if document is not None and (path in answer.pending or document.text.version != versions[path]):
                self._changed(hub, [path])  # it has been edited meanwhile
                continue
            items = await shown(self._session, place, answer.value.get(path, []))
            if result_id(items) != self._told.get(place, _NOTHING):
                changed = True
                self._publish(place, items, versions.get(path))
        return changed and self._session.peer.pulls_diagnostics

    def _publish(self, place: Place, items: list[Json], version: int | None) -> None:
        if self._session.peer.pulls_diagnostics:
            return
        self.told(place, items)
        if not items:
            self._told.pop(place)
        uri, _ = self._session.name_of(place)
        params: Json = {"uri": uri, "diagnostics": items}
        if version is not None and self._session.peer.versions_diagnostics:
            params["version"] = version
        self._session.wire.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)
