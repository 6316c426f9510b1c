"""Finding the hub process of this user and version, and starting it if there is none. Imports little: see relay."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import orjson

from .. import __version__
from ..discovery import HELLO, Listening, Lock, find
from ..errors import SharingError

# Seconds until a process that was started listens, on a very busy machine.
_START = 60.0
# Seconds for its answer to the hello.
_HELLO = 10.0
_PAUSE = 0.02
_TRIES = 2
_MAIN = "import sys; sys.path.append({!r}); from remora_hub_lsp.cli import main; sys.exit(main())"
_LOG_SIZE = 1_000_000


class Attached:
    """A connection to the hub process that has said hello. rest: bytes that came after the answer."""

    def __init__(self, connection: socket.socket, listening: Listening) -> None:
        self.connection = connection
        self.listening = listening
        self.rest = b""

    def say_hello(self) -> None:
        """Raises OSError, and ValueError for an answer that cannot be read."""
        params = {"token": self.listening.token, "goodbye": True}
        body = orjson.dumps({"jsonrpc": "2.0", "id": 0, "method": HELLO, "params": params})
        self.connection.settimeout(_HELLO)
        self.connection.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = self._read_message()
        if "error" in answer:
            raise ValueError(f"the hub process refuses: {answer['error']['message']}")
        self.connection.settimeout(None)

    def _read_message(self) -> Any:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        header, _, body = data.partition(b"\r\n\r\n")
        length = int(header.rpartition(b":")[2])
        while len(body) < length:
            body += self._receive()
        self.rest = body[length:]
        return orjson.loads(body[:length])

    def _receive(self) -> bytes:
        data = self.connection.recv(4096)
        if not data:
            raise ConnectionResetError("the hub process closed the connection")
        return data


def attach(options: Sequence[str] = ()) -> Attached:
    """A connection to the hub process, which is started (with `options` of `serve`) if need be. Raises SharingError."""
    until = time.monotonic() + _START
    starts = 0
    while (found := connect()) is None:
        if not Lock.is_held(__version__):
            if starts == _TRIES:
                raise SharingError(f"the hub process could not start; its log is {log_file()}")
            starts += launch(options)
        if time.monotonic() > until:
            raise SharingError(f"no hub process answers after {_START:.0f} s; its log is {log_file()}")
        time.sleep(_PAUSE)
    return found


def connect() -> Attached | None:
    """A connection to the hub process of this version; None if there is none."""
    listening = find()
    if listening is None:
        return None
    try:
        connection = _open(listening)
    except OSError:
        return None
    attached = Attached(connection, listening)
    try:
        attached.say_hello()
    except (OSError, ValueError, LookupError):
        connection.close()  # it is just ending, or something else listens there now
        return None
    return attached


def launch(options: Sequence[str] = ()) -> bool:
    """Start the hub process; False if one lives already or another starter is faster. Raises SharingError.

    The starter holds the lock until it hands it on to the process: there is no moment at which two could start.
    """
    lock = Lock.take()
    if lock is None:
        return False
    # -P, and the package's folder last: no module of a project may come before the standard library's.
    command = [sys.executable, "-P", "-c", _MAIN.format(str(Path(__file__).parents[2])), "serve", "--background"]
    try:
        with open(_fresh_log(), "ab") as log:
            _detached([*command, *options], log.fileno(), lock.descriptor)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}; is XDG_CACHE_HOME right?" if error.filename else str(error)
        raise SharingError(f"the hub process cannot be started: {reason}") from error
    finally:
        lock.leave()
    return True


def stop(listening: Listening, patience: float = 20.0) -> bool:
    """End a hub process in order, or after `patience` seconds by force; whether force was needed."""
    until = time.monotonic() + patience
    try:
        process = _Process(listening.pid)
    except ProcessLookupError:
        return False
    with process:
        process.send(signal.SIGTERM)
        while not process.ended():
            if time.monotonic() > until:
                process.send(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
                return True
            time.sleep(_PAUSE)
    return False


class _Process:
    """Another process, meant by its handle where the system has such: a number may be reused. ProcessLookupError."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._handle: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(PermissionError, NotImplementedError):
                self._handle = os.pidfd_open(pid)

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def ended(self) -> bool:
        if self._handle is not None:  # readable at the end, even if nobody has asked for the exit code yet
            return bool(select.select([self._handle], [], [], 0)[0])
        try:
            os.kill(self._pid, 0)
        except OSError:
            return True
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)


def log_file(version: str = __version__) -> Path:
    """Where a hub process that was started in the background logs to. It stays when the process ends."""
    import platformdirs

    return platformdirs.user_cache_path(_NAME, appauthor=False) / f"hub-{version}.log"


_NAME = "remora-hub-lsp"


def _fresh_log() -> Path:
    """The log file; a long one makes place for a new one."""
    path = log_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        if path.stat().st_size > _LOG_SIZE:
            path.replace(path.with_suffix(".log.1"))
    return path


def _open(listening: Listening) -> socket.socket:
    if listening.socket and sys.platform != "win32":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(listening.socket)
        except OSError:
            connection.close()
            raise
        return connection
    if listening.host is None or listening.port is None:
        raise ConnectionRefusedError("the hub process tells no address")
    return socket.create_connection((listening.host, listening.port), timeout=_HELLO)


if sys.platform == "win32":
    import subprocess

    def _detached(command: list[str], log: int, lock: int) -> None:
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, creationflags=flags)

else:

    def _detached(command: list[str], log: int, lock: int) -> None:
        """Run the command in a session of its own and as nobody's child: some editors end all their descendants."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        try:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.closerange(3, lock)
            os.closerange(lock + 1, os.sysconf("SC_OPEN_MAX"))
            os.set_inheritable(lock, True)
            os.chdir("/")
            # glibc's malloc has an arena for each thread; what is free in one is of no use to the others.
            os.environ.setdefault("MALLOC_ARENA_MAX", "2")
            os.execv(command[0], [*command, "--lock", str(lock)])
        finally:
            os._exit(127)
