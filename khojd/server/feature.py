"""A standard feature of LSP: the methods that make it up, and what is answered while it is switched off."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types as lsp
from msgspec import Struct
from pygls.capabilities import get_capability

if TYPE_CHECKING:
    from khojd.server.session import Session

Handler = Callable[["Session", Any], Awaitable[Any]]
Options = Callable[["Session"], Mapping[str, Any]]
Event = Literal["opened", "changed", "saved", "closed", "indexed", "on", "off"]
Follow = Callable[["Session", Event, str], None]


Announced = Callable[["Session"], bool]


def no_options(_: Session) -> Mapping[str, Any]:
    return {}


def always(_: Session) -> bool:
    return True


def announced(capability: str) -> Announced:
    """That the client announces a capability, e.g. `text_document.diagnostic`; an empty object announces it, too."""
    return lambda session: get_capability(session.client_capabilities, capability, False) is not False


class Feature(Struct, frozen=True):
    """One feature. `name` is its key in the `[features]` table of the configuration, whose default says whether it is on.

    handlers: by LSP method, each `async def handler(session, params)`; a notification's result is not sent.
    options: by LSP method, what `initialize` announces: the method's options object (`CompletionOptions`, a
        `SemanticTokensLegend`, …); asked for once per session, when the client's capabilities are known.
    offered: by method, whether `initialize` announces it to a client; any method that is not there, to all. Methods of LSP's first
        versions are for all clients, as many say little of themselves; those of later ones for clients that announce them.
    follow: told `(session, event, path)` on the loop, only while the feature is on, of documents that this client has `opened`,
        `changed` (its new text is in force), `saved` and `closed`; and with path "" of `indexed` (what the engine knows may have
        changed; at most twice a second), `on` and `off` (the feature was switched; not at the start).
    """

    name: str
    handlers: Mapping[str, Handler]
    options: Options = no_options
    follow: Follow | None = None
    offered: Mapping[str, Announced] = {}


def nothing(method: str, params: Any) -> Any:
    """The answer of a feature that is off: the least that the method allows."""
    if method.endswith("/resolve"):
        return params
    if method == lsp.TEXT_DOCUMENT_DIAGNOSTIC:
        return lsp.RelatedFullDocumentDiagnosticReport(items=[])
    if method == lsp.WORKSPACE_DIAGNOSTIC:
        return lsp.WorkspaceDiagnosticReport(items=[])
    return None


def capability(method: str) -> str:
    """The client capability that a method belongs to, e.g. `text_document.hover`, as `Session.can` takes it."""
    area, name = method.split("/")[:2]
    if area == "workspace" and name.endswith("Files") and name != "didChangeWatchedFiles":
        name = "fileOperations"
    return f"{_snake(area)}.{_snake(name)}"


def registrations(feature: Feature, options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What to register at run time to offer `feature`: method -> its options without the ones of its kind of document.

    `resolve` and `prepareRename` are no methods of their own there, and all of semantic tokens are one.
    """
    resolves = any(method.endswith("/resolve") for method in feature.handlers)
    found: dict[str, dict[str, Any]] = {}
    for method in feature.handlers:
        if method.endswith("/resolve") or method == lsp.TEXT_DOCUMENT_PREPARE_RENAME:
            continue
        if method.startswith("textDocument/semanticTokens"):
            full: Any = {"delta": True} if lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA in feature.handlers else True
            ranges = lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE in feature.handlers
            legend = options.get(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL)
            found["textDocument/semanticTokens"] = {"legend": legend, "full": full, "range": ranges}
        else:
            found[method] = {"": options.get(method), **({"resolveProvider": True} if resolves else {})}
            if lsp.TEXT_DOCUMENT_PREPARE_RENAME in feature.handlers and method == lsp.TEXT_DOCUMENT_RENAME:
                found[method]["prepareProvider"] = True
    return found


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)
