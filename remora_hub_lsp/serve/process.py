"""The hub process: one for each user and version, with any number of roots, and a session for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import stat
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..discovery import Listening, Lock, find, publish, socket_path, withdraw
from ..errors import SharingError
from ..protocol import PROTOCOL_VERSION
from .endpoint import on_signals, serve_connection
from .framing import READ_LIMIT
from .greeting import greet
from .hubs import Hubs
from .wire import Limits

log = logging.getLogger(__name__)

_BACKLOG = 256
# Seconds between two looks at whether it can still be found.
_LOOK = 10.0
# Seconds that sessions get to end, once the process has to.
_LAST_SESSIONS = 10.0


class Terms(NamedTuple):
    """How the process serves. Times in seconds.

    tcp: host and port to listen on as well (port 0: any). allow_remote: the host may be reached from elsewhere.
    idle: without a session for so long, the process ends. keep: a root without a session for so long is closed.
    sessions: how many there may be. unknown: how many TCP connections may wait without having shown the token.
    hello_patience: how long a connection may say nothing at first.
    """

    tcp: tuple[str, int] | None = None
    allow_remote: bool = False
    idle: float = 600.0
    keep: float = 300.0
    sessions: int = 500
    unknown: int = 16
    hello_patience: float = 10.0
    limits: Limits = Limits()


def serve(lock: Lock, terms: Terms, overrides: Mapping[str, Any] | None = None, log_file: Path | None = None) -> int:
    """Run the hub process until it is stopped or idle; gives its exit code. The lock is released at the end."""

    async def run() -> int:
        return await HubProcess(terms, overrides, log_file).run()

    try:
        return asyncio.run(run())
    finally:
        lock.release()


class HubProcess:
    """Whoever runs it holds the lock of its version."""

    def __init__(self, terms: Terms, overrides: Mapping[str, Any] | None = None, log_file: Path | None = None) -> None:
        self.terms = terms
        self.token = secrets.token_urlsafe(32)
        self._log_file = log_file
        self._sessions: set[asyncio.Task[None]] = set()
        self._unknown = 0
        self._servers: list[asyncio.Server] = []
        self.hubs = Hubs(overrides, terms.keep)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End in order."""
        self._stop.set()

    @property
    def listens(self) -> bool:
        """Whether the process can be found."""
        return self.hubs.listening is not None

    async def run(self) -> int:
        """Listen, tell where, and serve until there is a reason to stop."""
        self._last_used = time.monotonic()
        on_signals(self.stop)
        listening = await self._listen()
        try:
            publish(listening)
            self.hubs.listening = listening
            log.info("the hub process %d listens on %s", os.getpid(), ", ".join(listening.addresses))
            await self._until_idle_or_stopped()
            return 0
        finally:
            # First nobody finds the process any more, then those that have found it end.
            withdraw(listening)
            for server in self._servers:
                server.close()
            await self._end_sessions()
            await self.hubs.close()
            log.info("the hub process %d has ended", os.getpid())

    # -- where it listens ----------------------------------------------------------------------------------

    async def _listen(self) -> Listening:
        host, port = await self._listen_tcp() if self.terms.tcp else (None, None)
        path = await self._listen_unix() if hasattr(socket, "AF_UNIX") and sys.platform != "win32" else None
        if path is None and port is None:
            self.terms = self.terms._replace(tcp=("127.0.0.1", 0))
            host, port = await self._listen_tcp()
        return Listening(
            version=__version__,
            protocol_version=PROTOCOL_VERSION,
            pid=os.getpid(),
            token=self.token,
            started_at=time.time(),
            log=str(self._log_file) if self._log_file else "",
            socket=path,
            host=host,
            port=port,
        )

    async def _listen_unix(self) -> str:
        path = socket_path()
        # Who holds the lock is alone: a socket that is there belongs to a dead process.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise SharingError(f"{path} is in the way: it is not a socket")
            path.unlink()
        server = await asyncio.start_unix_server(self._unix_peer, path, limit=READ_LIMIT, backlog=_BACKLOG)
        path.chmod(0o600)  # until here the folder's mode keeps others out
        self._servers.append(server)
        return str(path)

    async def _listen_tcp(self) -> tuple[str, int]:
        assert self.terms.tcp is not None
        host, port = self.terms.tcp
        if not self.terms.allow_remote and not await _is_loopback(host, port):
            raise SharingError(
                f"{host} can be reached from other machines, and what is sent is not encrypted: "
                "use 127.0.0.1, or say --allow-remote if that is wanted"
            )
        try:
            server = await asyncio.start_server(self._tcp_peer, host, port, limit=READ_LIMIT, backlog=_BACKLOG)
        except OSError as error:
            raise SharingError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return host, bound

    # -- peers ---------------------------------------------------------------------------------------------

    async def _unix_peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        if uid not in (None, os.getuid()):
            log.warning("a connection of user %s is refused", uid)
            writer.close()
            return
        await self._peer(reader, writer, None)

    async def _tcp_peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._unknown >= self.terms.unknown:
            log.warning("a connection is closed: %d others have not shown the token yet", self._unknown)
            writer.transport.abort()
            return
        self._unknown += 1
        await self._peer(reader, writer, self.token)

    async def _peer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            greeting = await self._greet(reader, writer, token)
            if greeting is not None and self._has_room():
                self._count(+1)
                try:
                    await serve_connection(reader, writer, self.hubs, self.terms.limits, greeting)
                finally:
                    self._count(-1)
        except (asyncio.CancelledError, OSError):
            pass  # the process ends, or the peer went
        finally:
            self._sessions.discard(task)
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str | None) -> Any:
        try:
            return await greet(reader, writer, token, self.terms.hello_patience)
        finally:
            if token is not None:
                self._unknown -= 1

    def _has_room(self) -> bool:
        if self.hubs.sessions < self.terms.sessions:
            return True
        log.warning("a connection is closed: there are %d sessions already", self.hubs.sessions)
        return False

    def _count(self, change: int) -> None:
        self.hubs.sessions += change
        self._last_used = time.monotonic()

    # -- the end -------------------------------------------------------------------------------------------

    async def _until_idle_or_stopped(self) -> None:
        while True:
            left = self._last_used + self.terms.idle - time.monotonic()
            if self.hubs.sessions:
                left = self.terms.idle
            elif find() != self.hubs.listening:
                log.info("somebody removed what tells where the hub process listens: it ends")
                return
            elif left <= 0:
                log.info("nobody has been here for %.0f s: the hub process ends", self.terms.idle)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), min(left, _LOOK))
                return

    async def _end_sessions(self) -> None:
        for task in self._sessions:
            task.cancel()
        if self._sessions:
            await asyncio.wait(self._sessions, timeout=_LAST_SESSIONS)


def peer_uid(connection: Any) -> int | None:
    """The user at the other end of a Unix socket; None where the system does not tell."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)


async def _is_loopback(host: str, port: int) -> bool:
    """Whether every address that the name stands for is this machine's own."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SharingError(f"{host} is no address of this machine: {error.strerror or error}") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    return bool(addresses) and all(ipaddress.ip_address(address).is_loopback for address in addresses)
