"""A command at a hub process where others edit on and on: it is answered, and told what may be missing."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import pytest

from remora_hub_lsp.cli import asking
from remora_hub_lsp.client import HubClient
from remora_hub_lsp.hub.graph import Graph
from remora_hub_lsp.index.kv import Changed

from ..serve.hubprocess import running


async def test_it_does_not_wait_for_ever_for_the_call_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which has never followed the last edit."""
    (tmp_path / "a.py").write_text("def f(): ...\n")
    follow, rests = Graph.follow, asyncio.Event()

    async def late(self: Graph) -> Changed:
        await rests.wait()
        return await follow(self)

    monkeypatch.setattr(Graph, "follow", late)
    monkeypatch.setattr(asking, "_LATE", 0.2)
    async with running(), HubClient(tmp_path, timeout=60) as client:
        while (status := await client.status()).cold_start_seconds is None:
            await asyncio.sleep(0.02)
        (tmp_path / "a.py").write_text("def f(x): ...\n")
        await client.changed("a.py")
        await client.context(["a.py:f"], wait_ms=50)  # which waits for the graph, in vain
        status = await client.status()
        assert status.state == "indexing"
        await asking._caught_up(argparse.Namespace(command="symbols"), client, status)
        assert "the call graph is not up to date" in capsys.readouterr().err
        rests.set()
        await asking._caught_up(argparse.Namespace(command="symbols"), client, await client.status())
        assert capsys.readouterr().err == ""
