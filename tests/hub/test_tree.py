"""Which files are the project's, against git itself and in every odd shape a folder can have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.config import Config
from remora_hub_lsp.hub.gitignore import IgnoreRules
from remora_hub_lsp.hub.tree import SourceTree

GIT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "XDG_CONFIG_HOME": os.devnull}
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file names")


def make(root: Path, *files: str, **texts: str) -> Path:
    """Writes `files` (empty), and texts, keyed by path with `__dot__` for a leading dot."""
    for path, text in [*((file, "") for file in files), *texts.items()]:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def write(root: Path, texts: Mapping[str, str]) -> None:
    make(root, **texts)


def walk(root: Path, *exclude: str) -> list[str]:
    """The paths of the walk; `includes` must agree about every regular file there is."""
    tree = SourceTree(root, Config(exclude=exclude))
    paths = [entry.path for entry in tree.walk()]
    assert len(paths) == len(set(paths))
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            if os.path.isfile(root / path):
                assert tree.includes(path) == (path in paths), (path, tree.why_not(path))
    return sorted(paths)


# ---------------------------------------------------------------------------------------- as git decides it

NAMES = st.sampled_from(["a", "b", "ab", "ba", "x", "é", "a.py", "b.py", "ab.pyi", "a b", "#a", "!a", "]", "-", "["])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from([
    "a", "b", "ab", "x", "*", "**", "?", "/", ".py", ".pyi", "*.py", "a/", "**/", "/**", "!", "#", "\\", "\\*", "\\!",
    "-", "é", "[ab]", "[!a]", "[^b-]", "[]a]", "[a-", "[", "[[:alpha:]]", "[z-a]", "[\\]]", "[[:foo:]]", "[a\\-c]",
    " ", "\\ ",
])  # fmt: skip
PATTERNS = st.lists(PIECES, min_size=1, max_size=5).map("".join)
IGNORE_FILES = st.lists(PATTERNS, max_size=4).map("\n".join)


@needs_git
@settings(max_examples=80, deadline=None)
@given(
    files=st.lists(PATHS, min_size=1, max_size=30),
    ignore=st.dictionaries(st.just("") | PATHS, IGNORE_FILES, min_size=1, max_size=3),
    info=IGNORE_FILES,
)
def test_the_walk_finds_what_git_would_add(files: list[str], ignore: dict[str, str], info: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        subprocess.run(["git", "init", "-q", name], env=GIT, check=True)
        for path in files:
            _make_if_possible(root / path)
        for folder, text in ignore.items():
            if (root / folder).is_dir():
                (root / folder / ".gitignore").write_text(text, encoding="utf-8")
        (root / ".git/info").mkdir(exist_ok=True)
        (root / ".git/info/exclude").write_text(info, encoding="utf-8")
        assert walk(root) == _listed_by_git(root)


def _make_if_possible(place: Path) -> None:
    """A file, unless one stands where a folder would have to be or the other way round."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    except OSError:
        pass


def _listed_by_git(root: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=root, env=GIT, check=True, capture_output=True).stdout
    return sorted(path for path in os.fsdecode(output).split("\0") if path.endswith((".py", ".pyi")))


@needs_git
def test_rules_above_the_root_count_and_those_of_a_linked_work_tree(tmp_path: Path) -> None:
    main, linked = tmp_path / "main", tmp_path / "linked"
    make(main, "services/api/ok.py", "services/api/gen_x.py", "services/api/sub/gen_y.py", "services/api/secret.py")
    write(main, {".gitignore": "gen_*.py\n", "services/.gitignore": "/api/sub/\n!gen_x.py\n"})
    run = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "init", "-q"], cwd=main, env=GIT, check=True)
    subprocess.run([*run, "add", "-A", "-f"], cwd=main, env=GIT, check=True)
    subprocess.run([*run, "commit", "-qm", "all"], cwd=main, env=GIT, check=True)
    subprocess.run([*run, "worktree", "add", "-q", str(linked)], cwd=main, env=GIT, check=True)
    (main / ".git/info").mkdir(exist_ok=True)
    (main / ".git/info/exclude").write_text("secret.py\n")
    for checkout in (main, linked):
        assert walk(checkout / "services/api") == ["gen_x.py", "ok.py"]


def test_a_root_in_an_ignored_folder_is_indexed_whole(tmp_path: Path) -> None:
    make(tmp_path, ".git/HEAD", "sandbox/project/a.py", "sandbox/project/pkg/b.py", **{".gitignore": "*\n"})
    assert walk(tmp_path / "sandbox/project") == ["a.py", "pkg/b.py"]
    assert walk(tmp_path) == []


