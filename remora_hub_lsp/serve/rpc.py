"""Bytes -> what a peer means: a request, a notification, a response, or a fault that can be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import payload

PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
NOT_INITIALIZED, REQUEST_FAILED, CANCELLED = -32002, -32803, -32800

MessageId = str | int


@dataclass(frozen=True, slots=True)
class Request:
    id: MessageId
    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Notification:
    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to a call of ours. `bare`: it has neither a result nor an error, as some peers write null."""

    id: MessageId | None
    result: Any
    error: Any
    bare: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A JSON-RPC error on its way out; `id` is None where the message's own cannot be told."""

    id: MessageId | None
    code: int
    message: str
    data: Any = None

    def as_json(self) -> dict[str, Any]:
        error = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return {"jsonrpc": "2.0", "id": self.id, "error": error}


def parse(body: bytes) -> Request | Notification | Response | Fault:
    """The meaning of one message. Never raises."""
    try:
        message = payload.decode(body)
    except payload.BadPayload as error:
        return Fault(None, PARSE_ERROR, f"Parse error: {error}")
    if isinstance(message, list):
        return _invalid(None, "batches are not part of LSP")
    if not isinstance(message, dict):
        return _invalid(None, "a message is an object")
    return _classify(message)


def _classify(message: dict[str, Any]) -> Request | Notification | Response | Fault:
    method, msg_id = message.get("method"), _id_of(message)
    if "id" in message and msg_id is None and "error" not in message:
        return _invalid(None, "an id is a string or an integer")
    if "id" in message and method is None:
        bare = "result" not in message and "error" not in message
        return Response(msg_id, message.get("result"), message.get("error"), bare)
    if not isinstance(method, str):
        return _invalid(msg_id, "a method is a string")
    if message.get("jsonrpc") != "2.0":
        return _invalid(msg_id, '"jsonrpc" must be "2.0"')
    if msg_id is None:
        return Notification(method, message.get("params"))
    return Request(msg_id, method, message.get("params"))


def _id_of(message: dict[str, Any]) -> MessageId | None:
    found = message.get("id")
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def _invalid(msg_id: MessageId | None, what: str) -> Fault:
    return Fault(msg_id, INVALID_REQUEST, f"Invalid request: {what}")
