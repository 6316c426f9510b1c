"""Runs a test suite and writes down which of a project's functions call which: `tracer.py OUT ROOT PYTEST_ARGUMENT...`

Runs by itself in the project's environment (Python 3.12 or newer, only the standard library). What it writes, as JSON:

    codes   [path, first line, qualified name, is generator or coroutine, started, every line ran, [argument names]]
    edges   [caller, callee, how, line, column, end line, end column, runs]   (numbers of codes; the place of the call)
    wraps   [wrapper, wrapped]: callables that stand in for a function of the project, see `behind`
    got     [caller, descriptor's __get__, function, line, column, end line, end column]: functions that a descriptor
            of the project calls when somebody gets an attribute

how: `call` by a CALL instruction. `callback`: a CALL of something built-in (or `functools`, `contextlib`) which in turn
calls the function. `implicit`: everything else, and special methods that a built-in calls. Calls out of code that is not
the project's are not written down, nor is `__del__`, which the collector calls from anywhere. Calling a generator or
coroutine function counts where it is called, not where it first runs.
"""

from __future__ import annotations

import dis
import functools
import json
import sys
import types
from bisect import bisect_right
from collections import Counter
from itertools import islice
from typing import Any

monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
TOOL = monitoring.PROFILER_ID
EVENTS = monitoring.events
NOT_PLAIN = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator
# Code of these modules that calls the project's function stands for the place that called it.
TRANSPARENT = ("functools.py", "contextlib.py", "abc.py", "<frozen abc>")
CALLS = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX"})
EXITS = frozenset({"__exit__", "__aexit__"})  # a `with` statement calls them by a CALL instruction
REACHES = frozenset({getattr, hasattr, setattr, delattr})
HEAP_TYPE = 1 << 9  # the flag of classes that are made by a `class` statement
NO_LINE = frozenset({"RESUME", "RETURN_GENERATOR", "COPY_FREE_VARS", "MAKE_CELL", "NOP"})

Code = types.CodeType
Site = tuple[Code, int]


