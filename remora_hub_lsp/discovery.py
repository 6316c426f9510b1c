"""Where the hub processes of this user listen, and how to greet them.

A folder that nobody else can enter holds, for each version, a discovery file (`{version}.json`: what a `Listening`
has, the token among it), the socket, and the lock that the process of that version holds while it lives. A process
that dies without cleaning up loses its lock with its life, and that is how its files are known to be stale.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

from . import __version__
from .errors import DiscoveryError

# The same as in `protocol`, which takes longer to import than all the rest of a relay.
HELLO = "remora/hello"
# What follows the last message to a peer that asked for a goodbye: this byte, which JSON never holds, then the exit
# code, and `stopped` if the hub process has to end.
GOODBYE = b"\0"

# A Unix socket's path has room for 104 bytes (macOS) or 108 (Linux), one of them for its end.
_LONGEST_SOCKET = 103
_NAME = "remora-hub-lsp"
# How long to try for a lock: whoever looks whether it is held holds it for a moment.
_LOCK_PATIENCE = 0.2


@dataclass(frozen=True, slots=True)
class Listening:
    """A hub process as its discovery file tells of it. started_at: seconds since the epoch."""

    version: str
    protocol_version: str
    pid: int
    token: str
    started_at: float
    log: str
    socket: str | None = None
    host: str | None = None
    port: int | None = None

    @property
    def addresses(self) -> list[str]:
        """`unix:{path}` and `tcp:{host}:{port}`, as far as there are."""
        tcp = [f"tcp:{self.host}:{self.port}"] if self.port is not None else []
        return [*([f"unix:{self.socket}"] if self.socket else []), *tcp]


def runtime_folder() -> Path:
    """This user's folder, made if need be and checked. Raises DiscoveryError."""
    return _private(_runtime_base() / _NAME)


def publish(listening: Listening) -> Path:
    """Write the discovery file, whole or not at all."""
    path = _file(listening.version, "json")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with open(handle, "wb") as file:
            file.write(orjson.dumps(asdict(listening), option=orjson.OPT_INDENT_2))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path


def withdraw(listening: Listening) -> None:
    """Remove the discovery file and the socket. Only for who holds the lock."""
    _file(listening.version, "json").unlink(missing_ok=True)
    if listening.socket:
        Path(listening.socket).unlink(missing_ok=True)


def find(version: str = __version__) -> Listening | None:
    """What the discovery file of that version says. The process may be gone."""
    return _load(_file(version, "json"))


def announced() -> list[Listening]:
    """What all discovery files say, this version's first. The processes may be gone."""
    paths = sorted(runtime_folder().glob("*.json"), key=lambda path: (path.stem != __version__, path.stem))
    return [listening for path in paths if (listening := _load(path)) is not None]


def running() -> list[Listening]:
    """Every hub process of this user that lives, this version's first. What dead ones left is removed."""
    for path in runtime_folder().iterdir():
        if path.suffix in (".json", ".sock", ".lock") and not Lock.is_held(path.stem):
            _heal(path.stem)
    return [listening for listening in announced() if Lock.is_held(listening.version)]


def socket_path(version: str = __version__) -> Path:
    """Where the process of that version puts its socket: beside the discovery file, if the path is short enough."""
    path = _file(version, "sock")
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:12]
    return _private(Path("/tmp") / f"{_NAME}-{_uid()}-{digest}") / path.name


def find_root(start: Path) -> Path:
    """The project's root: the nearest folder from `start` upwards with a pyproject.toml or a .git, else `start`."""
    return next((folder for folder in (start, *start.parents) if is_project(folder)), start)


def is_project(folder: Path) -> bool:
    """Whether the folder is one's own root: it has a pyproject.toml or a .git."""
    return (folder / "pyproject.toml").is_file() or (folder / ".git").exists()


class Lock:
    """Held by the one hub process of a version. It can be handed on to a child, and ends with its last holder."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def take(cls, version: str = __version__) -> Lock | None:
        """The lock, or None if another process holds it."""
        path = _file(version, "lock")
        until = time.monotonic() + _LOCK_PATIENCE
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
            if try_lock(descriptor) and _same(path, descriptor):
                return cls(path, descriptor)
            os.close(descriptor)
            if time.monotonic() > until:
                return None
            time.sleep(0.005)

    @classmethod
    def inherited(cls, descriptor: int, version: str = __version__) -> Lock:
        """The lock that a parent process has handed on. Raises DiscoveryError if the descriptor is something else."""
        path = _file(version, "lock")
        try:
            if not _same(path, descriptor) or not try_lock(descriptor):
                raise DiscoveryError(f"descriptor {descriptor} is not the lock {path}")
            os.set_inheritable(descriptor, False)
        except OSError as error:
            raise DiscoveryError(f"descriptor {descriptor} is not the lock {path}: {error}") from error
        return cls(path, descriptor)

    @staticmethod
    def is_held(version: str) -> bool:
        """Whether a process of that version lives, or is about to."""
        try:
            descriptor = os.open(_file(version, "lock"), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return False
        try:
            return not try_lock(descriptor, shared=True)
        finally:
            os.close(descriptor)

    def leave(self) -> None:
        """Give up this holder's part, after it was handed on."""
        os.close(self.descriptor)

    def release(self) -> None:
        """Give the lock up and remove its file."""
        with contextlib.suppress(OSError):  # Windows does not remove open files
            self.path.unlink()
        os.close(self.descriptor)


# ------------------------------------------------------------------------------------------------ inside


def _runtime_base() -> Path:
    named = os.environ.get("XDG_RUNTIME_DIR")
    if named and os.path.isabs(named) and os.path.isdir(named):
        return Path(named)
    if sys.platform == "win32":
        import platformdirs

        return Path(platformdirs.user_cache_dir(appauthor=False))
    usual = Path(f"/run/user/{_uid()}")
    if os.access(usual, os.W_OK | os.X_OK):
        return usual
    return _private(Path(tempfile.gettempdir()) / f"{_NAME}-{_uid()}")


def _private(folder: Path) -> Path:
    """The folder, which only this user can enter. Others may have made it first: then it is not used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise DiscoveryError(f"{folder} is not a directory (or a link to one): remove it")
        if sys.platform != "win32":
            if found.st_uid != _uid():
                raise DiscoveryError(f"{folder} belongs to another user ({found.st_uid}): it cannot be trusted")
            if found.st_mode & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise DiscoveryError(f"{folder} cannot be used: {error.strerror or error}") from error
    return folder


def _file(version: str, suffix: str) -> Path:
    return runtime_folder() / f"{version}.{suffix}"


def _load(path: Path) -> Listening | None:
    """What the file says; None where there is none, or one that is not whole."""
    try:
        told = orjson.loads(path.read_bytes())
        return Listening(**{field.name: told[field.name] for field in fields(Listening)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _heal(version: str) -> None:
    """Remove what a dead process left, unless another one has begun meanwhile."""
    lock = Lock.take(version)
    if lock is None:
        return
    for path in (_file(version, "json"), _file(version, "sock"), socket_path(version)):
        with contextlib.suppress(OSError):
            path.unlink()
    lock.release()


def _same(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one at `path`: its last holder may have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def _uid() -> int:
    return os.getuid() if sys.platform != "win32" else 0


if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int, shared: bool = False) -> bool:
        """Lock an open file until it is closed, without waiting; whether that was possible."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int, shared: bool = False) -> bool:
        """Lock an open file until it is closed, without waiting; whether that was possible."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
