"""`remora-hub doctor` and `completion`: each check sees what is really wrong."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from remora_hub_lsp import __version__
from remora_hub_lsp.cli import main
from remora_hub_lsp.cli.arguments import SHELLS, build_parser

Found = dict[str, list[dict[str, str]]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "cart.py").write_text("def total(): ...\n")
    return folder


def examined(root: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> Found:
    """What doctor says of a root, by topic."""
    capsys.readouterr()
    assert main(["doctor", "--json", "--root", str(root)]) == code
    found: Found = {}
    for entry in json.loads(capsys.readouterr().out):
        found.setdefault(entry["topic"], []).append(entry)
    return found


def test_a_sound_installation(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(root, capsys)
    for topic in ("python", "packages", "settings", "watcher", "scripts"):
        assert [entry["level"] for entry in found[topic]] == ["ok"], found[topic]
    assert [entry["level"] for entry in found["sharing"]] == ["ok", "note"]
    assert "is built when it is first used" in found["index"][0]["message"]


def test_the_index_is_counted_once_it_is_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", str(root)]) == 0
    (entry,) = examined(root, capsys)["index"]
    assert entry["level"] == "ok"
    assert "1 files, 2 nodes" in entry["message"]


def test_files_and_scripts_that_are_wrong_are_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "broken.py").write_text("def (:\n")
    tools = root / "agents" / "hub" / "tools"
    tools.mkdir(parents=True)
    (tools / "half.pym").write_text("result = [\n")
    assert main(["index", str(root)]) == 0
    found = examined(root, capsys)
    assert [entry["level"] for entry in found["index"]] == ["ok", "note"]
    assert "1 files could not be analysed as a whole when last looked at, the first is broken.py: " in found["index"][1]["message"]
    assert [entry["level"] for entry in found["scripts"]] == ["ok", "warning"]
    assert "half.pym cannot be run" in found["scripts"][1]["message"]
    (tools / "half.pym").unlink()
    assert main(["scripts", "new", "whole", "--root", str(root)]) == 0
    assert [entry["level"] for entry in examined(root, capsys)["scripts"]] == ["ok", "ok"]


def test_a_damaged_index_is_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text('[tool.remora-hub]\ndatabase = "index.db"\n')
    (root / "index.db").write_bytes(b"no database" * 1000)
    (entry,) = examined(root, capsys)["index"]
    assert entry["level"] == "note"
    assert "damaged" in entry["message"]


def test_wrong_settings_are_a_problem(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text("[tool.remora-hub]\nworkerz = 1\n")
    (entry,) = examined(root, capsys, code=1)["settings"]
    assert entry["level"] == "problem"
    assert "did you mean 'workers'?" in entry["message"]


def test_a_project_for_a_newer_python(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.99"\n')
    (entry,) = examined(root, capsys)["python"]
    assert entry["level"] == "warning"
    assert "pipx install --python python3.99" in entry["advice"]


def test_a_cache_folder_that_cannot_be_written(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")  # nobody, not even root, can write there
    (entry,) = examined(root, capsys, code=1)["index"]
    assert entry["level"] == "problem"
    assert "cannot be written" in entry["message"]


def test_a_runtime_folder_that_others_can_enter(
    root: Path, capsys: pytest.CaptureFixture[str], own_runtime: Path
) -> None:
    private = own_runtime / "remora-hub-lsp"
    private.mkdir()
    target = own_runtime / "elsewhere"
    target.mkdir()
    private.rmdir()
    private.symlink_to(target)
    (entry,) = examined(root, capsys, code=1)["sharing"]
    assert entry["level"] == "problem"
    assert str(private) in entry["message"]


def test_a_program_of_another_version_in_the_path(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "remora-hub-lsp"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho remora-hub-lsp 0.0.1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (entry,) = examined(root, capsys)["program"]
    assert entry["level"] == "warning"
    assert f"is remora-hub-lsp 0.0.1, this is {__version__}" in entry["message"]


def test_a_running_hub_process_is_asked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start"]) == 0
    sharing = examined(root, capsys)["sharing"]
    assert [entry["level"] for entry in sharing] == ["ok", "ok"]
    assert sharing[1]["message"].endswith("answers")


NAMESPACE = ["unshare", "--user", "--map-root-user"]  # whose limits its root may lower
LOOK = """
import sys
from pathlib import Path
from remora_hub_lsp.cli.doctor.project import watcher
from remora_hub_lsp.config import load_config
Path("/proc/sys/user", sys.argv[1]).write_text("3")
root = Path(sys.argv[2])
print(*watcher(root, load_config(root)), sep="\\n")
"""


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode != 0,
    reason="this user has no user namespaces",
)
def test_the_limit_for_watched_folders_is_named(root: Path) -> None:
    for number in range(5):
        (root / f"p{number}").mkdir()
        (root / f"p{number}" / "a.py").touch()
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-c", LOOK, "max_inotify_watches", str(root)],
        capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    seen, limited = done.stdout.splitlines()
    assert "level='ok'" in seen
    assert "level='problem'" in limited
    assert "6 folders: the system's limit for watched files is reached" in limited
    assert "advice='sudo sysctl fs.inotify.max_user_watches=" in limited


def test_for_people_a_problem_comes_with_what_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").write_text("[tool.remora-hub]\nworkerz = 1\n")
    assert main(["doctor", "--root", str(root)]) == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("PROBLEM settings"))
    assert lines[at + 1].strip().startswith("-> correct them")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    commands = [name for action in build_parser()._actions if action.dest == "command" for name in action.choices or ()]
    assert [name for name in commands if name not in script] == []


def test_bash_completes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("COMPLETION IS NOT TESTED: no bash on this machine")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    ask = f"source {script}; COMP_WORDS=(remora-hub doc); COMP_CWORD=1; $(complete -p remora-hub | sed 's/.*-F \\([^ ]*\\).*/\\1/'); echo ${{COMPREPLY[@]}}"
    done = subprocess.run([bash, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["doctor"]
