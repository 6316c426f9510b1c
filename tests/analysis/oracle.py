"""What the facts of a text must be, found out in other ways than the analysis does.

Slow and plain: ast.walk with a parent for every node, code objects for qualified names, slices of one str.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
import types
import unicodedata
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from remora_hub_lsp.analysis.facts import FileFacts, NodeFacts

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Place = tuple[int, int]
_LAZY = ("TypeAlias", "TypeVar", "TypeVarTuple", "ParamSpec")


class Known(NamedTuple):
    """A node of FileFacts with its place in the file: 0-based lines, UTF-16 columns."""

    unique: str
    start: Place
    end: Place
    name: tuple[int, int, int]
    facts: NodeFacts


def known(facts: FileFacts) -> list[Known]:
    """The nodes of `facts` at their places in the file."""
    starts = {segment.id: start for segment, start in facts.segments}
    out = []
    for unique, segment, _, node in facts.nodes:
        at = starts.get(segment, 0)
        name = (at + node.name_line, node.name_col, node.name_end)
        out.append(Known(unique, (at + node.line, node.col), (at + node.end_line, node.end_col), name, node))
    return out


class Oracle:
    """A text that parses, and what is true of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self.lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
        self.offsets = list(accumulate(map(len, self.lines), initial=0))
        self.definitions = sorted(self._definitions(), key=lambda pair: self.start(pair[1]))

    def _definitions(self) -> Iterator[tuple[str, Definition]]:
        """Qualified names as Python gives them: what a scope declares `global` has no prefix there."""
        parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

        def scope(node: ast.AST) -> Definition | None:
            while (node := parents.get(node, self.tree)) is not self.tree:
                if isinstance(node, Definition):
                    return node
            return None

        declared = {(scope(node), name) for node in parents if isinstance(node, ast.Global) for name in node.names}
        for node in parents:
            if isinstance(node, Definition):
                names, inner, outer = [node.name], node, scope(node)
                while outer and (outer, inner.name) not in declared:
                    names.append(outer.name)
                    inner, outer = outer, scope(outer)
                yield ".".join(reversed(names)), node

    def unique_names(self) -> list[str]:
        """Qualified names in source order, namesakes told apart by #2, #3 ..."""
        seen: Counter[str] = Counter()
        out = []
        for qualname, _ in self.definitions:
            seen[qualname] += 1
            out.append(qualname if seen[qualname] == 1 else f"{qualname}#{seen[qualname]}")
        return out

    def compiled_names(self) -> Counter[str] | None:
        """What Python itself calls the functions and classes, without `<locals>`; None if it does not compile.

        Code that can never run (`if 0:`) is missing.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                todo = [compile(self.text, "text", "exec", dont_inherit=True)]
        except (SyntaxError, RecursionError):
            return None
        # From Python 3.12 on, the values of type aliases and the bounds of type parameters are code objects too.
        lazy = {_alias(node) for node in ast.walk(self.tree) if type(node).__name__ in _LAZY}
        names: Counter[str] = Counter()
        while todo:
            code = todo.pop()
            todo += [const for const in code.co_consts if isinstance(const, types.CodeType)]
            if not code.co_name.startswith("<") and code.co_name not in lazy:
                names[
                    re.sub(
                        r"<(?:locals|lambda|listcomp|setcomp|dictcomp|genexpr|generic parameters of \w+)>\.",
                        "",
                        code.co_qualname,
                    )
                ] += 1
        return names

    def at(self, line: int, byte: int) -> int:
        """Index in the text of ast's 1-based line and byte column."""
        return self.offsets[line - 1] + len(self.lines[line - 1].encode()[:byte].decode())

    def place(self, index: int) -> Place:
        """0-based line and UTF-16 column of an index."""
        line = max(bisect_right(self.offsets[:-1], index) - 1, 0)
        return line, len(self.text[self.offsets[line] : index].encode("utf-16-le")) // 2

    def index(self, place: Place) -> int:
        """Index in the text of a 0-based line and UTF-16 column."""
        line, column = place
        return self.offsets[line] + len(self.lines[line].encode("utf-16-le")[: 2 * column].decode("utf-16-le"))

    def start(self, node: Definition) -> int:
        """Index where a definition starts, at the @ of its first decorator if it has any."""
        if not node.decorator_list:
            return self.at(node.lineno, node.col_offset)
        first = node.decorator_list[0]
        return self.text.rindex("@", 0, self.at(first.lineno, first.col_offset))

    def end(self, node: Definition) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.end_lineno, node.end_col_offset)

    def source(self, node: Definition) -> str:
        """The definition's exact text, decorators included."""
        return self.text[self.start(node) : self.end(node)]

    def named(self, line: int, start: int, end: int) -> str:
        """The identifier at a name range (UTF-16 columns), as Python normalises it."""
        data = self.lines[line].encode("utf-16-le")[2 * start : 2 * end]
        return unicodedata.normalize("NFKC", data.decode("utf-16-le"))


def _alias(node: ast.AST) -> str:
    name = vars(node)["name"]
    return name.id if isinstance(name, ast.Name) else name


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def decoded(data: bytes) -> str | None:
    """The text of a file that Python can parse; None for one it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
        encoding, _ = tokenize.detect_encoding(io.BytesIO(re.sub(rb"\r\n?", b"\n", data)).readline)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return data.decode(encoding)
