"""Asking a person whether a folder of theirs may be indexed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.config import Folder
from khojd.errors import KhojdError
from khojd.paths import plain
from khojd.server import uris
from khojd.server.configedit import add_folder

if TYPE_CHECKING:
    from khojd.server.session import Session

YES = "Index it"
ALWAYS = "Always index it"
NO = "Not now"


async def ask_for_folders(session: Session, places: Sequence[str]) -> None:
    """Offer each folder (path or `file:` URI) that is not configured, once; index those that get a yes.

    Nothing is indexed without a yes, and a client that cannot show a question gets a line in its log instead. A no is kept for the
    life of the daemon, so that the next editor does not ask again.
    """
    for place in places:
        try:
            path = session.path(place)
        except KhojdError as error:
            session.tell(error.message)
            continue
        if path in session.host.declined or _covered(session, path) or not await asyncio.to_thread(os.path.isdir, path):
            continue
        if not session.can("window.show_message"):
            session.tell(f"{path} is not indexed: add it to {session.host.config_path} under [[folders]]", lsp.MessageType.Info)
            continue
        answer = await _ask(session, path)
        if answer == NO:
            session.host.declined.add(path)
        elif answer in (YES, ALWAYS):
            try:
                await session.engine.add_folder(Folder(path=path))
                if answer == YES:
                    session.added.add(path)
                else:
                    await asyncio.to_thread(add_folder, session.host.config_path, Folder(path=path))
            except KhojdError as error:
                session.tell(error.message)


async def leave_folders(session: Session, places: Sequence[str]) -> None:
    """Stop indexing those of the folders that are indexed for this client alone, because it said yes and did not say always."""
    for place in places:
        path = uris.to_path(place)
        if path is None:
            continue
        session.folders = [folder for folder in session.folders if _path(folder) != path]
        if path not in session.added:
            continue
        session.added.discard(path)
        others = [other for other in session.host.sessions if other is not session]
        heir = next((other for other in others if any(_path(folder) == path for folder in other.folders)), None)
        if heir is not None:
            heir.added.add(path)  # who leaves it last ends it
            continue
        try:
            await session.engine.remove_folder(path)
        except KhojdError as error:
            session.tell(error.message)


def _path(place: str) -> str | None:
    return uris.to_path(place) if place.startswith("file:") else plain(os.path.normpath(os.path.expanduser(place)))  # noqa: PTH111


async def _ask(session: Session, path: str) -> str:
    """The title that was chosen; "" when the question was closed, or the client cannot ask it after all."""
    question = lsp.ShowMessageRequestParams(
        type=lsp.MessageType.Info,
        message=f"Index the notes in {path} for search? They stay on this machine.",
        actions=[lsp.MessageActionItem(title=title) for title in (YES, ALWAYS, NO)],
    )
    try:
        answer = await session.window_show_message_request_async(question)
    except JsonRpcException:
        return ""
    return answer.title if answer is not None else ""


def _covered(session: Session, path: str) -> bool:
    return any(Path(path).is_relative_to(Path(folder.path).expanduser()) for folder in session.engine.folders())
