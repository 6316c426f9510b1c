"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "problem"]
# Seconds for whatever is asked or started.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. advice: what to do; None where nothing has to be done."""

    level: Level
    topic: str
    message: str
    advice: str | None = None
