"""Bytes -> frames: what is let in, what is refused, and that nothing of it hangs."""

from __future__ import annotations

import asyncio

import pytest

from remora_hub_lsp.serve.framing import (
    MAX_BODY,
    READ_LIMIT,
    End,
    Message,
    Outcome,
    Refused,
    frame,
    read_message,
)


async def read_all(*chunks: bytes, end: bool = True) -> list[Outcome]:
    """The outcomes of a stream that delivers `chunks` one by one, up to the last one."""
    reader = asyncio.StreamReader(limit=READ_LIMIT)
    outcomes: list[Outcome] = []

    async def consume() -> None:
        while not outcomes or isinstance(outcomes[-1], Message):
            outcomes.append(await read_message(reader))

    consuming = asyncio.ensure_future(consume())
    for chunk in chunks:
        reader.feed_data(chunk)
        await asyncio.sleep(0)
    if end:
        reader.feed_eof()
    await asyncio.wait_for(consuming, 30)
    return outcomes


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"content-length: 5\r\n\r\nhello",
        b"CONTENT-LENGTH:5\r\n\r\nhello",
        b"Content-Length:5\n\nhello",
        b"Content-Length : \t5 \r\n\r\nhello",
        b"\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: 005\r\n\r\nhello",
        b"Content-Length: 5\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\nhello",
        b"content-type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Type: application/vscode-jsonrpc\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ],
)
async def test_let_in(data: bytes) -> None:
    assert await read_all(data) == [Message(b"hello"), End()]
    assert await read_all(*(bytes([byte]) for byte in data)) == [Message(b"hello"), End()]


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: five\r\n",
        b"Content-Length: \r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5.0\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: 1000000000000\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n",
        b"Content-Length: %d\r\n" % (MAX_BODY + 1),
        b"Content-Length: \xd9\xa5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nX-Other: 1\r\n",
        b"POST / HTTP/1.1\r\n",
        b"GET /?x=Content-Length:5 HTTP/1.1\r\n",
        b'{"jsonrpc":"2.0"}\n',
        b"Content-Length: 5\r\nContent-Type: text/plain; charset=latin-1\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-16\r\n",
        b"\r\n" * 16,
        b"Content-Length: " + b" " * 200_000,
        b"Content-Length: " + b" " * 20_000 + b"5\r\n\r\nhello",
        b"x" * 200_000,
        b"Content-Length: " + b"1" * 10_000 + b"\r\n",
        b"\xff\xfe\x00\n",
    ],
)
async def test_refused_without_waiting_for_more(data: bytes) -> None:
    (outcome,) = await read_all(data, end=False)
    assert isinstance(outcome, Refused)
    assert outcome.reason


@pytest.mark.parametrize(
    "data", [b"", b"Content-Le", b"Content-Length: 5\r\n", b"Content-Length: 5\r\n\r\nhell", b"\r\n"]
)
async def test_the_peer_goes_in_the_middle(data: bytes) -> None:
    assert await read_all(data) == [End()]


async def test_many_messages_in_any_segments() -> None:
    bodies = [b"", b"a", "ä🙂".encode(), b"x" * 300_000, b"Content-Length: 3\r\n\r\n"]
    data = b"".join(map(frame, bodies))
    expected = [*map(Message, bodies), End()]
    assert await read_all(data) == expected
    for size in (7, 1000, 65_537):
        assert await read_all(*(data[i : i + size] for i in range(0, len(data), size))) == expected


async def test_the_longest_message_is_let_in() -> None:
    body = b" " * MAX_BODY
    assert await read_all(frame(body)) == [Message(body), End()]
