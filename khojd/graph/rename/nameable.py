"""What a person means to rename with the cursor at some place of a note."""

import re
from typing import Literal

from msgspec import Struct

from khojd.content import frontmatter, names, targets
from khojd.content.model import Anchor, ContentSettings, Link, Span
from khojd.errors import EditError
from khojd.graph import addresses, labels
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Place, Resolution
from khojd.graph.rename import anchors, files, headings, tags
from khojd.graph.rename.plan import Change, Plan, Texts, settled
from khojd.graph.sheet import Sheet

Kind = Literal["note", "heading", "anchor", "tag", "label", "address"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>()\[\]\"'`\\]+")
_YAML_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*([^\r\n]*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ORG_TITLE = re.compile(r"[ \t]*#\+title:[ \t]*([^\r\n]*?)[ \t]*$", re.IGNORECASE)
_LOGSEQ_TITLE = re.compile(r"[ \t]*(?:-[ \t]+)?title::[ \t]+([^\r\n]*?)[ \t]*$", re.IGNORECASE)


class Nameable(Struct, frozen=True):
    """[start, end) is what an editor shows as chosen in the note with the cursor, `name` what is there to be changed."""

    kind: Kind
    start: int
    end: int
    name: str
    note: Note | None = None  # that has it; None for a tag, an address, and a label, which has `sheet`
    section: int = 0  # of a heading
    anchor: Anchor | None = None
    sheet: Sheet | None = None

    def renamed(self, graph: Graph, name: str, settings: ContentSettings) -> Plan:
        """What changes when it is called `name`. Raises EditError, which says why it cannot be."""
        if self.kind == "tag":
            return tags.renamed(graph, self.name, name, settings)
        if self.kind == "address":
            return _readdressed(graph, self.name, name.strip(), settings)
        if self.sheet is not None:
            return _relabelled(self.sheet, self.start, name)
        assert self.note is not None, "the others are in a note"
        if self.kind == "heading":
            return headings.renamed(graph, self.note, self.section, name, settings)
        if self.anchor is not None:
            return anchors.renamed(graph, self.note, self.anchor, name, settings)
        return files.renamed(graph, self.note, name, settings)


def at(graph: Graph, sheet: Sheet, offset: int) -> Nameable | None:
    """What stands at `offset`: a link's note or heading, a label, tag, anchor or heading; the note itself at its title or first
    line.

    Raises EditError where there is something that cannot be renamed.
    """
    if (label := labels.at(sheet, offset)) is not None:
        return Nameable("label", label.start, label.end, sheet.text[label.start : label.end], sheet=sheet)
    link = sheet.link_at(offset)
    if link is not None and link.target_start <= offset <= link.target_end and link.target == addresses.of(sheet, link):
        return Nameable("address", link.target_start, link.target_end, link.target)
    if link is not None:
        try:
            return _linked(graph, sheet, link, offset)
        except EditError:
            if not sheet.heading_at(offset):  # else the heading that has the link in it
                raise
    note = graph.notes.at(sheet.path)
    anchor = sheet.anchor_at(offset)
    sign = offset + sheet.text.startswith("#", offset)
    mark = sheet.mark_at(sign, "tag") if anchor is None else None
    if mark is not None:
        return _tag(sheet, mark.start, mark.end, mark.value, offset)
    index = sheet.heading_at(offset)
    title = _title(sheet, offset)
    if anchor is None and not index and title is None and sheet.lines.line(offset) > 0:
        return None
    if note is None:
        raise EditError(
            f"{sheet.path} is in none of the configured folders, or not read yet: no links to it are known", path=sheet.path
        )
    if anchor is not None:
        return Nameable("anchor", anchor.start, anchor.end, anchor.name, note, anchor.section, anchor)
    if index:
        span = headings.text_span(sheet, index)
        if span is None:
            return None
        return Nameable("heading", span.start, span.end, _line(sheet, span), note, index)
    start, end = title or (sheet.lines.starts[0], sheet.lines.end(0))
    return Nameable("note", start, end, note.name, note)


def _relabelled(sheet: Sheet, start: int, name: str) -> Plan:
    """The label at `start` and all that are the same become `name`."""
    label = next(one for one in labels.of(sheet) if one.start == start)
    written = labels.check(sheet, label, name)
    same = (one for one in labels.same(sheet, label) if sheet.text[one.start : one.end] != written)
    return Plan(tuple(Change(sheet, one.start, one.end, written) for one in same))


def _readdressed(graph: Graph, address: str, name: str, settings: ContentSettings) -> Plan:
    """All links to an address of the web lead to another one."""
    if not _ADDRESS.fullmatch(name):
        raise EditError(
            f"{name[:200]!r} is no address: it begins with https:, say, and has no spaces and no brackets", name=name[:200]
        )
    texts = Texts(graph, settings)
    _, found = settled(graph, texts, lambda one: addresses.links_to(one, address), lambda all: (one.note for one in all))
    same = (one for one in found if one.link.target == address and name != address)
    return Plan(tuple(Change(texts.sheet(one.note.path), one.link.target_start, one.link.target_end, name) for one in same))


def _line(sheet: Sheet, span: Span) -> str:
    """The text of a heading; an underlined one may have several lines."""
    written = sheet.text[span.start : span.end]
    return " ".join(written.split()) if "\n" in written or "\r" in written else written


def _title(sheet: Sheet, offset: int) -> tuple[int, int] | None:
    """The range of the note's title when `offset` is on its line."""
    line = sheet.lines.line(offset)
    start, end = sheet.lines.starts[line], sheet.lines.end(line)
    if sheet.format == "org":
        found = _ORG_TITLE.match(sheet.text, start, end)
    elif offset < frontmatter.read(sheet.text).end:
        found = _YAML_TITLE.match(sheet.text, start, end)
    else:
        found = _LOGSEQ_TITLE.match(sheet.text, start, end) if sheet.section_at(offset) == 0 else None
    return found.span(1) if found is not None else None


def _tag(sheet: Sheet, start: int, end: int, value: str, offset: int) -> Nameable:
    """The tag, or with the cursor on a part of `a/b/c` the tags above up to that part."""
    cut = sheet.text.find("/", max(offset, start), end)
    end = end if cut < 0 else cut
    return Nameable("tag", start, end, value[: end - start])


def _linked(graph: Graph, sheet: Sheet, link: Link, offset: int) -> Nameable | None:
    """What a link leads to: on its path the note, on its anchor or its text the heading or anchor that it names, if any."""
    texts = Texts(graph, sheet.settings)

    def noted(found: Resolution) -> list[Note]:
        return [place.note for place in found.places[:1] if place.note is not None]

    graph, found = settled(graph, texts, lambda one: one.resolve(sheet, link), noted)
    written = sheet.text[link.start : link.end][:80]
    if not found.places:
        reason = found.reason or "there is no such note"
        raise EditError(f"what {written!r} leads to cannot be renamed: {reason if found.status != 'external' else 'an address'}")
    place = found.places[0]
    if place.note is None:
        raise EditError(f"{place.path} is in none of the configured folders: it cannot be renamed from here", path=place.path)
    spans = targets.spans(link, found.target)
    on_path = spans.path is not None and spans.path.start <= offset <= spans.path.end
    if found.target.kind == "id" and on_path and spans.path is not None:
        known = (one for one in graph.outline(place.path, place.note).anchors if one.kind in ("id", "block"))
        anchor = next((one for one in known if names.fold(one.name) == names.fold(found.target.path)), None)
        if anchor is not None:
            return Nameable("anchor", *_shown(link, spans.path, offset), anchor.name, place.note, anchor.section, anchor)
    if (on_path and found.target.kind != "id") or place.kind in ("note", "file") or found.status == "no-anchor":
        if found.status == "no-anchor" and not on_path:
            raise EditError(f"what {written!r} leads to cannot be renamed: {found.reason}", path=place.path)
        return Nameable("note", *_shown(link, spans.path, offset), place.note.name, place.note)
    part = next((number for number, one in enumerate(reversed(spans.anchor)) if one.start <= offset <= one.end), 0)
    span = spans.anchor[-1 - part] if spans.anchor else None
    above = sheet.text[span.start : span.end] if span is not None and part else ""
    return _place(graph, texts, place, _shown(link, span, offset), above)


def _shown(link: Link, span: Span | None, offset: int) -> tuple[int, int]:
    """The part of a link that is shown as chosen: `span`, else the link's text, else the whole, so that the cursor is in it."""
    if span is not None and span.start <= offset <= span.end:
        return span.start, span.end
    if link.text_start <= offset <= link.text_end:
        return link.text_start, link.text_end
    return link.start, link.end


def _place(graph: Graph, texts: Texts, place: Place, shown: tuple[int, int], above: str) -> Nameable | None:
    """The heading or anchor at `place`, or the heading `above` it that the link names before it."""
    assert place.note is not None
    outline = graph.outline(place.path, place.note)
    if place.kind != "heading":
        anchor = next((one for one in outline.anchors if one.start == place.start), None)
        return Nameable("anchor", *shown, anchor.name, place.note, anchor.section, anchor) if anchor else None
    section = place.section
    if above:
        heading = next(one for one in outline.headings if one.section == section)
        wanted = names.heading_key(above)
        section = next((one.section for one in outline.ancestors(heading) if names.heading_key(one.text) == wanted), section)
    sheet = texts.sheet(place.path)
    text = headings.text_span(sheet, section)
    if text is None:
        return None
    return Nameable("heading", *shown, _line(sheet, text), place.note, section)
