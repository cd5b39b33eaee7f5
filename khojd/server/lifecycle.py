"""The methods of LSP that every session handles: its beginning and end, the documents the client has open, and its workspace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.content.registry import PROCESSORS
from khojd.errors import NotFound
from khojd.server import uris
from khojd.server.folders import ask_for_folders, leave_folders
from khojd.server.wire import CONVERTER

if TYPE_CHECKING:
    from khojd.server.session import Session

log = logging.getLogger(__name__)

SECTION = "khoj"  # of the client's settings


def handlers(session: Session) -> dict[str, Callable[..., Any]]:
    """The table of them, bound to `session`."""
    life = _Lifecycle(session)
    return {
        lsp.INITIALIZED: life.initialized,
        lsp.SHUTDOWN: life.shutdown,
        lsp.SET_TRACE: life.set_trace,
        lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL: life.cancel_progress,
        lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: life.did_change_folders,
        lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: life.did_change_files,
        lsp.WORKSPACE_DID_CHANGE_CONFIGURATION: life.did_change_configuration,
        lsp.TEXT_DOCUMENT_DID_OPEN: life.did_open,
        lsp.TEXT_DOCUMENT_DID_CHANGE: life.did_change,
        lsp.TEXT_DOCUMENT_DID_CLOSE: life.did_close,
        lsp.TEXT_DOCUMENT_DID_SAVE: life.did_save,
    }


class _Lifecycle:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._warned: set[str] = set()  # documents whose versions do not increase

    # --- the session --------------------------------------------------------------------------------------------------------

    def initialized(self, _: lsp.InitializedParams | None) -> None:
        session = self._session
        session.tell_waiting()
        if session.folders:
            session.spawn(ask_for_folders(session, session.folders), "asking for folders")
        wanted = _registrations(session)
        if wanted:
            session.spawn(self._register(wanted), "registering")
        if session.can("workspace.configuration"):
            session.spawn(self._pull(), "asking for settings")

    async def shutdown(self, _: None) -> None:
        await self._session.protocol.shut_down()

    def set_trace(self, params: lsp.SetTraceParams) -> None:
        self._session.protocol.trace = params.value

    def cancel_progress(self, params: lsp.WorkDoneProgressCancelParams) -> None:
        self._session.protocol.tokens.cancel(params.token)

    # --- the workspace ------------------------------------------------------------------------------------------------------

    def did_change_folders(self, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        session = self._session
        added = [folder.uri for folder in params.event.added if uris.to_path(folder.uri)]
        removed = [folder.uri for folder in params.event.removed]
        session.folders += [place for place in added if place not in session.folders]
        session.spawn(self._folders(added, removed), "changing folders")

    async def _folders(self, added: list[str], removed: list[str]) -> None:
        await leave_folders(self._session, removed)
        await ask_for_folders(self._session, added)

    async def did_change_files(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        """The engine watches its folders itself; being told is sooner, and works where watching does not."""
        roots = [Path(folder.path) for folder in self._session.engine.folders()]
        paths = dict.fromkeys(path for change in params.changes if (path := self._session.note(change.uri)) is not None)
        inside = [path for path in paths if any(Path(path).is_relative_to(root) for root in roots)]
        if inside:
            await self._session.engine.update(inside)

    async def did_change_configuration(self, params: lsp.DidChangeConfigurationParams) -> None:
        settings = params.settings
        if isinstance(settings, dict) and SECTION in settings:
            self._session.toggles.configure(settings[SECTION])
        elif self._session.can("workspace.configuration"):
            await self._pull()

    async def _pull(self) -> None:
        items = [lsp.ConfigurationItem(section=SECTION)]
        try:
            found = await self._session.workspace_configuration_async(lsp.ConfigurationParams(items=items))
        except JsonRpcException as error:
            log.info("%s does not tell its settings: %s", self._session.label, error)
            return
        self._session.toggles.configure(found[0] if found else None)

    async def _register(self, wanted: list[lsp.Registration]) -> None:
        try:
            await self._session.client_register_capability_async(lsp.RegistrationParams(registrations=wanted))
        except JsonRpcException as error:
            log.info("%s will not tell of files and settings: %s", self._session.label, error)

    # --- documents ----------------------------------------------------------------------------------------------------------

    def did_open(self, params: lsp.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        path = self._session.note(document.uri)
        if path is not None:
            self._session.documents.open(path, document.text, document.version)
            self._session.engine.open_buffer(self._session.owner, path, document.text, document.version)
            self._session.toggles.follow("opened", path)

    def did_change(self, params: lsp.DidChangeTextDocumentParams) -> None:
        path = self._session.note(params.text_document.uri)
        if path is not None:
            version = params.text_document.version
            self._check_version(path, version)
            text = self._session.documents.change(path, params.content_changes, version)
            self._session.engine.change_buffer(self._session.owner, path, text, version)
            self._session.toggles.follow("changed", path)

    def did_close(self, params: lsp.DidCloseTextDocumentParams) -> None:
        path = self._session.note(params.text_document.uri)
        if path is not None and path in self._session.documents:
            self._session.documents.close(path)
            self._warned.discard(path)
            self._session.engine.close_buffer(self._session.owner, path)
            self._session.toggles.follow("closed", path)

    async def did_save(self, params: lsp.DidSaveTextDocumentParams) -> None:
        """The watcher would notice too; being told is sooner, and works where watching does not."""
        path = self._session.note(params.text_document.uri)
        if path is not None:
            self._session.toggles.follow("saved", path)
            with suppress(NotFound):  # in none of the folders
                await self._session.engine.update((path,))

    def _check_version(self, path: str, version: int) -> None:
        """Edits are applied in the order they come, as LSP says; a version that does not increase is worth a word, once."""
        before = self._session.documents.version(path)
        if before is not None and version <= before and path not in self._warned:
            self._warned.add(path)
            self._session.tell(
                f"{path}: version {version} was sent after {before}; the edit is applied all the same. "
                "If answers are off, close and open the note"
            )


def _registrations(session: Session) -> list[lsp.Registration]:
    """What is registered with a client that can take it: being told of changed notes and settings."""
    wanted = []
    if session.can("workspace.did_change_watched_files.dynamic_registration"):
        endings = ",".join(sorted(ending[1:] for ending in PROCESSORS))
        watchers = [lsp.FileSystemWatcher(glob_pattern=f"**/*.{{{endings}}}")]
        files = lsp.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        wanted.append(_registration("khojd-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, files))
    if session.can("workspace.did_change_configuration.dynamic_registration"):
        section = lsp.DidChangeConfigurationRegistrationOptions(section=SECTION)
        wanted.append(_registration("khojd-settings", lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, section))
    return wanted


def _registration(id: str, method: str, options: Any) -> lsp.Registration:
    return lsp.Registration(id=id, method=method, register_options=CONVERTER.unstructure(options))
