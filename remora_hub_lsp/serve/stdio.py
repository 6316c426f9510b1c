"""Standard input and output as asyncio streams, whatever they are: pipes, sockets, files, terminals."""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import stat
import threading
from typing import Any

from .framing import READ_LIMIT

_CHUNK = 64 * 1024
_HIGH = 256 * 1024  # bytes unsent at which a thread's writer asks to wait


async def open_streams(stdin: int, stdout: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Streams over two descriptors, which the streams own from now on."""
    if _one_socket(stdin, stdout):
        os.close(stdout)
        return await asyncio.open_connection(sock=socket.socket(fileno=stdin), limit=READ_LIMIT)
    reader = asyncio.StreamReader(limit=READ_LIMIT)
    loop = asyncio.get_running_loop()
    if _can_be_watched(stdin):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(stdin, "rb", 0))
    else:
        reader.set_transport(_ThreadReader(loop, stdin, reader))
    # A protocol with a reader of its own (never fed) is what gives StreamWriter its drain and wait_closed.
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    transport: Any
    if _can_be_watched(stdout):
        transport, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(stdout, "wb", 0))
    else:
        transport = _ThreadWriter(loop, stdout, protocol)
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


def _can_be_watched(descriptor: int) -> bool:
    """Whether the event loop can wait for it: not for files, and a terminal would be switched for its shell
    too.
    """
    mode = os.fstat(descriptor).st_mode
    return os.name != "nt" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _one_socket(stdin: int, stdout: int) -> bool:
    """Whether both are ends of one connection (inetd, some launchers): as two pipes each would disturb the
    other.
    """
    first, second = os.fstat(stdin), os.fstat(stdout)
    return stat.S_ISSOCK(first.st_mode) and os.path.samestat(first, second)


class _ThreadReader(asyncio.ReadTransport):
    """Reads on a thread of its own. One chunk at a time: the next is read when the loop has room for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._loop, self._descriptor, self._reader = loop, descriptor, reader
        self._room = threading.Event()
        self._paused = False
        threading.Thread(target=self._run, name="stdin", daemon=True).start()

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._room.set()

    def _run(self) -> None:
        try:
            while chunk := self._read():
                self._room.clear()
                self._loop.call_soon_threadsafe(self._feed, chunk)
                self._room.wait()
            self._loop.call_soon_threadsafe(self._reader.feed_eof)
        except RuntimeError:
            pass  # the loop is closed: nobody reads any more

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except OSError:
            return b""

    def _feed(self, chunk: bytes) -> None:
        self._reader.feed_data(chunk)
        if not self._paused:
            self._room.set()


class _ThreadWriter(asyncio.WriteTransport):
    """Writes on a thread of its own, so that a reader that is slow holds nothing up here."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, descriptor: int, protocol: asyncio.StreamReaderProtocol
    ) -> None:
        super().__init__()
        self._loop, self._descriptor, self._protocol = loop, descriptor, protocol
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._unsent = 0
        self._high = _HIGH
        self._waiting = self._closing = False
        protocol.connection_made(self)
        threading.Thread(target=self._run, name="stdout", daemon=True).start()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._closing:
            return
        self._unsent += len(data)
        self._chunks.put(bytes(data))
        if self._unsent > self._high and not self._waiting:
            self._waiting = True
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self._unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = _HIGH if high is None else high

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._chunks.put(None)

    def abort(self) -> None:
        self._closing = True
        self._loop.call_soon(self._protocol.connection_lost, None)

    def _run(self) -> None:
        error: OSError | None = None
        try:
            while (chunk := self._chunks.get()) is not None:
                left = memoryview(chunk)
                while left:
                    left = left[os.write(self._descriptor, left) :]
                self._loop.call_soon_threadsafe(self._sent, len(chunk))
        except OSError as problem:
            error = problem
        except RuntimeError:
            return  # the loop is closed
        self._loop.call_soon_threadsafe(self._lost, error)

    def _sent(self, size: int) -> None:
        self._unsent -= size
        if self._waiting and self._unsent <= self._high // 4:
            self._waiting = False
            self._protocol.resume_writing()

    def _lost(self, error: OSError | None) -> None:
        self._closing = True
        self._protocol.connection_lost(error)
