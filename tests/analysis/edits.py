"""Random edits as people and tools make them, through TextDocument as LSP sends them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from remora_hub_lsp.analysis.text import TextDocument, split_lines, units

CHARACTERS = "abcxyzé😀0159_    ()[]{}:,.=@#\\'\"*-/;\n\n\n\t\f\r"
SNIPPETS = (
    '"""', "'''", "f'{", 'f"""{', "()", "[", "]", "{", "}", "(", ")", ":\n", "\\\n", "\r\n", "# ", "def ", "class ",
    "async ", "return ", "if x:\n", "else:\n", "lambda: ", "@dec\n", "    ", "\n\n", " = 1", ", ", "x.", "global x\n",
    "    def new(self, a=1): return a\n", "def new(a, *b): pass\n", "class New(Base):\n    x = 1\n", "    @property\n",
    "    x: int = 1\n", "pass; ", "from a import b\n", "import a.b\n", "    '''doc'''\n", "'''doc'''\n", "    # note\n",
    "\n    \n", "if x: pass\n", "    if x:\n        def inner(): pass\n", "\f", "\u2028", "try:\n", "match x:\n    case 1: pass\n",
    "\0", "\ufeff", "type X[T] = T\n", "except A, B: pass\n", "f'{f'{x}'}'", "t'{x!r:{y}}'", "def g[T](x: T): ...\n", "(" * 60, "lazy import a\n",
)  # fmt: skip
TYPED = (
    "    def typed(self, x: int = 1) -> str:\n        return str(x)\n\n",
    "@dec(1)\nclass Typed(Base):\n    '''Doc.'''\n\n    def f(self):\n        pass\n",
    "async def typed(*a, **k):\n    x = [1, 2]\n    await f('a')\n",
)


class Editor:
    """Edits of one document, drawn from `rng`; `donors` are other texts to paste from.

    What it broke it mostly mends again after a while, by undoing, so that many states parse.
    """

    def __init__(self, document: TextDocument, rng: random.Random, donors: Sequence[str]) -> None:
        self.document = document
        self.rng = rng
        self.donors = [split_lines(donor) for donor in donors]
        self.good = list(document.lines)
        self._typing: list[str] = []
        self._caret = (0, 0)
        self._kinds: list[tuple[Callable[[], None], int]] = [
            (self.insert_character, 20), (self.delete_characters, 15), (self.insert_snippet, 12), (self.delete_lines, 10),
            (self.duplicate_lines, 6), (self.move_lines, 6), (self.indent_lines, 8), (self.dedent_lines, 8),
            (self.paste_lines, 6), (self.rename, 5), (self.begin_typing, 1), (self.whole_text, 1), (self.join_lines, 4),
        ]  # fmt: skip

    def edit(self, *, parses: bool) -> str:
        """One edit; `parses` tells whether the text does now. Gives the edit's kind."""
        if self._typing:
            self._type()
            return "type"
        if parses:
            self.good = list(self.document.lines)
        elif self.rng.random() < 0.55:
            self.undo()
            return "undo"
        kinds, weights = zip(*self._kinds, strict=True)
        (kind,) = self.rng.choices(kinds, weights)
        kind()
        return str(kind.__name__)

    def insert_character(self) -> None:
        place = self._place()
        self._replace(place, place, self.rng.choice(CHARACTERS))

    def insert_snippet(self) -> None:
        place = self._place() if self.rng.random() < 0.4 else (self._line(), 0)
        self._replace(place, place, self.rng.choice(SNIPPETS))

    def delete_characters(self) -> None:
        line, character = self._place()
        if self.rng.random() < 0.15:  # the line's end
            self._replace((line, 10**6), (line + 1, 0), "")
        else:
            self._replace((line, character), (line, character + self.rng.choice((1, 1, 1, 2, 5))), "")

    def join_lines(self) -> None:
        line = self._line()
        self._replace((line, 10**6), (line + 1, self.rng.choice((0, 4, 8))), self.rng.choice(("", " ", ", ", "\\")))

    def delete_lines(self) -> None:
        first, end = self._lines()
        self._replace((first, 0), (end, 0), "")

    def duplicate_lines(self) -> None:
        first, end = self._lines()
        self._replace((end, 0), (end, 0), "".join(self.document.lines[first:end]))

    def move_lines(self) -> None:
        """Cut and paste: two edits that arrive at once."""
        first, end = self._lines()
        text = "".join(self.document.lines[first:end])
        self._replace((first, 0), (end, 0), "")
        at = self._line() if self.rng.random() < 0.5 else max(first - self.rng.randrange(4), 0)
        self._replace((at, 0), (at, 0), text)

    def indent_lines(self) -> None:
        first, end = self._lines()
        for line in range(first, end):
            self._replace((line, 0), (line, 0), "    ")

    def dedent_lines(self) -> None:
        first, end = self._lines()
        for line in range(first, end):
            if self.document.lines[line].startswith("    "):
                self._replace((line, 0), (line, 4), "")

    def paste_lines(self) -> None:
        donor = self.rng.choice(self.donors)
        first = self.rng.randrange(len(donor))
        at = (self._line(), 0)
        self._replace(at, at, "".join(donor[first : first + self.rng.randrange(1, 25)]))

    def rename(self) -> None:
        """Another word in the place of a word."""
        line, _ = self._place()
        words = self.document.lines[line].split() if self.document.lines else []
        if words:
            word = self.rng.choice(words)
            at = units(self.document.lines[line].partition(word)[0], "utf-16")
            other = self.rng.choice("".join(self.document.lines[:400]).split())
            self._replace((line, at), (line, at + units(word, "utf-16")), other)

    def whole_text(self) -> None:
        """The whole text anew, with little changed, as a formatter sends it."""
        lines = list(self.document.lines)
        if lines:
            lines.insert(self.rng.randrange(len(lines)), "\n")
        self.document.replace_all("".join(lines))

    def begin_typing(self) -> None:
        """The next edits type some code, a character each."""
        self._typing = list(self.rng.choice(TYPED))
        self._caret = (self._line(), 0)

    def undo(self) -> None:
        """Back to the last text that parsed, by replacing what differs."""
        now, good = self.document.lines, self.good
        same = 0
        while same < min(len(now), len(good)) and now[same] == good[same]:
            same += 1
        tail = 0
        while tail < min(len(now), len(good)) - same and now[-1 - tail] == good[-1 - tail]:
            tail += 1
        self._replace((same, 0), (len(now) - tail, 0), "".join(good[same : len(good) - tail]))

    def _type(self) -> None:
        character = self._typing.pop(0)
        line, column = self._caret
        self._replace(self._caret, self._caret, character)
        self._caret = (line + 1, 0) if character == "\n" else (line, column + 1)

    def _replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.document.edit(start, end, text, "utf-16")

    def _line(self) -> int:
        return self.rng.randrange(len(self.document.lines) + 1)

    def _lines(self) -> tuple[int, int]:
        count = len(self.document.lines)
        first = self.rng.randrange(count + 1)
        return first, min(first + self.rng.choice((1, 1, 1, 2, 3, 8, 20)), count)

    def _place(self) -> tuple[int, int]:
        if not self.document.lines:
            return 0, 0
        line = self.rng.randrange(len(self.document.lines))
        return line, self.rng.randrange(units(self.document.lines[line], "utf-16") + 1)
