"""The README tells the truth: all that there is to use is in it, and what it shows is what comes out."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from remora_hub_lsp import protocol
from remora_hub_lsp.cli import main
from remora_hub_lsp.cli.arguments import build_parser
from remora_hub_lsp.config import Config
from remora_hub_lsp.hub.scripts import load
from remora_hub_lsp.serve.hubs import Hubs

from .serve.conftest import Server

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
METHODS = sorted(value for value in vars(protocol).values() if isinstance(value, str) and value.startswith("remora/"))


def block(kind: str) -> str:
    """The fenced block after `<!-- kind -->`."""
    found = re.search(rf"<!-- {kind} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found, f"the README has no block {kind!r}"
    return found[1]


def commands() -> list[str]:
    groups = [action.choices for action in build_parser()._actions if action.dest == "command"]
    return [name for choices in groups for name in choices or ()]


def settings_table() -> str:
    """The table as it has to be, from what Config says of itself."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Config.model_fields.items():
        value = {True: "true", False: "false", None: "not set", (): "none"}.get(field.default, field.default)
        rows.append(f"| `{name.replace('_', '-')}` | {value} | {field.description} |")
    return "\n".join(rows)


@pytest.mark.parametrize("name", commands())
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"^\| `remora-hub {name}\b", README, re.MULTILINE)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_named_with_its_parameters(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", README, re.MULTILINE)


@pytest.mark.parametrize("option", ["--stdio", "--standalone", "--json", "--root", "--limit", "--log-file", "--db"])
def test_the_options_are_named(option: str) -> None:
    assert option in README


def test_the_settings_table_is_what_the_settings_say() -> None:
    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", README, re.DOTALL)
    assert found
    assert found[1] == settings_table()


def test_the_first_command_shows_what_the_readme_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line numbers, hashes and times aside; what later versions know besides may be missing there.

    Without the output of the real one, as the CI has it, it is run on the part of the source that it shows.
    """
    shown = os.environ.get("REMORA_FIRST_COMMAND")
    if shown is None:
        for path in _part_of_the_source():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / path).read_bytes())
        line = block("command: try").split("remora-hub ")[1].replace("--root .", "").split()
        assert main([*line, "--root", str(tmp_path)]) == 0
        shown = capsys.readouterr().out
    told = {_without_numbers(text) for text in shown.splitlines()}
    for text in block("output: try").splitlines():
        assert _without_numbers(text) in told or text.strip() == "..."


def _part_of_the_source() -> list[Path]:
    package = ROOT / "remora_hub_lsp"
    files = [*package.glob("*.py"), *package.glob("hub/*.py"), *package.glob("client/*.py")]
    files += [ROOT / "tests/__init__.py", ROOT / "tests/hub/__init__.py", ROOT / "tests/hub/test_tree.py"]
    return [path.relative_to(ROOT) for path in files]


async def test_the_rule_that_is_to_be_pasted_flags_what_it_says(tmp_path: Path) -> None:
    rule = block("example: rule")
    assert len(rule.splitlines()) <= 15
    files = {"agents/hub/tools/no_prints.pym": rule, "app.py": 'def f():\n    """Say."""\n    print("hello")\n'}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load(tmp_path / "agents/hub/tools/no_prints.pym").check().messages == []
    server = Server(tmp_path / "socket", Hubs({"workers": 0}))
    await server.start()
    try:
        peer = await server.connect()
        capabilities = {"textDocument": {"publishDiagnostics": {}}}
        await peer.initialize(tmp_path.as_uri(), capabilities=capabilities, initializationOptions={"trusted": True})
        uri = (tmp_path / "app.py").as_uri()
        peer.open(uri, files["app.py"])
        message = await peer.wait(
            lambda m: m.get("method") == "textDocument/publishDiagnostics" and m["params"]["diagnostics"]
        )
        (problem,) = message["params"]["diagnostics"]
        assert (message["params"]["uri"], problem["range"]["start"]["line"]) == (uri, 2)
        assert problem["message"] == "this project logs, it does not print"
    finally:
        await server.stop()


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "0", re.sub(r"(source hash ).*", r"\1", line))


def test_the_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'readme "try"' in script
    assert 'readme "test"' in script
