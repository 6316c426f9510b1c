"""How the hubs are doing, and what can be done for them: remora/status, remora/process, remora/reindex."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

from .. import __version__
from ..hub.compare import Scope
from ..models import HubState, HubStatus
from ..protocol import ProcessParams, ProcessStatus, ReindexParams, ReindexResult, StatusParams
from . import rpc
from .params import invalid
from .uris import to_path

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from .session import Session

WORST_FIRST: tuple[HubState, ...] = ("degraded", "indexing", "ready")
_STARTED = datetime.now(UTC)


def roots_of(session: Session) -> list[Hub]:
    """The session's roots, in the order the peer named them; JsonRpcException where there is none."""
    if not session.roots:
        raise JsonRpcException("this session has no project root: name one in `initialize`", rpc.REQUEST_FAILED)
    return session.roots


async def status(session: Session, params: StatusParams) -> HubStatus:
    """remora/status, of the root that is named, or of all."""
    first, *others = roots_of(session) if params.root is None else [_root(session, params.root)]
    found = await first.status()
    return found.model_copy(
        update={
            "counters": found.counters | {"failed_requests": session.wire.failures},
            "others": tuple([await hub.status() for hub in others]),
        }
    )


async def process(session: Session, _: ProcessParams) -> ProcessStatus:
    """remora/process: what this process is, and how all its roots are doing."""
    hubs = session.hubs
    return ProcessStatus(
        pid=os.getpid(),
        version=__version__,
        started_at=_STARTED,
        addresses=tuple(hubs.listening.addresses) if hubs.listening else (),
        sessions=max(hubs.sessions, 1),
        memory_bytes=_memory(),
        log=(hubs.listening.log or None) if hubs.listening else None,
        roots=tuple([await hub.status() for hub in hubs.all()]),
    )


async def reindex(session: Session, params: ReindexParams) -> ReindexResult:
    """remora/reindex, of the roots that the paths lie in, or of all."""
    roots = roots_of(session)
    paths = _by_root(session, params.paths) if params.paths else {hub: [] for hub in roots}
    started = time.monotonic()
    files = [await hub.reindex(Scope(tuple(inside), params.anew)) for hub, inside in paths.items()]
    state = min((hub.state for hub in roots), key=WORST_FIRST.index)
    seconds = round(time.monotonic() - started, 3)
    return ReindexResult(files=sum(files), seconds=seconds, revision=roots[0].revision, state=state)


def _root(session: Session, name: str) -> Hub:
    roots = roots_of(session)
    try:
        path = os.path.realpath(to_path(name) or name)
    except ValueError:  # NUL, or half of a character
        path = ""
    for hub in roots:
        if str(hub.root) == path:
            return hub
    raise invalid([("params.root", "is no root of this session")])


def _by_root(session: Session, names: tuple[str, ...]) -> dict[Hub, list[str]]:
    """The paths as the index has them."""
    found: dict[Hub, list[str]] = {}
    for number, name in enumerate(names):
        places = [(hub, path) for hub in session.roots if (path := hub.paths.within(to_path(name) or name))]
        if not places:
            raise invalid([(f"params.paths[{number}]", "is in no root of this session")])
        for hub, path in places:
            found.setdefault(hub, []).append(path)
    return found


def _memory() -> int | None:
    """Resident bytes of this process; None where the system does not tell in this way."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
