"""`remora-hub scripts`, and what scripts say in other commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.cli import main

from ..hub.running import write
from ..scripts.test_runner import FOLDER, LENGTHS, MANY_PARAMETERS

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {"pyproject.toml": "", "a.py": "def f(a, b, c):\n    return a\n", f"{FOLDER}/params.pym": MANY_PARAMETERS},
    )
    return tmp_path


def said(capsys: Capture, *arguments: str, code: int = 0) -> Any:
    assert main([*arguments]) == code
    return json.loads(capsys.readouterr().out)


def test_list(root: Path, capsys: Capture) -> None:
    rows = {row["name"]: row for row in said(capsys, "scripts", "list", "--json", "--root", str(root))}
    assert (rows["params"]["state"], rows["params"]["path"]) == ("untrusted", f"{FOLDER}/params.pym")
    assert (rows["scan_imports"]["state"], rows["http_routes"]["state"]) == ("step", "off")
    assert main(["scripts", "list", "--root", str(root)]) == 0
    assert "params" in capsys.readouterr().out


def test_check_has_the_form_of_grails(root: Path, capsys: Capture) -> None:
    (one,) = said(capsys, "scripts", "check", "--format", "json", "--root", str(root))
    assert (one["valid"], one["errors"], one["warnings"]) == (True, [], [])
    assert set(one["info"]) == {"externals_count", "inputs_count", "lines_of_code", "monty_features_used"}
    write(
        root,
        {f"{FOLDER}/bad.pym": LENGTHS + "f = lambda: 1\n", f"{FOLDER}/warns.pym": LENGTHS.replace("external", "Input")},
    )
    files = {
        Path(one["file"]).stem: one for one in said(capsys, "scripts", "check", "--json", "--root", str(root), code=1)
    }
    assert [error["code"] for error in files["bad"]["errors"]] == ["E012"]
    assert set(files["bad"]["errors"][0]) == {"line", "column", "code", "message", "suggestion"}
    assert main(["scripts", "check", "--root", str(root)]) == 1
    assert f"{FOLDER}/bad.pym:10:5: E012" in capsys.readouterr().out


def test_strict_counts_warnings(root: Path, capsys: Capture) -> None:
    file = root / "w.pym"
    file.write_text(LENGTHS.replace("result.append", "id = 1\n    result.append"))
    assert main(["scripts", "check", str(file), "--root", str(root)]) == 0
    assert main(["scripts", "check", str(file), "--strict", "--root", str(root)]) == 1
    assert "H001" in capsys.readouterr().out


def test_run_says_what_a_script_says_of_a_file(root: Path, capsys: Capture) -> None:
    answer = said(capsys, "scripts", "run", "params", str(root / "a.py"), "--json", "--root", str(root))
    assert answer["result"][0]["key"] == "node:a.py:f"
    step = said(capsys, "scripts", "run", "extract_signatures", str(root / "a.py"), "--root", str(root))
    assert [node["signature"] for node in step["nodes"]] == [None, "def f(a, b, c)"]
    write(root, {f"{FOLDER}/fails.pym": LENGTHS + "\nprint('so far')\n1 / 0\n"})
    assert main(["scripts", "run", "fails", str(root / "a.py"), "--root", str(root)]) == 1
    assert "fails.pym:12: ZeroDivisionError" in capsys.readouterr().err
    assert main(["scripts", "run", "nothing", str(root / "a.py"), "--root", str(root)]) == 2


def test_new_writes_what_a_check_likes(root: Path, capsys: Capture) -> None:
    assert main(["scripts", "new", "long_functions", "--root", str(root)]) == 0
    assert main(["scripts", "check", "--strict", "--root", str(root)]) == 0
    write(root, {"b.py": "def g():\n" + "    x = 1\n" * 60})
    capsys.readouterr()
    answer = said(capsys, "scripts", "run", "long_functions", str(root / "b.py"), "--json", "--root", str(root))
    assert answer["result"][0]["extra"] == {"lines": 61}
    assert main(["scripts", "new", "long_functions", "--root", str(root)]) == 2
    assert main(["scripts", "new", "../x", "--root", str(root)]) == 2


def test_context_shows_what_scripts_say_where_the_project_is_trusted(root: Path, capsys: Capture) -> None:
    key = "a.py:f"
    assert said(capsys, "context", key, "--json", "--root", str(root))["nodes"][key]["extra"] == {}
    trusted = said(capsys, "context", key, "--json", "--trusted", "--root", str(root))["nodes"][key]["extra"]
    assert trusted["params"]["findings"][0]["message"] == "more than two parameters"
    assert main(["context", key, "--trusted", "--root", str(root)]) == 0
    assert "params      more than two parameters" in capsys.readouterr().out
