"""A row of the memory, and how it moves: by what is saved, acknowledged, taken back. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import orjson

from ..analysis.drift import Reason
from .watched import DIGEST_SIZE, WatchedRow, pack

How = Literal["first", "history", "docstring", "reverted", "acknowledged"]
# How many pairs of a node are known again, as when branches are switched.
_ACCEPTED = 16


class Remembered(NamedTuple):
    """A row of the table `pairs`, see memory."""

    path: str
    qualname: str
    pair: bytes
    doc: bytes
    digest: bytes
    how: str
    accepted_ns: int
    accepted: bytes
    allowed: bytes
    before: bytes | None
    body: str
    shape: bytes
    since_ns: int
    revision: str | None
    author: str | None
    gone_ns: int


def first(path: str, row: WatchedRow, now_ns: int) -> Remembered:
    return Remembered(
        path, row.qualname, pack(row.pair), row.doc, row.digest, "first", now_ns, row.digest, b"", None,
        row.body, row.shape, 0, None, None, 0,
    )  # fmt: skip


def after_save(
    path: str,
    was: Remembered | None,
    row: WatchedRow,
    now_ns: int,
    why: Callable[[Remembered, WatchedRow], tuple[Reason, ...]],
) -> Remembered:
    """What is remembered of a node once this is saved. why: the reasons not to accept it."""
    if was is None:
        return first(path, row, now_ns)
    now = was._replace(path=path, qualname=row.qualname, body=row.body, shape=row.shape, gone_ns=0)
    if row.digest == was.digest:
        return now._replace(since_ns=0, revision=None, author=None)
    if row.doc != was.doc:
        return accepted(now, row, "docstring", now_ns)
    if row.digest in digests_in(was.accepted):
        return accepted(now, row, "reverted", now_ns)
    if not was.since_ns and why(was, row):
        return now._replace(since_ns=now_ns)
    return now


def accepted(was: Remembered, row: WatchedRow, how: How, now_ns: int) -> Remembered:
    """From now on this pair is what belongs together."""
    return was._replace(
        qualname=row.qualname, pair=pack(row.pair), doc=row.doc, digest=row.digest, how=how, accepted_ns=now_ns,
        accepted=with_digest(was.accepted, row.digest), before=None, body=row.body, shape=row.shape,
        since_ns=0, revision=None, author=None, gone_ns=0,
    )  # fmt: skip


def gives_way(was: Remembered, now: WatchedRow) -> bool:
    """Whether history may know better: nobody said anything, or only a docstring came that fits as it is."""
    return was.how in ("first", "history") or (was.how == "docstring" and was.digest == now.digest)


def with_digest(digests: bytes, digest: bytes) -> bytes:
    kept = [one for one in digests_in(digests) if one != digest]
    return b"".join([*kept[-_ACCEPTED + 1 :], digest])


def digests_in(digests: bytes) -> list[bytes]:
    return [digests[at : at + DIGEST_SIZE] for at in range(0, len(digests), DIGEST_SIZE)]


_BEFORE = ("pair", "doc", "digest", "how", "accepted_ns", "accepted", "allowed", "since_ns", "revision", "author")


def packed(was: Remembered) -> bytes:
    """What an acknowledgement takes the place of."""
    values = [getattr(was, name) for name in _BEFORE]
    return orjson.dumps([value.hex() if isinstance(value, bytes) else value for value in values])


def unpacked(was: Remembered) -> Remembered:
    assert was.before is not None
    values = dict(zip(_BEFORE, orjson.loads(was.before), strict=True))
    blobs = {name: bytes.fromhex(values[name]) for name in _BEFORE if isinstance(getattr(was, name), bytes)}
    return was._replace(**(values | blobs), before=None)


def nearness(was: Remembered, path: str, row: WatchedRow) -> tuple[bool, bool, bool, int]:
    same_name = was.qualname.rpartition(".")[2] == row.qualname.rpartition(".")[2]
    return was.path == path, same_name, not was.gone_ns, was.accepted_ns
