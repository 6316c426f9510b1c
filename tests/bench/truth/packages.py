"""The packages whose own test suites tell the truth: sources and what their tests need, from PyPI, pinned."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import platformdirs

TESTS_NEED = Path(__file__).with_name("constraints.txt")
PYTHONS = ("python3.13", "python3.12")


class Package(NamedTuple):
    """release: as pip writes it. source: the folder of the package itself in its sdist. tests: pytest's arguments.
    needs: what the tests need beside pytest and the package's own requirements."""

    release: str
    source: str
    tests: tuple[str, ...] = ("tests",)
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.release.partition("==")[0]

    @property
    def root(self) -> Path:
        """The unpacked sdist."""
        return cache() / "src" / self.release.replace("==", "-")


PACKAGES = (
    Package("click==8.5.1", "src/click"),
    Package("flask==3.1.3", "src/flask", needs=("asgiref", "python-dotenv")),
    Package("werkzeug==3.1.9", "src/werkzeug", ("tests", "-m", "not dev_server"),
            ("cffi", "cryptography", "ephemeral-port-reserve", "pytest-timeout", "watchdog")),
    Package("jinja2==3.1.6", "src/jinja2", needs=("trio",)),
    Package("marshmallow==4.4.0", "src/marshmallow", needs=("simplejson",)),
    Package("requests==2.34.2", "src/requests", needs=("pytest-httpbin", "httpbin", "pytest-mock", "PySocks", "trustme")),
    Package("starlette==1.10.0", "starlette", needs=("httpx", "httpx2", "itsdangerous", "python-multipart", "pyyaml", "trio",
            "opentelemetry-sdk", "blockbuster")),
    Package("sqlparse==0.6.1", "sqlparse"),
    Package("networkx==3.6.1", "networkx", ("networkx/classes", "networkx/algorithms/shortest_paths",
            "networkx/algorithms/components", "networkx/algorithms/traversal", "networkx/algorithms/tree")),
)  # fmt: skip


def chosen(names: list[str]) -> list[Package]:
    """Packages by name, all where none is named. Raises SystemExit for an unknown one."""
    known = {package.name: package for package in PACKAGES}
    if unknown := set(names) - set(known):
        raise SystemExit(f"no package {', '.join(sorted(unknown))} here; there are {', '.join(known)}")
    return [known[name] for name in names] or list(PACKAGES)


def cache() -> Path:
    """Where sources, environment and traces are kept, in the user's cache directory."""
    return platformdirs.user_cache_path("remora-hub-bench") / "truth"


def python() -> Path:
    """The Python of the environment in which all the suites run; it is made when first asked for."""
    found = cache() / "venv" / "bin" / "python"
    if not found.exists():
        base = next((path for name in PYTHONS if (path := newer(name))), None)
        if base is None:
            raise SystemExit(f"tracing needs one of {', '.join(PYTHONS)} on the PATH")
        subprocess.run([base, "-m", "venv", str(found.parents[1])], check=True)
        pip("install", "pytest", "pytest-cov", "pytest-xdist", "-c", str(TESTS_NEED))
    return found


def newer(name: str) -> str | None:
    """A Python on the PATH that can be started (a shim of a version manager may not)."""
    path = shutil.which(name)
    works = path and subprocess.run([path, "-c", "import sys; sys.monitoring"], capture_output=True).returncode == 0
    return path if works else None


def fetch(package: Package) -> None:
    """Unpack the package's source and install it, as it lies there, with what its tests need; once."""
    python()
    done = package.root / ".installed"
    if done.exists():
        return
    downloads = cache() / "sdists"
    pip("download", "--no-deps", "--no-binary", ":all:", "--dest", str(downloads), package.release)
    unpack(downloads, package)
    pip("install", "-e", str(package.root), *package.needs, "-c", str(TESTS_NEED))
    done.touch()


def unpack(downloads: Path, package: Package) -> None:
    stem = package.release.replace("==", "-").lower()
    (archive,) = (path for path in downloads.glob("*.tar.gz") if path.name.lower().replace("_", "-") == f"{stem}.tar.gz")
    package.root.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        (top,) = {name.split("/")[0] for name in tar.getnames()}
        tar.extractall(package.root.parent, filter="data")
    if top != package.root.name:
        os.rename(package.root.parent / top, package.root)


def pip(*arguments: str) -> None:
    command = [str(cache() / "venv" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments], check=True, stdout=sys.stderr)


def run(command: list[str], package: Package, log: Path, cwd: Path | None = None, **environment: str) -> int:
    """Run something with the suites' Python, in the package's folder or `cwd`; its output goes to `log`."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables = {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run([str(python()), *command], cwd=cwd or package.root, env=variables, stdout=file,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)  # fmt: skip
    return done.returncode