def test_hostile_patterns_cost_no_more_than_they_are_long() -> None:
    patterns = ["*a" * 30 + "b", "**/" * 30 + "x", "/".join(["**", "*a*a*"] * 12) + "/b", "x/" + "*a" * 30 + "b"]
    rules = IgnoreRules("\n".join(patterns), "hostile")
    for path in ("a" * 250, "a/" * 60 + "y", "aaa/" * 60 + "c", "x/" + "a" * 200):
        assert rules.verdict(path, path.rpartition("/")[2], is_folder=False) is None


# -------------------------------------------------------------------------------------- what is left out anyway


def test_only_python_sources_outside_the_usual_folders(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.pyi", "c.pyc", "d.txt", "py", "pkg/e.py", "src/env/f.py", "café/ü.py")
    for folder in (".git", ".venv", "node_modules", "x/__pycache__", "build/lib", "dist", ".tox/py", "venv", ".eggs"):
        make(tmp_path, f"{folder}/left_out.py")
    assert walk(tmp_path) == ["a.py", "b.pyi", "café/ü.py", "pkg/e.py", "src/env/f.py"]


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_an_environment_is_known_by_its_content(tmp_path: Path, mark: str) -> None:
    make(tmp_path, f"my env/{mark}", "my env/lib/x.py", "my env/x.py", "ok.py")
    assert walk(tmp_path) == ["ok.py"]
    assert walk(tmp_path / "my env") == ["lib/x.py", "x.py"]
    assert "my env is a virtual environment" in str(SourceTree(tmp_path, Config()).why_not("my env/lib/x.py"))


@pytest.mark.parametrize("init", ["__init__.py", "__init__.pyi"])
def test_a_package_may_be_called_build(tmp_path: Path, init: str) -> None:
    make(tmp_path, f"src/build/{init}", "src/build/env.py", "build/lib/copy.py")
    assert walk(tmp_path) == [f"src/build/{init}", "src/build/env.py"]


@pytest.mark.parametrize("place", ["build/x", "node_modules/x", ".venv/lib/site-packages/x", "__pycache__"])
def test_the_root_itself_may_lie_anywhere(tmp_path: Path, place: str) -> None:
    make(tmp_path / place, "a.py", "pkg/b.py")
    assert walk(tmp_path / place) == ["a.py", "pkg/b.py"]


def test_the_setting_decides_before_everything_else(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "gen/b.py", "gen/keep.py", "build/c.py", ".venv/d.py", "node_modules/e.py", "env/pyvenv.cfg")
    make(tmp_path, "env/f.py", **{".gitignore": "a.py\n"})
    assert walk(tmp_path) == ["gen/b.py", "gen/keep.py"]
    chosen = ("!a.py", "gen/*", "!gen/keep.py", "!/build/", "!/env/")
    assert walk(tmp_path, *chosen) == ["a.py", "build/c.py", "env/f.py", "gen/keep.py"]


def test_reasons_name_the_pattern_and_where_it_stands(tmp_path: Path) -> None:
    make(tmp_path, "pkg/gen_a.py", "x.py/y.py", "node_modules/z.py", "b.py")
    write(tmp_path, {".git/HEAD": "", "pkg/.gitignore": "# generated\ngen_*\n"})
    tree = SourceTree(tmp_path, Config(exclude=("b.*",)))
    assert tree.why_not("pkg/gen_a.py") == "pkg/gen_a.py matches 'gen_*' (pkg/.gitignore, line 2)"
    assert tree.why_not("b.py") == "b.py matches 'b.*' (the setting exclude, line 1)"
    assert '"!/node_modules/" in the setting exclude brings it back' in str(tree.why_not("node_modules/z.py"))
    assert tree.why_not("x.py") == "x.py is not a regular file"
    assert "not Python source" in str(tree.why_not("README.md"))
    for outside in ("../b.py", "/etc/b.py", "", "a//b.py", "./b.py", "nul\0.py"):
        assert "not a path below the root" in str(tree.why_not(outside))
    assert tree.why_not("not/there/yet.py") is None


def test_a_changed_gitignore_counts_at_once(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.py", **{".git/HEAD": "", ".gitignore": "a.py\n"})
    tree = SourceTree(tmp_path, Config())
    assert (tree.includes("a.py"), tree.includes("b.py")) == (False, True)
    (tmp_path / ".gitignore").write_text("b.py\n# longer\n")
    assert (tree.includes("a.py"), tree.includes("b.py")) == (True, False)
    (tmp_path / ".gitignore").unlink()
    assert [entry.path for entry in tree.walk()] == ["a.py", "b.py"]


# ------------------------------------------------------------------------------------------------ odd folders


@posix
def test_links_count_once_and_never_lead_out(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside", "far.py", "folder/far.py")
    root = make(tmp_path / "root", "pkg/real.py", "bin/tool", "build/made.py")
    link = {
        "same.py": root / "pkg/real.py",
        "pkg/loop": root,
        "alias": root / "pkg",
        "self.py": root / "self.py",
        "out.py": outside / "far.py",
        "out": outside / "folder",
        "gone.py": root / "nothing.py",
        "folder.py": root / "pkg",
        "a_tool.py": root / "bin/tool",
        "b_tool.py": root / "bin/tool",
        "made.py": root / "build/made.py",
    }
    for name, target in link.items():
        (root / name).symlink_to(target)
    assert walk(root) == ["a_tool.py", "made.py", "pkg/real.py"]
    tree = SourceTree(root, Config())
    assert tree.why_not("same.py") == "same.py is a link to pkg/real.py, which is included itself"
    assert "alias is a link to" in str(tree.why_not("alias/real.py"))
    assert "outside the root" in str(tree.why_not("out.py"))
    assert tree.problems == []


@posix
def test_a_root_that_is_a_link_is_the_folder_it_leads_to(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert walk(tmp_path / "link") == ["a.py"]


@posix
def test_what_is_called_py_without_being_a_file(tmp_path: Path) -> None:
    make(tmp_path, "x.py/inner.py", "y.pyi/z.txt")
    os.mkfifo(tmp_path / "pipe.py")
    assert walk(tmp_path) == ["x.py/inner.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names must be UTF-8")
def test_names_that_are_not_utf_8_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    for name in (b"\xff.py", b"ignored-\xfe.py"):
        with open(folder + b"/" + name, "wb"):
            pass
    make(tmp_path, ".git/HEAD")
    (tmp_path / ".gitignore").write_bytes(b"ignored-\xfe.py\n")
    (path,) = walk(tmp_path)
    assert os.fsencode(path) == b"caf\xe9/\xff.py"
    assert path == "caf\udce9/\udcff.py"


@posix
def test_an_unreadable_folder_is_told_and_the_rest_is_found(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name, _as_an_ordinary_user(name):
        root = make(Path(name), "a.py", "locked/b.py", "z/c.py", **{".git/HEAD": "", "z/.gitignore": "c.py"})
        (root / "locked").chmod(0)
        (root / "z/.gitignore").chmod(0)
        tree = SourceTree(root, Config())
        assert [entry.path for entry in tree.walk()] == ["a.py", "z/c.py"]
        assert tree.problems == [("locked", "Permission denied"), ("z/.gitignore", "Permission denied")]
        (root / "locked").chmod(0o700)
        (root / "z/.gitignore").unlink()
        assert [entry.path for entry in tree.walk()] == ["a.py", "locked/b.py", "z/c.py"]
        assert tree.problems == []


@contextmanager
def _as_an_ordinary_user(folder: str) -> Iterator[None]:
    """The superuser may read everything: step down while it matters."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
def test_a_folder_deeper_than_a_path_may_be_long_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    tree = SourceTree(tmp_path, Config())
    assert [entry.path for entry in tree.walk()] == ["a.py"]
    assert [problem.error for problem in tree.problems] == ["File name too long"]


def test_the_entries_tell_what_the_disk_tells(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\r\n")
    status = (tmp_path / "a.py").stat()
    assert list(SourceTree(tmp_path, Config()).walk()) == [("a.py", status.st_mtime_ns, 7, status.st_ino)]


def test_nothing_of_the_standard_library_is_lost() -> None:
    root = Path(sysconfig.get_path("stdlib"))
    left_out = {"site-packages", "dist-packages", "__pycache__"}
    expected = {
        place.relative_to(root).as_posix()
        for place in [*root.rglob("*.py"), *root.rglob("*.pyi")]
        if place.is_file() and not place.is_symlink() and not left_out & set(place.relative_to(root).parts)
    }
    assert {entry.path for entry in SourceTree(root, Config()).walk()} == expected
    assert any(path.startswith("venv/") for path in expected)
