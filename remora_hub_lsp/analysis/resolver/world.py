"""What names and expressions of a program are: lazily, from summaries, each question once.

A `World` is one state of the program. Its questions (what is this variable, what does this function give, what has
this class) are answered with sets of abstract values (see `values`), the least ones that satisfy all that is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from ..forms import Expression
from ..program import Module, Rest, Scope
from ..values import NOTHING, PARAMETER, Values
from .annotations import Annotations
from .arguments import Arguments
from .assigned import Assigned
from .attributes import Attributes
from .builtin import Builtin
from .callforms import CallForms
from .calls import Calls
from .classes import Classes
from .containers import Containers
from .contexts import Contexts
from .decorators import Decorators
from .exactness import Exactness
from .fixtures import Fixtures
from .imports import Imports
from .instances import Instances
from .items import Items
from .iteration import Iteration
from .literals import Literals
from .members import Members
from .memory import Memory
from .names import Names
from .narrowing import Narrowing
from .operators import Operators
from .outside import Outside
from .parameters import Parameters
from .passed import Passed
from .questions import Questions
from .rests import ANY_NAME, PRESENCE, Question, Rests
from .returns import Returns
from .sink import Sink
from .stored import Stored
from .subclasses import Subclasses

Evaluate = Callable[[list[Any], Scope, Sink | None], Values]


class Program(Protocol):
    """Where the modules come from."""

    def module(self, path: str) -> Module | None:
        """The module of a file."""

    def find(self, dotted: str, importer: str) -> str | None:
        """The file that an absolute dotted name is a module of, as `importer` imports it; "" for a folder without
        an `__init__`, None where the project has none."""

    def passed(self, function: Scope) -> Mapping[str, Values]:
        """What callers pass to a function, as edges.Flows has it."""


class Walked(Protocol):
    """What was found out of a file's code."""

    def forget(self, gone: set[Rest]) -> None:
        """These names may mean something else."""


class World:
    """One state of a program, and what has been found out about it, part by part.

    walked: files of which the code was looked at, and may be again.
    """

    def __init__(self, program: Program, flows: bool = True, forgets: bool = True) -> None:
        """flows: whether what callers pass is known; if not, it may be later. forgets: whether `forget` is called."""
        self.program = program
        self.flows = flows
        self.walked: dict[str, Walked] = {}
        self.rests = Rests(lasting=forgets)
        self.memory = Memory(lasting=forgets)
        self.questions = Questions(self.memory, self.rests)
        self.names = Names(self)
        self.exactness = Exactness(self)
        self.assigned = Assigned(self)
        self.decorators = Decorators(self)
        self.imports = Imports(self)
        self.parameters = Parameters(self)
        self.fixtures = Fixtures(self)
        self.passed = Passed(self)
        self.classes = Classes(self)
        self.members = Members(self)
        self.stored = Stored(self)
        self.subclasses = Subclasses(self)
        self.annotations = Annotations(self)
        self.instances = Instances(self)
        self.attributes = Attributes(self)
        self.calls = Calls(self)
        self.arguments = Arguments(self)
        self.returns = Returns(self)
        self.outside = Outside(self)
        self.builtin = Builtin(self)
        self.containers = Containers(self)
        self.iteration = Iteration(self)
        self._evaluate = _evaluators(self)

    def value(self, form: Expression, scope: Scope, sink: Sink | None) -> Values:
        """The values of an expression of `scope`. sink: takes the calls in it."""
        cls = form.__class__
        if cls is list:
            kind: int = form[0]
            return self._evaluate[kind](form, scope, sink)
        if cls is str:
            return self.names.state(scope, form)
        return NOTHING

    def expanded(self, form: Expression, scope: Scope, sink: Sink | None) -> Values:
        """The same with parameters replaced by what callers pass for them."""
        values = self.value(form, scope, sink)
        for value in values:
            if value.__class__ is tuple and value[0] == PARAMETER:
                return self.passed.replaced(values)
        return values

    # ---- what callers pass

    def know_passed(self) -> None:
        """From now on the program knows what callers pass: what has been found out without it is looked at again."""
        self.flows = True
        self.questions.ask_again(self.is_unlike)

    def is_unlike(self, reads: set[Question]) -> bool:
        """Whether one of these questions has another answer, now that it is known what callers pass."""
        unlike = self.questions.unlike
        return any(self.passed.known(key[1], key[2]) if key[0] == "passed" else key in unlike for key in reads)

    # ---- what changes

    def forget(self, names: Iterable[Rest], paths: Collection[str]) -> None:
        """These names may mean something else now, these files have other texts: let go of what rests on that."""
        self.rests.merge()
        start = set(names)
        anything = {path for path, name in start if name == ANY_NAME}
        if anything:
            start |= self.rests.in_files(anything) | self.memory.in_files(anything)
        for path, name in names:
            cls, _, member = name.partition(PRESENCE)
            if member:
                start |= self.rests.absences((path, cls), member)
        for path in paths:
            self.rests.forget((path, ""))
            self.memory.forget_text(path)
        gone = self.rests.above(start)
        for walked in self.walked.values():
            walked.forget(gone)
        for one in gone:
            self.rests.forget(one)
        self.memory.forget(gone)


def _evaluators(world: World) -> tuple[Evaluate, ...]:
    """By the number that a form begins with (see `forms`)."""
    literals, iteration, contexts = Literals(world), world.iteration, Contexts(world)
    each = iteration.evaluate
    return (
        world.names.evaluate, world.attributes.evaluate, CallForms(world).evaluate, Items(world).evaluate,
        literals.constant, literals.of_type, literals.tuple_, literals.list_, literals.dict_, literals.any_, each, each,
        iteration.part, contexts.enter, contexts.enter, Operators(world).evaluate, literals.lambda_,
        Narrowing(world).evaluate, iteration.star, contexts.await_, world.annotations.evaluate, literals.prefix,
    )  # fmt: skip
