"""What an editor starts: bytes from standard input to the hub process, and back to standard output.

It knows nothing of the messages, only of the goodbye after them, by which a session's end is told apart from the hub
process's. pygls is not imported here, so that it starts fast.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from typing import NoReturn

from ..discovery import GOODBYE, Listening, Lock
from .descriptors import claim_stdio, read_some
from .launch import Attached

_CHUNK = 256 * 1024
# What a pipe takes at once if it takes anything.
_PIECE = getattr(select, "PIPE_BUF", _CHUNK)
# Seconds that the system may take to end a process.
_DYING = 1.0
# Seconds for the hub process to say its last, which takes it much less.
_LAST_WORDS = 30.0
# Seconds that an editor may read nothing after its session is over.
_UNREAD = 5.0

LOST = 3
"""Exit code if the hub process is gone."""


def run_relay(attached: Attached) -> int:
    """Relay until the session ends; gives the exit code."""
    stdin, stdout = claim_stdio()
    threading.Thread(target=_upwards, args=(stdin, attached.connection), name="upwards", daemon=True).start()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _downwards(attached, stdout)
    except (KeyboardInterrupt, BrokenPipeError):
        return 0


def _upwards(stdin: int, connection: socket.socket) -> None:
    """From the editor to the hub; its end is passed on. A hub process that is held up is then not waited for."""
    with contextlib.suppress(OSError):
        while data := read_some(stdin, _CHUNK):
            connection.sendall(data)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        time.sleep(_LAST_WORDS)
        connection.shutdown(socket.SHUT_RD)


def _downwards(attached: Attached, stdout: int) -> int:
    """From the hub to the editor; gives the exit code."""
    data = attached.rest
    while True:
        data, mark, last = data.partition(GOODBYE)
        if not _deliver(data, stdout, attached.connection):
            return _how_it_ended(last, attached.listening)
        if mark:
            while more := _receive(attached.connection):
                last += more
            return _how_it_ended(last, attached.listening)
        if not (data := _receive(attached.connection)):
            return _how_it_ended(b"", attached.listening)


def _deliver(data: bytes, stdout: int, connection: socket.socket) -> bool:
    """Write it all; BrokenPipeError if the editor has gone. False if the session is over and nobody reads: another
    child of an editor that has gone may still have its end of the pipe.
    """
    left = memoryview(data)
    while left:
        if not _takes(stdout, connection):
            return False
        try:
            left = left[os.write(stdout, left[:_PIECE]) :]
        except BlockingIOError:
            continue  # somebody else who has this pipe was faster
        except OSError as error:
            raise BrokenPipeError from error
    return True


def _takes(stdout: int, connection: socket.socket) -> bool:
    """Wait until a write would not have to; False if that is not to be expected any more."""
    if not hasattr(select, "poll"):  # Windows: the write itself waits
        return True
    both, alone = select.poll(), select.poll()
    for poll in (both, alone):
        poll.register(stdout, select.POLLOUT)
    both.register(connection, getattr(select, "POLLRDHUP", 0))  # a whole end is told anyway
    ready = dict(both.poll())
    return stdout in ready or bool(alone.poll(_UNREAD * 1000))


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_CHUNK)
    except OSError:
        return b""


def _how_it_ended(last: bytes, hub: Listening) -> int:
    """last: what came after the mark of the goodbye."""
    code, _, stopped = last.partition(b" ")
    if code.isdigit() and not stopped:
        return int(code)
    why = "was stopped" if stopped else "has died" if _ends(hub) else "ended this session"
    say(f"the hub process {hub.pid} {why}; start the language server again, and it goes on from there")
    return LOST


def _ends(hub: Listening) -> bool:
    """Whether the hub process is gone, or going: a dying process loses its connections before its lock."""
    until = time.monotonic() + _DYING
    while Lock.is_held(hub.version):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def say(text: str) -> None:
    """One line where editors show a server's output."""
    print(f"remora-hub-lsp: {text}", file=sys.stderr, flush=True)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
