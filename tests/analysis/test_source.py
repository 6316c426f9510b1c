"""Bytes of files -> text -> facts, for files as strange as they come."""

from __future__ import annotations

import ast
import threading
import time
import warnings
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis import syntax
from remora_hub_lsp.analysis.facts import FileFacts
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.source import decode, encode
from remora_hub_lsp.errors import SourceError

from .corpus import sample

BOM = b"\xef\xbb\xbf"
BODY = "def f():\n    'é'\n"


def python_parses(data: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def analysed(data: bytes) -> FileFacts | str:
    """The facts of a file, or why it has none."""
    try:
        return extract(decode(data))
    except SourceError as error:
        return str(error)


def failed(data: bytes) -> bool:
    found = analysed(data)
    return isinstance(found, str) or found.error is not None


def test_failed_files_are_those_that_python_cannot_parse() -> None:
    paths = sample(30)
    ours = [path for path in paths if failed(path.read_bytes())]
    assert ours == [path for path in paths if not python_parses(path.read_bytes())]


DECODED = {
    "utf-8": BODY.encode(),
    "BOM": BOM + BODY.encode(),
    "BOM and cookie": BOM + b"# coding: utf-8\n" + BODY.encode(),
    "latin-1": b"# -*- coding: latin-1 -*-\n" + BODY.encode("latin-1"),
    "cookie in line 2": b"#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\n" + BODY.encode("iso-8859-15"),
    "cookie behind a blank line": b" \t\f\n#coding=cp1252\n" + BODY.encode("cp1252"),
    "cookie behind CRLF": b"#!x\r\n# coding: cp1252\r\n" + BODY.encode("cp1252"),
    "cookie behind a lone CR": b"#!x\r# coding: cp1252\r" + BODY.encode("cp1252"),
    "cookie with underscores": b"# coding: UTF_8\n" + BODY.encode(),
    "what Emacs writes": b"# -*- coding: utf-8-unix -*-\n" + BODY.encode(),
    "what Emacs writes for latin-1": b"# -*- coding: iso-latin-1-unix -*-\n" + BODY.encode("latin-1"),
    "two bytes a character": "# coding: euc-jp\ndef f():\n    'é日本'\n".replace("é", "").encode("euc-jp"),
    "cookie in line 3 is none": b"\n\n# coding: latin-1\n" + BODY.encode(),
    "cookie behind code is none": b"x = 1\n# coding: latin-1\n" + BODY.encode(),
    "cookie in a string is none": b"'''\n# coding: latin-1\n'''\n" + BODY.encode(),
    "cookie behind code on its line is none": b"x = 1 # coding: latin-1\n" + BODY.encode(),
}


@pytest.mark.parametrize("data", DECODED.values(), ids=DECODED)
def test_encodings(data: bytes) -> None:
    facts = analysed(data)
    assert isinstance(facts, FileFacts), facts
    assert facts.error is None
    node = next(placed.facts for placed in facts.nodes if placed.unique == "f")
    tree = ast.parse(data)
    assert node.docstring == ast.get_docstring(next(n for n in tree.body if isinstance(n, ast.FunctionDef)))


UNDECODED = {
    "latin-1 without a cookie": BODY.encode("latin-1"),
    "unknown encoding": b"# coding: klingon\n" + BODY.encode(),
    "BOM against its cookie": BOM + b"# coding: latin-1\n" + BODY.encode(),
    "no text encoding": b"# coding: rot13\n" + BODY.encode(),
    "not of its own encoding": b"# coding: ascii\n" + BODY.encode(),
    "utf-16": BODY.encode("utf-16"),
    "utf-16 without a BOM": BODY.encode("utf-16-le"),
    "binary": bytes(range(256)) * 10,
    "cut in the middle of a character": BODY.encode()[:15],
    "surrogates": b"x = '\xed\xa0\x80'\n",
    "NUL": b"def f():\n    return 1\n\0\n",
    "NUL at the end": b"def f(): pass\n\0",
    "cookie with a NUL": b"# coding: utf\0-8\n",
}


@pytest.mark.parametrize("data", UNDECODED.values(), ids=UNDECODED)
def test_what_is_no_text_says_why(data: bytes) -> None:
    assert not python_parses(data)
    found = analysed(data)
    message = found if isinstance(found, str) else found.error
    assert message


@settings(max_examples=300)
@given(
    st.binary(max_size=60) | st.tuples(st.sampled_from([b"# coding: latin-1\n", BOM, b""]), st.binary()).map(b"".join)
)
@example(b"# coding: idna\nx")
@example(b"# coding: undefined\nx")
@example(b"# coding: unicode_escape\n\\")
@example(b"# coding: utf-7\n+")
@example(b"# coding: punycode\n\xff-")
@example(b"# coding: utf-16\nabc")
@example(b"# coding: hex\nabc")
def test_bytes_decode_or_raise_source_error(data: bytes) -> None:
    analysed(data)


DEEP: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "x = " + "(" * n + ")" * n,
    "lists": lambda n: "x = " + "[" * n + "]" * n,
    "unclosed brackets": lambda n: "x = " + "[" * n,
    "unary": lambda n: "x = " + "-" * n + "1",
    "not": lambda n: "x = " + "not " * n + "1",
    "sum": lambda n: "x = 1" + " + 1" * n,
    "power": lambda n: "x = 1" + " ** 1" * n,
    "comparison": lambda n: "x = 1" + " < 1" * n,
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = f" + "()" * n,
    "calls in calls": lambda n: "x = " + "f(" * n + ")" * n,
    "subscripts": lambda n: "x = a" + "[0]" * n,
    "conditions": lambda n: "x = " + "1 if a else " * n + "2",
    "lambdas": lambda n: "x = " + "lambda: " * n + "2",
    "f-strings": lambda n: 'x = f"{' * min(n, 200) + "1" + '}"' * min(n, 200),
    "elifs": lambda n: "if a: pass\n" + "elif b: pass\n" * n,
    "ifs": lambda n: "".join(" " * i + "if a:\n" for i in range(n)) + " " * n + "pass",
    "functions": lambda n: "".join(" " * i + "def f():\n" for i in range(n)) + " " * n + "pass",
    "classes": lambda n: "".join(" " * i + "class A:\n" for i in range(n)) + " " * n + "pass",
    "a deep default": lambda n: "def g(a=" + "-" * n + "1): pass",
    "a deep annotation": lambda n: "def g(a: " + "a[" * n + "0" + "]" * n + "): pass",
    "a deep decorator": lambda n: "@a" + ".b" * n + "\ndef g(): pass",
    "a deep base": lambda n: "class A(a" + ".b" * n + "): pass",
    "a deep pattern": lambda n: "match a:\n  case " + "[" * n + "]" * n + ": pass",
    "deep type parameters": lambda n: "def g[T: a" + ".b" * n + "](): pass",
    "decorators": lambda n: "@a\n" * n + "def g(): pass",
    "statements on one line": lambda n: "x = 1; " * n,
    "a long string": lambda n: "x = '" + "é" * n + "'",
    "implicit concatenation": lambda n: "x = (" + "'a'\n" * n + ")",
    "a long integer": lambda n: "x = " + "1" * n,
    "a long integer as default": lambda n: "def g(a=0x" + "f" * n + "): pass",
    "backslashes": lambda n: "x = 1" + "\\\n" * n + "\n",
    "blank lines": lambda n: "\n" * n,
    "comments": lambda n: "# x\n" * n,
    "open quotes": lambda n: "x = '\n" * n,
    "open triple quotes": lambda n: "'''\n" * n + "'",
    "broken statements": lambda n: "def (\n" * n,
    "broken members": lambda n: "class A:\n" + "    def (\n" * n,
    "broken classes": lambda n: "class A(:\n    def f(self): pass\n" * n,
    "stray indents": lambda n: "".join(" " * (i % 50) + "x\n" for i in range(n)),
    "stray elses": lambda n: "else:\n" * n,
    "form feeds": lambda n: "\f" * n,
}


