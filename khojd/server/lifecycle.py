"""The methods of LSP that every session handles: its beginning and end, and the documents the client has open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from khojd.errors import NotFound
from khojd.server import uris
from khojd.server.folders import ask_for_folders

if TYPE_CHECKING:
    from khojd.server.session import Session


def handlers(session: Session) -> dict[str, Callable[..., Any]]:
    """The table of them, bound to `session`."""
    life = _Lifecycle(session)
    return {
        lsp.INITIALIZED: life.initialized,
        lsp.SHUTDOWN: life.shutdown,
        lsp.SET_TRACE: life.set_trace,
        lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL: life.cancel_progress,
        lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: life.did_change_folders,
        lsp.TEXT_DOCUMENT_DID_OPEN: life.did_open,
        lsp.TEXT_DOCUMENT_DID_CHANGE: life.did_change,
        lsp.TEXT_DOCUMENT_DID_CLOSE: life.did_close,
        lsp.TEXT_DOCUMENT_DID_SAVE: life.did_save,
    }


class _Lifecycle:
    def __init__(self, session: Session) -> None:
        self._session = session

    def initialized(self, _: lsp.InitializedParams | None) -> None:
        if self._session.folders:
            self._session.spawn(ask_for_folders(self._session, self._session.folders), "asking for folders")

    async def shutdown(self, _: None) -> None:
        await self._session.protocol.shut_down()

    def set_trace(self, params: lsp.SetTraceParams) -> None:
        self._session.protocol.trace = params.value

    def cancel_progress(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        self._session.protocol.tokens.cancel(params.token)

    def did_change_folders(self, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        added = [folder.uri for folder in params.event.added if uris.to_path(folder.uri)]
        if added:
            self._session.spawn(ask_for_folders(self._session, added), "asking for folders")

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        path = uris.to_path(document.uri)
        if path is not None:
            self._session.documents.open(path, document.text)
            self._session.engine.open_buffer(self._session.owner, path, document.text, document.version)

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        path = uris.to_path(params.text_document.uri)
        if path is not None:
            text = self._session.documents.change(path, params.content_changes)
            self._session.engine.change_buffer(self._session.owner, path, text, params.text_document.version)

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        path = uris.to_path(params.text_document.uri)
        if path is not None and path in self._session.documents:
            self._session.documents.close(path)
            self._session.engine.close_buffer(self._session.owner, path)

    async def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        """The watcher would notice too; being told is sooner, and works where watching does not."""
        path = uris.to_path(params.text_document.uri)
        if path is not None:
            with suppress(NotFound):  # in none of the folders
                await self._session.engine.update((path,))
