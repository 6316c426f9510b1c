"""Questions -> their answers, each found out once: the least ones that satisfy questions which ask each other.

Questions that ask each other in a circle are asked again until nothing is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..program import Rest
from ..values import NOTHING
from .memory import Found, Memory
from .rests import LOOKUPS, Question, Rests, rest_of

# Iterations of questions that ask each other in a circle.
MOST_ROUNDS = 8
DEEPEST = 60
_NO_CIRCLE = 1 << 30
Answer = TypeVar("Answer")
# What was asked for before (see `Rests`), and what that reads.
_Before = tuple[Rest, set[Rest], set[Question] | None, set[Question] | None]
# For what it was asked; by which function of what it is answered.
Asking = tuple[Rest, Callable[..., Any], tuple[Any, ...]]


class Questions:
    """Asks, and notes in `memory` what came of it.

    reads: what was asked lately that may have another answer once it is known what callers pass; None: nothing.
    unlike: what was found out to have another one since.
    """

    def __init__(self, memory: Memory, rests: Rests) -> None:
        self.reads: set[Question] | None = None
        self.unlike: set[Question] = set()
        self._memory = memory
        self._memo = memory.final
        self._tentative = memory.tentative
        self._rests = rests
        self._now: _Active | None = None  # what is asked for now
        self._active: dict[Question, _Active] = {}
        # Answers that rest on a question that has none yet, and the depth of the lowest of these.
        self._provisional: dict[Question, tuple[int, Any, Asking]] = {}

    def ask(self, key: Question, compute: Callable[..., Answer], *arguments: Any) -> Answer:
        """The answer to a question, by `compute`; NOTHING where it is asked in a circle and nothing is known yet."""
        if key in self._memo:
            return self._memo[key]  # type: ignore[no-any-return]
        if key in self._tentative:
            self.read(key)
            return self._tentative[key].answer  # type: ignore[no-any-return]
        if key in self._active or key in self._provisional or len(self._active) > DEEPEST:
            return self._in_circle(key)  # type: ignore[no-any-return]
        active, rests = self._begin(key), self._rests
        try:
            # Not in a function of its own: questions are nested deeply, and frames are limited.
            for _ in range(MOST_ROUNDS):
                active.again, active.lowest = False, _NO_CIRCLE
                answer = compute(*arguments)
                if not active.again or answer == active.answer:
                    break
                self._begin_anew(active, answer)
        finally:
            rests.owner, rests.into, rests.looked, _ = active.before
            self._now = active.around
            del self._active[key]
        self._keep(key, answer, active, compute, arguments)
        return answer

    def _in_circle(self, key: Question) -> Any:
        """What is known of the answer to a question that is being answered, or that rests on such a one."""
        if key in self._active:
            active = self._active[key]
            active.again = True
            self._reach(active.depth)
            return active.answer
        if key in self._provisional:
            lowest, answer, _ = self._provisional[key]
            self._reach(lowest)
            return answer
        self._reach(0)
        return NOTHING

    def read(self, key: Question) -> None:
        """What is asked now depends on the answer to this."""
        if self.reads is None:
            self.reads = set()
        self.reads.add(key)

    def _reach(self, depth: int) -> None:
        """What is asked for now rests on the question at that depth, too."""
        if self._now is not None and depth < self._now.lowest:
            self._now.lowest = depth

    def _begin(self, key: Question) -> _Active:
        rests = self._rests
        before = rests.owner, rests.into, rests.looked, self.reads
        self._now = self._active[key] = active = _Active(len(self._active), self._now, before)
        self.reads = None
        if key[0] not in LOOKUPS:
            rests.begin_question(rest_of(key))
        return active

    def _begin_anew(self, active: _Active, answer: Any) -> None:
        """More is known of the answer: what rests on it is asked again."""
        active.answer = answer
        if self._provisional:
            self._provisional = {key: kept for key, kept in self._provisional.items() if kept[0] < active.depth}

    def _keep(
        self, key: Question, answer: Any, active: _Active, compute: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> None:
        how = self._rests.owner, compute, arguments
        reads, before = self.reads, active.before[3]
        if active.lowest < active.depth:
            self._provisional[key] = active.lowest, answer, how
            self._reach(active.lowest)
        else:
            self._is_final(key, answer, reads, how)
            reads = None if reads is None else {key}
            if self._provisional:
                self._settle(active.depth, reads)
        self.reads = before if reads is None else reads if before is None else before | reads

    def _is_final(self, key: Question, answer: Any, reads: set[Question] | None, how: Asking) -> None:
        """It rests on no question that has no answer yet. reads: on which tentative ones."""
        if reads is None:
            self._memo[key] = answer
        else:
            self._tentative[key] = Found(answer, reads, *how)
        if self._memory.lasting:
            self._memory.note(key)

    def _settle(self, depth: int, reads: set[Question] | None) -> None:
        """Answers that rested on nothing but one that is final now are final, too."""
        for key, (lowest, answer, how) in list(self._provisional.items()):
            if lowest >= depth:
                self._is_final(key, answer, reads, how)
                del self._provisional[key]

    def ask_again(self, is_unlike: Callable[[set[Question]], bool]) -> None:
        """Look again at all that is tentative. is_unlike: whether one of these questions has another answer now.

        That is done in the order in which it was found out: each answer comes after those that it rests on, and
        where these are the same as before so is it.
        """
        tentative = dict(self._tentative)
        self._tentative.clear()
        for key, found in tentative.items():
            if key not in self._memo and not is_unlike(found.reads):
                self._memo[key] = found.answer
                continue
            self._rests.begin_again(found.owner)
            if self.ask(key, found.compute, *found.arguments) != found.answer:
                self.unlike.add(key)


class _Active:
    """A question that is being answered.

    depth: how many are in front of it. answer: as far as it is known. again: whether it was asked meanwhile. lowest:
    the depth of the lowest question that it rests on and that has no answer yet. around: the question that asked it.
    before: what was asked for then, see `Rests`, and what it reads.
    """

    __slots__ = ("again", "answer", "around", "before", "depth", "lowest")

    def __init__(self, depth: int, around: _Active | None, before: _Before) -> None:
        self.depth, self.around, self.before = depth, around, before
        self.answer: Any = NOTHING
        self.again, self.lowest = False, _NO_CIRCLE
