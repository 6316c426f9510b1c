"""A peer that asks without waiting for answers: `python -m tests.bench.flooder SOCKET ROOT COUNT KEY...`; says so when it begins."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import orjson


def frame(**message: object) -> bytes:
    body = orjson.dumps({"jsonrpc": "2.0", **message})
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def flood(path: str, root: str, count: int, keys: list[str]) -> None:
    """Returns when everything is answered."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        hello = {"processId": None, "rootUri": Path(root).as_uri(), "capabilities": {}}
        connection.sendall(frame(id="hello", method="initialize", params=hello) + frame(method="initialized", params={}))
        connection.recv(100_000)
        ask = {"method": "remora/getContext", "params": {"nodes": keys}}
        data = b"".join(frame(id=number, **ask) for number in range(count)) + frame(id="last", method="shutdown")
        print("begins", flush=True)
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        tail = b""
        while b'"id":"last"' not in tail:
            tail = tail[-100:] + connection.recv(1 << 20)


if __name__ == "__main__":
    flood(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
