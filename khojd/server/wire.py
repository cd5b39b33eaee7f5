"""One client's connection: all contact with the internals of pygls 2.1.

pygls gives the types of LSP and their converter, the table of features, the computation of capabilities, and typed requests and
notifications to the client. Reading, dispatching, cancelling and writing are our own, because in pygls 2.1:

- a request whose params cannot be decoded gets no reply, and any nested key `jsonrpc` is taken for a message;
- `$/cancelRequest` reaches neither executeCommand handlers nor anything after a disconnect, `shutdown` fails while requests run;
- `exit` ends the process, which here serves other clients;
- `write()` has no back-pressure, Content-Length counts characters, and INFO logs hold whole messages;
- `lru_cache` on methods keeps the protocol of a closed connection alive; work-done tokens are never removed.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import msgspec
from cattrs import Converter
from lsprotocol import types as lsp
from msgspec import UNSET, Raw, Struct
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol, default_converter

from khojd.errors import KhojdError
from khojd.server.failure import reason as innermost
from khojd.server.failure import where
from khojd.server.framing import BrokenFraming, Oversized
from khojd.server.message import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NOT_INITIALIZED,
    REQUEST_CANCELLED,
    REQUEST_FAILED,
    Envelope,
    MessageId,
    RpcError,
    decode,
    encode,
    error_body,
    find_id,
)
from khojd.server.outbox import Outbox
from khojd.server.reader import read_message
from khojd.server.tokens import Tokens
from khojd.server.types import Token

if TYPE_CHECKING:
    from khojd.server.session import Session

log = logging.getLogger(__name__)

MAX_RUNNING = 256  # requests of one client at a time
_CANCEL_SECONDS = 5.0  # what handlers get to clean up when their client has left


def _converter() -> Converter:
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_unstructure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Struct), msgspec.to_builtins)
    return converter


CONVERTER = _converter()  # building one takes 100 ms, so all connections share it


class _Command(Struct, rename="camel"):
    """Params of workspace/executeCommand."""

    command: str
    arguments: list[Raw] = []
    work_done_token: Token | None = None


class Protocol(LanguageServerProtocol):
    """Messages in and out of one connection.

    Requests run as tasks of this object: `$/cancelRequest`, `window/workDoneProgress/cancel`, `shutdown`, `exit` and the end of the
    connection cancel them. Notifications are handled in order, before the next message is looked at.
    """

    _server: Session

    def __init__(self, server: Session, converter: Converter) -> None:
        self._tasks: dict[MessageId, asyncio.Task[None]] = {}
        self.tokens = Tokens()
        self._outbox: Outbox | None = None
        self._initialized = False
        self._exited = False
        super().__init__(server, converter)

    # --- the connection -----------------------------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_message: Callable[[], int]) -> None:
        """Serve the client until it leaves, exits, or sends what is no message; then cancel its requests and close."""
        self._outbox = Outbox(writer)
        try:
            while not self._exited:
                # A client that does not read its answers gets no more of its requests read.
                await self._outbox.ready()
                try:
                    body = await read_message(reader, max_message())
                except Oversized as error:
                    log.warning("%s: %s", self._server.label, error)
                    failure = RpcError(INVALID_REQUEST, str(error), kind="too-large", size=error.size, limit=error.limit)
                    self._send_error(find_id(error.head), failure)
                    continue
                if body is None:
                    break
                self._receive(body)
        except BrokenFraming as error:
            log.warning("%s: %s; its connection is closed", self._server.label, error)
            self._send_error(None, RpcError(-32700, str(error), kind="framing"))
        except ConnectionError:
            log.debug("%s: connection lost", self._server.label)
        finally:
            self._cancel_outgoing()
            try:
                await self._cancel_tasks()
            finally:
                await self._outbox.close()

    @property
    def running(self) -> int:
        """Requests being worked on."""
        return len(self._tasks)

    @property
    def initialized(self) -> bool:
        return self._initialized

    async def ready(self) -> None:
        """Wait until the client has read enough of what was sent before."""
        if self._outbox is not None:
            await self._outbox.ready()

    def abort(self) -> None:
        """Stop reading after the message at hand."""
        self._exited = True

    # --- messages in --------------------------------------------------------------------------------------------------------

    def _receive(self, body: bytes) -> None:
        try:
            message = decode(body)
        except RpcError as error:
            log.warning("%s: %s", self._server.label, "a body that is no JSON-RPC message")
            self._send_error(find_id(body[:1024]), error)
            return
        if message.method is UNSET:
            self._response(message)
        elif message.id is UNSET:
            self._notification(message.method, message.params)
        elif message.id is None:
            self._send_error(None, RpcError(INVALID_REQUEST, "a request's id must not be null"))
        else:
            try:
                self._request(message.id, message.method, message.params)
            except Exception as error:
                self._failed(message.id, message.method, error)

    def _request(self, id: MessageId, method: str, params: Raw) -> None:
        log.debug("%s: request %r %s", self._server.label, id, method)
        try:
            self._admit(id, method)
            if method == lsp.INITIALIZE:
                # In its place, not as a task: what a hasty client sent after it is not too early.
                self._send_result(id, self._server.initialize(self._structure(method, params)))
                return
            work, tokens = self._prepare(method, params)
        except (RpcError, KhojdError) as error:
            log.debug("%s: request %r %s refused with %d", self._server.label, id, method, error.code)
            self._send_error(id, error)
            return
        task = asyncio.create_task(self._answer(id, method, work), name=f"{self._server.label} {method}")
        self._tasks[id] = task
        task.add_done_callback(lambda done: self._finished(id, method, done))
        for token in tokens:
            self.tokens.watch(token, task)

    def _finished(self, id: MessageId, method: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(id, None)
        # Here and not in the task, which never gets to run when it is cancelled at once.
        if task.cancelled():
            self._send_error(id, RpcError(REQUEST_CANCELLED, f"{method} was cancelled", kind="cancelled"))

    def _admit(self, id: MessageId, method: str) -> None:
        if self._shutdown:
            raise RpcError(INVALID_REQUEST, "the session is shut down")
        if not self._initialized and method != lsp.INITIALIZE:
            raise RpcError(NOT_INITIALIZED, f"{method} before initialize")
        if self._initialized and method == lsp.INITIALIZE:
            raise RpcError(INVALID_REQUEST, "initialize was sent twice")
        if id in self._tasks:
            raise RpcError(INVALID_REQUEST, f"the id {id!r} is in use by a request that still runs")
        if len(self._tasks) >= MAX_RUNNING:
            raise RpcError(REQUEST_FAILED, f"{MAX_RUNNING} requests of this client are running already")

    def _prepare(self, method: str, params: Raw) -> tuple[Callable[[], Awaitable[Any]], list[Token]]:
        """What to await for the result, and the tokens by which it can be cancelled."""
        session = self._server
        if (khoj := session.methods.get(method)) is not None:
            decoded = khoj.decode(params)
            return lambda: khoj.answer(session, decoded), _tokens(decoded.work_done_token)
        if method == lsp.WORKSPACE_EXECUTE_COMMAND:
            return self._prepare_command(params)
        handler = self.fm.builtin_features.get(method) or self.fm.features.get(method)
        if handler is None:
            raise RpcError(METHOD_NOT_FOUND, f"unknown method {method}", kind="method", method=method)
        argument = self._structure(method, params)
        return lambda: _call(handler, argument), _tokens(getattr(argument, "work_done_token", None))

    def _prepare_command(self, params: Raw) -> tuple[Callable[[], Awaitable[Any]], list[Token]]:
        try:
            command = msgspec.json.decode(params, type=_Command)
        except msgspec.DecodeError as error:
            raise RpcError(INVALID_PARAMS, f"workspace/executeCommand: {error}", kind="params", reason=str(error)) from None
        khoj = self._server.commands.get(command.command)
        if khoj is None:
            raise RpcError(INVALID_PARAMS, f"unknown command {command.command}", kind="command", command=command.command)
        if len(command.arguments) > 1:
            raise RpcError(INVALID_PARAMS, f"{command.command} takes one argument, the params of {khoj.name}", kind="params")
        decoded = khoj.decode_argument(command.arguments[0] if command.arguments else b"")
        if decoded.work_done_token is None and command.work_done_token is not None:
            decoded = msgspec.structs.replace(decoded, work_done_token=command.work_done_token)
        return lambda: khoj.answer(self._server, decoded), _tokens(decoded.work_done_token, command.work_done_token)

    async def _answer(self, id: MessageId, method: str, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            result = await work()
            await self.ready()
            self._send_result(id, result)
        except (RpcError, KhojdError) as error:
            log.info("%s: %r %s failed with %d", self._server.label, id, method, error.code)
            self._send_error(id, error)
        except JsonRpcException as error:
            self._send_error(id, RpcError(error.code or INTERNAL_ERROR, str(error)))
        except Exception as error:
            self._failed(id, method, error)

    def _failed(self, id: MessageId, method: str, error: Exception) -> None:
        # The message of an unexpected error may hold a note's text, so the log gets its type and place only.
        log.error("%s: %r %s failed: %s\n%s", self._server.label, id, method, type(error).__name__, where(error))
        self._send_error(id, RpcError(INTERNAL_ERROR, f"{method} failed: {type(error).__name__}: {error}", kind="internal"))

    def _notification(self, method: str, params: Raw) -> None:
        log.debug("%s: notification %s", self._server.label, method)
        if method == lsp.EXIT:
            self._exited = True
            return
        if method == lsp.CANCEL_REQUEST:
            self._cancel_request(params)
            return
        if not self._initialized or self._shutdown:
            return  # LSP: dropped, except exit
        handler = self.fm.builtin_features.get(method) or self.fm.features.get(method)
        if handler is None:
            if not method.startswith("$/"):
                log.debug("%s: notification %s is not known", self._server.label, method)
            return
        try:
            result = handler(self._structure(method, params))
            if inspect.iscoroutine(result):
                self.spawn(result, method)
        except (RpcError, KhojdError) as error:
            log.warning("%s: notification %s failed with %d", self._server.label, method, error.code)
            self._server.tell(error.message if error.message.startswith(method) else f"{method}: {error.message}")
        except Exception as error:
            log.error("%s: notification %s failed: %s\n%s", self._server.label, method, type(error).__name__, where(error))

    def _response(self, message: Envelope) -> None:
        id = message.id if isinstance(message.id, int | str) else ""
        future = self._request_futures.pop(id, None)
        kind = self._result_types.pop(id, None)
        if future is None or future.done():
            log.debug("%s: a response to no request", self._server.label)
            return
        try:
            if message.error:
                error = self._converter.structure(msgspec.json.decode(message.error), lsp.ResponseError)
                future.set_exception(JsonRpcException.from_error(error))
            else:
                result = msgspec.json.decode(message.result or b"null")
                if kind is not None:
                    result = self._converter.structure({"jsonrpc": "2.0", "id": message.id, "result": result}, kind).result
                future.set_result(result)
        except Exception as error:
            future.set_exception(RpcError(INVALID_PARAMS, f"a response that cannot be read: {type(error).__name__}"))

    def _structure(self, method: str, params: Raw) -> Any:
        """The params of an LSP method as lsprotocol's object; builtins where LSP knows no type for the method."""
        kind = lsp.METHOD_TO_TYPES.get(method, (None, None, None, None))[2]
        try:
            value = msgspec.json.decode(params) if params else None
            return value if kind is None else self._converter.structure(value, cast("type[Any]", kind))
        except Exception as error:
            reason = innermost(error)
            raise RpcError(INVALID_PARAMS, f"{method}: {reason}", kind="params", method=method, reason=reason) from None

    # --- cancelling ---------------------------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> asyncio.Task[Any]:
        """Run something for this client that is no request; it ends with the connection."""
        task = asyncio.create_task(self._guard(work, what), name=f"{self._server.label} {what}")
        key = f"khojd-task-{id(task)}"  # the task's own id is free again only after it was taken out
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def _guard(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        try:
            await work
        except Exception as error:
            log.error("%s: %s failed: %s\n%s", self._server.label, what, type(error).__name__, where(error))

    def _cancel_request(self, params: Raw) -> None:
        with suppress(msgspec.DecodeError):
            wanted = msgspec.json.decode(params, type=dict[str, MessageId])
            task = self._tasks.get(wanted.get("id", ""))
            if task is not None:
                task.cancel()

    async def _cancel_tasks(self, spare: asyncio.Task[Any] | None = None) -> None:
        tasks = [task for task in tuple(self._tasks.values()) if task is not spare and not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
            for task in late:
                log.error("%s: %s does not let itself be cancelled", self._server.label, task.get_name())

    def _cancel_outgoing(self) -> None:
        for future in tuple(self._request_futures.values()):
            future.cancel()
        self._request_futures.clear()
        self._result_types.clear()

    # --- messages out -------------------------------------------------------------------------------------------------------

    def send(self, method: str, params: Any, *, optional: bool = False) -> bool:
        """Send a notification whose params are builtins or Structs; False when it was dropped."""
        return self._put({"jsonrpc": "2.0", "method": method, "params": params}, optional=optional)

    def _send_result(self, id: MessageId, result: Any) -> None:
        first = result[0] if isinstance(result, list) and result else result
        body = result if isinstance(first, Struct) else self._converter.unstructure(result)
        self._put({"jsonrpc": "2.0", "id": id, "result": body})

    def _send_error(self, id: MessageId | None, error: RpcError | KhojdError) -> None:
        self._put({"jsonrpc": "2.0", "id": id, "error": error_body(error)})

    def _send_data(self, data: Any) -> None:
        """Where pygls' typed notifications and requests come out."""
        self._put(self._converter.unstructure(data))

    def _put(self, message: dict[str, Any], *, optional: bool = False) -> bool:
        return self._outbox is not None and self._outbox.put(encode(message), optional=optional)

    # --- pygls' own, overridden ---------------------------------------------------------------------------------------------

    def _register_builtin_features(self) -> None:
        for name, handler in self._server.lifecycle().items():
            self.fm.add_builtin_feature(name, handler)

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return lsp.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        return lsp.METHOD_TO_TYPES.get(method, (None, None))[1]

    # --- the session's state ------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The client is initialized."""
        self._initialized = True

    async def shut_down(self) -> None:
        """Cancel whatever runs, except the request that asks for it; only `exit` is taken from now on."""
        self._shutdown = True
        await self._cancel_tasks(spare=asyncio.current_task())


def _tokens(*tokens: Token | None) -> list[Token]:
    """Those that were given, each once."""
    return [token for token in dict.fromkeys(tokens) if token is not None]


async def _call(handler: Callable[..., Any], argument: Any) -> Any:
    result = handler(argument)
    return await result if inspect.isawaitable(result) else result
