"""The distributions: what they hold, and that what they install runs by itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from remora_hub_lsp import __version__
from remora_hub_lsp.protocol import PROTOCOL_VERSION

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.tar.gz")
    return found


def test_the_wheel_holds_the_package_and_its_scripts_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"remora_hub_lsp"}
    scripts = sorted(path.name for path in (ROOT / "agents" / "hub" / "tools").glob("*.pym"))
    packed = sorted(name for name in names if name.endswith(".pym"))
    assert scripts
    assert packed == [f"remora_hub_lsp/_agents/hub/tools/{name}" for name in scripts]
    assert {"remora_hub_lsp/py.typed", "remora_hub_lsp/CHANGELOG.md"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_the_sdist_holds_sources_and_tests_and_no_leftovers(sdist: Path) -> None:
    with tarfile.open(sdist) as file:
        names = [name.partition("/")[2] for name in file.getnames()]
    tops = {name.split("/")[0] for name in names if not name.startswith(".")}
    assert tops == {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "agents", "remora_hub_lsp", "tests"}
    assert "tests/kit.py" in names
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name or name.endswith(".vsix")]


def test_what_the_wheel_installs_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """The package out of the wheel, with the libraries of this environment."""
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").write_text("def total(rate: float) -> float:\n    return rate\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import remora_hub_lsp; print(remora_hub_lsp.__file__);"
        "from remora_hub_lsp.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    line = [sys.executable, "-c", code, str(tmp_path / "site"), "context", "cart.py:total", "--root", "shop"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert "def total(rate: float) -> float" in done.stdout


def test_the_changelogs_begin_with_this_version() -> None:
    changes = (ROOT / "remora_hub_lsp" / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \(protocol (\S+)\)$", changes, re.MULTILINE)
    assert newest
    assert newest.groups() == (__version__, PROTOCOL_VERSION)
    extension = ROOT / "editors" / "vscode"
    assert json.loads((extension / "package.json").read_text(encoding="utf-8"))["version"] == __version__
    assert f"## {__version__}\n" in (extension / "CHANGELOG.md").read_text(encoding="utf-8")
