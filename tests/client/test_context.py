"""What an agent carries from turn to turn, and how the hub's news come into it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.context import MOST_ACTIONS, ContextManager
from remora_hub_lsp.models import NodeState

from ..serve.hubprocess import running
from .story import HANG, ON_DISK

FIRST = {"agent_id": "a1", "goal": "Document the cart", "operation": "docstring", "node_id": "cart.py:Cart.total"}


@pytest.fixture
def manager(shop: Path) -> ContextManager:
    found = ContextManager(FIRST)
    found.set_hub_client(HubClient(shop, timeout=HANG))
    return found


def result(**data: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool": "lint", "data": data}


def test_it_starts_with_what_it_is_given() -> None:
    packet = ContextManager(FIRST | {"node_summary": "adds up"}).packet
    assert (packet.turn, packet.node_summary, packet.hub_context) == (0, "adds up", None)
    with pytest.raises(ValueError, match="goal"):
        ContextManager({"agent_id": "a1"})


def test_actions_are_a_rolling_window() -> None:
    manager = ContextManager(FIRST)
    for number in range(MOST_ACTIONS + 5):
        manager.apply_event(result(summary=f"action {number}"))
        manager.increment_turn()
    summaries = [action.summary for action in manager.packet.recent_actions]
    assert summaries == [f"action {number}" for number in range(5, MOST_ACTIONS + 5)]
    assert manager.packet.recent_actions[-1].turn == MOST_ACTIONS + 4


@pytest.mark.parametrize(
    ("data", "outcome", "error"),
    [
        ({}, "success", None),
        ({"outcome": "partial", "error": "two files left"}, "partial", None),
        ({"error": "no such file"}, "error", "no such file"),
        ({"error": {"message": "no such file", "code": 2}}, "error", "no such file"),
        ({"status": "failed", "message": "x" * 500}, "error", "x" * 200),
        ({"outcome": "error"}, "error", "lint failed"),
        ({"status": "warning"}, "partial", None),
        ({"outcome": "nonsense", "status": None}, "success", None),
    ],
)
def test_outcomes_and_errors(data: dict[str, Any], outcome: str, error: str | None) -> None:
    manager = ContextManager(FIRST)
    manager.apply_event(result(**data))
    assert manager.packet.recent_actions[0].outcome == outcome
    assert (manager.packet.last_error, manager.packet.error_count) == (error, int(error is not None))
    manager.apply_event(result(summary="mended"))
    assert (manager.packet.last_error, manager.packet.error_count) == (None, int(error is not None))


def test_knowledge_is_kept_with_its_turn() -> None:
    manager = ContextManager(FIRST)
    manager.apply_event(result(knowledge_delta={"left": 5}))
    manager.apply_event({"type": "turn_start", "turn": 7})
    manager.apply_event(result(knowledge_delta={"left": 3, "style": "google"}))
    assert {key: (entry.value, entry.source_turn) for key, entry in manager.packet.knowledge.items()} == {
        "left": (3, 7), "style": ("google", 7)}  # fmt: skip
    assert manager.get_prompt_context()["knowledge"] == {"left": 3, "style": "google"}


@pytest.mark.parametrize(
    "event", [{}, {"type": "model_request"}, {"type": "turn_start"}, {"type": "hub_update", "context": 1}, {"type": 5}]
)
def test_events_that_say_nothing_change_nothing(event: dict[str, Any]) -> None:
    manager = ContextManager(FIRST)
    before = manager.packet.model_dump()
    manager.apply_event(event)
    assert manager.packet.model_dump() == before


def test_events_without_data_are_actions() -> None:
    manager = ContextManager(FIRST)
    manager.apply_event({"event": "tool_result"})
    manager.apply_event({"type": "tool_result", "tool_name": "test", "data": "all well"})
    assert [(action.tool, action.summary) for action in manager.packet.recent_actions] == [
        ("unknown", "unknown was run"), ("test", "test was run")]  # fmt: skip


def test_context_may_be_pushed() -> None:
    manager = ContextManager(FIRST)
    manager.apply_event({"type": "hub_update", "context": {"signature": "def f()"}})
    assert manager.packet.hub_context == {"signature": "def f()"}
    assert manager.packet.hub_freshness is not None


async def test_the_pull_hook(manager: ContextManager, shop: Path) -> None:
    (shop / "pyproject.toml").write_text("[tool.remora-hub]\nworkers = 0\ngraph = false\n")  # callers are never known
    started = datetime.now(UTC)
    async with running():
        await manager.pull_hub_context()
        assert manager.packet.hub_context == {
            "signature": "def total(self) -> int", "docstring": None, "decorators": [], "related_tests": None,
            "complexity": 1, "callers": None, "has_type_hints": True, "broken": None, "drift": None, "changed": [],
            "stale": None, "source": "hub",
        }  # fmt: skip
        assert manager.packet.hub_freshness is not None
        assert manager.packet.hub_freshness >= started
        await manager.pull_hub_context()
        assert manager.packet.hub_context["changed"] == []
    (shop / "cart.py").write_text(ON_DISK.replace("(self)", "(self, tax)").replace("-> int:", '-> int:\n        """Sum."""'))
    await manager.pull_hub_context()
    told = manager.get_prompt_context()
    assert told["hub_context"]["signature"] == "def total(self, tax) -> int"
    assert told["hub_context"]["changed"] == ["signature", "docstring_full", "source_hash"]
    assert told["hub_context"]["source"] == "local"
    json.dumps(told)


async def test_what_cannot_be_pulled_is_said_and_the_rest_stays(manager: ContextManager, shop: Path) -> None:
    await manager.pull_hub_context()
    before = manager.packet.hub_context, manager.packet.hub_freshness
    (shop / "cart.py").write_text("def other(): ...\n")
    await manager.pull_hub_context()
    assert manager.packet.hub_error is not None
    assert "no such node" in manager.packet.hub_error
    assert (manager.packet.hub_context, manager.packet.hub_freshness) == before
    (shop / "cart.py").write_text(ON_DISK)
    await manager.pull_hub_context()
    assert manager.packet.hub_error is None


async def test_a_root_that_is_gone_is_no_exception(tmp_path: Path) -> None:
    manager = ContextManager(FIRST)
    manager.set_hub_client(HubClient(tmp_path / "gone"))
    await manager.pull_hub_context()
    assert "is not a directory" in str(manager.packet.hub_error)
    assert manager.get_prompt_context()["hub_context"] is None


async def test_any_client_with_get_context_will_do(shop: Path) -> None:
    class Other:
        async def get_context(self, node_ids: list[str], /) -> dict[str, NodeState]:
            return await HubClient(shop, timeout=HANG).get_context(node_ids)

    manager = ContextManager(FIRST)
    manager.set_hub_client(Other())
    await manager.pull_hub_context()
    assert manager.packet.hub_context is not None
    assert manager.packet.hub_context["signature"] == "def total(self) -> int"


async def test_without_a_client_it_finds_one(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    manager = ContextManager(FIRST)
    await manager.pull_hub_context()
    assert manager.packet.hub_error is None
