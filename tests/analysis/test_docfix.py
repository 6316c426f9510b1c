"""Docstrings mended in their own style: by example, and for any docstring that any change has left behind."""

from __future__ import annotations

import ast
import textwrap
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis.docfix import TODO, fixed
from remora_hub_lsp.analysis.drift import Pair, Reason, mismatches, reasons
from remora_hub_lsp.analysis.pairs import watched
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.text import split_lines

FIXABLE = ("parameter-removed", "parameter-renamed", "parameter-added", "default-changed", "unknown-parameter")


def pair(text: str, name: str = "f") -> Pair:
    return watched(extract(text).nodes)[name].pair


def all_reasons(was: Pair, text: str) -> tuple[Reason, ...]:
    now = pair(text)
    return reasons(was, now) + mismatches(now)


def fix_all(was: Pair, text: str) -> str:
    lines = split_lines(text)
    for reason in all_reasons(was, text):
        lines = fixed(lines, reason) or lines
    return "".join(lines)


def mended(before: str, after: str) -> str:
    return fix_all(pair(textwrap.dedent(before)), textwrap.dedent(after))


CASES = {
    "google": (
        '''
    def f(a, b):
        """Do.

        Args:
            a (int): one.
            b (int): two.
        """
    ''',
        "def f(a, c: str, b):",
        f'''
    def f(a, c: str, b):
        """Do.

        Args:
            a (int): one.
            c (str): {TODO}
            b (int): two.
        """
    ''',
    ),
    "numpy, at the quotes": (
        '''
    def f(a, b=1):
        """
        Do.

        Parameters
        ----------
        a : int
            One.
        b : int, optional
            Two."""
    ''',
        "def f(a, b=1, *, c: float = 2):",
        f'''
    def f(a, b=1, *, c: float = 2):
        """
        Do.

        Parameters
        ----------
        a : int
            One.
        b : int, optional
            Two.
        c : float, optional
            {TODO}"""
    ''',
    ),
    "sphinx with types apart": (
        '''
    def f(a, b):
        """Do.

        :param a: one
        :type a: int
        :param b: two,
            or more
        :type b: int
        :rtype: int
        """
        return 1
    ''',
        "def f(a, c: int, b):",
        f'''
    def f(a, c: int, b):
        """Do.

        :param a: one
        :type a: int
        :param c: {TODO}
        :type c: int
        :param b: two,
            or more
        :type b: int
        :rtype: int
        """
        return 1
    ''',
    ),
    "epytext, first": (
        '''
    def f(b, d):
        """
        @param b: two
        @param d: four
        """
    ''',
        "def f(a, b, d):",
        f'''
    def f(a, b, d):
        """
        @param a: {TODO}
        @param b: two
        @param d: four
        """
    ''',
    ),
    "removed with the section": (
        '''
    def f(a):
        """Do.

        Args:
            a: one.

        Returns:
            two.
        """
        return 1
    ''',
        "def f():",
        '''
    def f():
        """Do.

        Returns:
            two.
        """
        return 1
    ''',
    ),
    "removed from a list": (
        '''
    def f(a, b, c):
        """Do.

        Parameters
        ----------
        a, b, c : int
            Numbers.
        """
    ''',
        "def f(a, c):",
        '''
    def f(a, c):
        """Do.

        Parameters
        ----------
        a, c : int
            Numbers.
        """
    ''',
    ),
    "renamed": (
        '''
    def f(rate, b):
        """Do.

        :param int rate: rate of it
        :type rate: int
        :param b: two
        """
    ''',
        "def f(factor, b):",
        '''
    def f(factor, b):
        """Do.

        :param int factor: rate of it
        :type factor: int
        :param b: two
        """
    ''',
    ),
    "default": (
        '''
    def f(a=1, b='x'):
        """Do.

        Args:
            a: one, defaults to ``1``.
            b (str, default 'x'): two.
        """
    ''',
        "def f(a=2, b='y'):",
        '''
    def f(a=2, b='y'):
        """Do.

        Args:
            a: one, defaults to ``2``.
            b (str, default 'y'): two.
        """
    ''',
    ),
}