class Tracer:
    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") + "/"
        self.ours: dict[Code, bool] = {}
        self.edges: Counter[tuple[Code, Code, str, int]] = Counter()
        self.called: dict[Site, str] = {}  # what a CALL instruction last called: python, class or built-in
        self.lines: dict[Code, set[int]] = {}
        self.started: set[Code] = set()
        self.wraps: set[tuple[Code, Code]] = set()
        self.got: set[tuple[Code, Code, Code, int]] = set()
        self.instructions: dict[Code, tuple[list[int], list[str]]] = {}

    def start(self) -> None:
        monitoring.use_tool_id(TOOL, "truth")
        for event, handler in ((EVENTS.PY_START, self.on_start), (EVENTS.CALL, self.on_call), (EVENTS.LINE, self.on_line)):
            monitoring.register_callback(TOOL, event, handler)
        monitoring.set_events(TOOL, EVENTS.PY_START | EVENTS.CALL | EVENTS.LINE)

    def stop(self) -> None:
        monitoring.set_events(TOOL, 0)

    def is_ours(self, code: Code) -> bool:
        known = self.ours.get(code)
        if known is None:
            name = code.co_filename
            known = name.startswith(self.root) and name.endswith(".py") and "/site-packages/" not in name
            self.ours[code] = known
        return known

    def on_line(self, code: Code, line: int) -> object:
        if self.is_ours(code):
            self.lines.setdefault(code, set()).add(line)
        return monitoring.DISABLE

    def on_call(self, code: Code, offset: int, called: Any, _first: object) -> object:
        if not self.is_ours(code):
            return monitoring.DISABLE
        function = called.__func__ if type(called) is types.MethodType else called
        kind = type(function)
        if kind is types.FunctionType:
            self.called[code, offset] = "python"
            target = function.__code__
            if self.is_ours(target) and target.co_flags & NOT_PLAIN:
                self.edges[code, target, "call", offset] += 1
        elif isinstance(function, type):
            self.called[code, offset] = "class"
            return None
        else:
            reaches = kind is types.BuiltinFunctionType and function in REACHES
            self.called[code, offset] = "reaches" if reaches else "built-in"
        if (wrapped := self.behind(function)) is not None:
            self.edges[code, wrapped, "call", offset] += 1
        return None

    def behind(self, called: Any) -> Code | None:
        """The project's function that a callable stands in for: `__wrapped__` says so, of functions (`functools.wraps`),
        `lru_cache` and instances of classes; else the function of the same name that an instance or a closure holds."""
        function, stand_ins = called, []
        for _ in range(20):
            kind = type(function)
            plain = kind is types.FunctionType or kind is functools._lru_cache_wrapper
            if not plain and not (kind.__flags__ & HEAP_TYPE and kind.__dictoffset__):
                return None
            held = object.__getattribute__(function, "__dict__")
            inner = held.get("__wrapped__")
            if inner is None and not plain:  # an instance that has taken the name of a function which it holds
                inner = next((one for one in held.values() if type(one) is types.FunctionType
                              and one.__name__ == held.get("__name__")), None)  # fmt: skip
            if inner is None:
                break
            stand_ins.append(code_of(function))
            function = inner
        if type(function) is not types.FunctionType:
            return None
        if function is called:
            return self.behind_closure(function)
        if not self.is_ours(function.__code__):
            return None
        self.wraps |= {(one, function.__code__) for one in stand_ins if one is not None and self.is_ours(one)}
        return function.__code__

    def behind_closure(self, function: types.FunctionType) -> Code | None:
        if not function.__closure__ or not self.is_ours(function.__code__):
            return None
        for cell in function.__closure__:
            try:
                held = cell.cell_contents
            except ValueError:
                continue
            if type(held) is types.FunctionType and held.__name__ == function.__name__ != function.__code__.co_name:
                self.wraps.add((function.__code__, held.__code__))
                return held.__code__ if self.is_ours(held.__code__) else None
        return None

    def on_start(self, code: Code, _offset: int) -> object:
        if not self.is_ours(code):
            return monitoring.DISABLE
        self.started.add(code)
        name = code.co_name
        special = name.startswith("__") and name.endswith("__")
        if name == "__del__" or name.startswith("<") or (code.co_flags & NOT_PLAIN and not special):
            return None
        frame = sys._getframe(1).f_back
        through = False
        while frame is not None and not self.is_ours(frame.f_code):
            if not frame.f_code.co_filename.endswith(TRANSPARENT) and frame.f_code.co_name != "__get__":
                return None
            frame, through = frame.f_back, True
        if frame is not None:
            offset, instruction = self.at(frame.f_code, frame.f_lasti)
            if instruction.startswith("IMPORT_"):  # looks for __path__ in a module
                return None
            how = "implicit"
            if instruction in CALLS and name not in EXITS:
                how = self.how((frame.f_code, offset), name, special, through)
            self.edges[frame.f_code, code, how, offset] += 1
            if frame.f_code.co_name == "__get__" and (by := frame.f_back) is not None and self.is_ours(by.f_code):
                self.got.add((by.f_code, frame.f_code, code, self.at(by.f_code, by.f_lasti)[0]))
        return None

    def how(self, site: Site, name: str, special: bool, through: bool) -> str:
        called = self.called.get(site, "built-in")
        if called == "class" or name == "__call__" or (called == "python" and not through):
            return "call"
        return "implicit" if called == "reaches" or (special and called == "built-in") else "callback"

    def at(self, code: Code, offset: int) -> tuple[int, str]:
        """The instruction at an offset, which may lie in its inline cache (Python 3.12)."""
        if code not in self.instructions:
            found = list(dis.get_instructions(code))
            self.instructions[code] = [one.offset for one in found], [one.opname for one in found]
        offsets, names = self.instructions[code]
        number = bisect_right(offsets, offset) - 1
        return offsets[number], names[number]

    # ---- what is written

    def result(self) -> dict[str, Any]:
        codes = {code for edge in self.edges for code in edge[:2]} | self.started | {c for w in self.wraps for c in w}
        codes |= {code for got in self.got for code in got[:3]}
        number = {code: at for at, code in enumerate(codes)}
        return {
            "python": sys.version.split()[0],
            "codes": [self.told(code) for code in number],
            "edges": [
                [number[caller], number[callee], how, *place(caller, offset), runs]
                for (caller, callee, how, offset), runs in self.edges.items()
            ],
            "got": [[number[a], number[b], number[c], *place(a, offset)] for a, b, c, offset in self.got],
            "wraps": [[number[a], number[b]] for a, b in self.wraps],
        }

    def told(self, code: Code) -> list[Any]:
        path = code.co_filename.removeprefix(self.root)
        return [path, code.co_firstlineno, code.co_qualname, bool(code.co_flags & NOT_PLAIN), code in self.started,
                self.whole(code), code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]  # fmt: skip

    def whole(self, code: Code) -> bool:
        """Whether every line of a function ran, those of its lambdas and comprehensions, too."""
        inner = [one for one in code.co_consts if isinstance(one, Code) and one.co_name.startswith("<") and is_scope(one)]
        ran = self.lines.get(code, set())
        return code in self.started and lines_of(code) <= ran and all(self.whole(one) for one in inner)


def code_of(called: Any) -> Code | None:
    """The code that runs when a function, or an instance of a class, is called."""
    function = called if type(called) is types.FunctionType else getattr(type(called), "__call__", None)  # noqa: B004 - the function itself is wanted
    return function.__code__ if type(function) is types.FunctionType else None


def is_scope(code: Code) -> bool:
    """Whether the code is a lambda or comprehension, and not the scope of type parameters."""
    return code.co_name in ("<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>")


def lines_of(code: Code) -> set[int]:
    """The lines that give an event when they run."""
    lines, current = set(), None
    starts = dict(dis.findlinestarts(code))
    for one in dis.get_instructions(code):
        current = starts.get(one.offset, current)
        if one.offset in starts and current is not None and one.opname not in NO_LINE:
            lines.add(current)
    return lines


def place(code: Code, offset: int) -> tuple[int, int, int, int]:
    """Line, column, end line, end column of an instruction; zeros where it has none."""
    found = next(islice(code.co_positions(), offset // 2, None), (0, 0, 0, 0))
    line, end_line, column, end_column = (value or 0 for value in found)
    return line, column, end_line, end_column


def main() -> int:
    out, root, *arguments = sys.argv[1:]
    sys.argv[:] = ["pytest", *arguments]
    sys.path[0] = root  # as `python -m pytest` does
    tracer = Tracer(root)
    tracer.start()
    try:
        import pytest

        code = int(pytest.main(arguments))
    finally:
        tracer.stop()
    with open(out, "w", encoding="utf-8") as file:
        json.dump({**tracer.result(), "exit": code}, file)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
