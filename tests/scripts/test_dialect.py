"""What a .pym script declares, what is left to run, and what is said to be wrong with it."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_hub_lsp.analysis.pym import Malformed, code_of, compile_native, evaluate, parse, stubs_of
from remora_hub_lsp.analysis.pymcheck import features, problems
from remora_hub_lsp.index.steps import shipped_folder

SCRIPT = '''\
from grail import Input, external
from typing import Any

nodes: list[dict[str, Any]] = Input("nodes")
limit: int = Input("limit", default=10)

@external
async def ask(question: str, much: int) -> str:
    """Ask.

    Politely."""
    ...

answer = await ask("why", limit)
result = [node["key"] + answer for node in nodes]
result
'''
SHIPPED = sorted(shipped_folder().glob("*.pym"), key=lambda path: path.name)


def test_declarations_are_read() -> None:
    declared = parse(SCRIPT)
    assert [(i.name, i.annotation, i.default, i.required, i.line) for i in declared.inputs.values()] == [
        ("nodes", "list[dict[str, Any]]", None, True, 4),
        ("limit", "int", 10, False, 5),
    ]
    (ask,) = declared.externals.values()
    assert (ask.is_async, ask.parameters, ask.returns, ask.line) == (
        True, (("question", "str"), ("much", "int")), "str", 8,
    )  # fmt: skip
    assert ask.docstring is not None
    assert {"key", "why", "nodes", "limit"} <= declared.strings


def test_what_is_left_keeps_its_lines() -> None:
    code = code_of(parse(SCRIPT))
    before, after = SCRIPT.splitlines(), code.splitlines()
    assert len(before) == len(after)
    kept = [number for number, line in enumerate(after) if line.strip()]
    assert [after[number] for number in kept] == [before[number] for number in (1, 13, 14, 15)]
    assert kept == [1, 13, 14, 15]


@pytest.mark.parametrize(
    "text",
    [
        "a: int = Input('a'); b = a + 1; b",
        "b = 1; from grail import Input; b",
        "x = 'é'; a: str = Input('a'); b = 2; b",
        "from grail import (\n  Input,\n  external,\n); c = 3\nc",
    ],
)
def test_a_declaration_among_others_leaves_code_that_parses(text: str) -> None:
    code = code_of(parse(text))
    ast.parse(code)
    assert len(code.splitlines()) == len(text.splitlines())
    assert "Input" not in code


@given(st.lists(st.sampled_from(["a: int = Input('a')", "from grail import Input", "x = 'ä'", "if x:\n  y = 1", "z = (1,\n 2)",
                                 "@external\nasync def f(a: int) -> int: ...", "@external\ndef g() -> str:\n  'doc'\n  ..."])))  # fmt: skip
def test_code_and_declarations_together_are_the_script(statements: list[str]) -> None:
    declared = parse("\n".join(statements))
    left = ast.parse(code_of(declared))
    plain = [s for s in statements if not s.startswith(("a:", "from grail", "@"))]
    assert [ast.unparse(a) for a in left.body] == [ast.unparse(a) for s in plain for a in ast.parse(s).body]
    lines = {s.lineno for s in declared.tree.body}
    assert all(statement.lineno in lines for statement in left.body)


def test_stubs_tell_a_type_checker() -> None:
    stubs = stubs_of(parse(SCRIPT))
    ast.parse(stubs)
    assert "limit: int" in stubs
    assert "async def ask(question: str, much: int) -> str: ..." in stubs


def test_trusted_code_runs_natively() -> None:
    async def ask(question: str, much: int) -> str:
        return f"{question}{much}"

    code = compile_native(parse(SCRIPT), "script.pym")
    assert evaluate(code, {"nodes": [{"key": "k:"}], "limit": 2}, {"ask": ask}) == ["k:why2"]
    with pytest.raises(ZeroDivisionError):
        evaluate(compile_native(parse("1 / 0"), "x.pym"), {}, {})


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("x = (", 1, "never closed"),
        ("\na.b: int = Input('a')", 2, "plain name"),
        ("a: int = Input()", 1, 'Input("a")'),
        ("a: int = Input('b')", 1, "'b'"),
        ("x = 1\na: int = Input('a', default=x)", 2, "literal"),
        ("\0", 1, "null"),
    ],
)
def test_what_is_no_script_is_said_with_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert caught.value.line == line
    assert word in str(caught.value)


CASES = {
    "E001": "class A: pass",
    "E002": "def f() -> int:\n    yield 1",
    "E003": "with a: pass",
    "E004": "match a:\n    case 1: pass",
    "E005": "import os",
    "E006": "@external\ndef f(a) -> int: ...",
    "E007": "@external\ndef f() -> int:\n    return 1",
    "E008": "a = Input('a')",
    "E009": "def f() -> None:\n    global a",
    "E010": "def f() -> None:\n    a = 1\n    def g() -> None:\n        nonlocal a",
    "E011": "del a",
    "E012": "f = lambda: 1",
    "W001": "[1]",
    "W002": "@external\ndef f() -> int: ...",
    "W003": "a: int = Input('a')",
    "W004": "a = 1\n" * 201,
    "H001": "id = 1",
    "H002": "a = sorted(b, key=c)",
    "H003": "a = [*b]",
    "H004": "a = '%s' % b",
    "H005": "@external\nasync def f() -> int: ...\na = f()",
    "H006": "@external\nasync def f(b: int) -> int: ...\na = await f(b=1)",
    "H007": "@external\nasync def f(b: int = 1) -> int: ...",
    "H008": "def f(a): return 1",
    "H009": "a = 1",
}


@pytest.mark.parametrize("code", CASES)
def test_every_code_is_found_where_it_is(code: str) -> None:
    text = CASES[code]
    found = [problem for problem in problems(parse("\n" + text)) if problem.code == code]
    assert found
    assert all(problem.message and problem.suggestion for problem in found)
    assert all(problem.is_error == code.startswith("E") for problem in found)
    if code != "W004":
        assert 2 <= found[0].line <= 1 + len(text.splitlines())


def test_a_good_script_has_no_problems() -> None:
    assert problems(parse(SCRIPT)) == []
    assert features(parse(SCRIPT)) == ["list_comprehension"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_scripts_have_none(path) -> None:  # type: ignore[no-untyped-def]
    assert problems(parse(path.read_text(encoding="utf-8"))) == []


def test_columns_and_ends_are_those_of_the_text() -> None:
    (problem,) = [p for p in problems(parse(textwrap.dedent("x = 1\ny = lambda: 2\ny"))) if p.code == "E012"]
    assert (problem.line, problem.column, problem.end_line, problem.end_column) == (2, 4, 2, 13)
