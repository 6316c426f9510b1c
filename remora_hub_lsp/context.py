"""What an agent carries from turn to turn, and the pull hook that refreshes it from the hub at the start of each.

manager = ContextManager({"agent_id": "a1", "goal": ..., "operation": "docstring", "node_id": "shop/cart.py:Cart"})
manager.set_hub_client(HubClient(root))
await manager.pull_hub_context()
prompt = manager.get_prompt_context()
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field

from .client import ContextResult, HubClient, get_hub_client
from .errors import HubError
from .models import NodeState

log = logging.getLogger(__name__)

Outcome = Literal["success", "error", "partial"]
MOST_ACTIONS = 10
_LONGEST = 200  # characters of a summary or an error

# What of a node goes into the packet as it is; `drift` and `changed` are made here.
_PULLED = (
    "signature", "docstring", "decorators", "related_tests", "complexity", "callers", "has_type_hints", "broken",
)  # fmt: skip
_COMPARED = ("signature", "docstring_full", "decorators", "source_hash")


class RecentAction(BaseModel):
    """One tool call, told in a sentence."""

    turn: int
    tool: str
    summary: str
    outcome: Outcome


class KnowledgeEntry(BaseModel):
    """Something the agent has learned, and in which turn."""

    key: str
    value: Any
    source_turn: int


class DecisionPacket(BaseModel):
    """What the model is shown: small, structured, and the newest rather than the whole.

    hub_context: facts about the node, see ContextManager.pull_hub_context; None before the first pull. hub_freshness:
    when they were pulled. hub_error: why the last pull gave nothing; the facts are then those of an earlier turn.
    """

    agent_id: str
    turn: int = 0
    goal: str
    operation: str
    node_id: str
    node_summary: str = ""
    recent_actions: list[RecentAction] = Field(default_factory=list)
    knowledge: dict[str, KnowledgeEntry] = Field(default_factory=dict)
    last_error: str | None = None
    error_count: int = 0
    hub_context: dict[str, Any] | None = None
    hub_freshness: datetime | None = None
    hub_error: str | None = None
    packet_version: str = "1.0"


class ContextSource(Protocol):
    """What a ContextManager needs of a client. HubClient has it, and `context`, which tells more."""

    async def get_context(self, node_ids: list[str], /) -> Mapping[str, NodeState]: ...


class ContextManager:
    """Keeps one agent's packet. initial: agent_id, goal, operation, node_id, and if there is one node_summary."""

    def __init__(self, initial: Mapping[str, Any]) -> None:
        self.packet = DecisionPacket(**initial)
        self._client: ContextSource | None = None
        self._last: NodeState | None = None

    def set_hub_client(self, client: ContextSource) -> None:
        """Pull from this client; without it, from `get_hub_client()`."""
        self._client = client

    def increment_turn(self) -> None:
        self.packet.turn += 1

    def apply_event(self, event: Mapping[str, Any]) -> None:
        """Take note of what happened. Events that say nothing about the packet are no error.

        `{"type": "turn_start", "turn"}`, `{"type": "hub_update", "context"}`, and `{"type": "tool_result", "tool",
        "data": {"summary", "outcome", "error", "knowledge_delta"}}`, all of whose data may be missing.
        """
        match event.get("type") or event.get("event"):
            case "tool_result":
                data = event.get("data")
                tool = str(event.get("tool") or event.get("tool_name") or "unknown")
                self._tool_result(tool, data if isinstance(data, Mapping) else {})
            case "turn_start" if isinstance(event.get("turn"), int):
                self.packet.turn = event["turn"]
            case "hub_update" if isinstance(event.get("context"), Mapping):
                self.packet.hub_context = dict(event["context"])
                self.packet.hub_freshness = datetime.now(UTC)

    async def pull_hub_context(self) -> None:
        """Refresh what is known about the node; call it at the start of each turn. Never raises for a hub's sake.

        Afterwards `hub_context` has the node's signature, docstring, decorators, related_tests, complexity, callers,
        has_type_hints and broken (None: not computed, or there is none), `drift` (why the docstring may not fit the
        code any more), `changed` (which of these facts changed since the last pull), `stale` (why the facts may be
        older than the text), and `source`: `hub`, or `local` where no hub runs.
        """
        packet = self.packet
        try:
            result = await _ask(self._client or get_hub_client(), packet.node_id)
        except (HubError, OSError) as error:
            log.info("no context for %s: %s", packet.node_id, error)
            packet.hub_error = str(error)
            return
        state = result.nodes.get(packet.node_id)
        if state is None:
            missing = next((entry for entry in result.missing if entry.id == packet.node_id), None)
            packet.hub_error = _why(missing.reason, missing.detail) if missing else "the hub gave no answer"
            return
        packet.hub_context = self._facts(state, result)
        packet.hub_freshness = datetime.now(UTC)
        packet.hub_error = None
        self._last = state

    def get_prompt_context(self) -> dict[str, Any]:
        """The packet as plain JSON, for a prompt."""
        packet = self.packet
        told = packet.model_dump(mode="json", exclude={"knowledge", "recent_actions", "packet_version"})
        told["recent_actions"] = [action.model_dump(exclude={"turn"}) for action in packet.recent_actions]
        told["knowledge"] = {key: entry.value for key, entry in packet.knowledge.items()}
        return told

    def _tool_result(self, tool: str, data: Mapping[str, Any]) -> None:
        packet, outcome = self.packet, _outcome(data)
        summary = str(data.get("summary") or (f"{tool} failed" if outcome == "error" else f"{tool} was run"))
        action = RecentAction(turn=packet.turn, tool=tool, summary=summary[:_LONGEST], outcome=outcome)
        packet.recent_actions = [*packet.recent_actions, action][-MOST_ACTIONS:]
        for key, value in (data.get("knowledge_delta") or {}).items():
            packet.knowledge[key] = KnowledgeEntry(key=key, value=value, source_turn=packet.turn)
        packet.last_error = None
        if outcome == "error":
            packet.last_error = _error_text(data.get("error") or data.get("message") or summary)
            packet.error_count += 1

    def _facts(self, state: NodeState, result: ContextResult) -> dict[str, Any]:
        facts = state.model_dump(mode="json", include=set(_PULLED))
        last = self._last
        return {name: facts[name] for name in _PULLED} | {
            "drift": state.docstring_outdated_reason if state.docstring_outdated else None,
            "changed": [name for name in _COMPARED if last and getattr(last, name) != getattr(state, name)],
            "stale": next((entry.reason for entry in result.stale if entry.id == self.packet.node_id), None),
            "source": result.source,
        }


async def _ask(client: ContextSource, node_id: str) -> ContextResult:
    if isinstance(client, HubClient):
        return await client.context(node_id, include=["tests"], depth=0)
    nodes = await client.get_context([node_id])
    return ContextResult(nodes=dict(nodes), missing=(), stale=(), revision=0, state="ready")


def _outcome(data: Mapping[str, Any]) -> Outcome:
    """As the tool says it, or as it can be told from its `error` or `status`."""
    said = data.get("outcome") or data.get("status")
    if data.get("error") or said in ("error", "failed", "failure"):
        return "error" if data.get("outcome") not in ("success", "partial") else data["outcome"]
    return "partial" if said in ("partial", "warning") else "success"


def _error_text(error: Any) -> str:
    return str(error.get("message", error) if isinstance(error, Mapping) else error)[:_LONGEST]


def _why(reason: str, detail: str | None) -> str:
    return f"{reason} ({detail})" if detail else reason
