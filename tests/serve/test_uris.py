from __future__ import annotations

import os

import pytest

from remora_hub_lsp.serve.uris import from_path, to_path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file:/a/b.py", "/a/b.py"),
        ("file://localhost/a/b.py", "/a/b.py"),
        ("FILE:///a/b.py", "/a/b.py"),
        ("file:///a%20b/%C3%A9%F0%9F%99%82.py", "/a b/é🙂.py"),
        ("file:///a b/é.py", "/a b/é.py"),
        ("file:///a%2Bb+c.py", "/a+b+c.py"),
        ("file:///100%25.py", "/100%.py"),
        ("file:///100%.py", "/100%.py"),
        ("file:///a%23b#c?d.py", "/a#b#c?d.py"),
        ("file:///c%3A/x.py", "/c:/x.py"),
        ("untitled:Untitled-1", None),
        ("vscode-notebook-cell:/a/b.ipynb#W0", None),
        ("git:/a/b.py?{}", None),
        ("file://other.host/a.py", None),
        ("file:///a%00b.py", None),
        ("/a/b.py", None),
        ("", None),
        ("file:", None),
        ("file://", None),
        ("file://localhost", None),
        ("file:////a.py", "//a.py"),
    ],
)
def test_to_path(uri: str, path: str | None) -> None:
    assert to_path(uri, windows=False) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/My%20Project/x.py", "C:\\My Project\\x.py"),
        ("file:///C:/x.py", "C:\\x.py"),
        ("file://server/share/x.py", "\\\\server\\share\\x.py"),
        ("file:///c:", "C:"),
    ],
)
def test_to_path_on_windows(uri: str, path: str) -> None:
    assert to_path(uri, windows=True) == path


@pytest.mark.parametrize("name", ["a b", "é🙂", "100%", "a#b?c", "[x];:@&=+$,", "tab\t", "back\\slash", "%41"])
def test_there_and_back(name: str) -> None:
    path = f"/root/{name}.py"
    assert to_path(from_path(path, windows=False), windows=False) == path
    assert from_path(path, windows=False).isascii()


def test_names_that_are_not_utf8() -> None:
    path = os.fsdecode(b"/root/caf\xe9.py")
    assert from_path(path, windows=False) == "file:///root/caf%E9.py"
    assert to_path("file:///root/caf%E9.py", windows=False) == path


def test_windows_paths() -> None:
    assert from_path("C:\\a b\\x.py", windows=True) == "file:///C%3A/a%20b/x.py"
    assert from_path("\\\\server\\share\\x.py", windows=True) == "file://server/share/x.py"
