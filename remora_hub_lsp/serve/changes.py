"""What a peer says about files on disk, and what it is told about nodes that changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from ..protocol import CHANGED, ChangesSinceParams, SubscribeParams
from .convert import Json
from .upkeep import WORST_FIRST, roots_of
from .uris import to_path

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.kv import Changed
    from .session import Session

# Seconds in which changes are told together, and how many keys one notification names.
_GATHER = 0.1
_MOST_KEYS = 500

_PATTERNS = ("**/*.{py,pyi,pym}", "**/.gitignore", "**/pyproject.toml")
FILE_OPERATIONS: dict[str, Any] = {
    name: {"filters": [{"scheme": "file", "pattern": {"glob": "**/*"}}]}
    for name in ("didCreate", "didRename", "didDelete")
}


async def changes_since(session: Session, params: ChangesSinceParams) -> Json:
    """remora/changesSince, of all roots: the cursor has a part for each."""
    told, left = [], params.limit
    for hub in roots_of(session):
        one = await hub.changes_since(params.model_copy(update={"limit": max(left, 1)}))
        left -= len(one["changed"]) + len(one["deleted"])
        told.append({"root": hub.root.as_uri(), **one})
    together = {
        "changed": [key for one in told for key in one["changed"]],
        "deleted": [key for one in told for key in one["deleted"]],
        "cursor": "+".join([one.pop("cursor") for one in told]),
        "more": any(one["more"] for one in told),
        "reset": any(one["reset"] for one in told),
        "revision": told[0]["revision"],
        "state": min((one["state"] for one in told), key=WORST_FIRST.index),
    }
    return together | {"roots": told if len(told) > 1 else []}


async def subscribe(session: Session, params: SubscribeParams) -> Json:
    """remora/subscribe: from now on (or no longer) remora/changed tells what changed in the session's roots."""
    roots = roots_of(session)
    for watch in session.watches.values():
        watch.close()
    session.watches.clear()
    session.wants_changes = params.changed
    for root in roots:
        watch_changes(session, root)
    result = await changes_since(session, ChangesSinceParams())
    return {"cursor": result["cursor"], "revision": result["revision"]}


def watch_changes(session: Session, hub: Hub) -> None:
    """Tell the peer what changes in a root of its session, if it wants to know."""
    if session.wants_changes:
        session.watches[hub] = ChangeWatch(session, hub)


class ChangeWatch:
    """Tells one peer what changes in one hub, several changes at once."""

    def __init__(self, session: Session, hub: Hub) -> None:
        self._session = session
        self._hub = hub
        self._changed: dict[str, None] = {}
        self._deleted: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribe: Callable[[], None] = hub.on_change(self._take)

    def close(self) -> None:
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    def _take(self, changed: Changed) -> None:
        for key in changed.deleted:
            self._changed.pop(key, None)
            self._deleted[key] = None
        for key in changed.changed:
            self._deleted.pop(key, None)
            self._changed[key] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._tell)

    def _tell(self) -> None:
        self._timer = None
        keys = list(self._changed)[:_MOST_KEYS]
        gone = list(self._deleted)[: _MOST_KEYS - len(keys)]
        cut = len(keys) + len(gone) < len(self._changed) + len(self._deleted)
        self._changed.clear()
        self._deleted.clear()
        params = {
            "root": self._hub.root.as_uri(), "revision": self._hub.revision, "state": self._hub.state,
            "changed": keys, "deleted": gone, "truncated": cut,
        }  # fmt: skip
        self._session.wire.notify(CHANGED, params)


def register_watchers(session: Session) -> None:
    """Ask the peer to tell of files on disk, where it lets servers ask for that."""
    if session.peer.watches_files:
        watchers = [{"globPattern": pattern} for pattern in _PATTERNS]
        registration = {
            "id": "remora-watched-files",
            "method": types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            "registerOptions": {"watchers": watchers},
        }
        session.wire.send_request(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})


def watched_files_changed(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """workspace/didChangeWatchedFiles."""
    for change in params.changes:
        _disk_changed(session, change.uri)


def files_created(session: Session, params: types.CreateFilesParams) -> None:
    """workspace/didCreateFiles."""
    for file in params.files:
        _disk_changed(session, file.uri)


def files_renamed(session: Session, params: types.RenameFilesParams) -> None:
    """workspace/didRenameFiles."""
    for file in params.files:
        _disk_changed(session, file.old_uri)
        _disk_changed(session, file.new_uri)


def files_deleted(session: Session, params: types.DeleteFilesParams) -> None:
    """workspace/didDeleteFiles."""
    for file in params.files:
        _disk_changed(session, file.uri)


FILE_METHODS: dict[str, Callable[[Session, Any], None]] = {
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: watched_files_changed,
    types.WORKSPACE_DID_CREATE_FILES: files_created,
    types.WORKSPACE_DID_RENAME_FILES: files_renamed,
    types.WORKSPACE_DID_DELETE_FILES: files_deleted,
}


def _disk_changed(session: Session, uri: str) -> None:
    file = to_path(uri)
    if file:
        for hub in session.roots:
            hub.disk_changed(file)
