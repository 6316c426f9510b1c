"""The facts of real files against what Python itself says of them. REMORA_ALL=1: the whole standard library."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from tokenize import detect_encoding

import pytest

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.signature import LONG_DEFAULT

from .corpus import sample
from .oracle import Definition, Known, Oracle, decoded, digest, known

Pairs = list[tuple[Definition, Known]]
Check = Callable[[Oracle, list[Known], Pairs], Iterator[str]]


def names_are_complete(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    """Every definition has exactly one node, in source order, after the module."""
    count = sum(isinstance(node, Definition) for node in ast.walk(oracle.tree))
    if len(nodes) != count + 1:
        yield f"{count} definitions, {len(nodes) - 1} nodes"
    wanted = ["<module>", *oracle.unique_names()]
    for want, node in zip(wanted, nodes, strict=False):
        if node.unique != want:
            yield f"expected {want}, got {node.unique}"


def names_are_pythons_own(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    """Each compiled function and class has a node of its qualified name."""
    compiled = oracle.compiled_names() or Counter()
    for name, missing in (compiled - Counter(node.facts.qualname for node in nodes)).items():
        yield f"Python knows {name} {missing} times more"


def ranges_hold_the_source(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for definition, node in pairs:
        want = oracle.place(oracle.start(definition)), oracle.place(oracle.end(definition))
        if (node.start, node.end) != want:
            yield f"{node.unique}: expected {want}, got {node.start, node.end}"
        if node.facts.line_count != want[1][0] - want[0][0] + 1:
            yield f"{node.unique}: {node.facts.line_count} lines, expected {want}"


def name_ranges_hold_the_name(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for definition, node in pairs:
        line, start, end = node.name
        if oracle.named(line, start, end) != definition.name or not node.start <= (line, start) < node.end:
            yield f"{node.unique}: {oracle.named(line, start, end)!r} at {node.name}"
        before = oracle.text[oracle.at(definition.lineno, definition.col_offset) : oracle.index((line, start))]
        if before.replace("\\", "").split() not in (["def"], ["class"], ["async", "def"]):
            yield f"{node.unique}: {before!r} before its name"


def source_hashes_are_of_the_exact_slice(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    # The module's is that of the bytes in a file, in the encoding that the text declares.
    encoding, _ = detect_encoding(BytesIO(oracle.text.encode()).readline)
    if nodes[0].facts.source_hash != sha256(oracle.text.encode(encoding)).hexdigest():
        yield "the module's hash"
    for definition, node in pairs:
        if node.facts.source_hash != digest(oracle.source(definition)):
            yield f"{node.unique}: not of {oracle.source(definition)[:200]!r}"


def docstrings_are_pythons(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    if nodes[0].facts.docstring != ast.get_docstring(oracle.tree):
        yield f"the module's: {nodes[0].facts.docstring!r}"
    for definition, node in pairs:
        if node.facts.docstring != ast.get_docstring(definition):
            yield f"{node.unique}: expected {ast.get_docstring(definition)!r}, got {node.facts.docstring!r}"


def signatures_parse_back(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for definition, node in pairs:
        signature = node.facts.signature or ""
        try:
            (again,) = ast.parse(f"{signature}: pass").body
        except SyntaxError as error:
            yield f"{node.unique}: {signature!r} does not parse: {error.msg}"
            continue
        if "\n" in signature:
            yield f"{node.unique}: {signature!r} is more than one line"
        if shape(again) != shape(definition):
            yield f"{node.unique}: {signature!r} has {shape(again)}, not {shape(definition)}"


def shape(node: ast.AST) -> object:
    """All that a signature has to keep: names, kinds, annotations, defaults (long ones may be `...`)."""
    head = (type(node), getattr(node, "name", None), [ast.dump(p) for p in getattr(node, "type_params", [])])
    if isinstance(node, ast.ClassDef):
        return head, [ast.dump(base) for base in node.bases], [ast.dump(keyword) for keyword in node.keywords]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    args = node.args
    kinds: list[list[ast.arg | None]] = [
        [*args.posonlyargs], [*args.args], [args.vararg], [*args.kwonlyargs], [args.kwarg]
    ]  # fmt: skip
    names = [[arg and (arg.arg, arg.annotation and ast.dump(arg.annotation)) for arg in kind] for kind in kinds]
    defaults = [short(default) for default in args.defaults], [value and short(value) for value in args.kw_defaults]
    return head, names, defaults, node.returns and ast.dump(node.returns)


def short(default: ast.expr) -> str:
    long = len(ast.unparse(default)) > LONG_DEFAULT
    return "Constant(value=Ellipsis)" if long else ast.dump(default)


def decorators_and_kinds(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for definition, node in pairs:
        if [ast.dump(ast.parse(text, mode="eval").body) for text in node.facts.decorators] != [
            ast.dump(decorator) for decorator in definition.decorator_list
        ]:
            yield f"{node.unique}: {node.facts.decorators}"
        if node.facts.node_type != ("class" if isinstance(definition, ast.ClassDef) else "function"):
            yield f"{node.unique}: a {node.facts.node_type}"


def type_hints_are_seen(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for definition, node in pairs:
        if isinstance(definition, ast.ClassDef):
            continue
        arguments = [arg for arg in ast.walk(definition.args) if isinstance(arg, ast.arg)]
        hinted = definition.returns is not None or any(arg.annotation for arg in arguments)
        inside = any(isinstance(inner, ast.AnnAssign) for inner in ast.walk(definition))
        if node.facts.has_type_hints not in ({hinted} if hinted or not inside else {True, False}):
            yield f"{node.unique}: {node.facts.has_type_hints}"


def nothing_is_called_broken(oracle: Oracle, nodes: list[Known], pairs: Pairs) -> Iterator[str]:
    for node in nodes:
        if node.facts.broken:
            yield f"{node.unique}: {node.facts.broken}"


CHECKS: tuple[Check, ...] = (
    names_are_complete, names_are_pythons_own, ranges_hold_the_source, name_ranges_hold_the_name,
    source_hashes_are_of_the_exact_slice, docstrings_are_pythons, signatures_parse_back, decorators_and_kinds,
    type_hints_are_seen, nothing_is_called_broken,
)  # fmt: skip


def verdict(text: str) -> Iterator[tuple[Check, str]]:
    """What is wrong with the facts of a text that parses."""
    oracle, facts = Oracle(text), extract(text)
    nodes = known(facts)
    pairs = [(definition, node) for (_, definition), node in zip(oracle.definitions, nodes[1:], strict=False)]
    for check in CHECKS:
        for complaint in check(oracle, nodes, pairs):
            yield check, complaint


@pytest.fixture(scope="module")
def complaints() -> dict[Check, list[str]]:
    """Every sampled file, looked at once."""
    found: dict[Check, list[str]] = defaultdict(list)
    for path in sample(30):
        if (text := decoded(path.read_bytes())) is not None:
            for check, complaint in verdict(text):
                found[check].append(f"{path}: {complaint}")
    return found


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_facts_of_the_standard_library(check: Check, complaints: dict[Check, list[str]]) -> None:
    assert complaints[check][:10] == []


CORNERS = {
    "decorator in parentheses below its @": "@(\n  # x\n  dec\n)\nclass A: pass\n",
    "decorator behind a backslash": "@\\\n  dec\ndef f(): pass\n",
    "@ in a comment before a decorator": "@dec  # a@b\n@(\n dec2)\ndef f(): pass\n",
    "name behind a backslash": "def \\\n  f(): pass\nasync  def \\\n\\\n  g(): pass\nclass\tA: pass\n",
    "names that Python normalises": "def ﬁ(ª, /, *, ſ=1): pass\nclass 𝔄𝔅:\n    def ℌ(self): pass\n",
    "columns behind other scripts": "class Ä:\n    async  def ö(self, 𝒳='😀', *ß): return '😀'; x = 1\n    ü = 1\n",
    "definitions on one line": "class A: pass; x = 1\nif 1: pass\ndef f(): 'doc'; return 1\n",
    "definitions in every block": """
        if a:
            def f(): pass
        elif b:
            def f(): pass
        else:
            class f:
                def f(self): pass
        try:
            def f(): pass
        except* E:
            def g(): pass
        finally:
            for x in y:
                def g(): pass
            else:
                async def g():
                    async with q:
                        def f(): pass
        while 1:
            match x:
                case 1:
                    def g(): pass
        """,
    "properties and overloads": "class A:\n    @property\n    def x(self): 1\n    @x.setter\n    def x(self, v): 2\n    @overload\n    def y(self): ...\n    def y(self): ...\n",
    "form feeds": "\f\nclass A:\n\f    def f(self):\n        return 1\n\f\n    def g(self): pass\n\fdef h(): pass\n",
    "form feed before a class": "\fclass A:\n    def f(self): pass\n\f@dec\nclass B:\n    x = 1\n",
    "form feed in the indentation of a decorated method": "class A:\n \f    @dec\n     \f    def f(self): pass\n    def g(self): pass\n",
    "tabs": "class A:\n\tdef f(self):\n\t\treturn 1\n\n\t@dec\n\tdef g(self): pass\n",
    "line ends that are none": "def f():\n    '''a\u2028b\x85c\x1cd'''\n    return 1\ndef g(): pass\n",
    "lone carriage returns": "def f():\r    '''a\rb'''\r    return 1\rclass A:\r    def g(self): pass\r",
    "mixed line ends": "def f():\r\n    return '''1\r\n2'''\n\rclass A:\r    x = 1\n\r\n    def g(self): pass",
    "no line end": "class A:\n    def f(self): pass",
    "decorators in quotes": '@d(a == "p", \'é\', "\'")\n@d(b == "q")\ndef f(): pass\n',
    "nothing": "",
    "only a comment": "# é",
    "only a docstring": "'''é\n  b\n   c'''",
    "docstring behind comments": "# a\n\n# b\n'doc'\n'no doc'\nclass A:\n    # c\n\n    'doc'\n    'no doc'\n    def f(self):\n        # d\n        'doc'\n",
    "f-strings and bytes are no docstrings": "f'a'\nclass A:\n    b'a'\n    def f(self): f'a'\n",
    "docstring in parentheses, concatenated": "('a'\n 'b')\nclass A:\n    ('a'\n  'b')\n    def f(self): ('doc')\n",
    "class whose body starts on its line": "class A(B): x: int = 1; y = 2\nclass C: 'doc'\nclass D: 'doc'; x = 1\n",
    "semicolons": "x = 1; y = 2; 'a'\nimport a; from b import c\nclass A:\n    x = 1; y = 2\n    'a'; z = 1\n    def f(self): a; b\n",
    "backslashes between statements": "x = 1\\\n\ndef f(): pass\nclass A:\n    x = 1 \\\n\n    def g(self): pass\n",
    "backslash before a statement": "\\\nclass A: pass\nclass B:\n    x = 1\n    \\\n    def f(self): pass\n",
    "string that looks like definitions": "x = '''\ndef f(): pass\nclass A:\n    def g(self): pass\n'''\ndef h(): '''\nclass B: pass\n'''\n",
    "methods behind multi-line strings": "class A:\n    x = '''\ny\n'''\n    def f(self): '''\nq\n'''\n    def g(self): pass\n",
    "comments left of the class": "class A:\n    def f(self): pass\n# left\n    # right\n\n    def g(self): pass\n  # between\nx = 1\n",
    "global makes a function the module's": "def f():\n    global g\n    def g():\n        def h(): pass\nclass A:\n    global k\n    def k(self): pass\n",
    "defaults of every kind": "def f(a=1, b: int = -1, /, c=('x', None), *d: str, e: 'A' = lambda x, /, *y: x, g, **h: dict[str, int]) -> None: pass\n",
    "long default": f"def f(a={list(range(60))}, *, b={'x' * 90!r}): pass\n",
    "starred annotation": "def f(*args: *Ts, **kw: Unpack[K]) -> tuple[*Ts]: pass\n",
    "strings with quotes and line ends": "def f(a='\\n', b=\"it's\", c='''x\ny''', d=b'\\0', e=f'{x!r:>{w}}'): pass\n",
    "class keywords": "class A(B[int], *C, metaclass=M, x=1, **kw): pass\n",
}


@pytest.mark.parametrize("text", CORNERS.values(), ids=CORNERS)
def test_facts_of_corner_cases(text: str) -> None:
    if text.startswith("\n        "):
        text = text.replace("\n        ", "\n")
    assert [f"{check.__name__}: {complaint}" for check, complaint in verdict(text)] == []
