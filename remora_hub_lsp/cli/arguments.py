"""The command line: what can be asked, and the help that explains it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn

from .. import __version__

PROGRAM = "remora-hub"
PROCESS_COMMANDS = ("serve", "start", "stop", "logs")
SETTINGS = ("database", "workers", "exclude", "max_file_size", "trusted", "log_level", "log_file")  # fields of Config
SHELLS = ("bash", "zsh", "tcsh")  # shtab.SUPPORTED_SHELLS
LOG_LEVELS = ("debug", "info", "warning", "error")  # config.LogLevel; importing that costs more than all of this

_DESCRIPTION = """\
A live index of a Python project's modules, classes and functions, shared by editors (as a language server)
and by agents.
"""

_EPILOG = """\
examples:
  remora-hub index                                  index the project around here, and say how it went
  remora-hub context shop/cart.py:Cart.total        what the hub knows about one method
  remora-hub context shop.cart.Cart --json          the same as an agent gets it (remora/getContext)
  remora-hub symbols cart.tot                       find classes and functions by parts of their names
  remora-hub-lsp --stdio                            what an editor starts

exit codes:
  0    done (files that cannot be parsed are listed, and are no failure)
  1    context: a node was not found; symbols: nothing matches; outdated: something was found
  2    wrong usage or settings, or the index could not be used: the reason is on standard error
  130  interrupted; what is indexed so far stays

The project's root is the nearest folder from here upwards with a pyproject.toml or a .git, else this folder.
Settings are read from [tool.remora-hub] in its pyproject.toml; options given here win over them.
"""

_CONTEXT = """\
Show what the hub knows about modules, classes and functions: signature, docstring, size, complexity, where they
are, and what uses them. The index is brought up to date first.
"""

_KEYS = """\
a node, written as
  shop/cart.py:Cart.total       file and qualified name
  shop/cart.py                  the module itself
  shop.cart.Cart.total          dotted, as it is imported
  node:shop/cart.py:Cart.total  the hub's own key
Further definitions of one name in a file are Cart.total#2, #3, ...
Files may also be written from the working directory, absolutely,
or as file URIs.
"""


class _Parser(argparse.ArgumentParser):
    """argparse's, which says what a wrong command was probably meant to be."""

    def error(self, message: str) -> NoReturn:
        if wrong := re.match(r"argument COMMAND: invalid choice: '([^']*)'", message):
            from difflib import get_close_matches

            commands = [name for action in self._actions if action.dest == "command" for name in action.choices or ()]
            near = get_close_matches(wrong[1], commands, n=1)
            message = f"there is no command {wrong[1]!r}: " + (
                f"did you mean {near[0]}?" if near else f"{PROGRAM} --help lists them"
            )
        super().error(message)


def build_parser() -> argparse.ArgumentParser:
    """The parser. Settings that were not given are not in its result at all."""
    parser: argparse.ArgumentParser = _Parser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"remora-hub-lsp {__version__}")
    parser.add_argument("--stdio", action="store_true", help="serve an editor over standard input and output (LSP)")
    parser.add_argument(
        "--standalone", action="store_true", help="with --stdio: serve in this process and share it with nobody"
    )
    _add_settings(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_index(commands)
    _add_reindex(commands)
    _add_context(commands)
    _add_symbols(commands)
    _add_status(commands)
    _add_watch(commands)
    _add_outdated(commands)
    _add_scripts(commands)
    _add_graph(commands)
    _add_process(commands)
    _add_set_up(commands)
    return parser


Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_index(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "index",
        "bring the index up to date and say how it went",
        "Analyse every file of the project that changed since the last time, and forget those that are gone.\n"
        "Interrupting it loses nothing: the next run goes on from there.",
        'JSON: {"files", "nodes", "failed": [{"file", "error"}], "seconds", "revision"}; nodes are modules, classes\n'
        "and functions, failed are files that could not be parsed or read (as a whole).",
    )
    parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="the project's root (instead of --root)")
    _add_common(parser)


