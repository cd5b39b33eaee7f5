"""One client: what it can do, what it has open, and what it is told."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability
from pygls.lsp.server import LanguageServer

import khojd
from khojd.errors import NotFound
from khojd.search.types import Measure
from khojd.server import encoding, types, uris, wire
from khojd.server.documents import Documents
from khojd.server.message import INVALID_PARAMS, INVALID_REQUEST, RpcError
from khojd.server.method import Method

if TYPE_CHECKING:
    from khojd.engine import Engine


log = logging.getLogger(__name__)


class Host(Protocol):
    """What a session needs of the daemon it runs in."""

    engine: Engine
    index: Path
    config_path: Path
    declined: set[str]  # folders that someone has said no to, for the life of the daemon

    def entered(self) -> None:
        """A client is initialized."""

    def status(self) -> types.DaemonStatus: ...

    def reason_to_stay(self, session: Session) -> str:
        """Why the daemon should not leave now, apart from `session`; "" when nothing holds it."""

    def retire(self) -> None:
        """Leave once the replies that are on their way have been sent."""


class Session(LanguageServer):
    """The server that one client sees; sessions share the engine and nothing else."""

    protocol: wire.Protocol

    def __init__(self, host: Host, number: int, methods: Mapping[str, Method], commands: Mapping[str, Method]) -> None:
        self.host = host
        self.methods = methods
        self.commands = commands
        self.label = f"client {number}"
        self.owner = f"session-{number}"  # of its unsaved buffers
        self.since = time.time()
        self.client = ""
        self.hello: types.ClientHello | None = None
        self.documents = Documents()
        self.measure: Measure = encoding.measure("utf-16")
        self.folders: list[str] = []  # that the client asked to have indexed
        self.own_work = 0  # index runs whose progress the client asked for
        super().__init__(
            "khojd",
            khojd.__version__,
            protocol_cls=wire.Protocol,
            converter_factory=lambda: wire.CONVERTER,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
        )

    @property
    def engine(self) -> Engine:
        return self.host.engine

    def lifecycle(self) -> dict[str, Callable[..., Any]]:
        """The methods of LSP that every session handles; asked for while the base class is being made."""
        from khojd.server import lifecycle

        return lifecycle.handlers(self)

    # --- the client ---------------------------------------------------------------------------------------------------------

    def can(self, capability: str) -> bool:
        """Whether the client announced a capability, e.g. `window.work_done_progress`."""
        return bool(get_capability(self.client_capabilities, capability))

    def initialize(self, params: lsp.InitializeParams) -> lsp.InitializeResult:
        """Learn what the client says of itself; the reply says what we offer.

        Raises RpcError when the client's protocol is older than any we speak, or its hello is malformed.
        """
        options = params.initialization_options
        hello = options.get("khoj") if isinstance(options, dict) else None
        if hello is not None:
            try:
                self.hello = msgspec.convert(hello, types.ClientHello)
            except msgspec.ValidationError as error:
                reason = f"initializationOptions.khoj: {error}"
                raise RpcError(INVALID_PARAMS, reason, kind="params", method="initialize", reason=str(error)) from None
            low, high = types.PROTOCOL
            if self.hello.protocol < low:
                message = f"the client speaks protocol {self.hello.protocol}, this khojd speaks {low} to {high}: update the client"
                raise RpcError(INVALID_REQUEST, message, kind="protocol", supported=[low, high])
        info = params.client_info
        self.client = (self.hello.client if self.hello else "") or (f"{info.name} {info.version or ''}".strip() if info else "")
        self.process_id = params.process_id
        self.protocol.client_capabilities = params.capabilities
        general = params.capabilities.general
        chosen = encoding.choose([str(getattr(e, "value", e)) for e in (general and general.position_encodings) or ()])
        self.documents.encoding = chosen
        self.measure = encoding.measure(chosen)
        self.protocol.server_capabilities = self._capabilities(params.capabilities, chosen)
        wanted = [*(self.hello.folders if self.hello else ()), *(folder.uri for folder in params.workspace_folders or ())]
        self.folders = [place for place in wanted if not place.startswith("file:") or uris.to_path(place)]
        self.protocol.opened()
        self.host.entered()
        log.info("%s is %s, positions in %s", self.label, self.client or "unnamed", chosen)
        return lsp.InitializeResult(
            capabilities=self.protocol.server_capabilities,
            server_info=lsp.ServerInfo(name="khojd", version=khojd.__version__),
        )

    def _capabilities(self, client: lsp.ClientCapabilities, chosen: str) -> lsp.ServerCapabilities:
        features = {*self.protocol.fm.features, *self.protocol.fm.builtin_features}
        built: lsp.ServerCapabilities = ServerCapabilitiesBuilder(
            client,
            features,
            self.protocol.fm.feature_options,
            list(self.commands),
            lsp.TextDocumentSyncKind.Incremental,
            None,
            lsp.PositionEncodingKind(chosen),
        ).build()  # type: ignore[no-untyped-call]
        built.execute_command_provider = lsp.ExecuteCommandOptions(commands=list(self.commands), work_done_progress=True)
        hello = types.ServerHello(protocol=types.PROTOCOL, version=khojd.__version__, methods=tuple(self.methods))
        built.experimental = {"khoj": msgspec.to_builtins(hello)}
        return built

    # --- telling it ---------------------------------------------------------------------------------------------------------

    async def partial(self, token: types.Token, value: types.Message) -> None:
        """Stream a part of a result, waiting for a client that is behind."""
        await self.protocol.ready()
        self.protocol.send("$/progress", {"token": token, "value": value})

    def tell(self, message: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        """A line for the client's log."""
        self.window_log_message(lsp.LogMessageParams(type=kind, message=message))

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        """Run something for this client; it ends with its connection."""
        self.protocol.spawn(work, what)

    # --- values -------------------------------------------------------------------------------------------------------------

    def path(self, place: str) -> str:
        """The absolute path that a client means by a path or a `file:` URI. Raises NotFound for anything else."""
        if place.startswith("file:"):
            path = uris.to_path(place)
        else:
            expanded = os.path.expanduser(place)  # noqa: PTH111  pathlib drops what it takes for redundant
            path = os.path.normpath(expanded) if os.path.isabs(expanded) else None  # noqa: PTH117
        if path is None:
            raise NotFound(f"{place!r} is neither an absolute path nor a file: URI of this machine", path=place)
        return path

    def paths(self, places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.path(place) for place in places)
