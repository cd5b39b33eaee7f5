"""An action that was chosen becomes an edit."""

from __future__ import annotations

from datetime import datetime

from khojd.content.registry import settings_of
from khojd.errors import EditError
from khojd.graph import compose, contents, extract, follow, habit
from khojd.graph.addition import added
from khojd.graph.graph import Graph
from khojd.graph.sheet import Sheet
from khojd.server import draft
from khojd.server.actions.inquiry import Planned, current
from khojd.server.draft import Wish
from khojd.server.edits import Edits
from khojd.server.places import Desk
from khojd.server.session import Session


async def edits(session: Session, planned: Planned) -> Edits:
    """What an action changes. Raises EditError where the note is not what it was, or it cannot be done any more."""
    sheet = await current(session, planned)
    made = Edits(session)
    if planned.what == "replace":
        made.replace(sheet, planned.start, planned.end, planned.text, label=planned.title)
    elif planned.what == "create":
        await _create(session, sheet, planned, made)
    elif planned.what == "extract":
        await _extract(session, sheet, planned, made)
    else:
        await contents_of(session, sheet, made, planned.title)
    return made


async def contents_of(session: Session, sheet: Sheet, made: Edits, label: str, *, insert: bool = True) -> None:
    """Write the table of contents anew, or the first time."""

    def look(graph: Graph) -> contents.Change | None:
        own = habit.of(graph.db, graph.notes, sheet)
        return contents.updated(sheet, own) or (contents.inserted(sheet, own) if insert else None)

    change = await session.graph(look)
    if change is not None:
        made.replace(sheet, change.start, change.end, change.text, label=label)


async def _create(session: Session, sheet: Sheet, planned: Planned, made: Edits) -> None:
    settings = session.engine.config.notes
    path = session.path(planned.text)
    root = draft.root_of(session, path)
    title = planned.title
    wish = Wish(title, root, settings.template, datetime.now().astimezone(), near=sheet.path)
    if not path.startswith(root + "/"):
        raise EditError(f"{path} is in none of the folders of notes", path=path)
    if await session.graph(lambda graph: draft.taken(graph, path)):
        raise EditError(f"{path} is there already: ask again", path=path)
    made.create(path, draft.text_of(settings, wish, path), label=f"Create {title}")


async def _extract(session: Session, sheet: Sheet, planned: Planned, made: Edits) -> None:
    settings = session.engine.config.notes
    reading = settings_of(session.engine.config.content)
    now = datetime.now().astimezone()

    def work(graph: Graph) -> tuple[str, str, str, extract.Cut]:
        part = extract.cut(sheet, planned.start, planned.end)
        if part is None:
            raise EditError(f"this part of {sheet.path} cannot be a note of its own: ask again", path=sheet.path)
        wish = Wish(part.title, draft.root_of(session, sheet.path), settings.template, now, near=sheet.path)
        path = draft.free(graph, draft.path_of(graph, settings, wish))
        own = habit.of(graph.db, graph.notes, sheet)
        titled = draft.is_titled(settings, wish, path, reading)
        # What the links of the part lead to is asked of a graph with the new note in it.
        after, place = added(graph, Sheet(path, "", reading))
        body = extract.text_of(after, sheet, part, after.sheets[path], own, titled=titled)
        filled = Wish(part.title, wish.root, wish.template, now, near=sheet.path, selection=body)
        text = draft.text_of(settings, filled, path, sheet.newline)
        return path, text, compose.link(after, sheet, place, habit.at(own, sheet, part.start), part.title), part

    path, text, link, part = await session.graph(work)
    label = f"Extract {part.title}"
    made.create(path, text, label=label)
    made.replace(sheet, part.start, part.end, link, label=label)
    desk = Desk(session)
    links = await desk.links(await desk.graph(lambda graph: follow.references(graph, sheet, part)))
    target = Sheet(path, text, reading)
    for one in await desk.graph(lambda graph: follow.changes(graph, part, sheet, target, links)):
        ask = one.sheet.path not in session.documents
        made.replace(one.sheet, one.start, one.end, one.text, label=f"Links to {part.title}", confirm=ask)