def _add_reindex(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "reindex",
        "look at files anew, in the running hub process, too",
        "Compare the project's files with the index now, and analyse those that differ. With --anew all are analysed,\n"
        "different or not. The hub process does it if it runs, for everybody who uses it.",
        "JSON: the result of remora/reindex.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="only these files and folders")
    parser.add_argument("--anew", action="store_true", help="analyse files that did not change, too")
    _add_common(parser)


def _add_context(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "context",
        "show what the hub knows about nodes",
        _CONTEXT,
        "examples:\n"
        "  remora-hub context shop/cart.py:Cart.total\n"
        "  remora-hub context shop.cart.Cart shop/models.py --root ~/src/shop --json\n\n"
        "JSON: the result of remora/getContext. Exit code 1 if a node is missing: standard error says which, and why.",
    )
    parser.add_argument("keys", metavar="KEY", nargs="+", help=_KEYS)
    _add_common(parser)


def _add_symbols(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "symbols",
        "find classes and functions by parts of their names",
        "Fuzzy search over all classes and functions of the project, best matches first: the name itself, its\n"
        "beginning, a part of it, or its letters in order (gqs finds get_query_set). The index is brought up to\n"
        "date first.",
        "examples:\n"
        "  remora-hub symbols total\n"
        "  remora-hub symbols Cart.tot --limit 5      tot... inside of a Cart\n\n"
        'JSON: {"symbols": [{"name", "qualname", "kind", "path", "range", "key", ...}], "revision", "state"}.\n'
        "Exit code 1 if nothing matches.",
    )
    parser.add_argument("query", metavar="QUERY", help="what to look for; an empty text ('') lists everything")
    parser.add_argument("--limit", metavar="N", type=_positive, default=20, help="show N at most (default: 20)")
    _add_common(parser)


def _add_status(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "status",
        "show how the index of a project is doing, and the hub processes",
        "Show where the index is, how much is in it, and which files could not be parsed. It is brought up to date\n"
        "first. Below that: all hub processes that run, with their roots, sessions, memory and slowest changes.",
        "JSON: the result of remora/status; with --all a list of results of remora/process.",
    )
    parser.add_argument("--all", action="store_true", help="only the hub processes. Exit code 1 if none runs")
    _add_common(parser)


def _add_watch(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "watch",
        "show what changes, as it changes",
        "Show each module, class and function whose facts change, with the time, the revision of the index and what\n"
        "changed it: a file on disk, an open editor (of the running hub process), or something it depends on.\n"
        "It goes on until Ctrl-C.",
        'JSON: a line for each: {"time", "revision", "state", "change": "changed" or "deleted", "key", "source",\n'
        '"signature"}. A line {"change": "reset"} says that the index was built anew.',
    )
    parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="the project's root (instead of --root)")
    _add_common(parser)


def _add_scripts(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "scripts",
        "list, check, try and begin scripts (.pym), a project's own rules",
        "Scripts say more of a project's code than the hub finds by itself: fields of nodes, and findings. They are\n"
        "in agents/hub/tools below the root, run in a sandbox, and only count where the project is trusted.",
        "examples:\n"
        "  remora-hub scripts new no_prints               write a commented example to begin with\n"
        "  remora-hub scripts check --strict              every script of the project\n"
        "  remora-hub scripts run no_prints shop/cart.py  what a script says of one file\n"
        "JSON: see the actions.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    parser = _command(
        actions,
        "list",
        "list the scripts there are",
        "List the scripts of the project and the shipped ones; where a hub runs, with how they are doing in it.",
        'JSON: [{"name", "path", "state", "reason"}].',
    )
    _add_common(parser)
    parser = _command(
        actions,
        "check",
        "say what is wrong with scripts",
        "Check scripts as an editor does, types included. Exit code 1 if something is wrong.",
        'JSON, as `grail check` has it: [{"file", "valid", "errors": [{"line", "column", "code", "message",\n'
        '"suggestion"}], "warnings", "info"}].',
    )
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="scripts (default: all of the project)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: the same as --json")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    _add_common(parser)
    parser = _command(
        actions,
        "run",
        "show what a script says of a file",
        "Run a script over the nodes of one file, in the sandbox. Exit code 1 if it fails.",
        'JSON: {"result", "printed", "seconds"}.',
    )
    parser.add_argument("script", metavar="SCRIPT", help="a script's name, or its file")
    parser.add_argument("file", metavar="FILE", type=Path, help="a Python file of the project")
    _add_common(parser)
    parser = _command(actions, "new", "write a commented example", "Write a script to begin with.", "JSON: none.")
    parser.add_argument("name", metavar="NAME", help="of the script: letters, digits and _")
    _add_common(parser)


