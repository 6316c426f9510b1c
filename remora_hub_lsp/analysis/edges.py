"""A file's part of the call graph: the edges of its code, what it passes to parameters, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .collected import Collected, EdgeRow, Flows, Passed
from .forms import CLASS, LAMBDA_KIND
from .program import Module, Rest, Scope
from .resolver.rests import Question
from .resolver.world import World
from .walk import walk


class CallerEdges(NamedTuple):
    """The edges of one caller within a segment. slot: its node's number there, or AROUND."""

    segment: int
    slot: int
    caller: str
    edges: list[EdgeRow]


class FileGraph(NamedTuple):
    """What one file adds. bases: of each class, keys or dotted names."""

    path: str
    callers: list[CallerEdges]
    flows: Flows
    bases: dict[str, tuple[str, ...]]


class Walked:
    """What was found out of each code of a file, to be kept as long as it stands. shape: which names there are."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape
        self.codes: dict[tuple[int, int], _Done] = {}

    def forget(self, gone: set[Rest]) -> None:
        """These names may mean something else."""
        for done in self.codes.values():
            if not done.rests.isdisjoint(gone):
                done.data = None


class _Done:
    """data: the summary of its segment; None: it has to be looked at anew."""

    __slots__ = ("bases", "data", "edges", "passed", "rests")

    def __init__(
        self, data: bytes, edges: list[CallerEdges], passed: Passed, bases: dict[str, tuple[str, ...]],
        rests: set[Rest],
    ) -> None:  # fmt: skip
        self.data: bytes | None = data
        self.edges, self.passed, self.bases, self.rests = edges, passed, bases, rests


def file_graph(world: World, module: Module, data: Mapping[int, bytes], before: Walked | None) -> FileGraph:
    """The edges of a module's code as `world` knows it, and what it passes; only that is looked at which may have
    changed since `before`.

    data: the summary of each segment. `world.walked` has what to begin with the next time.
    """
    # What a name means in a scope depends on which names there are.
    shape = (list(module.by_unique), list(module.scope.names), module.scope.stars, module.scope.exports)
    known = before.codes if before is not None and before.shape == shape else {}
    walked = world.walked[module.path] = Walked(shape)
    for code in _codes(module):
        done = known.get((code.segment, code.slot))
        if done is None or done.data != data[code.segment]:
            sink = Collected(passes=True)
            rests = world.rests.begin(module.path, apart=True)
            bases: dict[str, tuple[str, ...]] = {}
            edges = _edges(world, code, sink, bases)
            done = _Done(data[code.segment], edges, sink.passed, bases, rests)
        walked.codes[code.segment, code.slot] = done
    every = walked.codes.values()
    world.rests.note((module.path, ""), *(done.rests for done in every))
    sink = Collected(passes=True)
    for done in every:
        for (function, key), values in done.passed.items():
            sink.flow(function, key, values)
    callers = [edges for done in every for edges in done.edges]
    return FileGraph(module.path, callers, sink.flows(), {k: v for done in every for k, v in done.bases.items()})


class Draft(NamedTuple):
    """A file's graph before it is known what callers pass, and the code of which the edges may be others then."""

    graph: FileGraph
    unsure: list[_Unsure]


def draft(world: World, module: Module) -> Draft:
    """The edges of a module's code as far as they are known without what callers pass; and what it passes itself."""
    sink = Collected(passes=True)
    world.rests.begin(module.path)
    bases: dict[str, tuple[str, ...]] = {}
    sure: list[CallerEdges] = []
    unsure: list[_Unsure] = []
    for code in _codes(module):
        world.questions.reads = None
        edges = _edges(world, code, sink, bases)
        if world.questions.reads is None:
            sure += edges
        else:
            unsure.append(_Unsure(code, edges, world.questions.reads))
    return Draft(FileGraph(module.path, sure, sink.flows(), bases), unsure)


def finished(world: World, draft: Draft) -> FileGraph:
    """The edges of the module's code, now that `world` knows what callers pass."""
    graph = draft.graph
    world.rests.begin(graph.path)
    sink = Collected(passes=False)
    callers = list(graph.callers)
    for code, edges, reads in draft.unsure:
        callers += _edges(world, code, sink, graph.bases) if world.is_unlike(reads) else edges
    return graph._replace(callers=callers)


class _Code(NamedTuple):
    """The code of one caller within a segment."""

    segment: int
    slot: int
    caller: str
    scopes: list[Scope]


class _Unsure(NamedTuple):
    """Code, its edges, and what they rest on that may have another answer."""

    code: _Code
    edges: list[CallerEdges]
    reads: set[Question]


def _codes(module: Module) -> list[_Code]:
    found: dict[tuple[int, int], _Code] = {}
    for scope in module.scopes:
        at = scope
        while at.kind == LAMBDA_KIND and at.parent is not None:
            at = at.parent
        code = found.get((at.segment, at.slot))
        if code is None:
            code = found[at.segment, at.slot] = _Code(at.segment, at.slot, at.unique, [])
        code.scopes.append(scope)
    return list(found.values())


def _edges(world: World, code: _Code, sink: Collected, bases: dict[str, tuple[str, ...]]) -> list[CallerEdges]:
    sink.edges = {}
    for scope in code.scopes:
        walk(world, scope, sink)
        around = scope.parent
        if around is not None and around.kind == CLASS and scope is around.fragments[0]:
            known = [base for base in world.classes.bases(around) or () if base != "?"]
            bases[around.unique] = tuple([one.key if one.__class__ is Scope else _plain(one) for one in known])
    return [CallerEdges(code.segment, code.slot, code.caller, sink.rows())] if sink.edges else []


def _plain(dotted: str) -> str:
    return dotted.removeprefix("builtins.")
