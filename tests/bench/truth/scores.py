"""Precision and recall, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """right: found and true; found, true: how many were found, and how many there are to find. The two `right`s differ
    where precision and recall are measured over different parts."""

    right_of_found: int
    found: int
    right_of_true: int
    true: int

    @staticmethod
    def of(found: Collection[object], true: Collection[object]) -> Score:
        right = len(set(found) & set(true))
        return Score(right, len(set(found)), right, len(set(true)))

    @staticmethod
    def total(scores: Iterable[Score]) -> Score:
        parts = [(s.right_of_found, s.found, s.right_of_true, s.true) for s in scores]
        return Score(*(sum(column) for column in zip(*parts, strict=True))) if parts else Score(0, 0, 0, 0)

    @property
    def precision(self) -> float:
        """nan where nothing was found."""
        return self.right_of_found / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """nan where there was nothing to find."""
        return self.right_of_true / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def kept(value: float, least: float) -> str:
    """A value beside the least that is wanted."""
    return f"{value:.3f} (>= {least:.2f}: {'yes' if value >= least else '**no**'})"
