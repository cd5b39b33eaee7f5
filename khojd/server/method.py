"""A khoj/* method: its name, the types of its params and result, and the coroutine that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from khojd.server.message import INVALID_PARAMS, RpcError
from khojd.server.types import Message, Params

if TYPE_CHECKING:
    from khojd.server.session import Session

Answer = Callable[["Session", Any], Awaitable[Message]]


class Method:
    """`answer(session, params)` is awaited in a task of its own, which is cancelled with the request or the connection.

    bare: the member of the params that an argument of its command stands for which is a string and no object.
    partial: what goes out under a `partialResultToken`, when that is not what the result is.
    needed: other features have clients run its command, so it is offered also where `commands` is switched off.
    """

    def __init__(
        self,
        name: str,
        params: type[Params],
        result: type[Message],
        answer: Answer,
        *,
        bare: str = "",
        partial: tuple[type[Message], ...] = (),
        needed: bool = False,
    ) -> None:
        self.name = name
        self.bare = bare
        self.needed = needed
        self.params = params
        self.result = result
        self.answer = answer
        self.partial = partial
        self._decoder = msgspec.json.Decoder(params)

    @property
    def command(self) -> str:
        """The name for workspace/executeCommand: khoj/index/status is khoj.index.status."""
        return self.name.replace("/", ".")

    def decode_argument(self, raw: Raw | bytes) -> Params:
        """The params that the one argument of the command gives. Raises RpcError as `decode` does."""
        given = bytes(raw).lstrip()
        if self.bare and given.startswith(b'"'):
            given = b'{"%s":%s}' % (self.bare.encode(), given)
        return self.decode(given)

    def decode(self, raw: Raw | bytes) -> Params:
        """Raises RpcError (invalid params) that names the member at fault."""
        if bytes(raw) in (b"", b"null"):
            raw = b"{}"
        try:
            return self._decoder.decode(raw)
        except msgspec.DecodeError as error:
            raise RpcError(INVALID_PARAMS, f"{self.name}: {error}", kind="params", method=self.name, reason=str(error)) from None
