"""textDocument/hover: what a link leads to, what links to a heading and is related to it, a tag's notes, a day's notes."""

from __future__ import annotations

import asyncio
import os
from datetime import date

from lsprotocol import types as lsp

from khojd.content.model import Link, Mark
from khojd.content.names import without_suffix
from khojd.graph import days, labels, subject, tags
from khojd.graph.anchors import blocks
from khojd.graph.graph import Graph
from khojd.graph.labels import Label
from khojd.graph.model import Note, Place, Reference, Resolution
from khojd.graph.sheet import Sheet
from khojd.server import excerpt
from khojd.server.feature import Feature
from khojd.server.places import Desk
from khojd.server.related import related
from khojd.server.session import Session

MOST_LISTED = 8
MOST_RELATED = 5
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif")


async def hover(session: Session, params: lsp.HoverParams) -> lsp.Hover | None:
    """Markdown where the client takes it, else plain text; null where there is nothing to say."""
    sheet = await session.sheet(params.text_document.uri, marks=True)
    offset = session.offset(sheet, params.position)
    card = _Card(session, Desk(session))
    link = sheet.link_at(offset)
    if link is not None:
        return card.answer(sheet, link.start, link.end, await card.of_link(sheet, link))
    if (label := labels.at(sheet, offset)) is not None:
        return card.answer(sheet, label.first, label.end + 1, card.of_footnote(sheet, label))
    if (tag := sheet.mark_at(offset, "tag")) is not None:
        return card.answer(sheet, tag.start, tag.end, await card.of_tag(tag))
    if (day := sheet.mark_at(offset, "date")) is not None:
        return card.answer(sheet, day.start, day.end, await card.of_day(day))
    index = sheet.heading_at(offset)
    if index:
        segment = sheet.sections[index].heading_segment
        assert segment is not None, "heading_at gives sections with a heading"
        end = sheet.lines.end(sheet.lines.line(segment.start))
        return card.answer(sheet, segment.start, end, await card.of_heading(sheet, index))
    return None


