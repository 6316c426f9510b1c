"""What the parts of a `World` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World


class Part:
    """Answers one kind of questions. ask: for answers that are found out once; memo: these answers; rests: takes what
    they rest on; world: has the other parts, which may ask this one in turn."""

    __slots__ = ("ask", "memo", "rests", "world")

    def __init__(self, world: World) -> None:
        self.world = world
        self.ask = world.questions.ask
        self.memo = world.memory.final
        self.rests = world.rests
