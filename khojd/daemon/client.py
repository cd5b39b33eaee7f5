"""A blocking client of the daemon, for the command line and scripts.

    with Client.connect() as client:
        result = client.call("khoj/search", SearchParams(query="tea"), SearchResult)

Requests are answered one at a time; a KeyboardInterrupt while waiting cancels the request at the daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec
from msgspec import UNSET

from khojd import errors, paths
from khojd.daemon import handover
from khojd.daemon.address import index_dir
from khojd.daemon.interrupt import Interrupt
from khojd.daemon.spawn import PATIENCE
from khojd.daemon.spawn import connect as connect_to_daemon
from khojd.errors import DaemonError, KhojdError
from khojd.server.framing import BrokenFraming
from khojd.server.message import INVALID_PARAMS, METHOD_NOT_FOUND, Envelope, RpcError, decode, encode
from khojd.server.types import PROTOCOL, Message, Params, RetireParams, RetireResult, ServerHello

if TYPE_CHECKING:
    from khojd.daemon.connection import Connection

T = TypeVar("T", bound=Message)

_ATTEMPTS = 20  # connections to daemons that were leaving
_TOKEN = "work"
_PARTIAL = "partial"


class WorkDone(msgspec.Struct, frozen=True):
    """A `$/progress` value of work-done progress. `khoj` is the daemon's Progress, as a mapping, in reports."""

    kind: str
    title: str = ""
    message: str = ""
    percentage: int | None = None
    khoj: dict[str, Any] | None = None


class _ProgressParams(msgspec.Struct):
    token: int | str
    value: msgspec.Raw


class _Failure(msgspec.Struct):
    code: int
    message: str
    data: Any = None


