"""The command `outdated`: from the index, and against a revision of git; what it writes, and its exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.cli import main

OLD = '''def price(net, rate):
    """Price of it all.

    Args:
        net: without tax.
        rate: the tax.
    """
    return net * (1 + rate)
'''
NEW = OLD.replace("net, rate)", "net, rate, rounded=False)")
WRONG = OLD.replace("net, rate)", "net, rat)").replace("+ rate)", "+ rat)")


def git(root: Path, *arguments: str) -> None:
    me = ["-c", "user.name=A Person", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(root), *me, *arguments], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "shop").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("")
    (folder / "shop" / "a.py").write_text(OLD)
    (folder / "shop" / "b.py").write_text(WRONG)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    monkeypatch.chdir(folder)
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["outdated", *arguments])
    return code, capsys.readouterr().out


def entries(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, out = told(capsys, "--json", *arguments)
    result: dict[str, Any] = json.loads(out)
    assert code == (1 if result["outdated"] else 0)
    return result


@pytest.mark.parametrize("path", [".", "shop/..", "{root}"])
def test_the_root_itself(root: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    assert [one["path"] for one in entries(capsys, path.format(root=root))["outdated"]] == ["shop/b.py"]


def test_from_the_index(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys)
    assert code == 1
    assert out == "shop/b.py:1: price: documents `rate`, which is no parameter: is it `rat`? [unknown-parameter]\n"
    (root / "shop" / "a.py").write_text(NEW)
    code, out = told(capsys, "shop/a.py")
    assert code == 1
    assert out.splitlines()[0].startswith("shop/a.py:1: price: does not document `rounded`, which was added")
    assert out.splitlines()[1].startswith("    the docstring belongs to: def price(net, rate)")
    (root / "shop" / "a.py").write_text(OLD)
    assert told(capsys, "shop/a.py") == (0, "")


def test_what_history_tells_of_a_fresh_clone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "shop" / "a.py").write_text(NEW)
    git(root, "commit", "-qam", "two")
    (entry,) = entries(capsys, "shop/a.py")["outdated"]
    assert entry["drift"]["author"] == "A Person"
    assert entry["drift"]["commit"]
    assert entry["drift"]["signature"] == "def price(net, rate)"


def test_since_a_revision(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--since", "HEAD") == (0, ""), "what was wrong before is not told"
    (root / "shop" / "a.py").write_text(NEW)
    (entry,) = entries(capsys, "--since", "HEAD")["outdated"]
    assert entry["key"] == "node:shop/a.py:price"
    assert entry["name_range"]["start"] == {"line": 0, "character": 4}
    assert entries(capsys, "--since", "HEAD", "shop/b.py")["total"] == 0
    (root / "shop" / "a.py").write_text(NEW.replace("price", "cost"))
    assert entries(capsys, "--since", "HEAD")["total"] == 1, "a renamed function is the same one"
    (root / "shop" / "a.py").write_text(NEW.replace("Price", "The price"))
    assert entries(capsys, "--since", "HEAD")["total"] == 0, "somebody looked at the docstring"
    (root / "new.py").write_text(WRONG)
    assert entries(capsys, "--since", "HEAD")["total"] == 1, "a file that git does not know yet"
    (root / "pyproject.toml").write_text('[tool.remora-hub]\ndrift-exclude = ["new.py"]\n')
    assert entries(capsys, "--since", "HEAD")["total"] == 0


def test_what_ci_reads(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "shop" / "a.py").write_text(NEW)
    code, out = told(capsys, "--since", "HEAD", "--format", "github")
    assert code == 1
    assert out == (
        "::warning file=shop/a.py,line=1,title=parameter-added::The docstring of price does not document `rounded`, "
        "which was added, while it documents the other parameters.\n"
    )
    code, out = told(capsys, "--since", "HEAD", "--format", "sarif")
    assert code == 1
    (run,) = json.loads(out)["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "parameter-added"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 5, "endColumn": 10}


def test_what_cannot_be_is_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in [
        (["--since", "nowhere"], "nowhere"),
        (["/"], "outside the project"),
        (["missing.py"], "missing.py does not exist"),
    ]:
        assert main(["outdated", *arguments]) == 2
        assert said in capsys.readouterr().err


def test_the_hook_runs_what_there_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hooks = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    (entry,) = (line.partition(": ")[2].split() for line in hooks.splitlines() if "entry:" in line)
    assert entry[0] == "remora-hub"
    (root / "shop" / "a.py").write_text(NEW)
    assert main([*entry[1:], "shop/a.py", "shop/b.py"]) == 1
