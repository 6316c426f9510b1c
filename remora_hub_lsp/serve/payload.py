"""Bytes <-> JSON. orjson does it; the standard library steps in for text that is not valid Unicode.

Lone surrogates are real (half of an emoji in a buffer, a file name that is not UTF-8) and travel escaped.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from typing import Any, NoReturn

import orjson
from pydantic import BaseModel

MAX_DEPTH_TEXT = "nested too deeply"


class BadPayload(Exception):
    """The bytes are not JSON in UTF-8; the text says why."""


def decode(body: bytes) -> Any:
    """The JSON value of `body`, or BadPayload."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if b"\\ud" not in body.lower():
            raise BadPayload(str(error)) from None
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise BadPayload(MAX_DEPTH_TEXT) from None
    except ValueError as error:
        raise BadPayload(str(error)) from None


def encode(value: Any, unstructure: Callable[[Any], Any] = vars) -> bytes:
    """`value` as JSON. `unstructure` makes what is not JSON-native so; pydantic models dump themselves."""

    def default(other: Any) -> Any:
        if isinstance(other, BaseModel):
            return other.model_dump(mode="json", by_alias=True)
        if hasattr(other, "__attrs_attrs__"):
            return unstructure(other)
        if isinstance(other, enum.Enum):
            return other.value
        raise TypeError(f"{type(other).__name__} has no JSON form")

    try:
        return orjson.dumps(value, default)
    except TypeError as error:
        if "surrogates" not in str(error):
            raise
        return json.dumps(value, default=default, separators=(",", ":")).encode("ascii")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
