"""Files of every odd kind: each indexed, or listed with a clear error, and fatal to nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from remora_hub_lsp.errors import ConfigError
from remora_hub_lsp.hub.paths import Paths
from remora_hub_lsp.index import rows

from .running import (
    GUARD,
    Editor,
    age,
    changed_on_disk,
    contents,
    context,
    fresh,
    hub_of,
    missing,
    node,
    paths_in,
    running,
    signatures,
    write,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file names")

FAILING: dict[str, tuple[bytes, str]] = {
    "latin.py": (b"# caf\xe9\ndef f(): pass\n", "byte 0xe9 is not utf-8"),
    "cookie.py": (b"# coding: no-such-codec\ndef f(): pass\n", "unknown encoding"),
    "bom.py": (b"\xef\xbb\xbf# coding: latin-1\n", "BOM"),
    "nul.py": (b"def fine(): pass\nx = 1\0\n", ""),
    "large.py": (b"#" * 20_000 + b"\n", "20,001 bytes are more than the setting max_file_size (10,000) allows"),
    "broken.py": (b"def fine(): pass\ndef f(:\n", ""),
    "deep.py": (b"(" * 5000, ""),
    "indented.py": (b"  x = 1\n", ""),
}
FINE = {
    "declared.py": "# coding: latin-1\ndef f(): 'é'\n".encode("latin-1"),
    "with_bom.py": b"\xef\xbb\xbfdef f(): pass\n",
    "form_feed.py": b"\f\ndef f(): pass\n",
    "cr.py": b"def f(): pass\rdef g(): pass\r",
    "empty.py": b"",
    "stub.pyi": b"def f() -> int: ...\n",
}


# ------------------------------------------------------------------------------------------------ content


async def test_files_that_fail_are_listed_with_their_error_and_fatal_to_nothing(tmp_path: Path) -> None:
    write(tmp_path, {path: data for path, (data, _) in FAILING.items()})
    write(tmp_path, FINE)
    async with running(tmp_path, max_file_size=10_000) as hub:
        status = await hub.status()
        assert hub.state == "ready"
        errors = {failed.file: failed.error for failed in status.failed}
        assert sorted(errors) == sorted(FAILING)
        for path, error in errors.items():
            assert error
            assert FAILING[path][1] in error
        assert {path: len(await signatures(hub, path)) for path in FINE} == {
            "declared.py": 1, "with_bom.py": 1, "form_feed.py": 1, "cr.py": 2, "empty.py": 0, "stub.pyi": 1,
        }  # fmt: skip
        assert (await missing(hub, "latin.py:f"))[0] == "file failed"
        assert (await missing(hub, "large.py"))[0] == "file failed"
        assert (await node(hub, "broken.py:fine"))["broken"] is None
        assert (await node(hub, "nul.py:fine"))["broken"] is None
    async with running(tmp_path, max_file_size=10_000) as hub:
        assert {failed.file: failed.error for failed in (await hub.status()).failed} == errors
        assert hub.progress.total == 1, "only the one that was not read is looked at again"


async def test_a_failing_file_that_is_mended_is_indexed(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": b"\xff", "b.py": "#" * 200})
    async with running(tmp_path, max_file_size=100) as hub:
        assert len((await hub.status()).failed) == 2
        write(tmp_path, {"a.py": "def f(): pass\n", "b.py": "def g(): pass\n"})
        changed_on_disk(hub, "a.py", "b.py")
        assert await signatures(hub, "a.py") == ["def f()"]
        assert await signatures(hub, "b.py") == ["def g()"]
        assert (await hub.status()).failed == ()


async def test_a_file_that_fails_as_it_changes_says_so_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    async with running(tmp_path) as hub:
        write(tmp_path, {"a.py": b"\xff\n"})
        changed_on_disk(hub, "a.py")
        assert await missing(hub, "a.py:f") == ("file failed", (await hub.status()).failed[0].error)


async def test_more_definitions_in_one_statement_than_can_be_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_IN_SEGMENT", 9)
    write(tmp_path, {"many.py": "if 1:\n" + " def f(): 0\n" * 11, "fine.py": "def f(): pass\n"})
    async with running(tmp_path) as hub:
        (failed,) = (await hub.status()).failed
        assert (failed.file, failed.error) == ("many.py", "more than 9 definitions in one statement")
        assert hub.state == "ready"
        assert await signatures(hub, "fine.py") == ["def f()"]


NESTINGS = {
    "parentheses": "(" * 900 + ")" * 900,
    "brackets": "x = " + "[" * 150 + "]" * 150,
    "nots": "x = " + "not " * 20_000 + "1",
    "minuses": "x = " + "-" * 20_000 + "1",
    "attributes": "x" + ".a" * 20_000,
    "calls": "x" + "()" * 20_000,
    "sums": "x = " + "1+" * 20_000 + "1",
    "lambdas": "x = " + "lambda:" * 5_000 + "1",
    "strings": "x = " + '"a"+' * 20_000 + '"a"',
    "functions": "".join(f"{' ' * i}def f{i}():\n" for i in range(99)) + " " * 99 + "pass\n",
    "ifs": "if 1: pass\n" + "elif 1: pass\n" * 5_000,
    "f-strings": "x = " + "f'{" * 3 + "}'" * 3,
    "decorators": "@a\n" * 5_000 + "def f(): pass\n",
    "ternaries": "x = " + "1 if 1 else " * 5_000 + "1",
    "tuples": "for " + "(" * 150 + "x" + ",)" * 150 + " in y: pass",
}


async def test_very_deep_nesting_ends_nothing(tmp_path: Path) -> None:
    write(
        tmp_path, {f"{name}.py": f"def before(): pass\n{text}\ndef after(): pass\n" for name, text in NESTINGS.items()}
    )
    async with running(tmp_path) as hub:
        assert hub.state == "ready"
        assert len(paths_in(hub.database)) == len(NESTINGS)
        for name in NESTINGS:
            assert "def before()" in await signatures(hub, f"{name}.py"), name
    assert len(await fresh(tmp_path, workers=2)) > len(NESTINGS)


# ------------------------------------------------------------------------------------------------ kind


@posix
async def test_what_is_no_regular_file_is_left_out_and_blocks_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n", "folder.py/inside.py": "def g(): pass\n"})
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "device.py").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.py")
    async with running(tmp_path) as hub:
        assert paths_in(hub.database) == ["a.py", "folder.py/inside.py"]
        odd = ("dangling.py", "loop.py", "device.py", "pipe.py", "folder.py")
        changed_on_disk(hub, *odd)
        for path in odd:
            assert await signatures(hub, path) == []
            assert (await missing(hub, f"{path}:f"))[0] in ("no such file", "file ignored")
        assert (await hub.status()).failed == ()
        assert await signatures(hub, "a.py") == ["def f()"]


@posix
async def test_a_file_that_becomes_a_pipe_or_a_folder_leaves(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n", "b.py": "def g(): pass\n"})
    async with running(tmp_path) as hub:
        (tmp_path / "a.py").unlink()
        os.mkfifo(tmp_path / "a.py")
        (tmp_path / "b.py").unlink()
        (tmp_path / "b.py").mkdir()
        changed_on_disk(hub, "a.py", "b.py")
        await hub.indexed()
        assert paths_in(hub.database) == []


@posix
async def test_a_pipe_that_is_open_in_an_editor_blocks_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    os.mkfifo(tmp_path / "pipe.py")
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("pipe.py", "def g(): pass\n")
        assert await asyncio.wait_for(signatures(hub, "pipe.py"), GUARD) == ["def g()"]
        assert await asyncio.wait_for(signatures(hub, "a.py"), GUARD) == ["def f()"]


SETTINGS = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", ".gitignore", "pkg/.gitignore", ".git", "agents/hub/tools/x.pym")


@posix
async def test_pipes_called_like_settings_block_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    for name in SETTINGS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(tmp_path / name)
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(int(GUARD))
    try:
        async with running(tmp_path) as hub:
            assert await signatures(hub, "a.py") == ["def f()"]
            assert (await hub.status()).failed == ()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _too_long(*_: object) -> None:
    raise TimeoutError("something waits for a pipe")


async def test_settings_nested_too_deeply_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n", "pytest.toml": "a = " + "[" * 5000, "pyproject.toml": "a = " + "[" * 5000})
    with pytest.raises(ConfigError, match=r"pyproject.toml cannot be read: .*recursion"):
        hub_of(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    async with running(tmp_path) as hub:
        assert await signatures(hub, "a.py") == ["def f()"]


@posix
async def test_what_cannot_be_read_is_listed_and_not_taken_for_deleted(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n", "secret.py": "def g(): pass\n", "closed/b.py": "def h(): pass\n"})
    async with running(tmp_path) as hub:
        database = hub.database
    (tmp_path / "secret.py").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        if os.access(tmp_path / "secret.py", os.R_OK):
            pytest.skip("this user may read everything")
        age(tmp_path / "secret.py", 50)
        async with running(tmp_path) as hub:
            failed = {entry.file: entry.error for entry in (await hub.status()).failed}
            assert set(failed) == {"secret.py", "closed"}
            assert "Permission denied" in failed["secret.py"]
            assert "Permission denied" in failed["closed"]
            assert (await missing(hub, "secret.py:g"))[0] == "file failed"
            assert paths_in(database) == ["a.py", "closed/b.py", "secret.py"]
            (tmp_path / "secret.py").chmod(0o600)
            changed_on_disk(hub, "secret.py")
            assert await signatures(hub, "secret.py") == ["def g()"]
    finally:
        (tmp_path / "closed").chmod(0o700)


# ------------------------------------------------------------------------------------------------ names


ODD_NAMES = [
    "new\nline.py", "it's.py", 'quo"te.py', "per%20cent.py", "a:b.py", "sp ace.py", "-dash.py", "back\\slash.py", "\\xe9.py",
    "star*.py", "é.py", "e\u0301.py", "😀.py", "tab\t.py", "semi;colon.py", "#hash.py", "dollar$.py", "..py", "a.py.py", "\u2028.py",
    "x" * 252 + ".py",
]  # fmt: skip


@posix
async def test_odd_file_names_are_indexed_and_found_by_their_keys(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(ODD_NAMES, "def f(): pass\n"))
    async with running(tmp_path) as hub:
        assert paths_in(hub.database) == sorted(ODD_NAMES)
        keys = [f"node:{name}:f" for name in ODD_NAMES]
        places = [f"{tmp_path / name}:f" for name in ODD_NAMES]
        result = await context(hub, *keys, *places, *[f"{(tmp_path / name).as_uri()}:f" for name in ODD_NAMES])
        assert result["missing"] == []
        assert {result["nodes"][key]["key"] for key in keys} == set(keys)
        assert [result["nodes"][place]["key"] for place in places] == keys
    async with running(tmp_path) as hub:
        assert hub.progress.total == 0


@posix
async def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS refuses such names")
    name = b"caf\xe9.py"
    place = os.path.join(os.fsencode(tmp_path), name)
    with open(place, "wb") as file:
        file.write(b"def f(): pass\n")
    age(Path(os.fsdecode(place)))
    key = "node:caf\\xe9.py:f"
    async with running(tmp_path) as hub:
        assert (await node(hub, key))["file_path"] == "caf\\xe9.py"
        found = await context(hub, f"{(tmp_path / os.fsdecode(name)).as_uri()}:f", os.fsdecode(place) + ":f")
        assert {state["key"] for state in found["nodes"].values()} == {key}
        path = hub.path_of(os.fsdecode(place))
        assert path == "caf\\xe9.py"
        editor = Editor(hub)
        editor.open(path, "def g(): pass\n")
        assert await signatures(hub, path) == ["def g()"]
        editor.close(path)
        assert await signatures(hub, path) == ["def f()"]
        database = hub.database
    async with running(tmp_path) as hub:
        assert hub.progress.total == 0
    async with running(tmp_path, index_on_start=False) as hub:
        changed_on_disk(hub, "caf\\xe9.py")
        assert await signatures(hub, "caf\\xe9.py") == ["def f()"], "no walk has seen its name"
    assert contents(database) == await fresh(tmp_path)


@pytest.mark.parametrize(
    "asked",
    [
        "x" * 300 + ".py:f",
        "a/" * 3000 + "b.py:f",
        "no/folder/x.py:f",
        "a.py/b.py:f",
        "nul\0.py:f",
        "/nul\0/x.py",
        "\ud800.py:f",
    ],
)
async def test_paths_that_cannot_be_are_answered(tmp_path: Path, asked: str) -> None:
    write(tmp_path, {"a.py": "def f(): pass\n"})
    for settings in ({}, {"index_on_start": False}):
        async with running(tmp_path, **settings) as hub:
            assert (await missing(hub, asked))[0] in ("no such file", "bad id")
            path = asked.rpartition(":")[0]
            if "\0" not in path and path.isprintable():
                changed_on_disk(hub, path)
                assert await signatures(hub, path) == []
                assert (await hub.status()).failed == ()


# ------------------------------------------------------------------------------------------------ the root


@pytest.mark.parametrize("name", ["build", "node_modules", ".venv", "sp ace", "é", "[x]"])
async def test_a_root_below_a_folder_that_is_left_out_by_name_is_indexed(tmp_path: Path, name: str) -> None:
    root = tmp_path / name / "project"
    write(root, {"a.py": "def f(): pass\n"})
    async with running(root) as hub:
        assert await signatures(hub, "a.py") == ["def f()"]


@posix
def test_paths_below_a_root_named_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "pkg").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "inner").symlink_to("pkg")
    for paths in (Paths(tmp_path / "link"), Paths(tmp_path / "real")):
        for root in ("link", "real"):
            assert paths.relative(tmp_path / root / "pkg/a.py") == "pkg/a.py"
            assert paths.relative(f"{tmp_path}/{root}/./pkg//x/../a.py") == "pkg/a.py"
            assert paths.relative(tmp_path / root) is None
        assert paths.relative(tmp_path / "other/a.py") is None
        assert paths.relative(tmp_path / "real-not/a.py") is None
        assert paths.relative("/nul\0/a.py") is None
        assert paths.relative("/\ud83d/a.py") is None
        assert [paths.within(path) for path in ("\ud83d.py", "/\ud83d", "a\0")] == [None] * 3
        assert paths.absolute("pkg/a.py") == str((tmp_path / "real/pkg/a.py").resolve())
