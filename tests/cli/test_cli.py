"""The commands, run as people and scripts run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from remora_hub_lsp import __version__
from remora_hub_lsp.cli import main
from remora_hub_lsp.cli.arguments import LOG_LEVELS, build_parser
from remora_hub_lsp.config import Config, LogLevel, default_database
from remora_hub_lsp.models import HubStatus
from remora_hub_lsp.protocol import GetContextResult

GUARD = 120  # seconds after which a command that hangs is ended
CART = '''\
"""The cart of a shop."""
from decimal import Decimal


class Cart:
    """What somebody wants to buy."""

    def total(self, /, rate: Decimal = Decimal(1), *, net: bool = False) -> Decimal:
        """Add up all prices.

        The rate is applied last.
        """
        return Decimal(0) if net else rate


def totally_different(): pass
'''


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, a cache of its own, and nothing of the surroundings."""
    root = tmp_path / "shop project"
    (root / "shop").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (root / "shop/cart.py").write_text(CART)
    (root / "shop/__init__.py").write_text("")
    (root / "shop/broken.py").write_text("def fine(): pass\n\ndef broken(:\n")
    for path in root.rglob("*.py"):
        os.utime(path, (1e9, 1e9))  # what was written in this very moment is looked at again the next time
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(root)
    return root


