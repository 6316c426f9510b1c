"""Every setting, in one frozen `Config`, loaded once.

    defaults  <  [tool.remora-hub] in pyproject.toml  <  initialization options  <  command line

The keys are kebab-case (or snake_case) in pyproject.toml and camelCase in the initialization options.
A null anywhere means "not set here". What each field's description says is the user's documentation.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from .errors import ConfigError
from .regular import read_text

DiagnosticsScope = Literal["open", "workspace"]
DriftMode = Literal["evidence", "any", "off"]
Severity = Literal["error", "warning", "information", "hint"]
LogLevel = Literal["debug", "info", "warning", "error"]
Lens = Literal["callers", "tests", "complexity", "drift"]
INITIALIZATION_OPTIONS = "initializationOptions"


class Config(BaseModel):
    """The settings of one root. Paths are absolute once `load_config` has made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index_on_start: bool = Field(
        default=True,
        strict=True,
        description="Index the whole project when the server starts. When off, files are indexed as they are "
        "opened or asked for.",
    )
    watch: bool = Field(
        default=True,
        strict=True,
        description="Watch the files on disk, so that changes by other programs are seen at once. When off, only "
        "open documents are followed.",
    )
    graph: bool = Field(
        default=True,
        strict=True,
        description="Work out who calls whom. When off, callers, callees and related tests are not computed.",
    )
    workers: int | None = Field(
        default=None,
        ge=0,
        le=64,
        strict=True,
        description="Processes that analyse files while the project is indexed as a whole. 0 analyses in the "
        "server's own process. Not set: one for each CPU, two at most.",
    )
    exclude: tuple[str, ...] = Field(
        default=(),
        description="More patterns of files and folders to leave out, as in a .gitignore file at the root. "
        "They decide before everything else: `!build/` brings back a folder that is left out by default.",
    )
    database: Path | None = Field(
        default=None,
        description="The index database's file. Not set: `index.db` in a folder for each root in the user's "
        "cache directory. A relative path starts at the root, on the command line at the working directory.",
    )
    max_file_size: int = Field(
        default=5 * 1024 * 1024,
        gt=0,
        strict=True,
        description="Files with more bytes than this are listed as failed instead of being indexed.",
    )
    drift: DriftMode = Field(
        default="evidence",
        description="Which docstrings count as outdated: those that give it away (`evidence`), those whose signature "
        "changed in `any` way since they last did, or none (`off`).",
    )
    drift_exclude: tuple[str, ...] = Field(
        default=(),
        description="Patterns, as in a .gitignore file at the root, of files and folders whose docstrings are not "
        "looked at.",
    )
    drift_severity: Severity = Field(
        default="warning",
        description="How serious an outdated docstring is to an editor: `error`, `warning`, `information` or `hint`.",
    )
    diagnostics: DiagnosticsScope = Field(
        default="open",
        description="Where to report what is found: in the documents that are `open`, or in the whole `workspace`. "
        "What concerns the server's own work, as a script that fails, is reported in any case.",
    )
    drift_history: bool = Field(
        default=True,
        strict=True,
        description="Read the project's git history in the background, to know of docstrings that were left behind "
        "before the hub first saw them.",
    )
    rules: tuple[str, ...] = Field(
        default=(),
        description="Shipped scripts to run beside the project's own: `complexity_without_tests`, `http_routes`, "
        "`todo_owners`.",
    )
    scripts_folder: Path | None = Field(
        default=None,
        description="One more folder with scripts of the project's own, inside its root, beside `agents/hub/tools`.",
    )
    trusted: bool = Field(
        default=False,
        strict=True,
        description="Run the project's own scripts (in a sandbox). A project cannot say so itself: only initialization "
        "options and the command line can.",
    )
    hover: bool = Field(default=True, strict=True, description="Answer hovers.")
    call_hierarchy: bool = Field(default=True, strict=True, description="Answer for the call hierarchy.")
    references: bool = Field(
        default=True,
        strict=True,
        description="Answer for references. An editor that asks another Python server as well shows some twice.",
    )
    lens: tuple[Lens, ...] = Field(
        default=("callers", "tests", "drift"),
        description="The code lenses above definitions: `callers`, `tests`, `complexity` and `drift` (docstring "
        "outdated). An empty list shows none.",
    )
    related_depth: int = Field(
        default=30,
        ge=1,
        le=1000,
        strict=True,
        description="How far a test may be from what it is related to, in calls from one to the other.",
    )
    related_limit: int = Field(
        default=20,
        ge=1,
        le=1_000_000,
        strict=True,
        description="How many related tests one node names: the likeliest ones.",
    )
    log_level: LogLevel = Field(default="info", description="How much to log: `debug`, `info`, `warning` or `error`.")
    log_file: Path | None = Field(
        default=None,
        description="Append the log to this file as well. Relative paths are read as for `database`.",
    )

    @property
    def worker_count(self) -> int:
        """How many worker processes to use: `workers`, or else one for each usable CPU, two at most."""
        return min(2, _usable_cpus()) if self.workers is None else self.workers


class Source(NamedTuple):
    """Where settings were written, and how that place spells their names."""

    name: str
    spell: Callable[[str], str]
    values: Mapping[str, Any]
    base: Path

    def where(self, field: str, inside: str = "") -> str:
        """The setting, or the place inside its value, as its writer knows it."""
        return f"{self.spell(field)}{inside} ({self.name})"