def _add_graph(commands: Commands[argparse.ArgumentParser]) -> None:
    for name, summary, says in (
        ("callers", "show who calls functions, methods and classes", "Show what calls these nodes"),
        ("callees", "show what functions, methods and classes call", "Show what these nodes call"),
    ):
        parser = _command(
            commands,
            name,
            summary,
            f"{says}, with the line of the first call and how sure that is: exact (by scopes and imports\n"
            "alone), inferred (through a type), name (only the name fits; with --all).",
            'JSON: the result of remora/calls: {"calls": {KEY: [{"key", "evidence", "kind", "sites"}]}, "missing"}.\n'
            "Exit code 1 if a node is missing.",
        )
        parser.add_argument("keys", metavar="KEY", nargs="+", help=_KEYS)
        parser.add_argument(
            "--all", action="store_true", help="also by name only, and where it is not called but named"
        )
        _add_common(parser)
    parser = _command(
        commands,
        "tests",
        "show the tests for nodes, or for what changed",
        "Show the tests that reach these nodes, the nearest first, as arguments for pytest. With --changed: the\n"
        "tests that may well run what differs from a revision of git (the working tree counts).",
        "examples:\n"
        "  remora-hub tests shop/cart.py:Cart.total --why\n"
        "  remora-hub tests --changed > run.txt && pytest @run.txt       since the last commit\n"
        "  remora-hub tests --changed main... > run.txt && pytest @run.txt   since this branch left main\n\n"
        'JSON: the result of remora/tests: {"tests": [{"key", "ids", "distance", "evidence"}], "known", ...}, with\n'
        '--changed also "since", "changed" (keys) and "other_files". Exit code 1 if there is no test.',
    )
    parser.add_argument("keys", metavar="KEY", nargs="*", help=_KEYS)
    parser.add_argument(
        "--changed", metavar="GIT-REV", nargs="?", const="HEAD", help="what changed since a revision (default: HEAD)"
    )
    parser.add_argument("--all", action="store_true", help="with --changed: also the tests that are very unlikely")
    parser.add_argument("--limit", metavar="N", type=_positive, help="show the N nearest (default: the setting)")
    parser.add_argument("--depth", metavar="N", type=int, help="at most N calls away (default: the setting)")
    parser.add_argument("--why", action="store_true", help="say how far away each is, and how sure that is")
    _add_common(parser)
    parser = _command(
        commands,
        "dead",
        "show what nothing seems to use",
        "Show classes and functions that no code calls or names, and no test reaches. What a decorator, a framework\n"
        "or a base class outside the project may use is left out, and what is exported or an entry point.",
        'JSON: the result of remora/dead: {"unused": [{"key", "kind", "path", "range", "sure"}], ...}; sure: its name\n'
        "stands nowhere else.",
    )
    parser.add_argument("under", metavar="PATH", nargs="?", type=Path, help="only below this file or folder")
    parser.add_argument("--public", action="store_true", help="public names count as used: for a library")
    _add_common(parser)