class Client:
    """One session with the daemon. `hello` is what it said of itself."""

    def __init__(self, sock: Connection, hello: ServerHello) -> None:
        self._sock = sock
        self._reader = handover.Reader(sock)
        self._number = 1
        self.hello = hello

    @classmethod
    def connect(
        cls,
        *,
        index: Path | None = None,
        config: Path | None = None,
        spawn: bool = True,
        patience: float = PATIENCE,
        name: str = "khojd",
    ) -> Self:
        """Find the daemon of `index` (by default the configured one), or start it when `spawn` is true.

        An older daemon that nobody else uses is asked to leave, and a new one is started in its place. Raises DaemonError.
        """
        config = config or paths.config_file()
        index = (index or index_dir(config)).expanduser().resolve()
        retired = False
        for _ in range(_ATTEMPTS):
            client = cls._greet(connect_to_daemon(index, config, spawn=spawn, patience=patience), name)
            if client is None:
                continue  # that daemon was leaving
            if client.hello.protocol[1] < PROTOCOL[1] and spawn and not retired:
                retired = True
                client.close()
                handover.retire(index, config, PROTOCOL[1])
                continue
            return client
        raise DaemonError(f"the daemons of {index} left {_ATTEMPTS} times before they answered: look at the log", index=str(index))

    @classmethod
    def _greet(cls, sock: Connection, name: str) -> Self | None:
        client = cls(sock, ServerHello(protocol=(0, 0), version="", methods=()))
        options = {"khoj": {"protocol": PROTOCOL[1], "client": name}}
        capabilities = {"general": {"positionEncodings": ["utf-32"]}}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities, "initializationOptions": options}
        try:
            raw = client._request("initialize", params, None, None)
            capabilities_raw = msgspec.json.decode(raw)["capabilities"]
            client.hello = msgspec.convert(capabilities_raw["experimental"]["khoj"], ServerHello)
            client._send({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        except EOFError:
            sock.close()
            return None
        except BaseException:
            sock.close()
            raise
        return client

    def call(
        self,
        method: str,
        params: Params | None,
        result: type[T],
        *,
        on_progress: Callable[[WorkDone], None] | None = None,
        on_partial: Callable[[T], None] | None = None,
    ) -> T:
        """Ask and wait for the answer.

        `on_progress` gets work-done progress, `on_partial` the partial results, which the answer then does not repeat. Raises the
        KhojdError that the daemon answered with, and DaemonError when it left or does not know the method.
        """
        body = msgspec.to_builtins(params) if params is not None else {}
        if on_progress is not None:
            body["workDoneToken"] = _TOKEN
        if on_partial is not None:
            body["partialResultToken"] = _PARTIAL
        partial = None if on_partial is None else lambda raw: on_partial(msgspec.json.decode(raw, type=result))
        try:
            raw = self._request(method, body, on_progress, partial)
        except EOFError:
            raise DaemonError(f"the daemon left before it answered {method}: look at its log, and try again") from None
        return msgspec.json.decode(raw, type=result)

    def stream(self, method: str, params: Params, result: type[T], part: Any, on_part: Callable[[Any], None]) -> T:
        """Like `call`, where what is streamed is not of the result's type: `on_part` gets values of the type `part`."""
        body = {**msgspec.to_builtins(params), "partialResultToken": _PARTIAL}
        decoder = msgspec.json.Decoder(part)
        try:
            raw = self._request(method, body, None, lambda value: on_part(decoder.decode(value)))
        except EOFError:
            raise DaemonError(f"the daemon left before it answered {method}: look at its log, and try again") from None
        return msgspec.json.decode(raw, type=result)

    def retire(self, *, force: bool = False) -> RetireResult:
        """Ask the daemon to leave, and when it does, wait until it is gone from its socket."""
        answer = self.call("khoj/daemon/retire", RetireParams(force=force), RetireResult)
        if answer.retiring:
            try:
                while self._sock.recv(65536):
                    pass
            except OSError:
                pass
        return answer

    def close(self) -> None:
        """End the session."""
        try:
            self._send({"jsonrpc": "2.0", "id": 0, "method": "shutdown"})
            self._send({"jsonrpc": "2.0", "method": "exit"})
        except EOFError:
            pass
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the wire -----------------------------------------------------------------------------------------------------------

    def _request(
        self,
        method: str,
        params: dict[str, Any],
        on_progress: Callable[[WorkDone], None] | None,
        on_partial: Callable[[msgspec.Raw], None] | None,
    ) -> bytes:
        """The raw result. Raises EOFError when the daemon leaves before it answers, KeyboardInterrupt when it was interrupted."""
        self._number += 1
        number = self._number
        cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}}
        with Interrupt(lambda: self._send(cancel)) as interrupt:
            with interrupt.held():
                self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            while True:
                message = self._receive()
                if message.method is UNSET:
                    if message.id == number:
                        break
                elif message.id is not UNSET:
                    with interrupt.held():
                        self._refuse(message)
                elif message.method == "$/progress":
                    try:
                        _progress(message.params, on_progress, on_partial)
                    except KeyboardInterrupt:
                        interrupt()
        if interrupt.came:
            raise KeyboardInterrupt
        return _result(message)

    def _receive(self) -> Envelope:
        try:
            return decode(self._reader.read())
        except (ConnectionError, OSError):
            raise EOFError from None
        except (BrokenFraming, RpcError) as error:
            raise DaemonError(f"the daemon sent what is no message: {error}") from None

    def _refuse(self, message: Envelope) -> None:
        failure = {"code": METHOD_NOT_FOUND, "message": f"{message.method} is not for the command line"}
        self._send({"jsonrpc": "2.0", "id": message.id, "error": failure})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._sock.sendall(encode(message))
        except OSError:
            raise EOFError from None


def _progress(
    raw: msgspec.Raw, on_progress: Callable[[WorkDone], None] | None, on_partial: Callable[[msgspec.Raw], None] | None
) -> None:
    params = msgspec.json.decode(raw, type=_ProgressParams)
    if params.token == _TOKEN and on_progress is not None:
        on_progress(msgspec.json.decode(params.value, type=WorkDone))
    elif params.token == _PARTIAL and on_partial is not None:
        on_partial(params.value)


def _result(message: Envelope) -> bytes:
    if not message.error:
        return bytes(message.result)
    failure = msgspec.json.decode(message.error, type=_Failure)
    raise error_of(failure.code, failure.message, failure.data)


def error_of(code: int, message: str, data: Any) -> KhojdError:
    """The KhojdError that an error reply stands for; a DaemonError for an error of the protocol itself."""
    found = _BY_CODE.get(code)
    named = {name: value for name, value in data.items() if name != "kind"} if isinstance(data, dict) else {}
    if found is None:
        if code == METHOD_NOT_FOUND:
            message = f"the daemon is another version of khojd, which has no such method ({message}): run khojd stop"
        elif code == INVALID_PARAMS:
            return errors.QueryError(message, **named)
        found = DaemonError
    return found(message, **named)


def _tree(kind: type[KhojdError]) -> list[type[KhojdError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _tree(child))]


_BY_CODE = {kind.code: kind for kind in _tree(KhojdError)}
