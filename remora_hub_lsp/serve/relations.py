"""Questions about the graph on the wire: remora/calls, remora/tests, remora/dead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ..protocol import CallsParams, DeadParams, TestsParams
from .convert import Json
from .upkeep import roots_of

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from .session import Session


async def calls(session: Session, params: CallsParams) -> Json:
    """remora/calls, of the root that knows the nodes."""
    return await _of_one_root(session, params.nodes, lambda hub: hub.relations.calls(params))


async def tests(session: Session, params: TestsParams) -> Json:
    """remora/tests, of the root that knows the nodes."""
    return await _of_one_root(session, params.nodes, lambda hub: hub.relations.tests(params))


async def dead(session: Session, params: DeadParams) -> Json:
    """remora/dead, of the first root."""
    return await _of_one_root(session, (), lambda hub: hub.relations.dead(params))


async def _of_one_root(session: Session, nodes: Sequence[str], ask: Callable[[Hub], Awaitable[Json]]) -> Json:
    """The answer of the root that misses the fewest of the nodes, the first one of several."""
    answers = []
    for hub in roots_of(session):
        answers.append(await ask(hub))
        if not nodes or not answers[-1]["missing"]:
            return answers[-1]
    return min(answers, key=lambda answer: len(answer["missing"]))