class Run:
    """Runs commands in this process and keeps what they wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str | Path) -> int:
        code = main([str(argument) for argument in arguments])
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(shop: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def command(*arguments: str, cwd: Path | None = None, **settings: Any) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    line = [sys.executable, "-m", "remora_hub_lsp", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **settings.pop("env", {})}
    return subprocess.run(
        line, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=GUARD, check=False, **settings
    )


# -------------------------------------------------------------------------------------------------- index


def test_index_tells_what_it_did_and_then_that_nothing_is_new(run: Run, shop: Path) -> None:
    assert run("index") == 0
    assert run.out.startswith("3 files with 8 modules, classes and functions are indexed (3 analysed, ")
    assert str(default_database(shop)) in run.out
    assert "1 file could not be analysed as a whole:\n  shop/broken.py:3: " in run.out
    assert run.err == ""
    assert run("index", shop) == 0
    assert "(0 analysed, " in run.out


def test_index_as_json(run: Run, shop: Path) -> None:
    assert run("index", "--json") == 0
    first = run.json
    assert set(first) == {"files", "nodes", "failed", "seconds", "revision"}
    assert (first["files"], first["nodes"]) == (3, 8)
    (failed,) = first["failed"]
    assert set(failed) == {"file", "error"}
    assert failed["file"] == "shop/broken.py"
    assert 0 < first["seconds"] < GUARD
    (shop / "shop/broken.py").unlink()
    assert run("index", "--json") == 0
    assert (run.json["files"], run.json["nodes"], run.json["failed"]) == (2, 5, [])
    assert run.json["revision"] > first["revision"]


def test_the_database_can_be_elsewhere(run: Run, shop: Path, tmp_path: Path) -> None:
    assert run("index", "--db", tmp_path / "there" / "shop.db") == 0
    assert (tmp_path / "there" / "shop.db").is_file()
    assert not default_database(shop).exists()
    assert run("--db", tmp_path / "there" / "shop.db", "index") == 0
    assert "(0 analysed, " in run.out


def test_settings_come_from_pyproject_and_options_win(run: Run, shop: Path) -> None:
    (shop / "pyproject.toml").write_text("[tool.remora-hub]\nexclude = ['cart.py']\nindex-on-start = false\n")
    assert run("index", "--json") == 0
    assert run.json["files"] == 2
    assert run("index", "--json", "--exclude", "broken.py", "--exclude", "__init__.py", "--workers", "0") == 0
    assert run.json["files"] == 1
    assert run("index", "--json", "--db", "new.db", "--exclude", "broken.py", "--max-file-size", "100") == 0
    (failed,) = run.json["failed"]
    assert failed["file"] == "shop/cart.py"


def test_a_folder_that_cannot_be_read_is_listed(run: Run, shop: Path) -> None:
    (shop / "locked").mkdir()
    (shop / "locked/a.py").touch()
    (shop / "locked").chmod(0)
    try:
        if os.access(shop / "locked", os.R_OK):
            pytest.skip("this user may read everything")
        assert run("index", "--json") == 0
        assert {"file": "locked", "error": "Permission denied"} in run.json["failed"]
    finally:
        (shop / "locked").chmod(0o700)


# ------------------------------------------------------------------------------------------------ context


def test_context_shows_a_card(run: Run) -> None:
    assert run("context", "shop/cart.py:Cart.total") == 0
    lines = run.out.splitlines()
    assert lines[0] == "Cart.total  method · shop/cart.py:8 to 13"
    assert "def total(self, /, rate: Decimal = Decimal(1), *, net: bool = False) -> Decimal" in lines
    assert "    The rate is applied last." in lines
    facts = dict(re.findall(r"^(\S[\w ]{10} )\s*(.*)$", run.out, re.MULTILINE))
    assert facts["complexity  "] == "1"
    assert facts["type hints  "] == "yes"
    assert facts["key         "] == "node:shop/cart.py:Cart.total"
    assert "\x1b" not in run.out


def test_a_card_shows_a_few_of_many_callers_and_how_to_see_all(shop: Path, run: Run) -> None:
    calls = "".join(f"def use{number}(): return wanted()\n" for number in range(7))
    (shop / "shop" / "used.py").write_text(f"def wanted(): ...\n{calls}")
    assert run("context", "shop/used.py:wanted") == 0
    _, _, rest = run.out.partition("callers     ")
    indented = "\n            "
    wanted = [
        *(f"shop/used.py:use{number}" for number in range(5)),
        "and 2 more: remora-hub callers shop/used.py:wanted",
    ]
    assert rest.startswith(indented.join(wanted) + "\ncallees     none\n")


def test_context_as_json_is_the_result_of_get_context(run: Run) -> None:
    keys = ["shop.cart.Cart", "node:shop/cart.py:Cart.total", "shop/cart.py"]
    assert run("context", *keys, "--json") == 0
    result = GetContextResult.model_validate(run.json)
    assert list(result.nodes) == keys
    assert [node.node_type for node in result.nodes.values()] == ["class", "function", "module"]
    assert (result.state, result.missing) == ("ready", ())


def test_context_sees_what_was_changed_a_moment_ago(run: Run, shop: Path) -> None:
    assert run("index") == 0
    (shop / "shop/cart.py").write_text(CART.replace("def total(", "async def grand_total("))
    assert run("context", "shop/cart.py:Cart.grand_total", "shop/cart.py:Cart.total", "--json") == 1
    assert run.json["nodes"]["shop/cart.py:Cart.grand_total"]["signature"].startswith("async def grand_total(")
    assert [entry["id"] for entry in run.json["missing"]] == ["shop/cart.py:Cart.total"]


def test_a_missing_node_is_told_with_the_nearest_ones(run: Run) -> None:
    assert run("context", "shop/cart.py:Cart.totl", "shop/cart.py:Cart") == 1
    assert run.out.startswith("Cart  class · shop/cart.py:5 to 13")
    assert "shop/cart.py:Cart.totl: no such node" in run.err
    assert "did you mean node:shop/cart.py:Cart.total" in run.err
    assert run("context", "shop/nowhere.py:x") == 1
    assert "no such file" in run.err


def test_files_may_be_written_from_the_working_directory(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop / "shop")
    for key in ("cart.py:Cart", "./cart.py:Cart", "shop/cart.py:Cart", f"{shop}/shop/cart.py:Cart"):
        assert run("context", key, "--json") == 0, run.err
        assert run.json["nodes"][key]["key"] == "node:shop/cart.py:Cart"


def test_an_ignored_file_is_missing_with_its_reason(run: Run, shop: Path) -> None:
    (shop / ".gitignore").write_text("# made\ngen_*\n")
    (shop / "shop/gen_a.py").write_text("def made(): pass\n")
    assert run("context", "shop/gen_a.py:made") == 1
    assert "file ignored (shop/gen_a.py matches 'gen_*' (.gitignore, line 2))" in run.err


def test_a_docstring_cannot_command_the_terminal(run: Run, shop: Path) -> None:
    (shop / "evil.py").write_text('def f():\n    "A \x1b]0;title\x07 and \x1b[2J."\n')
    assert run("context", "evil.py:f") == 0
    assert "A \ufffd]0;title and \ufffd[2J." in run.out
    assert "\x1b" not in run.out


def test_a_broken_node_is_marked(run: Run) -> None:
    assert run("context", "shop/broken.py:fine", "--json") == 0
    assert run.json["nodes"]["shop/broken.py:fine"]["broken"] is None


# ------------------------------------------------------------------------------------------ symbols, status


def test_symbols_best_first(run: Run) -> None:
    assert run("symbols", "total") == 0
    assert run.out.splitlines() == [
        "shop/cart.py:8   method       Cart.total",
        "shop/cart.py:16  function     totally_different",
    ]
    assert run("symbols", "total", "--limit", "1", "--json") == 0
    assert [hit["qualname"] for hit in run.json["symbols"]] == ["Cart.total"]
    assert {"revision", "state"} < set(run.json)


def test_symbols_that_match_nothing(run: Run) -> None:
    assert run("symbols", "zebra") == 1
    assert (run.out, "matches 'zebra'" in run.err) == ("", True)
    assert run("symbols", "zebra", "--json") == 1
    assert run.json["symbols"] == []


def test_status(run: Run, shop: Path) -> None:
    assert run("status") == 0
    assert re.search(r"^state +ready$", run.out, re.MULTILINE)
    assert re.search(r"^nodes +8$", run.out, re.MULTILINE)
    assert run("status", "--json") == 0
    told = HubStatus.model_validate_json(run.out)
    assert (told.project_root, told.indexed_files, told.state) == (str(shop), 3, "ready")


# ---------------------------------------------------------------------------------------- what goes wrong


def test_the_root_is_the_nearest_project(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "shop/deep/er").mkdir(parents=True)
    monkeypatch.chdir(shop / "shop/deep/er")
    assert run("status", "--json") == 0
    assert run.json["project_root"] == str(shop)
    (shop / "shop/deep/.git").mkdir()
    assert run("status", "--json") == 0
    assert run.json["project_root"] == str(shop / "shop/deep")
    assert run("status", "--json", "--root", shop) == 0
    assert run.json["project_root"] == str(shop)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("index", "no such place"), "no such place is not a directory"),
        (("status", "--workers", "-1"), "--workers (command line) must be 0 or more, not -1"),
        (("status", "--log-file", "no/such/place.log"), "place.log cannot be written: No such file or directory"),
    ],
)
def test_an_error_is_one_readable_line(run: Run, arguments: tuple[str, ...], told: str) -> None:
    assert run(*arguments) == 2
    assert run.out == ""
    (line,) = run.err.splitlines()
    assert line.startswith("remora-hub: ")
    assert told in line


def test_each_wrong_setting_has_its_line(run: Run, shop: Path) -> None:
    (shop / "pyproject.toml").write_text("[tool.remora-hub]\nworker = 1\nlog-level = 'loud'\n")
    assert run("index") == 2
    first, second = run.err.splitlines()
    assert first.endswith("is not a setting: did you mean 'workers'?")
    assert "log-level" in second


def test_a_database_that_cannot_be_made(run: Run, shop: Path) -> None:
    (shop / "file").touch()
    assert run("index", "--db", shop / "file" / "x.db") == 2
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["context"], ["symbols"], ["nonsense"], ["symbols", "a", "--limit", "0"], ["index", "--log-level", "loud"],
     ["--standalone"], ["--stdio", "index"], ["index", "--nonsense"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_no_command_shows_the_help(run: Run) -> None:
    assert run() == 2
    assert (run.out, run.err.startswith("usage: remora-hub")) == ("", True)


def test_the_log_goes_where_it_is_wanted(run: Run, shop: Path) -> None:
    assert run("index", "--log-level", "debug", "--log-file", "hub.log") == 0
    logged = (shop / "hub.log").read_text()
    assert "DEBUG" in logged
    assert logged.splitlines()[0] in run.err
    assert run("index", "--log-file", "other.log") == 0
    assert run.err == ""


def test_every_setting_has_its_option_and_the_levels_are_the_same() -> None:
    assert get_args(LogLevel) == LOG_LEVELS
    options = {action.dest for action in build_parser()._actions}
    of_the_editor = {"hover", "call_hierarchy", "references", "lens", "related_depth", "related_limit"}
    of_the_project = of_the_editor | {
        "diagnostics",
        "drift",
        "drift_exclude",
        "drift_history",
        "drift_severity",
        "rules",
        "scripts_folder",
    }
    assert set(Config.model_fields) - options == {"index_on_start", "watch", "graph", *of_the_project}


# ------------------------------------------------------------------------------------- the real process


def test_the_command_in_its_own_process(shop: Path) -> None:
    done = command("index", "--json", cwd=shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["nodes"] == 8
    done = command("context", "shop/cart.py:Cart.total", "nothing.py", cwd=shop / "shop")
    assert (done.returncode, done.stdout.splitlines()[0][:10]) == (1, "Cart.total")
    assert command("--version").stdout == f"remora-hub-lsp {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [("contxt", "did you mean context?"), ("qqq", "remora-hub --help lists them")],
)
def test_a_command_that_is_not_there(typed: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([typed])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"remora-hub: error: there is no command '{typed}': {told}\n")


@pytest.mark.parametrize("name", ["index", "context", "symbols", "status"])
def test_every_command_explains_itself(name: str) -> None:
    done = command(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "JSON: " in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_no_command_imports_what_only_the_server_needs(shop: Path) -> None:
    told = (
        "import sys, remora_hub_lsp.__main__\n"
        "assert 'remora_hub_lsp.cli' not in sys.modules\n"
        "from remora_hub_lsp.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'pydantic', 'rich', 'asyncio', 'sqlite3'} & set(sys.modules)\n"
        "assert main(['context', 'shop/cart.py:Cart']) == 0\n"
        "assert not {'pygls', 'lsprotocol'} & set(sys.modules)\n"
    )
    line = [sys.executable, "-c", told]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(line, cwd=shop, env=environment, timeout=GUARD, check=True, stdout=subprocess.DEVNULL)


def test_output_survives_a_terminal_without_unicode(shop: Path) -> None:
    (shop / "shop/ünï.py").write_text("def café(): pass\n", encoding="utf-8")
    env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = command("symbols", "caf", "--json", cwd=shop, env=env)
    assert json.loads(done.stdout)["symbols"][0]["key"] == "node:shop/ünï.py:café"
    done = command("symbols", "caf", cwd=shop, env=env)
    assert (done.returncode, done.stdout) == (0, "shop/\\xfcn\\xef.py:1  function     caf\\xe9\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals of POSIX")
def test_a_reader_that_leaves_is_no_error(shop: Path) -> None:
    many = "\n".join(f"def function_{number}(): pass" for number in range(5000))
    (shop / "shop/many.py").write_text(many)
    line = [sys.executable, "-m", "remora_hub_lsp", "symbols", "function_", "--limit", "5000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        line, cwd=shop, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("shop/many.py:")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(GUARD) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and signals of POSIX")
def test_an_interrupted_index_keeps_what_it_has(shop: Path, tmp_path: Path) -> None:
    database = tmp_path / "stdlib.db"
    shutil.copytree(Path(sysconfig.get_path("stdlib"), "asyncio"), tmp_path / "asyncio")
    line = ["index", str(tmp_path / "asyncio"), "--db", str(database), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-m", "remora_hub_lsp", *line],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = Path(f"{database}-wal")
    deadline = time.monotonic() + GUARD
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.stat().st_size > 100_000:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=GUARD)
    assert (process.returncode, out) == (130, "")
    assert err == "remora-hub: interrupted; what is indexed so far stays\n"
    done = command(*line)
    assert done.returncode == 0
    assert json.loads(done.stdout)["files"] > 30


def test_reindex_analyses_what_changed_and_anew_all(run: Run, shop: Path) -> None:
    assert run("index") == 0
    assert run("reindex", "--json") == 0
    assert run.json["files"] <= 1, "what could not be read is tried again"
    (shop / "shop/cart.py").write_text("def other(): ...\n")
    assert run("reindex", "--anew") == 0
    assert run.out.startswith("3 files analysed in ")
    assert run("reindex", "--anew", "--json", shop / "shop/cart.py") == 0
    assert run.json["files"] == 1
    assert run("context", "shop/cart.py:other") == 0
    assert run("reindex", "/") == 2
    assert "/ is not below" in run.err


@pytest.mark.parametrize("command", [["index", "gone"], ["context", "a.py", "--root", "gone"], ["index", "file"]])
def test_a_root_that_is_no_folder_is_told(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert main(command) == 2
    assert re.search(r"(gone|file) is not a directory; name that of a project", capsys.readouterr().err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_nobody_means_all_of_their_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["index"]) == 2
    assert f"{tmp_path} is no project" in capsys.readouterr().err
    assert main(["index", "."]) == 0, "unless they say so"
    (tmp_path / "pyproject.toml").touch()
    assert main(["index"]) == 0


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert main(["index", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "Not a directory" in told
    assert "--db" in told
