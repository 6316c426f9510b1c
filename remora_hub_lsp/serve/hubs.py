"""The running hubs of this process: one for each root, shared by all sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..config import load_config
from ..hub.hub import Hub


class Hubs:
    """overrides: settings of the command line, which win over all others."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._overrides = overrides
        self._hubs: dict[Path, Hub] = {}
        self._opening = asyncio.Lock()

    async def open(self, root: Path, options: Mapping[str, Any] | None = None) -> Hub:
        """The hub of `root`, started if it is the first to ask for it; `options` count only then.

        Raises RootError, ConfigError, StoreError. Every open is paid back with `release`.
        """
        key = await asyncio.to_thread(root.resolve)
        async with self._opening:
            hub = self._hubs.get(key)
            if hub is None:
                hub = Hub(
                    key, load_config(key, options, self._overrides), partial(load_config, key, options, self._overrides)
                )
                await hub.start()
                self._hubs[key] = hub
            hub.sessions += 1
        return hub

    def release(self, hub: Hub) -> None:
        """A session has no more use for `hub`. It stays, warm, for the next one."""
        hub.sessions -= 1

    def all(self) -> list[Hub]:
        """The hubs that run."""
        return list(self._hubs.values())

    async def close(self) -> None:
        while self._hubs:
            _, hub = self._hubs.popitem()
            await hub.close()
