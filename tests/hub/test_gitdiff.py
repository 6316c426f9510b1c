"""What git says that changed: committed, staged, in the working tree, and untracked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from remora_hub_lsp.errors import GitError
from remora_hub_lsp.hub.gitdiff import ChangedFile, changes_since


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, {"a.py": "a = 1\n", "b.py": "b = 1\n", "sub/c.py": "c = 1\n", "sub/data.txt": "1"})
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def test_nothing_changed(repository: Path) -> None:
    assert changes_since(repository)[1:] == ((), ())


def test_every_kind_of_change_comes_with_the_old_text(repository: Path) -> None:
    write(repository, {"a.py": "a = 2\n", "neu ä.py": "", "sub/data.txt": "2"})
    (repository / "sub/c.py").unlink()
    found = changes_since(repository)
    assert found.sources == (
        ChangedFile("a.py", "a = 1\n"), ChangedFile("neu ä.py", None), ChangedFile("sub/c.py", "c = 1\n"),
    )  # fmt: skip
    assert found.others == ("sub/data.txt",)


def test_a_root_inside_the_repository_sees_its_own_files(repository: Path) -> None:
    write(repository, {"a.py": "a = 2\n", "sub/c.py": "c = 2\n"})
    assert changes_since(repository / "sub").sources == (ChangedFile("c.py", "c = 1\n"),)


def test_since_a_branch_was_left(repository: Path) -> None:
    git(repository, "switch", "-q", "-c", "topic")
    write(repository, {"a.py": "a = 2\n"})
    git(repository, "commit", "-q", "-a", "-m", "topic")
    git(repository, "switch", "-q", "main")
    write(repository, {"b.py": "b = 2\n"})
    git(repository, "commit", "-q", "-a", "-m", "main")
    git(repository, "switch", "-q", "topic")
    assert [file.path for file in changes_since(repository, "main").sources] == ["a.py", "b.py"]
    assert [file.path for file in changes_since(repository, "main...").sources] == ["a.py"]


def test_ignored_files_are_no_change(repository: Path) -> None:
    write(repository, {".gitignore": "x.py\n", "x.py": ""})
    assert changes_since(repository).sources == ()


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "", "nothing..."])
def test_what_is_no_revision_is_refused(repository: Path, revision: str) -> None:
    with pytest.raises(GitError, match=r"revision|valid object"):
        changes_since(repository, revision)


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="cannot tell what changed"):
        changes_since(tmp_path)