@pytest.mark.parametrize("depth", [90, 3000])
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_and_long_text_is_listed_and_never_fatal(text: Callable[[int], str], depth: int) -> None:
    """The rest of the file stays known; in a thread, whose stack may be smaller."""
    whole = f"def before(): pass\n{text(depth)}\ndef after(): pass\n"
    found: list[FileFacts] = []
    thread = threading.Thread(target=lambda: found.append(extract(whole)))
    thread.start()
    thread.join()
    (facts,) = found
    assert "before" in [node.unique for node in facts.nodes]
    if python_parses(whole.encode()):
        assert facts.error is None
        assert "after" in [node.unique for node in facts.nodes]
    else:
        assert facts.error
    if "unclosed" not in whole:
        assert len({node.unique for node in facts.nodes}) == len(facts.nodes)


def test_a_huge_file() -> None:
    data = "TABLE = [\n" + "    (1, 'é', None),\n" * 60_000 + "]\n"
    facts = extract(f"def before(): pass\n{data}def after(): pass\n")
    assert [node.unique for node in facts.nodes] == ["<module>", "before", "after"]
    assert facts.error is None
    assert facts.line_count == 60_004


WORDS = (
    "def class async await f A x self ( ) [ ] { } : , . = -> @ * ** / ; # ' \" ''' f' \\ if else: elif try: except: finally: "
    "for in while with as lambda return yield match case _ import from global é 😀 ﬁ 0 1 1_0 0xf ! $ ? `"
)
BLANKS = (
    "\n",
    "\n    ",
    "\n        ",
    "\n  ",
    "\n\n",
    "\r",
    "\r\n",
    "\f",
    "\t",
    " ",
    "\0",
    "\u2028",
    "\ud800",
    "\ufeff",
)
STARTS = ("\ndef f():\n    ", "\nclass A:\n    ", "    def g(self):\n        ", '\n    """')
TOKENS = st.sampled_from([*WORDS.split(), *BLANKS, *BLANKS[:4], *STARTS])


