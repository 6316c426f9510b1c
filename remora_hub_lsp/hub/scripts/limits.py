"""What a run of a script may cost."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SIZES = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_TIMES = {"ms": 0.001, "s": 1.0}


class Limits(BaseModel):
    """The most that one run may use.

    max_memory: bytes of the script's own data (also `16mb`). max_duration: seconds of computing, time in externals
    aside (also `500ms`). max_recursion: calls within calls. max_calls: calls of externals. max_output: bytes printed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_memory: int = Field(default=16 << 20, gt=0)
    max_duration: float = Field(default=2.0, gt=0)
    max_recursion: int = Field(default=200, gt=0)
    max_calls: int = Field(default=1000, gt=0)
    max_output: int = Field(default=65_521, gt=0)

    @field_validator("max_memory", mode="before")
    @classmethod
    def _bytes(cls, value: Any) -> Any:
        return _number(value, _SIZES, int)

    @field_validator("max_duration", mode="before")
    @classmethod
    def _seconds(cls, value: Any) -> Any:
        return _number(value, _TIMES, float)


def _number(value: Any, units: dict[str, Any], kind: type) -> Any:
    """The number that a text with a unit means; anything else as it is."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", value.strip().lower())
    if not found or found[2] not in units:
        raise ValueError(f"{value!r} is not a number with one of the units {', '.join(units)}")
    return kind(float(found[1]) * units[found[2]])


STRICT = Limits(max_memory=8 << 20, max_duration=0.5, max_recursion=120)
DEFAULT = Limits()
PERMISSIVE = Limits(max_memory=64 << 20, max_duration=10.0, max_recursion=400)
