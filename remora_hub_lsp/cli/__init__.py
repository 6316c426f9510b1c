"""The commands remora-hub-lsp and remora-hub. What a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence

from ..errors import HubError
from .arguments import PROCESS_COMMANDS, PROGRAM, build_parser

OK, FAILED, INTERRUPTED = 0, 2, 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code (see the help's end). Argument errors end the process with 2."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.standalone and not arguments.stdio:
        parser.error("--standalone goes with --stdio")
    if arguments.stdio and arguments.command is not None:
        parser.error(f"--stdio serves an editor; it does not go with the command {arguments.command}")
    if not arguments.stdio and arguments.command is None:
        parser.print_help(sys.stderr)
        return FAILED
    try:
        return _run(arguments)
    except HubError as error:
        _complain(error)
        return FAILED
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted; what is indexed so far stays", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads the output (`| head`) has seen enough; what Python flushes at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return OK


def _run(arguments: argparse.Namespace) -> int:
    _write_whatever_a_name_holds()
    if arguments.stdio or arguments.command in PROCESS_COMMANDS:
        from . import process

        code = process.run(arguments)
    elif arguments.command == "doctor":
        from . import doctor

        code = doctor.run(arguments)
    elif arguments.command == "scripts":
        from . import scripts

        code = scripts.run(arguments)
    elif arguments.command == "completion":
        import shtab

        print(shtab.complete(build_parser(), shell=arguments.shell))
        code = OK
    else:
        from . import commands

        code = commands.run(arguments)
    sys.stdout.flush()
    return code


def _complain(error: HubError) -> None:
    """Each line of the error as a line of its own, like a compiler's."""
    for line in str(error).splitlines():
        print(f"{PROGRAM}: {line}", file=sys.stderr)


def _write_whatever_a_name_holds() -> None:
    """A terminal that cannot show a character gets its escape, instead of us an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