class _Card:
    """The text of one hover."""

    def __init__(self, session: Session, desk: Desk) -> None:
        self.session = session
        self.desk = desk
        formats = session.client_capabilities.text_document
        offered = (formats and formats.hover and formats.hover.content_format) or ()
        self.markdown = lsp.MarkupKind.Markdown in offered or not offered
        self.kind = lsp.MarkupKind.Markdown if self.markdown else lsp.MarkupKind.PlainText

    def answer(self, sheet: Sheet, start: int, end: int, text: str) -> lsp.Hover | None:
        if not text:
            return None
        return lsp.Hover(lsp.MarkupContent(self.kind, text), self.session.range(sheet, start, end))

    # Links

    async def of_link(self, sheet: Sheet, link: Link) -> str:
        found: Resolution = await self.desk.graph(lambda graph: graph.resolve(sheet, link))
        if found.status == "external":
            return found.target.path
        if not found.places:
            return "" if found.status == "empty" else self.strong("Broken link") + f": {found.reason or 'there is no such note'}"
        if found.status == "ambiguous":
            listed = "\n".join(f"- {self.reference(place)}" for place in found.places[:MOST_LISTED])
            return f"{self.strong('Ambiguous')}: {found.reason}\n\n{listed}"
        place = found.places[0]
        shown = await self.target(place)
        if found.status == "no-anchor":
            return f"{self.strong('Broken link')}: {found.reason}\n\n{shown}"
        return shown

    async def target(self, place: Place) -> str:
        """The head of what a link leads to: where it is, then its text."""
        where = self.strong(self.name(place.path))
        if (place.note is None or not place.note.indexed) and without_suffix(place.path) == place.path:
            if self.markdown and place.path.lower().endswith(_PICTURES):
                return f"{where}\n\n![{os.path.basename(place.path)}]({self.session.uri(place.path)})"  # noqa: PTH119
            return where
        await self.desk.lay_out([place.path])
        text = await asyncio.to_thread(self._text, place)
        return f"{where}\n\n{text}" if text is not None else where

    def _text(self, place: Place) -> str | None:
        """The head of the text at a place; None where the file cannot be read."""
        found = self.desk.span(place)
        if found is None:
            return None
        sheet, start, end = found
        if place.last_line is not None:
            return excerpt.excerpt(sheet, start, end, markdown=self.markdown)
        if place.kind == "note" and place.line is None:
            return excerpt.section_text(sheet, 0, markdown=self.markdown)
        if place.kind in ("heading", "id"):
            return excerpt.section_text(sheet, sheet.section_at(start), markdown=self.markdown)
        return excerpt.excerpt(sheet, *_paragraph(sheet, start), markdown=self.markdown)

    def of_footnote(self, sheet: Sheet, label: Label) -> str:
        """What it says; at the footnote itself how often it is used."""
        defined = labels.definition(sheet, label)
        if defined is None:
            return self.strong("Broken link") + f": there is no footnote {sheet.text[label.start : label.end]}"
        if label.defines:
            uses = sum(not one.defines for one in labels.same(sheet, label))
            return f"{uses} reference{'' if uses == 1 else 's'}"
        return excerpt.excerpt(sheet, *labels.text_of(sheet, defined), markdown=self.markdown)

    # Headings

    async def of_heading(self, sheet: Sheet, index: int) -> str:
        def into(graph: Graph) -> list[Reference]:
            place = subject.place_at(graph, sheet, sheet.sections[index].span.start)
            return graph.backlinks(place) if place is not None else []

        parts = []
        if references := await self.desk.graph(into):
            count = f"{len(references)} backlink{'s' if len(references) > 1 else ''}"
            listed = dict.fromkeys(reference.note.path for reference in references)
            names = "\n".join(f"- {self.link(path)}" for path in list(listed)[:MOST_LISTED])
            more = f"\n- … and {len(listed) - MOST_LISTED} more notes" if len(listed) > MOST_LISTED else ""
            parts.append(f"{self.strong(count)}\n{names}{more}")
        near = await self.related(sheet, index)
        if near:
            parts.append(f"{self.strong('Related')}\n" + "\n".join(f"- {line}" for line in near))
        return "\n\n".join(parts) or "No backlinks"

    async def related(self, sheet: Sheet, index: int) -> list[str]:
        """The notes nearest in meaning to a section."""
        lines: dict[str, None] = {}
        for hit in await related(self.session, sheet, index, 2 * MOST_RELATED):
            heading = " › ".join(hit.headings)
            lines[self.link(hit.path) + (f" › {heading}" if heading else "")] = None
        return list(lines)[:MOST_RELATED]

    # Tags and days

    async def of_tag(self, tag: Mark) -> str:
        def look(graph: Graph) -> list[Note]:
            return [note for note in map(graph.notes.by_id, tags.documents(graph.db, tag.value)) if note is not None]

        notes = await self.desk.graph(look)
        count = f"#{tag.value}: {len(notes)} note{'' if len(notes) == 1 else 's'}"
        listed = "\n".join(f"- {self.link(note.path)}" for note in notes[:MOST_LISTED])
        return f"{self.strong(count)}\n{listed}".rstrip()

    async def of_day(self, mark: Mark) -> str:
        try:
            day = date.fromisoformat(mark.value)
        except ValueError:
            return ""
        found = await self.desk.graph(lambda graph: days.of(graph.db, day, MOST_LISTED + 1))
        if not found:
            return ""
        lines = [
            f"- {self.link(one.path)}"
            + (f" › {one.heading}" if one.heading else "")
            + (f" ({one.kind})" if one.kind in days.PLANNED else "")
            for one in found[:MOST_LISTED]
        ]
        more = "\n- …" if len(found) > MOST_LISTED else ""
        return f"{self.strong(f'{day:%A} {day.isoformat()}')}\n" + "\n".join(lines) + more

    # Text

    def strong(self, text: str) -> str:
        return f"**{text}**" if self.markdown else text

    def reference(self, place: Place) -> str:
        return self.link(place.path) + (f" › {place.label}" if place.label else "")

    def link(self, path: str) -> str:
        """A note's name, which can be clicked on where the client shows Markdown."""
        name = self.name(path)
        return f"[{name}]({self.session.uri(path)})" if self.markdown else name

    def name(self, path: str) -> str:
        """The path below its folder."""
        roots = [folder.path for folder in self.session.engine.folders()]
        root = max((root for root in roots if path.startswith(root + "/")), key=len, default="")
        return path[len(root) + 1 :] if root else path


def _paragraph(sheet: Sheet, offset: int) -> tuple[int, int]:
    """The paragraph or list item around a place; in Org the lines up to the next blank ones or headings."""
    if sheet.format == "markdown" and (block := next((one for one in blocks(sheet) if one.start <= offset <= one.end), None)):
        return block.start, block.end
    heads = {sheet.lines.line(one.heading_segment.start) for one in sheet.sections if one.heading_segment}
    first = last = sheet.lines.line(offset)
    while first and first - 1 not in heads and sheet.line_text(first - 1).strip():
        first -= 1
    while last + 1 < len(sheet.lines) and last + 1 not in heads and sheet.line_text(last + 1).strip():
        last += 1
    return sheet.lines.starts[first], sheet.lines.end(last)


FEATURE = Feature("hover", {lsp.TEXT_DOCUMENT_HOVER: hover})
