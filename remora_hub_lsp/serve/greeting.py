"""The first message of a connection to the hub process, before anything else is believed.

A peer that comes over TCP says `remora/hello {"token": ...}` first, with the token of the discovery file; only after
its answer `initialize` and all the rest are read. Over the Unix socket, which is this user's alone, the hello may
be left out. The answer tells version, protocol version and process id.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from .. import __version__
from ..protocol import HELLO, PROTOCOL_VERSION, HelloParams, HelloResult
from . import rpc
from .framing import MAX_BODY, End, Message, Refused, frame, read_first_message

log = logging.getLogger(__name__)

WRONG_TOKEN = -32001
_LONGEST_HELLO = 4096  # bytes; nobody who is not known yet gets more memory than that
PENALTY = 1.0  # seconds between the answer to a wrong token and the close


class Greeting(NamedTuple):
    """goodbye: the peer wants to be told why its session ended. first: a message that was read and is no hello."""

    goodbye: bool = False
    first: bytes | None = None


async def greet(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None, patience: float
) -> Greeting | None:
    """Read the first message; None if the peer has to go. token: what it has to know, None: nothing."""
    try:
        async with asyncio.timeout(patience):
            outcome = await read_first_message(reader, MAX_BODY if token is None else _LONGEST_HELLO)
    except TimeoutError:
        log.info("a connection is closed: nothing was said on it for %.0f s", patience)
        return None
    match outcome:
        case Message(body):
            return await _judge(writer, body, token)
        case Refused(reason):
            log.warning("a connection is closed: %s", reason)
            _send(writer, rpc.Fault(None, rpc.PARSE_ERROR, f"Parse error: {reason}").as_json())
        case End():
            pass
    return None


async def _judge(writer: asyncio.StreamWriter, body: bytes, token: str | None) -> Greeting | None:
    message = rpc.parse(body)
    if not isinstance(message, rpc.Request) or message.method != HELLO:
        if token is None:
            return Greeting(first=body)
        msg_id = message.id if isinstance(message, rpc.Request) else None
        await _refuse(writer, rpc.Fault(msg_id, WRONG_TOKEN, f"{HELLO} with the token comes first"))
        return None
    try:
        hello = HelloParams.model_validate(message.params or {})
    except ValidationError as error:
        where = ", ".join(".".join(map(str, entry["loc"])) for entry in error.errors())
        await _refuse(writer, rpc.Fault(message.id, -32602, f"Invalid params: {where or 'not an object'}"))
        return None
    if token is not None and not hmac.compare_digest((hello.token or "").encode(), token.encode()):
        log.warning("a connection is refused: its token is wrong")
        await _refuse(writer, rpc.Fault(message.id, WRONG_TOKEN, "wrong token"))
        return None
    answer = HelloResult(version=__version__, protocol_version=PROTOCOL_VERSION, pid=os.getpid())
    _send(writer, {"jsonrpc": "2.0", "id": message.id, "result": answer.model_dump(by_alias=True)})
    return Greeting(goodbye=hello.goodbye)


async def _refuse(writer: asyncio.StreamWriter, fault: rpc.Fault) -> None:
    """One answer; then the peer waits for the close, and its place among the unknown ones is taken that long."""
    _send(writer, fault.as_json())
    await asyncio.sleep(PENALTY)


def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(frame(orjson.dumps(message)))
