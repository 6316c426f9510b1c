"""Pairs of signature and docstring as rows: what the memory keeps of them, and what it is asked about."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import orjson

from ..analysis.drift import Pair, Reason, mismatches
from ..analysis.pairs import Watched

DIGEST_SIZE = 8


class WatchedRow(NamedTuple):
    """A node's pair now, with digests of it, and what is wrong with it whatever was before.

    doc: of the docstring's words. digest: of all that reasons rest on. shape: of kind and signature without its name.
    """

    qualname: str
    pair: Pair
    body: str
    doc: bytes
    digest: bytes
    shape: bytes
    static: tuple[Reason, ...]

    @property
    def static_digest(self) -> bytes:
        """Of what is wrong whatever was before: what an acknowledgement of it holds for."""
        return _digest(self.doc, *(str(reason.parameter).encode() for reason in self.static))


def watched_row(qualname: str, watched: Watched) -> WatchedRow:
    """The row of a node."""
    pair = watched.pair
    doc = _digest(*(word.encode("utf-8", "surrogatepass") for word in pair.docstring.split()))
    behaviour = orjson.dumps((pair.returns, pair.yields, pair.raises))
    _, paren, rest = pair.signature.partition("(")
    shape = _digest(pair.kind.encode(), pair.signature[:5].encode(), paren.encode(), _bytes(rest))
    digest = _digest(doc, shape, behaviour)
    return WatchedRow(qualname, pair, watched.body, doc, digest, shape, mismatches(pair))


def pack(pair: Pair) -> bytes:
    """A pair without its docstring."""
    return orjson.dumps([_printable(value) if isinstance(value, str) else value for value in (pair[0], *pair[2:])])


def unpack(packed: bytes, docstring: str) -> Pair:
    """The pair with that docstring."""
    signature, kind, returns, yields, stub, raises, calls, decorators, allowed = orjson.loads(packed)
    lists = tuple(raises), tuple(calls), tuple(decorators)
    return Pair(signature, docstring, kind, returns, yields, stub, *lists, allowed)


def _digest(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=DIGEST_SIZE).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _printable(text: str) -> str:
    return _bytes(text).decode("utf-8", "backslashreplace")
