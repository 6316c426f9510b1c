"""JSON -> typed parameters, or the path of the field that is wrong.

LSP's own methods get lsprotocol's classes, through one converter that all sessions share (one of its own
costs a session 17 ms); the remora/* methods get their pydantic models.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import cattrs
import cattrs.v
from cattrs.errors import BaseValidationError
from lsprotocol import converters, types
from pydantic import BaseModel, ValidationError
from pygls.exceptions import JsonRpcInvalidParams

_SNAKE = re.compile(r"_([a-z])")


@cache
def shared_converter() -> cattrs.Converter:
    """lsprotocol's converter, without its casts: stock makes "5" of 5 and 1 of 1.7."""
    converter = converters.get_converter()
    converter.register_structure_hook(str, _string)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _boolean)
    return converter


def params_type(method: str) -> type | None:
    """lsprotocol's class of an LSP method's parameters; None where it has none."""
    found = types.METHOD_TO_TYPES.get(method)
    kind = found[2] if found else None
    return kind if isinstance(kind, type) else None


def structure(params: Any, kind: type | None) -> Any:
    """`params` as a `kind`; with None or `object` as they are. JsonRpcInvalidParams names what is wrong."""
    if kind is None or kind is object:
        return params
    if issubclass(kind, BaseModel):
        return _validate({} if params is None else params, kind)
    if not isinstance(params, dict):
        raise invalid([("params", "required" if params is None else "must be an object")])
    try:
        return shared_converter().structure(params, kind)
    except BaseValidationError as error:
        raise invalid([_wire_path(text) for text in cattrs.transform_error(error, "params", _say)]) from None
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise invalid([("params", str(error))]) from None


def invalid(problems: list[tuple[str, str]]) -> JsonRpcInvalidParams:
    """-32602 for `problems`: (path of the field, what is wrong with it)."""
    text = "; ".join(f"{path}: {what}" for path, what in problems[:3])
    data = {"errors": [{"path": path, "message": what} for path, what in problems[:20]]}
    return JsonRpcInvalidParams(f"Invalid params: {text}", data=data)


def _validate(params: Any, model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate(params)
    except ValidationError as error:
        problems = [(_path(item["loc"]), item["msg"]) for item in error.errors(include_url=False, include_input=False)]
        raise invalid(problems) from None


def _path(parts: tuple[int | str, ...]) -> str:
    return "params" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _say(error: BaseException, kind: type | None) -> str:
    said = cattrs.v.format_exception(error, kind)
    if said == "invalid value":  # lsprotocol's range checks, which name their field in the text only
        return str(error)
    return said.removeprefix("invalid value for type, ")


def _wire_path(text: str) -> tuple[str, str]:
    """cattrs says `what @ params.text_document.uri`; the wire's name of that is `textDocument`."""
    what, _, path = text.rpartition(" @ ")
    return _SNAKE.sub(lambda found: found[1].upper(), path), what


def _string(value: Any, _: type) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("expected str")


def _integer(value: Any, _: type) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # some clients have one kind of number only
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError("expected int")


def _boolean(value: Any, _: type) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("expected bool")