@settings(max_examples=600)
@given(st.lists(TOKENS, max_size=25).map(" ".join) | st.lists(TOKENS, max_size=25).map("".join) | st.text())
@example("class A:\n    def f(self):\n")
@example("class A:\n    \\\n")
@example("class A:\n    '''doc'''\\\n")
@example("if 1:\n  class A:\n    x\n y")
def test_extract_takes_any_text(text: str) -> None:
    facts = extract(text)
    assert facts.nodes[0].unique == "<module>"
    assert len({node.unique for node in facts.nodes}) == len(facts.nodes)
    parses = "\ud800" not in text and python_parses(text.encode()) and "coding" not in text and text[:1] != "\ufeff"
    assert (facts.error is None) == parses or "\ud800" in text
    if facts.error_line is not None:
        assert 0 <= facts.error_line < max(facts.line_count, 1)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("x = 'é'\n", "x = 'é'\n".encode()),
        ("# coding: latin-1\nx = 'é'\n", "# coding: latin-1\nx = 'é'\n".encode("latin-1")),
        ("# coding: utf-8\r\nx = 'é'\r\n", "# coding: utf-8\r\nx = 'é'\r\n".encode()),
        ("", b""),
    ],
)
def test_encode_gives_the_bytes_of_which_decode_makes_the_text(text: str, data: bytes) -> None:
    assert encode(text) == data
    assert decode(data) == text


@pytest.mark.parametrize(
    "text", ["# coding: latin-1\nx = '€'\n", "# coding: klingon\n", "\ufeffx = 1\n", "# coding: hex\nx = 1\n"]
)
def test_no_file_has_the_bytes_of_a_text_that_cannot_be_in_one(text: str) -> None:
    assert encode(text).startswith(b"\0")


class Finalized:
    """Garbage whose finalizer lets other threads go on."""

    def __init__(self) -> None:
        self.cycle = self

    def __del__(self) -> None:
        time.sleep(0)


def test_threads_that_parse_at_once_do_not_disturb_each_other() -> None:
    text = "def f(a, b=((1)), *c):\n    x = [({'a': (1 + (2 * (3 - a)))}) for y in b if (y and (z or (w)))]\n" * 60
    failed: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(12):
                garbage = [Finalized() for _ in range(9)]
                del garbage
                assert len(syntax.module(text).body) == 60
        except BaseException as error:  # noqa: BLE001 - SystemError is what there was
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