def _add_outdated(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "outdated",
        "show docstrings that no longer fit",
        "Show the functions and classes whose docstring still tells of an old signature, or documents parameters that\n"
        "do not exist. The index is brought up to date first, from the project's git history, too.",
        "examples:\n"
        "  remora-hub outdated src                              in this folder\n"
        "  remora-hub outdated --since origin/main...           left behind since this branch left main\n"
        "  remora-hub outdated --since HEAD --format github     in CI: annotations of a pull request\n\n"
        "JSON: the result of remora/outdated. Exit code 1 if something is found.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="only in these files and folders")
    parser.add_argument("--since", metavar="GIT-REV", help="only what a change since that revision has left behind")
    parser.add_argument(
        "--format", choices=("text", "json", "sarif", "github"), default="text", help="what to write (default: text)"
    )
    _add_common(parser)


def _add_process(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "serve",
        "be the hub process, in the foreground",
        "Listen for editors and agents until stopped (Ctrl-C) or idle. There is one hub process for each user and\n"
        "version; --stdio starts it when there is none, so this is only needed for TCP, or to watch it work.",
        "JSON: none. Exit code 2 if a hub process of this version runs already.",
    )
    _add_serving(parser)
    # For `start` and --stdio alone, which start the process with it.
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    parser = _command(
        commands,
        "start",
        "start the hub process in the background",
        "Start the hub process and wait until it listens. Nothing happens if it runs already.",
        "JSON: none. Exit code 1 if it runs, but not over TCP as asked.",
    )
    _add_serving(parser)
    parser = _command(
        commands,
        "stop",
        "stop the hub process",
        "End the hub process in order. Editors that use it start another one when they are told to go on.",
        "JSON: none. Exit code 1 if none runs.",
    )
    parser.add_argument("--all", action="store_true", help="those of other versions, too")
    parser = _command(
        commands,
        "logs",
        "show the log of the hub process",
        "Show the end of the log of the hub process that was started in the background.",
        "JSON: none.",
    )
    parser.add_argument("--lines", metavar="N", type=_positive, default=50, help="show the last N lines (default: 50)")
    parser.add_argument("--follow", action="store_true", help="go on with what comes, until Ctrl-C")


def _add_set_up(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "doctor",
        "try everything that the hub needs, and say what to do",
        "Check the installation, the settings and the index of the project, the hub processes, the watcher, the\n"
        "sandbox for scripts, git and editors, by trying each; and say what to do about what does not work.",
        'JSON: [{"level": "ok", "note", "warning" or "problem", "topic", "message", "advice"}].\n'
        "Exit code 1 if there is a problem.",
    )
    parser.add_argument("--json", action="store_true", help="write JSON instead of text for people")
    parser.add_argument("--root", metavar="PATH", type=Path, help="the project's root (default: found from here on)")
    parser = _command(
        commands,
        "completion",
        "print a shell's completion script",
        "Print a script that completes this program's commands and options.",
        "examples:\n"
        "  remora-hub completion bash > ~/.local/share/bash-completion/completions/remora-hub\n"
        "  remora-hub completion zsh > ~/.zfunc/_remora-hub         # with ~/.zfunc in fpath\n"
        "  remora-hub completion tcsh >> ~/.cshrc",
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")


def _add_serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tcp", metavar="HOST:PORT", type=_address, help="listen on TCP as well; port 0: any free one")
    parser.add_argument(
        "--allow-remote", action="store_true", help="let HOST be one that other machines reach (not encrypted)"
    )
    parser.add_argument(
        "--idle", metavar="SECONDS", type=float, default=600.0, help="end after so long without session (default: 600)"
    )
    _add_settings(parser)


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, summary: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawTextHelpFormatter,
        allow_abbrev=False,
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write JSON instead of text for people")
    parser.add_argument("--root", metavar="PATH", type=Path, help="the project's root (default: found from here on)")
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Options that are settings; their names in the result are the fields of Config."""
    group = parser.add_argument_group("settings", argument_default=argparse.SUPPRESS)
    group.add_argument("--db", metavar="FILE", dest="database", type=Path, help="keep the index in this file")
    group.add_argument("--workers", metavar="N", type=int, help="analyse in N processes; 0: in this one")
    group.add_argument(
        "--exclude", metavar="PATTERN", action="append", help="leave out what matches, as in .gitignore (repeatable)"
    )
    group.add_argument("--max-file-size", metavar="BYTES", type=int, help="list bigger files as failed")
    group.add_argument("--trusted", action="store_true", help="run the project's own scripts, in a sandbox")
    group.add_argument("--log-level", metavar="LEVEL", choices=LOG_LEVELS, help="debug, info, warning or error")
    group.add_argument("--log-file", metavar="FILE", type=Path, help="append the log to this file as well")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"must be HOST:PORT, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)
