"""The commands about the hub process, and what an editor starts. Nothing here imports pydantic before it has to."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import __version__, discovery
from ..errors import DiscoveryError, SharingError
from ..serve import launch
from ..serve.relay import run_relay, say
from .arguments import SETTINGS

OK, NOTHING_RUNS = 0, 1


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was parsed; gives its exit code. Raises HubError."""
    overrides = {name: getattr(arguments, name) for name in SETTINGS if hasattr(arguments, name)}
    if arguments.stdio:
        return stdio(arguments, overrides)
    commands = {"serve": serve, "start": start, "stop": stop, "logs": logs}
    return commands[arguments.command](arguments, overrides)


def stdio(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> int:
    """Serve an editor: through the hub process, or where that is not wanted or does not work, in this one."""
    if not arguments.standalone:
        if not overrides:
            try:
                attached = launch.attach()
                say(f"attached to the hub process {attached.listening.pid}, whose log is {attached.listening.log}")
                return run_relay(attached)
            except (SharingError, DiscoveryError, OSError) as error:
                say(f"warning: {error}; this editor gets an index of its own")
        else:
            say(f"serving in this process alone: {', '.join(overrides)} was set on the command line")
    with _uncollected():
        from ..serve.endpoint import run_stdio

    with _logging(overrides):
        return run_stdio(overrides)


def serve(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> int:
    """Be the hub process, until stopped or idle."""
    lock = discovery.Lock.take() if arguments.lock is None else discovery.Lock.inherited(arguments.lock)
    if lock is None:
        raise SharingError(f"a hub process of version {__version__} runs already: {_where()}")
    with _uncollected():
        from ..serve.process import Terms
        from ..serve.process import serve as serve_

    terms = Terms(tcp=arguments.tcp, allow_remote=arguments.allow_remote, idle=arguments.idle)
    with _logging(overrides):
        return serve_(lock, terms, overrides, launch.log_file() if arguments.background else None)


def start(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> int:
    """Start a hub process in the background, and wait until it listens."""
    if (found := launch.connect()) is not None:
        found.connection.close()
        lacks = arguments.tcp is not None and found.listening.port is None
        more = ", and not over TCP: stop it first" if lacks else ""
        print(f"the hub process {found.listening.pid} runs already: {_addresses(found.listening)}{more}")
        return NOTHING_RUNS if lacks else OK
    attached = launch.attach(_options(arguments, overrides))
    attached.connection.close()
    print(f"the hub process {attached.listening.pid} has started: {_addresses(attached.listening)}")
    return OK


def stop(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> int:
    """Stop the hub process of this version, or of all versions."""
    found = [listening for listening in discovery.running() if arguments.all or listening.version == __version__]
    for listening in found:
        forced = launch.stop(listening)
        discovery.running()  # what a process that was ended by force left is removed
        print(f"the hub process {listening.pid} {'did not end by itself and was killed' if forced else 'has ended'}")
    if not found:
        print("no hub process runs", file=sys.stderr)
    return OK if found else NOTHING_RUNS


def logs(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> int:
    """Show the end of the hub process's log, and with --follow what comes."""
    path = launch.log_file()
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SharingError(f"there is no log {path}: {error.strerror}") from error
    with file:
        for line in file.readlines()[-arguments.lines :]:
            print(line, end="")
        while arguments.follow:
            sys.stdout.flush()
            if not (line := file.readline()):
                time.sleep(0.2)
            print(line, end="")
    return OK


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is imported here stays: the garbage collector neither looks through it now, a tenth of the start, nor later,
    which would cost large answers more than all else."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _options(arguments: argparse.Namespace, overrides: Mapping[str, Any]) -> list[str]:
    """The command line that says the same again."""
    options = ["--idle", str(arguments.idle)]
    if arguments.tcp is not None:
        options += ["--tcp", "{}:{}".format(*arguments.tcp)]
    if arguments.allow_remote:
        options += ["--allow-remote"]
    for name, value in overrides.items():
        option = "--db" if name == "database" else f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            options += [option, str(one.absolute() if hasattr(one, "absolute") else one)]
    return options


def _where() -> str:
    found = discovery.find()
    return _addresses(found) if found else "it is just starting"


def _addresses(listening: discovery.Listening) -> str:
    return ", ".join(listening.addresses)


def _logging(overrides: Mapping[str, Any]) -> Any:
    from ..config import load_config
    from .commands import logging_of

    config = load_config(None, None, overrides)
    if config.log_level != "debug":
        logging.getLogger("pygls").setLevel(logging.WARNING)  # it tells of every method it registers
    return logging_of(config, at_least=logging.DEBUG)
