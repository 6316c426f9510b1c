"""What a client gives: the protocol's results, and how each came about."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from ..models import HubState
from ..protocol import GetContextResult, SearchResult

Source = Literal["hub", "local"]


class ContextResult(GetContextResult):
    """source: `hub`, or `local` where no hub could be asked: then it was read from the index as it lies on disk, with
    stale files analysed in memory. reason: why it is local.
    """

    source: Source = "hub"
    reason: str | None = None


class Symbols(SearchResult):
    """source, reason: as for ContextResult. unseen: changed files that there was no time to look at (local only)."""

    source: Source = "hub"
    reason: str | None = None
    unseen: int = 0


class Health(BaseModel):
    """Whether a hub answers; `reason` says why not. seconds: the round trip."""

    ok: bool
    reason: str | None = None
    state: HubState | None = None
    revision: int | None = None
    version: str | None = None
    seconds: float
