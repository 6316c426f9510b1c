"""LSP's rules of order and of answering, for one connection, on top of pygls' protocol class.

Stock pygls leaves some peers without an answer, runs requests before `initialize`, sends tracebacks, and ends
the process with `exit`. Which of its parts are replaced or used here is guarded by
tests/serve/test_pygls_parts.py.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, NamedTuple

from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from .. import __version__
from ..errors import HubError
from . import payload, rpc
from .framing import frame
from .params import params_type, shared_converter, structure

log = logging.getLogger(__name__)

NAME = "remora-hub-lsp"

# The messages after these wait until they are done: they decide where a document belongs.
_BARRIERS = frozenset({types.INITIALIZE, types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS})

Answering = asyncio.Future[Any] | Future[Any]
"""An async handler's task, or pygls' future of a plain one."""


AtOnce = Callable[[Sequence[bytes] | None], None]


class Limits(NamedTuple):
    """What one peer may cost. Sizes in bytes, patience in seconds.

    slow_at: with so much unsent, nothing more is read from the peer until it has read. patience: how long
    that may take. drop_at: with so much unsent, a new message to the peer ends its session instead.
    in_flight: with so many requests unanswered, nothing more is read from the peer until one is answered.
    """

    slow_at: int = 8 * 1024 * 1024
    drop_at: int = 64 * 1024 * 1024
    patience: float = 60.0
    in_flight: int = 256


class WireProtocol(LanguageServerProtocol):
    """One connection's messages: each goes to its registered method, and is answered whatever it is."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        self._kinds: dict[str, type | None] = {}
        self._at_once: dict[str, Callable[[Any, AtOnce], bool]] = {}
        self._calls: dict[rpc.MessageId, Future[Any]] = {}
        self._call_ids = itertools.count(1)
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.limits = Limits()
        self.initialized = False
        self.failures = 0
        self.on_exit: Callable[[int], None] = lambda code: None
        """Called when the peer leaves or has to go, with the exit code a process for this peer alone would
        have.
        """
        super().__init__(server, converter)

    def register(self, method: str, handler: Callable[[Any], Any], kind: type | None = None) -> None:
        """`handler` (plain or async) answers `method`; `kind` is its parameters' class if LSP does not say
        it.
        """
        self.fm.add_builtin_feature(method, handler)
        self._kinds[method] = kind or params_type(method)

    def register_at_once(self, method: str, answer: Callable[[Any, AtOnce], bool]) -> None:
        """`answer` is tried before the handler of `method`, with the parameters as they came and a function: it says
        whether that function is going to be called, very soon, with the result as pieces of JSON, or with None."""
        self._at_once[method] = answer

    def receive(self, body: bytes) -> asyncio.Future[Any] | None:
        """Take one message. A result is what the next message has to wait for."""
        match rpc.parse(body):
            case rpc.Request(msg_id, method, params):
                started = self._request(msg_id, method, params)
            case rpc.Notification(method, params):
                started = self._notification(method, params)
            case rpc.Response() as response:
                self._take_response(response)
                return None
            case rpc.Fault() as fault:
                self.refuse(fault)
                return None
        return started if method in _BARRIERS else None

    def refuse(self, fault: rpc.Fault) -> None:
        log.debug("refused: %s", fault)
        self._send_data(fault.as_json())

    def refuse_frame(self, reason: str) -> None:
        """Say why this connection is about to be closed."""
        self.refuse(rpc.Fault(None, rpc.PARSE_ERROR, f"Parse error: {reason}"))

    def cancel_all(self) -> None:
        """Stop answering what is being answered, and waiting for what was asked."""
        for future in [*self._request_futures.values(), *self._calls.values()]:
            future.cancel()
        self._calls.clear()

    @property
    def in_flight(self) -> list[asyncio.Future[Any]]:
        """What is being answered."""
        futures: list[Answering] = list(self._request_futures.values())
        return [future for future in futures if isinstance(future, asyncio.Future)]

    @property
    def is_full(self) -> bool:
        """Whether the peer has as many requests unanswered as it may."""
        return len(self._request_futures) >= self.limits.in_flight and bool(self.in_flight)

    # -- in ------------------------------------------------------------------------------------------------

    def _request(self, msg_id: rpc.MessageId, method: str, params: Any) -> asyncio.Future[Any] | None:
        try:
            self._check_order(msg_id, method)
            at_once = self._at_once.get(method)
            if at_once is not None and at_once(params, partial(self._answer_at_once, msg_id, method, params)):
                return None
        except JsonRpcException as error:
            self.refuse(rpc.Fault(msg_id, error.code, error.message, error.data))
            return None
        return self._handle(msg_id, method, params)

    def _handle(self, msg_id: rpc.MessageId, method: str, params: Any) -> asyncio.Future[Any] | None:
        try:
            handler = self._get_handler(method)
            value = structure(params, self._kinds.get(method))
        except JsonRpcException as error:
            self.refuse(rpc.Fault(msg_id, error.code, error.message, error.data))
            return None
        return self._start(msg_id, handler, value, partial(self._answer, msg_id, method))

    def _answer_at_once(
        self, msg_id: rpc.MessageId, method: str, params: Any, result: Sequence[bytes] | None
    ) -> None:
        if result is None:
            self._handle(msg_id, method, params)
        else:
            self._write(b'{"jsonrpc":"2.0","id":%b,"result":' % payload.encode(msg_id), *result, b"}")

    def _notification(self, method: str, params: Any) -> asyncio.Future[Any] | None:
        if method != types.EXIT and (self._shutdown or not self.initialized):
            log.info("%s is dropped: the session has not begun, or is over", method)
            return None
        if method not in self.fm.builtin_features:
            log.debug("notification %s is not known here", method)
            return None
        try:
            value = structure(params, self._kinds.get(method))
        except JsonRpcException as error:
            log.warning("notification %s is dropped: %s", method, error.message)
            return None
        key = str(uuid.uuid4())
        return self._start(key, self._get_handler(method), value, partial(self._finish, key, method))

    def _start(
        self, key: rpc.MessageId, handler: Callable[..., Any], value: Any, done: Callable[[Any], None]
    ) -> asyncio.Future[Any] | None:
        self._execute_handler(key, handler, done, (value,))
        started: Answering | None = self._request_futures.get(key)
        return started if isinstance(started, asyncio.Future) else None

    def _check_order(self, msg_id: rpc.MessageId, method: str) -> None:
        if self._shutdown:
            raise JsonRpcException("Invalid request: the session is shut down", rpc.INVALID_REQUEST)
        if method == types.INITIALIZE and self.initialized:
            raise JsonRpcException("Invalid request: already initialized", rpc.INVALID_REQUEST)
        if method != types.INITIALIZE and not self.initialized:
            raise JsonRpcException("Not initialized: `initialize` comes first", rpc.NOT_INITIALIZED)
        if msg_id in self._request_futures:
            raise JsonRpcException("Invalid request: this id is being answered already", rpc.INVALID_REQUEST)

    def _take_response(self, response: rpc.Response) -> None:
        """An answer to a call of ours; one that comes late, or to nothing, is no error."""
        future = self._calls.pop(response.id, None) if response.id is not None else None
        if future is None:
            if response.bare:
                self.refuse(rpc.Fault(response.id, rpc.INVALID_REQUEST, "Invalid request: no method and no result"))
        elif future.set_running_or_notify_cancel():
            if response.error is None:
                future.set_result(response.result)
            else:
                said = response.error.get("message") if isinstance(response.error, dict) else None
                reason = said if isinstance(said, str) else "no reason given"
                future.set_exception(JsonRpcException(f"the peer refused: {reason}"))

    # -- out -----------------------------------------------------------------------------------------------

    def _answer(self, msg_id: rpc.MessageId, method: str, future: Answering) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self.refuse(rpc.Fault(msg_id, rpc.CANCELLED, "Request cancelled"))
        elif (error := future.exception()) is not None:
            self.refuse(self._fault_of(msg_id, method, error))
        else:
            self._send_response(msg_id, future.result())

    def _finish(self, key: str, method: str, future: Answering) -> None:
        self._request_futures.pop(key, None)
        if not future.cancelled() and (error := future.exception()) is not None:
            self._fault_of(None, method, error)

    def _fault_of(self, msg_id: rpc.MessageId | None, what: str, error: BaseException) -> rpc.Fault:
        if isinstance(error, JsonRpcException):
            return rpc.Fault(msg_id, error.code, error.message, error.data)
        if isinstance(error, HubError):
            log.info("%s: %s", what, error)
            return rpc.Fault(msg_id, rpc.REQUEST_FAILED, str(error))
        self.failures += 1
        log.error("%s failed", what, exc_info=error)
        return rpc.Fault(msg_id, rpc.INTERNAL_ERROR, f"Internal error: {type(error).__name__}: {error}")

    def _send_response(self, msg_id: rpc.MessageId, result: Any = None, error: Any = None) -> None:
        try:
            self._send_data({"jsonrpc": "2.0", "id": msg_id, "result": result})
        except (TypeError, ValueError, RecursionError) as problem:
            self.refuse(self._fault_of(msg_id, "writing an answer", problem))

    def _send_data(self, data: Any) -> None:
        """Encode and write; never waits. Callable from any thread, which a StreamWriter is not."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self._send_data, data)
            return
        self._write(payload.encode(data, self._converter.unstructure))

    def _write(self, *body: bytes) -> None:
        writer = self.writer
        if not isinstance(writer, asyncio.StreamWriter) or writer.transport.is_closing():
            return
        if writer.transport.get_write_buffer_size() > self.limits.drop_at:
            log.warning("a peer does not read its answers: its session ends")
            writer.transport.abort()
            self.on_exit(1)
            return
        writer.write(frame(*body))

    def notify(self, method: str, params: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method}
        self._send_data(message if params is None else message | {"params": params})

    def send_request(
        self,
        method: str,
        params: Any = None,
        callback: Callable[[Any], None] | None = None,
        msg_id: rpc.MessageId | None = None,
    ) -> Future[Any]:
        """Ask the peer. The result is plain JSON. Our ids cannot meet the peer's: each side has its own
        table.
        """
        key = msg_id if msg_id is not None else f"hub-{next(self._call_ids)}"
        future: Future[Any] = Future()
        if callback is not None:
            future.add_done_callback(lambda done: callback(done.result()))
        self._calls[key] = future
        self._send_data({"jsonrpc": "2.0", "id": key, "method": method, "params": params})
        return future

    # -- what pygls does otherwise -------------------------------------------------------------------------

    def _register_builtin_features(self) -> None:
        """Stock registers document handlers of its own; here a session registers all but these."""
        self.register(types.SHUTDOWN, self.lsp_shutdown)
        self.register(types.EXIT, self.lsp_exit)
        self.register(types.CANCEL_REQUEST, self._cancel)

    def lsp_shutdown(self, *_: Any) -> None:  # type: ignore[override]  # stock is a generator
        self.cancel_all()
        self._shutdown = True

    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """Ends this session; stock ends the process."""
        self.on_exit(0 if self._shutdown else 1)

    def _cancel(self, params: types.CancelParams) -> None:
        # The converter lets everything through where there is a choice of types.
        future = self._request_futures.get(params.id) if isinstance(params.id, (str, int)) else None
        if future is not None:
            future.cancel()

    def get_message_type(self, method: str) -> Any:  # type: ignore[override]
        """Stock caches this with the protocol as part of the key, which keeps ended sessions alive."""
        return types.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> Any:  # type: ignore[override]
        return types.METHOD_TO_TYPES.get(method, (None, None))[1]


class PeerServer(LanguageServer):
    """pygls' server object for one connection. The converter and the threads are the same for all of them."""

    protocol: WireProtocol

    def __init__(self) -> None:
        super().__init__(NAME, __version__, protocol_cls=WireProtocol, converter_factory=shared_converter)

    @property
    def thread_pool(self) -> ThreadPoolExecutor:
        return shared_threads()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Stock shows a popup; here the asker gets an answer and the log the rest."""
        log.error("%s: %s", source.__name__, error)


@cache
def shared_threads() -> ThreadPoolExecutor:
    """For the sessions' blocking work, which is reading files."""
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="serve")
