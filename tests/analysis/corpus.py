"""Real Python files to test with: the running Python's standard library.

A fixed sample by default; with REMORA_ALL=1 in the environment every file.
"""

from __future__ import annotations

import os
import random
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

EVERYTHING = os.environ.get("REMORA_ALL") == "1"

# Always in the sample, where this Python has them: every kind of syntax, and many definitions of one name.
TELLING = (
    "ast.py", "typing.py", "dataclasses.py", "functools.py", "xml/dom/minidom.py", "asyncio/taskgroups.py",
    "test/test_fstring.py", "test/test_positional_only_arg.py", "test/test_keywordonlyarg.py", "test/test_grammar.py",
    "test/test_decorators.py", "test/test_type_params.py", "test/test_property.py", "test/test_patma.py",
    "test/test_coroutines.py", "test/test_scope.py", "test/encoded_modules/module_koi8_r.py",
    "test/encoded_modules/module_iso_8859_1.py", "test/bad_coding.py", "test/bad_coding2.py", "test/badsyntax_pep3120.py",
    "test/tokenizedata/bad_coding.py", "test/tokenizedata/badsyntax_3131.py", "test/tokenizedata/bad_coding2.py",
    "lib2to3/tests/data/crlf.py", "lib2to3/tests/data/bom.py", "lib2to3/tests/data/py2_test_grammar.py",
    "lib2to3/tests/data/different_encoding.py",
)  # fmt: skip


@cache
def stdlib() -> tuple[Path, ...]:
    """Every *.py file of the running Python's standard library, its tests included, without site-packages."""
    root = Path(sysconfig.get_path("stdlib"))
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - {"site-packages", "dist-packages", "__pycache__"})
        found += [Path(directory, name) for name in sorted(names) if name.endswith(".py")]
    return tuple(found)


def sample(count: int, seed: int = 0, max_bytes: int = 60_000) -> list[Path]:
    """`count` of the files and the telling ones; all with REMORA_ALL=1."""
    if EVERYTHING:
        return list(stdlib())
    root = Path(sysconfig.get_path("stdlib"))
    telling = [path for name in TELLING if (path := root / name).is_file()]
    small = [path for path in stdlib() if path not in telling and path.stat().st_size <= max_bytes]
    return telling + random.Random(seed).sample(small, min(count, len(small)))


def texts(count: int, seed: int = 0, min_lines: int = 40, max_bytes: int = 60_000) -> Iterator[tuple[Path, str]]:
    """Files that this Python can parse as UTF-8, with their texts; not more than `count` of them."""
    paths = [path for path in stdlib() if path.stat().st_size <= max_bytes]
    random.Random(seed).shuffle(paths)
    for path in paths:
        if count == 0:
            return
        try:
            text = path.read_bytes().decode("utf-8")
            compile(text, str(path), "exec", flags=0x400, dont_inherit=True)  # 0x400: PyCF_ONLY_AST
        except (SyntaxError, ValueError):
            continue
        if text.count("\n") >= min_lines and "def " in text:
            count -= 1
            yield path, text
