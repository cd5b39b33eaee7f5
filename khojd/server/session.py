"""One client: what it can do, what it has open, and what it is told."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import msgspec
from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder, get_capability
from pygls.lsp.server import LanguageServer

import khojd
from khojd.content.registry import settings_of
from khojd.errors import NotFound
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.paths import plain
from khojd.search.types import Measure
from khojd.server import encoding, ranges, types, uris, wire
from khojd.server.aliases import Aliases
from khojd.server.documents import Documents
from khojd.server.feature import Feature
from khojd.server.message import INVALID_PARAMS, INVALID_REQUEST, RpcError
from khojd.server.method import Method
from khojd.server.sheets import from_disk, work_out
from khojd.server.toggles import Toggles

if TYPE_CHECKING:
    from khojd.chat.service import Chat
    from khojd.engine import Engine
    from khojd.llm.router import Router


log = logging.getLogger(__name__)
T = TypeVar("T")


class Host(Protocol):
    """What a session needs of the daemon it runs in."""

    engine: Engine
    chat: Chat
    index: Path
    config_path: Path
    declined: set[str]  # folders that someone has said no to, for the life of the daemon
    sessions: set[Session]  # all that are connected

    @property
    def router(self) -> Router: ...

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

    def __init__(
        self,
        host: Host,
        number: int,
        methods: Mapping[str, Method],
        commands: Mapping[str, Method],
        features: Sequence[Feature] = (),
    ) -> None:
        self.host = host
        self.methods = methods
        self.commands = commands
        self.label = f"client {number}"
        self.owner = f"session-{number}"  # of its unsaved buffers
        self.since = time.time()
        self.client = ""
        self.hello: types.ClientHello | None = None
        self.documents = Documents()
        self.aliases = Aliases(lambda: (folder.path for folder in self.engine.folders()))
        self.measure: Measure = encoding.measure("utf-16")
        self.folders: list[str] = []  # that the client asked to have indexed
        self.added: set[str] = set()  # folders that are indexed because this client asked, for as long as it wants them
        self.toggles = Toggles(self, features)
        self._said: list[str] = []  # what to tell the client once it is initialized
        self._kept: dict[type[Any], Any] = {}
        self._reading = asyncio.Lock()
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
        features: Any = {}
        if isinstance(hello, dict) and "features" in hello:
            features = hello["features"]
            # A client that knows nothing of khoj/* may switch features all the same.
            hello = {key: value for key, value in hello.items() if key != "features"} or None
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
        self.protocol.server_capabilities = self._capabilities(params.capabilities, chosen, *self.toggles.start(features))
        wanted = [*(self.hello.folders if self.hello else ()), *(folder.uri for folder in params.workspace_folders or ())]
        self.folders = [place for place in wanted if not place.startswith("file:") or uris.to_path(place)]
        self.protocol.opened()
        self.host.entered()
        log.info("%s is %s, positions in %s", self.label, self.client or "unnamed", chosen)
        return lsp.InitializeResult(
            capabilities=self.protocol.server_capabilities,
            server_info=lsp.ServerInfo(name="khojd", version=khojd.__version__),
        )

    def _capabilities(
        self, client: lsp.ClientCapabilities, chosen: str, methods: set[str], options: dict[str, Any]
    ) -> lsp.ServerCapabilities:
        all_of_them = self.toggles.on("commands")
        commands = [name for name, method in self.commands.items() if all_of_them or method.needed]
        built: lsp.ServerCapabilities = ServerCapabilitiesBuilder(
            client,
            {*methods, *self.protocol.fm.builtin_features},
            options,
            commands,
            lsp.TextDocumentSyncKind.Incremental,
            None,
            lsp.PositionEncodingKind(chosen),
        ).build()  # type: ignore[no-untyped-call]
        built.execute_command_provider = lsp.ExecuteCommandOptions(commands=commands, work_done_progress=True)
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

    def tell_later(self, message: str) -> None:
        """A warning for the client's log; what is said before it is initialized waits until then."""
        if self.protocol.initialized:
            self.tell(message)
        else:
            self._said.append(message)

    def tell_waiting(self) -> None:
        """Say what was kept until the client is initialized."""
        said, self._said = self._said, []
        for message in said:
            self.tell(message)

    def spawn(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        """Run something for this client; it ends with its connection."""
        self.protocol.spawn(work, what)

    # --- notes --------------------------------------------------------------------------------------------------------------

    async def sheet(self, place: str, *, marks: bool = False, lazily: bool = False) -> Sheet:
        """The note of a path or `file:` URI, parsed: as this client has it open, else as it is on disk.

        With `marks` those are read too, so that no long text is read on the loop; `lazily`, an open note is left as it is, for
        who asks no more of it than what needs no parsing, or asks on a thread. Raises NotFound, which names the file, for what
        cannot be read and for any other URI.
        """
        path = self.path(place)
        settings = settings_of(self.engine.config.content)
        sheet = self.documents.sheet(path, settings)
        if sheet is None:
            return await from_disk(path, settings, marks=marks)
        if not lazily:
            await work_out(sheet, self._reading, marks=marks)
        return sheet

    async def graph(self, work: Callable[[Graph], T]) -> T:
        """The result of `work` on the link graph, on a thread: all notes, and what this client has open as it has it."""
        return await self.engine.graph(work, self.documents.sheets(settings_of(self.engine.config.content)))

    def keep(self, kind: Callable[[], T]) -> T:
        """The session's own `kind()`, made when it is first asked for: where a feature keeps what it remembers of a client."""
        key = cast("type[Any]", kind)
        if key not in self._kept:
            self._kept[key] = kind()
        return cast("T", self._kept[key])

    def range(self, sheet: Sheet, start: int, end: int) -> lsp.Range:
        """The range of code points [start, end) in the client's encoding."""
        return ranges.to_range(sheet, start, end, self.documents.encoding)

    def offset(self, sheet: Sheet, position: lsp.Position) -> int:
        """The code point at the client's position, which is held within the text."""
        return ranges.to_offset(sheet, position, self.documents.encoding)

    def location(self, sheet: Sheet, start: int, end: int) -> lsp.Location:
        return lsp.Location(self.uri(sheet.path), self.range(sheet, start, end))

    # --- values -------------------------------------------------------------------------------------------------------------

    def uri(self, path: str) -> str:
        """The `file:` URI by which the client knows a path."""
        return uris.from_path(self.aliases.shown(path))

    def note(self, uri: str) -> str | None:
        """The path by which the index knows what a client calls `uri`; None for what is no file of this machine."""
        path = uris.to_path(uri)
        return None if path is None else self.aliases.canonical(path)

    def path(self, place: str) -> str:
        """The absolute path that a client means by a path or a `file:` URI. Raises NotFound for anything else."""
        if place.startswith("file:"):
            path = uris.to_path(place)
        else:
            expanded = os.path.expanduser(place)  # noqa: PTH111  pathlib drops what it takes for redundant
            path = plain(os.path.normpath(expanded)) if os.path.isabs(expanded) else None  # noqa: PTH117
        if path is None:
            if ":" in place and "/" not in place.partition(":")[0] and not place.startswith("file:"):
                raise NotFound(f"{place!r} is no file on this machine: save it as one first", path=place)
            raise NotFound(f"{place!r} is neither an absolute path nor a file: URI of this machine", path=place)
        return self.aliases.canonical(path)

    def paths(self, places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.path(place) for place in places)
