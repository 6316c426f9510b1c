"""What a peer may do, as data: sessions of right, nearly right and wrong messages, for the protocol's fuzz."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st
from lsprotocol import types

from remora_hub_lsp.protocol import GET_CONTEXT, STATUS
from remora_hub_lsp.serve.changes import FILE_METHODS
from remora_hub_lsp.serve.handshake import Handshake, WorkspaceFoldersParams
from remora_hub_lsp.serve.methods import DOCUMENT_METHODS, METHODS
from remora_hub_lsp.serve.params import params_type

from .shapes import LEAVES, Shapes

NEW = "a new id"
Encoding = Literal["utf-8", "utf-16", "utf-32"]


class Ask(NamedTuple):
    """A request. id: NEW, SAME (that of the request before), or what it is called."""

    method: str
    params: Any
    id: Any = NEW


class Tell(NamedTuple):
    method: str
    params: Any


class Cancel(NamedTuple):
    """Of the request so many before; 0: of one that was never made."""

    back: int


class Body(NamedTuple):
    """Bytes in a frame. answered: with how many errors that have no id."""

    data: bytes
    answered: int


class Open(NamedTuple):
    text: str


class Edit(NamedTuple):
    """Of the session's own document. changes: (start, end, new text); without start and end, the whole text."""

    changes: tuple[tuple[tuple[int, int] | None, tuple[int, int] | None, str], ...]
    version: int


class BadEdit(NamedTuple):
    """A didChange of it of which nothing may be taken over; `spoilt` changes the parameters."""

    spoilt: str


class Close(NamedTuple):
    pass


class Wait(NamedTuple):
    """Until all is answered."""


Step = Ask | Tell | Cancel | Body | Open | Edit | BadEdit | Close | Wait
Ending = Literal["stay", "shutdown", "exit", "half", "header", "garbage", "post", "abort", "deaf"]


class Story(NamedTuple):
    """One session: before `initialize`, after it, and how it ends."""

    before: Sequence[Step]
    encoding: Encoding
    steps: Sequence[Step]
    ending: Ending


SAME = "the id before"
IDS = st.sampled_from([NEW] * 12 + [SAME, SAME, "s", "", "é\ud83d", "x" * 300, -1, 2**53, 2**63, "1", "hub-1"])
BODIES = (
    Body(b"{", 1), Body(b"", 1), Body(b"\xff", 1), Body(b"[]", 1), Body(b"null", 1), Body(b"[" * 3000 + b"]" * 3000, 1),
    Body(b'{"jsonrpc":"2.0","id":1e400,"method":"shutdown"}', 1), Body(b'{"jsonrpc":"2.0","id":[1],"method":"shutdown"}', 1),
    Body(b'{"jsonrpc":"2.0","id":99999999999999999999999999,"method":"shutdown"}', 1), Body(b'{"jsonrpc":"2.0","method":null}', 1),
    Body(b'{"jsonrpc":"2.0","id":"hub-1","result":{"a":[null]}}', 0), Body(b'{"jsonrpc":"2.0","id":"nobody","error":5}', 0),
    Body(b'{"jsonrpc":"2.0","id":"hub-1","error":{"code":"x","message":["y"]}}', 0),
    Body(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}', 0),
    Body(b'{"jsonrpc":"2.0","method":"exi","params":1}', 0), Body(b'{"jsonrpc":"1.0","method":"exit"}', 1),
    Body(b'{"method":"exit"}', 1), Body(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":{}}}', 0),
)  # fmt: skip
PIECES = ("def f(x): ...\n", "class A:\n", "    def g(self): ...\n", "x", "é", "🙂", "\r", "\n", "\r\n", "\f", "\u2028", "\ud83d", " ", "(", '"""')
CODE = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
POSITIONS = st.tuples(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 10**6]), st.sampled_from([0, 0, 1, 2, 3, 4, 5, 2**31 - 1]))
CHANGES = st.one_of(
    st.tuples(POSITIONS, POSITIONS, CODE), st.tuples(POSITIONS, POSITIONS, CODE), st.tuples(st.none(), st.none(), CODE)
)
OPENINGS = ((), (Open("def f(x): ...\r\né🙂 = 1\r\nclass A:\n    x = '🙂'"),), (Open("\ud83d\r\n\n"),))
SPOILT = st.sampled_from(["no version", "a text that is none", "half a range", "a negative line", "a line too big", "no list"])
ENDINGS = st.sampled_from(["stay"] * 6 + ["shutdown", "exit", "half", "header", "garbage", "post", "abort", "deaf"])


def stories(uris: Sequence[str], ids: Sequence[str]) -> st.SearchStrategy[Story]:
    shapes = Shapes(uris, ids)
    asks = st.sampled_from(
        [(method.name, method.params or params_type(method.name)) for method in METHODS]
        + [(types.INITIALIZE, Handshake), ("unheard/of", None), ("$/unheardOf", None), (types.SHUTDOWN, None), ("remora/hello", None)]
    ).flatmap(lambda one: st.builds(Ask, st.just(one[0]), _params(shapes, one[1]), IDS))
    asks_but_hello = asks.filter(lambda ask: ask.method != "remora/hello")  # which comes first, or never
    asks_but_shutdown = asks.filter(lambda ask: ask.method != types.SHUTDOWN)
    tells = st.sampled_from(
        [(name, params_type(name)) for name in (*DOCUMENT_METHODS, *FILE_METHODS)]
        + [(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, WorkspaceFoldersParams), (types.INITIALIZED, None), ("$/setTrace", None)]
        + [(types.WINDOW_WORK_DONE_PROGRESS_CANCEL, params_type(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)), ("unheard/of", None)]
        + [(types.TEXT_DOCUMENT_HOVER, types.HoverParams)]  # a request's method, but without an id
    ).flatmap(lambda one: st.builds(Tell, st.just(one[0]), _params(shapes, one[1])))
    others = st.one_of(st.builds(Cancel, st.integers(0, 3)), st.sampled_from(BODIES), st.just(Wait()))
    own = st.one_of(
        st.builds(Open, CODE), st.builds(Edit, st.lists(CHANGES, min_size=1, max_size=4).map(tuple), st.integers(-5, 2**31 - 1)),
        st.builds(Edit, st.lists(CHANGES, min_size=1, max_size=4).map(tuple), st.integers(0, 5)), st.builds(BadEdit, SPOILT), st.just(Close()),
    )  # fmt: skip
    encodings = st.sampled_from(["utf-16", "utf-16", "utf-8", "utf-32"])
    before = st.lists(st.one_of(asks_but_hello, tells, others), max_size=3)
    single = st.one_of(asks_but_shutdown, asks_but_shutdown, asks_but_shutdown, tells, others, own, own).map(lambda step: (step,))
    slow = st.builds(Ask, st.just(GET_CONTEXT), st.just({"minRevision": 10**9, "waitMs": 300}), IDS)
    groups = st.one_of(
        single, single, single, single, st.tuples(slow, st.just(Cancel(1))), st.tuples(slow, st.builds(Ask, st.just(STATUS), st.just({}), st.just(SAME)))
    )
    steps = st.builds(lambda first, rest: (*first, *chain.from_iterable(rest)), st.sampled_from(OPENINGS), st.lists(groups, min_size=6, max_size=20))
    return st.builds(Story, before, encodings, steps, ENDINGS)


def _params(shapes: Shapes, kind: type | None) -> st.SearchStrategy[Any]:
    return LEAVES if kind is None else shapes.nearly(kind)
