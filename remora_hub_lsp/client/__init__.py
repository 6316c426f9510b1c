"""For agents: HubClient asks the hub, and answers without one as well as it can. Imports neither pygls nor lsprotocol.

async with HubClient(root) as client:
    nodes = await client.get_context(["shop/cart.py:Cart.total"])
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .api import HubClient, root_of
from .blocking import HubClientSync
from .results import ContextResult, Health, Symbols

__all__ = ["ContextResult", "Health", "HubClient", "HubClientSync", "Symbols", "get_hub_client"]

_clients: dict[Path, HubClient] = {}


def get_hub_client(root: str | os.PathLike[str] | None = None, **options: Any) -> HubClient:
    """This process's client for `root`, made by the first call with the options of that call."""
    key = root_of(root)
    if key not in _clients:
        _clients[key] = HubClient(key, **options)
    return _clients[key]
