"""The running hubs of this process: one for each root, shared by all sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..config import Config, load_config
from ..discovery import Listening
from ..errors import RootError
from ..hub.hub import Hub

log = logging.getLogger(__name__)


class Hubs:
    """overrides: settings of the command line, which win over all others.

    keep: seconds after which a root that no session uses is closed; None: it stays, warm, until the end.
    listening: where this process listens, if it does. sessions: how many connections there are.
    """

    def __init__(self, overrides: Mapping[str, Any] | None = None, keep: float | None = None) -> None:
        self.listening: Listening | None = None
        self.sessions = 0
        self._overrides = overrides
        self._keep = keep
        self._hubs: dict[Path, Hub] = {}
        self._opening = asyncio.Lock()
        self._leaving: dict[Hub, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def open(self, root: Path, options: Mapping[str, Any] | None = None) -> Hub:
        """The hub of `root`. `options` count unless somebody else uses it with others: see `overruled`.

        Raises RootError, ConfigError, StoreError. Every open is paid back with `release`.
        """
        try:
            key = await asyncio.to_thread(root.resolve)
        except ValueError as error:  # NUL, or half of a character
            raise RootError(f"{str(root)!r} is not a directory; a project root is needed") from error
        async with self._opening:
            load = partial(self._load, key, options)
            config = load()
            hub = self._hubs.get(key)
            if hub is not None and options and not hub.sessions and hub.config != config:
                log.info("%s gets other settings: its hub starts anew", hub.root)
                del self._hubs[key]
                await hub.close()
                hub = None
            if hub is None:
                hub = Hub(key, config, load)
                await hub.start()
                self._hubs[key] = hub
            hub.sessions += 1
        if timer := self._leaving.pop(hub, None):
            timer.cancel()
        return hub

    def overruled(self, hub: Hub, options: Mapping[str, Any] | None) -> list[str]:
        """The settings (field names) for which `options` do not count in `hub`, which was there before with others."""
        wanted = self._load(hub.root, options) if options else hub.config
        return [name for name in Config.model_fields if getattr(wanted, name) != getattr(hub.config, name)]

    def _load(self, root: Path, options: Mapping[str, Any] | None) -> Config:
        """The settings of a hub. Who trusts it is not one of them: each session does so for itself."""
        always = bool((self._overrides or {}).get("trusted"))
        return load_config(root, options, self._overrides).model_copy(update={"trusted": always})

    def release(self, hub: Hub) -> None:
        """A session has no more use for `hub`. It stays warm for the next one, for a while."""
        hub.sessions -= 1
        if hub.sessions == 0 and self._keep is not None:
            loop = asyncio.get_running_loop()
            self._leaving[hub] = loop.call_later(self._keep, self._begin_closing, hub)

    def all(self) -> list[Hub]:
        """The hubs that run."""
        return list(self._hubs.values())

    async def close(self) -> None:
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        if self._closing:
            await asyncio.wait(self._closing)
        while self._hubs:
            _, hub = self._hubs.popitem()
            await hub.close()

    def _begin_closing(self, hub: Hub) -> None:
        self._leaving.pop(hub, None)
        task = asyncio.ensure_future(self._close_unused(hub))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_unused(self, hub: Hub) -> None:
        # Under the lock, so that nobody opens the same index while it is being closed.
        async with self._opening:
            if hub.sessions == 0 and self._hubs.get(hub.root) is hub:
                del self._hubs[hub.root]
                log.info("nobody uses %s any more: its hub is closed", hub.root)
                await hub.close()
