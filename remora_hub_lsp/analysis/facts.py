"""What is known of a text: facts of its nodes, grouped by the segment (statement) they stand in.

Lines in `NodeFacts` and in places count from the first line of their segment, so that a line inserted above a
segment changes none of its facts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

# What a statement does with names, and where (see `forms`).
Summary = tuple[list[Any], list[int]]
MODULE = "<module>"


class Behaviour(NamedTuple):
    """What a docstring can tell of a definition beside its signature.

    returns: whether a value; yields: it is a generator; raises: exceptions by name, those of the functions in it aside.
    stub: the body could not tell (`...`, `raise NotImplementedError`). body: hash of the docstring and what follows it,
    indentation aside; of a class of the docstring alone. allowed: `# remora: docstring-ok` stands beside it.
    """

    returns: bool
    yields: bool
    raises: tuple[str, ...]
    stub: bool
    body: str
    allowed: bool


class NodeFacts(NamedTuple):
    """One module, class or function, as its own text tells it.

    qualname: as Python's __qualname__ without `<locals>`, not yet told apart from namesakes by #2.
    line .. name_end: 0-based lines within the segment, columns in UTF-16 code units.
    roots: first names of everything used here that no local variable hides; for matching with imports.
    local_imports: dotted targets imported inside the node.
    dotted: names with dots that a function uses, as far as they can be read (`os.path.join`).
    calls: names that a function calls; one that starts with "." hangs on an expression.
    broken: why the text does not parse just now; the other facts are then the last good ones.
    behaviour: of what has a docstring, and of `__init__`.
    """

    name: str
    qualname: str
    node_type: str
    kind: str
    line: int
    col: int
    end_line: int
    end_col: int
    name_line: int
    name_col: int
    name_end: int
    signature: str | None
    docstring: str | None
    decorators: tuple[str, ...]
    source_hash: str
    line_count: int
    complexity: int | None
    has_type_hints: bool
    roots: frozenset[str]
    local_imports: tuple[str, ...]
    dotted: frozenset[str]
    calls: frozenset[str]
    broken: str | None = None
    behaviour: Behaviour | None = None


# What an import statement binds: (name as bound, dotted target); "import a.b" binds ("a.b", "a.b"),
# a star import ("*", module). Relative targets keep their leading dots.
Binding = tuple[str, str]


class Failure(NamedTuple):
    """Why text does not parse; line counts from the text's (a segment's) first one."""

    message: str
    line: int


class PlacedNode(NamedTuple):
    """A node with the name that is unique in its file, and where it stands: segment id and which of its nodes."""

    unique: str
    segment: int
    number: int
    facts: NodeFacts


class Segment:
    """A run of whole lines holding one statement, or only blank lines and comments (`gap`).

    lines: how many. nodes: in source order. roots, bindings, hints: what the statement adds to the scope
    that it stands in (module or class). summary: None for a gap, or where the text never parsed.
    last: line and UTF-16 column where the statement ends.
    escapes: it declares names global, which changes what definitions beside it are called.
    string: the value of a bare string statement, which is a docstring where it comes first.
    """

    __slots__ = (
        "bindings", "block", "broken", "escapes", "gap", "hints", "id", "last", "lines", "nodes", "roots", "string",
        "summary",
    )  # fmt: skip

    def __init__(self, lines: int, *, gap: bool = False) -> None:
        self.id = -1
        self.lines = lines
        self.gap = gap
        self.nodes: list[NodeFacts] = []
        self.summary: Summary | None = None
        self.roots: frozenset[str] = frozenset()
        self.bindings: tuple[Binding, ...] = ()
        self.hints = False
        self.escapes = False
        self.last = (0, 0)
        self.string: str | None = None
        self.broken: Failure | None = None
        self.block: Block | None = None


class ClassBody:
    """A top-level class as its header (decorators, `class` line, docstring) and its members.

    The header segment's node is the class without its members' share. fresh: it knows the class's end and hash,
    since no member changed after it was made.
    """

    __slots__ = ("block", "fresh", "header", "indent", "members")

    def __init__(self, header: Segment, members: list[Segment], indent: str, fresh: bool = False) -> None:
        self.header = header
        self.members = members
        self.indent = indent
        self.fresh = fresh
        self.block: Block | None = None

    @property
    def lines(self) -> int:
        if self.block is not None:
            return self.block.lines
        return self.header.lines + sum(member.lines for member in self.members)

    @property
    def gap(self) -> bool:
        return False

    def changed(self) -> None:
        """The header or a member is about to change."""
        self.block = None
        self.fresh = False


Item = Segment | ClassBody


class Block(NamedTuple):
    """What one item adds to its file, kept until the item changes.

    nodes: not yet told apart from namesakes. segments: those that are no gaps, and their first line in the item.
    """

    lines: int
    nodes: list[PlacedNode]
    segments: list[tuple[Segment, int]]
    bindings: tuple[Binding, ...]
    roots: frozenset[str]
    hints: bool
    broken: Failure | None


class FileFacts(NamedTuple):
    """All that is known of one file's text.

    nodes: source order, the module first (its lines count from the file's start; segment -1).
    segments: those that are no gaps, in source order, with their first line. bindings: imports of the module scope.
    error, error_line: the first statement that does not parse. file_hash: SHA-256 of the text as UTF-8.
    """

    nodes: list[PlacedNode]
    segments: list[tuple[Segment, int]]
    bindings: list[Binding]
    error: str | None
    error_line: int | None
    line_count: int
    file_hash: str