def load_config(
    root: Path | None,
    initialization_options: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """The settings for `root`; with None, those that hold for every root (nobody's pyproject.toml is read).

    `overrides` come from the command line and are keyed by field name.
    Raises ConfigError that lists everything wrong in all sources at once.
    """
    settings: dict[str, Any] = {}
    problems: list[str] = []
    for source in _sources(root, initialization_options, overrides):
        for written, value in source.values.items():
            field = _field_of(written, source, problems)
            if field is not None and value is not None:
                problem = _refused(field, source) or _problem(field, value, source)
                if problem:
                    problems.append(problem)
                settings[field] = _absolute(value, source.base) if field in _PATHS else value
    if problems:
        raise ConfigError("\n".join(problems))
    return Config(**settings)


def default_database(root: Path) -> Path:
    """The index database's file for `root`: in the user's cache directory, in a folder for this root alone.

    The folder is named by the root's name and a hash of its real path: links to a root share its index.
    """
    real = os.path.realpath(root)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", os.path.basename(real))[:40] or "root"
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
    cache = platformdirs.user_cache_path("remora-hub-lsp", appauthor=False)
    return cache / f"{name}-{digest}" / "index.db"


# ------------------------------------------------------------------------------------------- the sources


def _sources(root: Path | None, options: Mapping[str, Any] | None, overrides: Mapping[str, Any] | None) -> list[Source]:
    """From the weakest to the strongest."""
    if options is not None and not isinstance(options, Mapping):
        raise ConfigError(f"{INITIALIZATION_OPTIONS} must be an object of settings, not {_kind(options)}")
    here = Path.cwd()
    return [
        *([_pyproject(root)] if root is not None else []),
        Source(INITIALIZATION_OPTIONS, to_camel, options or {}, root or here),
        Source("command line", _option, overrides or {}, here),
    ]


def _pyproject(root: Path) -> Source:
    """[tool.remora-hub] of the root's own pyproject.toml; empty where there is none."""
    path = root / "pyproject.toml"
    try:
        document = tomllib.loads(read_text(path, "utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        document = {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    tool = document.get("tool", {})
    table = tool.get("remora-hub", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"[tool.remora-hub] in {path} must be a table of settings, not {_kind(table)}")
    return Source(str(path), _kebab, table, root)


def _kebab(field: str) -> str:
    return field.replace("_", "-")


def _option(field: str) -> str:
    return "--db" if field == "database" else f"--{_kebab(field)}"


# ------------------------------------------------------------------------------------------ what is wrong

_PATHS = frozenset({"database", "log_file", "scripts_folder"})
# What a project cannot decide for the one who looks at it.
_NOT_ITS_OWN = frozenset({"trusted"})


def _field_of(written: str, source: Source, problems: list[str]) -> str | None:
    """The field that a source's key means; an unknown key or one written twice is a problem."""
    known = {source.spell(field): field for field in Config.model_fields}
    if source.spell is not to_camel:
        known |= {field: field for field in Config.model_fields}
    field = known.get(written)
    if field is None:
        spelled = sorted(map(source.spell, Config.model_fields))
        near = get_close_matches(source.spell(_snake(written)), spelled, n=1, cutoff=0.6)
        advice = f"did you mean {near[0]!r}?" if near else f"the settings are {', '.join(spelled)}"
        problems.append(f"{written} ({source.name}) is not a setting: {advice}")
    elif written != source.spell(field) and source.spell(field) in source.values:
        problems.append(f"{source.where(field)} is set twice, also as {written!r}: keep one")
    return field


def _refused(field: str, source: Source) -> str | None:
    if field in _NOT_ITS_OWN and source.spell is _kebab:
        return f"{source.where(field)} is not for a project to decide: say it in the editor's settings"
    return None


def _snake(written: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower().replace("-", "_").strip("_")


def _problem(field: str, value: Any, source: Source) -> str | None:
    """What is wrong with one value, in words; None if nothing is."""
    try:
        Config.model_validate({field: value})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        inside = "".join(f"[{part}]" for part in first["loc"][1:])
        return f"{source.where(field, inside)} {_expected(first)}, not {_shown(first['input'])}"
    return None


def _expected(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    words = {
        "bool_type": "must be true or false",
        "int_type": "must be a whole number",
        "tuple_type": "must be a list of patterns",
        "string_type": "must be a text",
        "path_type": "must be a path",
        "literal_error": f"must be one of {context.get('expected')}",
        "greater_than": f"must be greater than {context.get('gt')}",
        "greater_than_equal": f"must be {context.get('ge')} or more",
        "less_than_equal": f"must be {context.get('le')} or less",
    }
    return words.get(error["type"], error["msg"])


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", int: "a number"}.get(type(value), type(value).__name__)


def _absolute(value: Any, base: Path) -> Any:
    """The path as written, `~` expanded, from `base` where it is relative; not a path: unchanged."""
    if not isinstance(value, str | Path):
        return value
    return Path(os.path.abspath(base / os.path.expanduser(value)))


def _usable_cpus() -> int:
    """CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