@pytest.mark.parametrize("eol", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("case", CASES)
def test_examples(case: str, eol: str) -> None:
    before, head, wanted = (textwrap.dedent(text).lstrip("\n") for text in CASES[case])
    after = before.replace(before.splitlines()[0], head, 1)
    got = fix_all(pair(before), after.replace("\n", eol))
    assert got == wanted.replace("\n", eol)


def test_a_class_is_mended_by_its_constructor() -> None:
    text = '''class C:
    """A thing.

    Args:
        a: one.
        b: two.
    """

    def __init__(self, a, b{more}):
        pass
'''
    was, after = pair(text.replace("{more}", ""), "C"), text.replace("{more}", ", c=1")
    (reason,) = reasons(was, pair(after, "C"))
    lines = fixed(split_lines(after), reason)
    assert lines is not None
    assert "".join(lines) == after.replace("        b: two.\n", f"        b: two.\n        c: {TODO}\n")


def test_a_method_among_text_that_is_not_ascii() -> None:
    before = '''    def f(self, größe, b):
        """Größe 😀.

        Args:
            größe: 😀 wie groß.
            b: zwei.
        """
'''
    was = pair("class C:\n" + before, "C.f")
    after = before.replace("größe, b", "maß, b")
    (reason,) = reasons(was, pair("class C:\n" + after, "C.f"))
    lines = fixed(split_lines(after), reason)
    assert lines is not None
    assert "".join(lines) == after.replace("größe: 😀", "maß: 😀")


@pytest.mark.parametrize(
    "doc",
    ['"""Do.\\n\\nArgs:\\n    a: one.\\n    b: two.\\n"""', '"Do.\\n" "\\nArgs:\\n    a: one.\\n    b: two.\\n"'],
    ids=["escaped line ends", "two literals"],
)
def test_what_is_written_in_another_way_is_left_alone(doc: str) -> None:
    was, text = pair(f"def f(a, b):\n    {doc}\n"), f"def f(a, b, c):\n    {doc}\n"
    (reason,) = reasons(was, pair(text))
    assert fixed(split_lines(text), reason) is None


# ---- for any docstring


class Parameter(NamedTuple):
    name: str
    default: str | None
    annotation: str | None
    text: str
    type: str | None


NAMES = st.sampled_from(["alpha", "beta", "gamma", "x", "max_size", "größe", "kind", "int_"])
TEXTS = st.sampled_from(["it.", "the thing,\nand more of it", "😀 wide", "`code`: with a colon", "a, b or c", "see (this)"])
PARAMETERS = st.lists(
    st.builds(
        Parameter,
        NAMES,
        st.sampled_from([None, "1", "'x'", "None"]),
        st.sampled_from([None, "int", "list[str]", "Literal['a', \"b\"]"]),
        TEXTS,
        st.sampled_from([None, "int", "str, optional", "dict[str, int]"]),
    ),
    max_size=5,
    unique_by=lambda parameter: parameter.name,
)
STYLES = st.sampled_from(["google", "numpy", "sphinx", "epytext"])


def signature(parameters: list[Parameter]) -> str:
    parts = [p.name + (f": {p.annotation}" if p.annotation else "") + (f" = {p.default}" if p.default else "")
             for p in parameters]  # fmt: skip
    return f"def f({', '.join(['*', *parts] if parts else parts)}):"


def entry(p: Parameter, style: str) -> str:
    text = p.text + (f" Defaults to {p.default}." if p.default else "")
    more = text.replace("\n", "\n    ")
    match style:
        case "google":
            head = f"{p.name} ({p.type}): {more}" if p.type else f"{p.name}: {more}"
            return textwrap.indent(head, "    ")
        case "numpy":
            return f"{p.name} : {p.type}\n    {more}" if p.type else f"{p.name}\n    {more}"
        case "sphinx":
            return f":param {p.name}: {more}" + (f"\n:type {p.name}: {p.type}" if p.type else "")
    return f"@param {p.name}: {more}"


def docstring(parameters: list[Parameter], style: str, rest: str, tight: bool) -> str:
    title = {"google": "Args:\n", "numpy": "Parameters\n----------\n"}.get(style, "") if parameters else ""
    body = title + "\n".join(entry(p, style) for p in parameters)
    text = "\n\n".join(part for part in ("Do it.", body, rest) if part)
    return f'"""{text}"""' if tight else f'"""{text}\n"""'


CHANGES = st.lists(st.sampled_from(["add", "remove", "rename", "default"]), min_size=1, max_size=3)


@given(st.data(), PARAMETERS, STYLES, st.booleans(), CHANGES, st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=300, deadline=None)
def test_after_fix_all_no_such_reason_is_left_and_nothing_else_changed(
    data: st.DataObject, parameters: list[Parameter], style: str, tight: bool, changes: list[str], eol: str
) -> None:
    rest = data.draw(st.sampled_from(["", {"google": "Returns:\n    it all.", "numpy": "Returns\n-------\nint\n    It."}.get(style, "Done.")]))
    body = textwrap.indent(docstring(parameters, style, rest, tight), "    ") + "\n    return f(1)\n"
    before = signature(parameters) + "\n" + body
    now = list(parameters)
    for number, change in enumerate(changes):
        at = data.draw(st.integers(0, max(len(now) - 1, 0)))
        fresh = Parameter(f"fresh{number}", data.draw(st.sampled_from([None, "3"])), data.draw(st.sampled_from([None, "int"])), "", None)
        if change == "add":
            now.insert(at, fresh)
        elif now and change == "remove":
            del now[at]
        elif now and change == "rename":
            now[at] = now[at]._replace(name=fresh.name)
        elif now and now[at].default is not None:
            now[at] = now[at]._replace(default="7")
    after = (signature(now) + "\n" + body).replace("\n", eol)
    was = pair(before)
    fixed_text = fix_all(was, after)
    left = [reason for reason in all_reasons(was, fixed_text) if reason.code in FIXABLE]
    assert left == [], fixed_text
    assert without_docstring(fixed_text) == without_docstring(after)
    if not all_reasons(was, after):
        assert fixed_text == after


def without_docstring(text: str) -> str:
    tree = ast.parse(text)
    assert isinstance(tree.body[0], ast.FunctionDef)
    body = tree.body[0].body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del body[0]
    return ast.dump(tree)
