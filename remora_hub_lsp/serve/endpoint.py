"""Where peers come in. Each connection is a session, and what its peer does ends that session at most."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from typing import Any

from ..discovery import GOODBYE
from .descriptors import claim_stdio
from .framing import End, Message, Refused, read_message
from .greeting import Greeting
from .hubs import Hubs
from .session import Session
from .stdio import open_streams
from .wire import Limits

log = logging.getLogger(__name__)

# Seconds for what is being answered when the peer stops asking, and for the last bytes of an answer.
_LAST_ANSWERS = 2.0
_LAST_BYTES = 2.0


def run_stdio(overrides: Mapping[str, Any] | None = None) -> int:
    """Serve one editor over standard input and output until it leaves; gives the process's exit code.

    overrides: settings of the command line, by their names in `Config`.
    """
    stdin, stdout = claim_stdio()
    return asyncio.run(serve_stdio(stdin, stdout, overrides))


async def serve_stdio(stdin: int, stdout: int, overrides: Mapping[str, Any] | None = None) -> int:
    """The same on the running loop, over two descriptors that it closes. Signals end it in order."""
    hubs = Hubs(overrides)
    reader, writer = await open_streams(stdin, stdout)
    serving = asyncio.ensure_future(serve_connection(reader, writer, hubs))
    on_signals(lambda: serving.cancel())
    try:
        return await serving
    except asyncio.CancelledError:
        log.info("ended by a signal")
        return 0
    finally:
        await hubs.close()


async def serve_connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    hubs: Hubs,
    limits: Limits | None = None,
    greeting: Greeting | None = None,
) -> int:
    """Serve one peer until it leaves or has to go; gives the exit code of a process for it alone.

    The reader's limit has to be framing.READ_LIMIT. The hubs stay.
    """
    greeting = greeting or Greeting()
    session = Session(hubs, writer, limits or Limits())
    writer.transport.set_write_buffer_limits(high=session.wire.limits.slow_at)
    reading = asyncio.ensure_future(_read_messages(reader, writer, session, greeting.first))
    try:
        await asyncio.wait({reading, session.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not session.ended.done():
            session.end(reading.result())
        return session.ended.result()
    finally:
        reading.cancel()
        if greeting.goodbye and not writer.is_closing():
            writer.write(GOODBYE + (b"%d" % session.ended.result() if session.ended.done() else b"1 stopped"))
        session.close()
        await _close(writer)


async def _read_messages(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, first: bytes | None
) -> int:
    """Take messages one after the other until there are no more; gives the exit code."""
    while True:
        outcome = await read_message(reader) if first is None else Message(first)
        first = None
        match outcome:
            case Message(body):
                before_next = session.wire.receive(body)
                if before_next is not None:
                    await asyncio.wait({before_next})
                while session.wire.is_full:
                    await asyncio.wait(session.wire.in_flight, return_when=asyncio.FIRST_COMPLETED)
                if not await _keeps_up(writer, session):
                    return 1
                # While bytes are there, reading never waits: without this one busy peer
                # would starve the others.
                await asyncio.sleep(0)
            case Refused(reason):
                log.warning("a connection is closed: %s", reason)
                session.wire.refuse_frame(reason)
                return 1
            case End():
                await _last_answers(writer, session)
                return 0


async def _last_answers(writer: asyncio.StreamWriter, session: Session) -> None:
    """A peer that has no more to say may still listen (`server < questions > answers`)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _LAST_ANSWERS
    while (left := session.wire.in_flight) and not writer.transport.is_closing() and loop.time() < until:
        await asyncio.wait(left, timeout=0.05)


async def _keeps_up(writer: asyncio.StreamWriter, session: Session) -> bool:
    """Wait while the peer has too much to read; whether it has read some of it in time."""
    transport, limits = writer.transport, session.wire.limits
    if transport.get_write_buffer_size() <= limits.slow_at and not transport.is_closing():
        return True
    try:
        await asyncio.wait_for(writer.drain(), limits.patience)
    except TimeoutError:
        log.warning("a peer has stopped reading its answers: its session ends")
        transport.abort()
        return False
    except OSError:
        return False
    return True


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close once the last answer is out, or after a while without it."""
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), _LAST_BYTES)
    except TimeoutError:
        writer.transport.abort()
    except OSError:
        pass  # the peer was faster


def on_signals(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
