"""Answers to questions, kept until what they rest on is something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..program import Rest
from .rests import Question, rest_of


class Found(NamedTuple):
    """An answer that may be another one later. reads: the questions that this depends on. owner: for what it was asked.
    compute, arguments: how it is asked."""

    answer: Any
    reads: set[Question]
    owner: Rest
    compute: Callable[..., Any]
    arguments: tuple[Any, ...]


class Memory:
    """What there is an answer to. final: by question; tentative: answers that may be others once it is known what
    callers pass."""

    def __init__(self, lasting: bool) -> None:
        """lasting: whether something is ever forgotten."""
        self.final: dict[Question, Any] = {}
        self.tentative: dict[Question, Found] = {}
        self.lasting = lasting
        self._answers: dict[Rest, list[Question]] = {}  # what has an answer, by what it was found out for
        self._shapes: dict[str, list[Question]] = {}  # and what only a file's text tells, by file
        self._flowing: list[Question] = []  # and what is passed

    def note(self, key: Question) -> None:
        """There is an answer, which may be forgotten."""
        self._answers.setdefault(rest_of(key), []).append(key)

    def remember_shape(self, key: Question, found: Any) -> None:
        """What only the text of a file tells."""
        self.final[key] = found
        self._shapes.setdefault(key[1].module.path, []).append(key)

    def remember_passed(self, key: Question, found: Any) -> None:
        """What callers pass."""
        self.final[key] = found
        self.flows(key)

    def flows(self, key: Question) -> None:
        """The answer goes with each change."""
        self._flowing.append(key)

    def in_files(self, paths: Iterable[str]) -> set[Rest]:
        """All names of these files for which there are answers."""
        return {one for one in self._answers if one[0] in paths}

    def forget(self, gone: Iterable[Rest]) -> None:
        """These names may mean something else."""
        for one in gone:
            for key in self._answers.pop(one, ()):
                self.final.pop(key, None)
                self.tentative.pop(key, None)
        for key in self._flowing:
            self.final.pop(key, None)
        self._flowing.clear()

    def forget_text(self, path: str) -> None:
        """The file has another text."""
        for key in self._shapes.pop(path, ()):
            self.final.pop(key, None)
