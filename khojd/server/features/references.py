"""textDocument/references: backlinks of a note, a heading, a block or a tag, then mentions that are no links."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from khojd.graph import addresses, labels, mentions, tags
from khojd.graph import subject as subjects
from khojd.graph.graph import Graph
from khojd.graph.model import Mention, Note, Reference
from khojd.graph.sheet import Sheet
from khojd.graph.stop import Stop
from khojd.graph.subject import Subject
from khojd.server.feature import Feature
from khojd.server.places import Desk
from khojd.server.session import Session
from khojd.server.sheets import on_thread


async def references(session: Session, params: lsp.ReferenceParams) -> list[lsp.Location] | None:
    """Links to what the cursor is on, or to what the link under it leads to; anywhere else in a note those to the note.

    With `includeDeclaration` the place itself comes first. Of a label or footnote: where it is used in the note; of an address: all
    links to it. A note's links are followed by the tags that lead to it as their page; mentions of its name, title or alias come
    last, if they are on.
    """
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    if (label := labels.at(sheet, offset)) is not None:
        uses = sorted(labels.same(sheet, label), key=lambda one: not one.defines)
        wanted = (one for one in uses if params.context.include_declaration or not one.defines)
        return [session.location(sheet, one.first, one.last) for one in wanted]
    desk = Desk(session)
    if (link := sheet.link_at(offset)) is not None and (address := addresses.of(sheet, link)):
        same = await desk.graph(lambda graph: addresses.links_to(graph, address))
        return [session.location(where, one.start, one.end) for where, one in await desk.links(same)]
    wants_mentions = session.toggles.on("mentions")

    def look(graph: Graph) -> tuple[Subject | None, list[Reference], list[Mention], list[Note]]:
        subject = subjects.at(graph, sheet, offset)
        if subject is None:
            return None, [], [], []
        if subject.place is None:
            ids = tags.documents(graph.db, subject.tag)
            return subject, [], [], [note for note in map(graph.notes.by_id, ids) if note is not None]
        found = graph.backlinks(subject.place)
        note = subject.place.note or graph.notes.at(subject.place.path)
        if subject.place.kind != "note" or note is None:
            return subject, found, [], []
        unlinked = mentions.find(graph.db, graph.notes, note, graph.phrase, graph.stop) if wants_mentions else []
        having = {one for tag in tags.of_page(graph.notes, note) for one in tags.documents(graph.db, tag, nested=False)}
        return subject, found, unlinked, [one for one in map(graph.notes.by_id, having) if one is not None]

    subject, linked, unlinked, tagged = await desk.graph(look)
    if subject is None:
        return None
    if subject.place is None:
        return await _tagged(session, desk, sheet, subject.tag, tagged)
    found = await desk.locations([subject.place]) if params.context.include_declaration else []
    found += [session.location(where, link.start, link.end) for where, link in await desk.links(linked)]
    if subject.place.kind == "note":
        found += await _leading(session, desk, subject.place.path, tagged)
    found += await _mentioned(session, desk, unlinked)
    return found


async def _leading(session: Session, desk: Desk, page: str, notes: list[Note]) -> list[lsp.Location]:
    """Where tags are written that lead to the note at `page`, in these notes and in what is open."""
    paths = dict.fromkeys((*(note.path for note in notes), *desk.open))
    await desk.lay_out(paths)
    sheets = [found for found in map(desk.sheet, sorted(paths)) if found is not None]

    def look(graph: Graph) -> list[lsp.Location]:
        note = graph.notes.at(page)
        wanted = tags.of_page(graph.notes, note) if note is not None else set()
        return [
            session.location(sheet, mark.start, mark.end)
            for sheet in _each(sheets, graph.stop)
            for mark in (sheet.marks if tags.may_stand(sheet.text, wanted) else ())
            if mark.kind == "tag" and mark.value.casefold() in wanted
            if any(place.path == page for place in tags.pages(graph.notes, mark.value, sheet.path))
        ]

    return await desk.graph(look)


async def _mentioned(session: Session, desk: Desk, found: list[Mention]) -> list[lsp.Location]:
    await desk.lay_out(mention.note.path for mention in found)
    places = []
    for mention in found:
        sheet = desk.sheet(mention.note.path)
        # In a text that is newer than the index the words are looked for where they were.
        if sheet is not None and mentions.matcher(mention.name).fullmatch(sheet.text, mention.start, mention.end):
            places.append(session.location(sheet, mention.start, mention.end))
    return places


async def _tagged(session: Session, desk: Desk, sheet: Sheet, tag: str, notes: list[Note]) -> list[lsp.Location]:
    """Where the tag, or one below it, is written."""
    paths = dict.fromkeys((*(note.path for note in notes), sheet.path))
    await desk.lay_out(paths)
    shown = [found for found in map(desk.sheet, sorted(paths)) if found is not None]

    def read(stop: Stop) -> list[lsp.Location]:
        return [session.location(one, start, end) for one in _each(shown, stop) for start, end in written(one, tag)]

    return await on_thread(read)


def _each(sheets: list[Sheet], stop: Stop) -> Iterator[Sheet]:
    """Each of them, as long as they are asked for: the marks of many files take long to be read."""
    for sheet in sheets:
        stop.check()
        yield sheet


def written(sheet: Sheet, tag: str) -> Iterator[tuple[int, int]]:
    """The ranges of a tag, and of those below it, in a note."""
    folded = tag.casefold()
    for mark in sheet.marks:
        if mark.kind == "tag" and (mark.value.casefold() == folded or mark.value.casefold().startswith(folded + "/")):
            yield mark.start, mark.end


FEATURE = Feature("references", {lsp.TEXT_DOCUMENT_REFERENCES: references})
