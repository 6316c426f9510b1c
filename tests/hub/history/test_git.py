"""Reading commits and contents with git, and what it says where that is not possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_hub_lsp.errors import GitError
from remora_hub_lsp.hub.history import git as reading
from remora_hub_lsp.hub.history.git import Change, Commit, Repository

from .repositories import BEGIN, DAY, Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "project")


def log(made: Made, below: str = "") -> list[list[tuple[str, str, str]]]:
    git = Repository(made.root / below)
    return [[(one.kind, one.old_path, one.path) for one in changes] for _, changes in git.log(git.head())]


def test_commits_newest_first_with_author_dates(made: Made) -> None:
    first = made.commit({"a.py": "a = 1\n", "notes.txt": "no"})
    made.commit({"notes.txt": "still no"})
    third = made.commit({"a.py": "a = 2\n", "b.pyi": "b: int\n"})
    git = Repository(made.root)
    commits = [commit for commit, _ in git.log(git.head())]
    assert commits == [Commit(third, BEGIN + 3 * DAY, "A"), Commit(first, BEGIN + DAY, "A")]


def test_changes_tell_blobs_before_and_after(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    made.commit({"a.py": "a = 2\n"})
    git = Repository(made.root)
    (_, [change]), (_, [birth]) = git.log(git.head())
    assert change == Change("M", "a.py", "a.py", birth.blob, git.files(git.head())["a.py"])
    assert birth.old_blob == ""


def test_renames_are_followed_and_strange_names_read(made: Made) -> None:
    made.commit({"a.py": "first = 1\nsecond = 2\nthird = 3\n"})
    made.commit({"a.py": None, "Ä b\n:c.py": "first = 1\nsecond = 2\nthird = 3\n"})
    assert log(made) == [[("R", "a.py", "Ä b\n:c.py")], [("A", "a.py", "a.py")]]


def test_a_merge_is_one_change_of_its_first_parent(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    made.git("checkout", "-q", "-b", "side")
    made.commit({"b.py": "b = 1\n"})
    made.commit({"b.py": "b = 2\n"})
    made.git("checkout", "-q", "main")
    made.commit({"a.py": "a = 2\n"})
    made.git("merge", "-q", "--no-ff", "side", "-m", "merge")
    assert log(made) == [[("A", "b.py", "b.py")], [("M", "a.py", "a.py")], [("A", "a.py", "a.py")]]


def test_a_root_inside_the_repository_sees_its_own_files(made: Made) -> None:
    made.commit({"sub/a.py": "a = 1\n", "b.py": "b = 1\n"})
    made.commit({"b.py": "b = 2\n"})
    assert log(made, "sub") == [[("A", "a.py", "a.py")]]
    git = Repository(made.root / "sub")
    assert list(git.files(git.head())) == ["a.py"]


def test_links_and_submodules_are_no_files(made: Made) -> None:
    other = Made(made.root.parent / "other")
    other.commit({"o.py": "o = 1\n"})
    (made.root / "link.py").symlink_to("a.py")
    made.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.root), "module.py")
    made.commit({"a.py": "a = 1\n"})
    git = Repository(made.root)
    assert list(git.files(git.head())) == ["a.py"]
    assert {change.path for _, changes in git.log(git.head()) for change in changes if change.blob} == {"a.py"}
    assert Repository(made.root / "module.py").head() == other.git("rev-parse", "HEAD")  # it has a .git file


def test_a_linked_work_tree_is_a_repository(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    made.git("worktree", "add", "-q", "../linked")
    made.commit({"a.py": "a = 2\n"})
    git = Repository(made.root.parent / "linked")
    assert len(list(git.log(git.head()))) == 1


def test_contents_in_their_order_without_those_that_are_too_big(made: Made) -> None:
    texts = {f"f{number}.py": f"x = {number}\n" * (number + 1) for number in range(100)}
    made.commit({**texts, "big.py": "#" * 3000})
    git = Repository(made.root)
    files = git.files(git.head())
    with git.contents(1000) as contents:
        assert list(contents.of([files["big.py"], "0" * 40, files["f1.py"]])) == [None, None, b"x = 1\nx = 1\n"]
        some = contents.of([files[path] for path in texts])
        assert next(some) == b"x = 0\n"
        some.close()  # what was asked for ahead does not get into the next answers
        assert list(contents.of([files[path] for path in texts])) == [text.encode() for text in texts.values()]


def test_git_that_ends_half_way_is_an_error(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    git = Repository(made.root)
    with pytest.raises(GitError, match="log failed: bad object"):
        list(git.log("0" * 40))


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no git repository"):
        Repository(tmp_path)


def test_no_git(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(made.root))
    with pytest.raises(GitError, match="no git on the PATH"):
        Repository(made.root)


def test_no_commit_yet(made: Made) -> None:
    with pytest.raises(GitError, match="no commit yet"):
        Repository(made.root).head()


def test_another_users_repository(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.commit({"a.py": "a = 1\n"})
    monkeypatch.setitem(reading._ENVIRONMENT, "GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match="belongs to another user"):
        Repository(made.root)


def test_a_shallow_clone_says_so(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    made.commit({"a.py": "a = 2\n"})
    assert not Repository(made.root).shallow
    made.git("clone", "-q", "--depth", "1", f"file://{made.root}", "../shallow")
    git = Repository(made.root.parent / "shallow")
    assert git.shallow
    assert [[change.kind for change in changes] for _, changes in git.log(git.head())] == [["A"]]


def test_a_partial_clone_is_not_read(made: Made) -> None:
    made.commit({"a.py": "a = 1\n"})
    made.git("config", "uploadpack.allowFilter", "true")
    made.git("clone", "-q", "--filter=blob:none", f"file://{made.root}", "../partial")
    with pytest.raises(GitError, match="partial"):
        Repository(made.root.parent / "partial")


def test_the_surroundings_do_not_lead_elsewhere(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made.commit({"a.py": "a = 1\n"})
    other = Made(made.root.parent / "other")
    other.commit({"o.py": "o = 1\n"})
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    assert Repository(made.root).head() == first
