"""khoj/notes/*: the note of a day, a new note. They are proposed to the client, which makes them."""

from __future__ import annotations

import posixpath
from datetime import date, datetime
from pathlib import Path

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from khojd.errors import EditError
from khojd.graph import daily
from khojd.graph.graph import Graph
from khojd.server import draft, types, types_notes
from khojd.server.draft import Wish
from khojd.server.edits import Edits
from khojd.server.method import Method
from khojd.server.methods.links import propose
from khojd.server.session import Session
from khojd.templates import BUILT_IN, CONTROL


async def today(session: Session, params: types_notes.TodayParams) -> types.EditResult:
    """Show the note of a day, made from the template when it is not there yet. Raises EditError."""
    settings = session.engine.config.notes
    now = datetime.now().astimezone()
    day = _day(params.date) or now.date()
    root = _root(session, params.folder) if params.folder else draft.root_of(session)
    name = params.template or settings.daily
    wish = Wish(day.isoformat(), root, name, now.replace(year=day.year, month=day.month, day=day.day))
    follows = draft.chosen(settings, name) in BUILT_IN and not settings.folder and not params.template

    def look(graph: Graph) -> tuple[str, bool]:
        pattern = (daily.habit(graph, root) or "") if follows else ""
        path = draft.path_of(graph, settings, wish, pattern)
        if draft.taken(graph, path):
            return path, True
        known = daily.of_day(graph, root, day) if follows else None
        return (known, True) if known else (path, False)

    path, there = await session.graph(look)
    if there:
        await show(session, path)
        return types.EditResult(applied=False, uri=session.uri(path), reason="it is there already")
    return await _make(session, wish, path)


async def new(session: Session, params: types_notes.NewNoteParams) -> types.EditResult:
    """Propose a new note and show it. Raises EditError: for a title or folder that cannot be, a note that is there already."""
    settings = session.engine.config.notes
    title = draft.checked(params.title)
    root, folder = draft.root_of(session), ""
    if params.folder:
        root, folder = _inside(session, params.folder)
    wish = Wish(title, root, params.template or settings.template, datetime.now().astimezone(), folder=folder)

    def look(graph: Graph) -> tuple[str, bool]:
        path = draft.path_of(graph, settings, wish)
        return path, draft.taken(graph, path)

    path, there = await session.graph(look)
    if there:
        raise EditError(f"{path} is there already; choose another title or folder", path=path)
    return await _make(session, wish, path)


async def show(session: Session, path: str) -> None:
    """Have the client show a note, where it can."""
    if session.can("window.show_document.support"):
        try:
            await session.window_show_document_async(lsp.ShowDocumentParams(uri=session.uri(path), take_focus=True))
        except JsonRpcException as error:
            session.tell(f"{path} could not be shown: {error}")


async def _make(session: Session, wish: Wish, path: str) -> types.EditResult:
    edits = Edits(session)
    label = f"Create {posixpath.basename(path)}"
    edits.create(path, draft.text_of(session.engine.config.notes, wish, path), label=label)
    result = await propose(session, edits, label, session.uri(path))
    if result.applied:
        await show(session, path)
    return result


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise EditError(f"{text!r} is no day; write it as 2024-05-01") from None


def _root(session: Session, folder: str) -> str:
    """The folder of notes that a path or URI means. Raises EditError for any other."""
    path = session.path(folder)
    known = [posixpath.normpath(one.path) for one in session.engine.folders()]
    if path not in known:
        raise EditError(f"{path} is no folder of notes; known are {', '.join(known) or 'none'}", path=path)
    return path


def _inside(session: Session, folder: str) -> tuple[str, str]:
    """The folder of notes that holds a directory, and the directory. Raises EditError for one outside of all."""
    if CONTROL.search(folder) or "\\" in folder:
        raise EditError(f"{folder!r} cannot be a folder: it has control characters or backslashes")
    first = draft.root_of(session)
    absolute = folder.startswith(("file:", "~")) or Path(folder).is_absolute()
    path = session.path(folder) if absolute else posixpath.normpath(posixpath.join(first, folder))
    root = draft.root_of(session, path)
    if path != root and not path.startswith(root + "/"):
        raise EditError(f"{path} is in none of the folders of notes", path=path)
    return root, path


METHODS = (
    Method("khoj/notes/today", types_notes.TodayParams, types.EditResult, today),
    Method("khoj/notes/new", types_notes.NewNoteParams, types.EditResult, new),
)
