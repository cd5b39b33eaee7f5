"""A heading that gets another text: the links that name it follow, and those to others that would be taken for it."""

import re
from collections.abc import Iterator, Mapping

from msgspec import structs

from khojd.content import markdown_heading, markdown_marks, names, org_headline, targets
from khojd.content.model import ContentSettings, Link, Span
from khojd.errors import EditError
from khojd.graph import spelling
from khojd.graph.graph import Graph
from khojd.graph.model import Note, Place, Reference, Resolution
from khojd.graph.outline import Outline
from khojd.graph.rename import pages
from khojd.graph.rename.plan import Change, Left, Plan, Texts, enclosed, settled, spliced
from khojd.graph.sheet import Sheet
from khojd.graph.spelling import Dress

_ATX = re.compile(r"[ \t]*(?:[-*+][ \t]+)?#{1,6}(?=[ \t]|$)")
_NO_NAME = re.compile(r"[\[\]|#^/]")  # what no wikilink's name can hold
_CLOSING = re.compile(r"[ \t]#+[ \t]*$|^[ \t]*#+[ \t]*$")


def text_span(sheet: Sheet, index: int) -> Span | None:
    """Where the text of a section's heading stands, as it is written; None where it is no heading of its own (Logseq's blocks)."""
    section = sheet.sections[index]
    segment = section.heading_segment
    if segment is None or segment.start == segment.end:
        return None
    first = sheet.lines.line(segment.start)
    start, end = segment.start, sheet.lines.end(first)
    if sheet.format == "org":
        start += section.level
        title = org_headline.locate(sheet.text[start:end], {section.todo}).title
        return Span(start + title[0], start + title[1])
    line = sheet.text[start:end]
    if (hashes := _ATX.match(line)) is not None:
        start += hashes.end()
        if closing := _CLOSING.search(sheet.text[start:end]):
            end = start + closing.start()
    else:  # underlined; its last line is the rule
        end = sheet.lines.end(max(sheet.lines.line(segment.end - 1) - 1, first))
    keywords = markdown_marks.OPEN | markdown_marks.DONE | frozenset(sheet.settings.todo_keywords)
    from_, to = markdown_heading.bounds(sheet.text[start:end], keywords)
    return Span(start + from_, start + to)


def renamed(graph: Graph, note: Note, section: int, name: str, settings: ContentSettings) -> Plan:
    """What changes when the heading of a note's section gets another text, written as in that note (it may hold markup).

    Raises EditError where that text cannot be one, or a link could not name it.
    """
    texts = Texts(graph, settings)
    sheet = texts.sheet(note.path)
    span = text_span(sheet, section) if section < len(sheet.sections) else None
    if span is None:
        raise EditError(f"{note.path} has no heading there that could be renamed", path=note.path)
    after_sheet = _rewritten(sheet, section, span, name.strip())
    if sheet.text[span.start : span.end] == name.strip():
        return Plan(())
    graph = graph.over({**graph.sheets, note.path: sheet})
    whole = Place(note.path, "note", note=note)
    graph, references = settled(graph, texts, lambda one: one.backlinks(whole), lambda found: (one.note for one in found))
    after = graph.over({**graph.sheets, note.path: after_sheet})
    changes = {(note.path, span.start, span.end): Change(sheet, span.start, span.end, name.strip())}
    rewriting = _Rewriting(Outline.of(sheet), Outline.of(after_sheet), section, after)
    for reference in references:
        titled = _by_title(reference, texts.sheet(reference.note.path), sheet, after_sheet) if section == 1 else None
        if titled is not None:
            changes[reference.note.path, titled.start, titled.end] = titled
        change = rewriting.change(graph, reference, texts.sheet(reference.note.path))
        if change is not None and not (change.sheet is sheet and span.start <= change.start < span.end):
            changes[reference.note.path, change.start, change.end] = change
    if section == 1 and not sheet.parsed.title:
        for found in pages.of_heading(graph, note, sheet.sections[1].heading, after_sheet.sections[1].heading, texts):
            if isinstance(found, Left):
                raise EditError(found.reason, path=found.path)
            changes.setdefault((found.sheet.path, found.start, found.end), found)
    return Plan(tuple(changes.values()))


def _by_title(reference: Reference, source: Sheet, before: Sheet, after: Sheet) -> Change | None:
    """How a link that names its note by the heading it begins with must be written; None for one by another name."""
    target, path = reference.target, targets.spans(reference.link, reference.target).path
    old, new = before.sections[1].heading, after.sections[1].heading
    if target.kind != "name" or path is None or before.parsed.title or names.key(target.path) == names.key(before.path):
        return None
    slug = names.slug(new)
    if names.fold(target.path) == names.fold(old):
        return Change(source, path.start, path.end, slug if _NO_NAME.search(new) else new)
    return Change(source, path.start, path.end, slug) if target.path == names.slug(old) else None


def _rewritten(sheet: Sheet, section: int, span: Span, name: str) -> Sheet:
    """The note with the new heading. Raises EditError when it would not be read as that heading any more."""
    if not name:
        raise EditError("a heading cannot be empty", path=sheet.path)
    if "\n" in name or "\r" in name:
        raise EditError("a heading stands on one line; the new one has a line break", path=sheet.path)
    after = Sheet(sheet.path, sheet.text[: span.start] + name + sheet.text[span.end :], sheet.settings)
    before, found = sheet.sections, after.sections
    same = len(before) == len(found) and all(
        (one.level, one.parent) == (other.level, other.parent) for one, other in zip(before, found, strict=True)
    )
    own, new = before[section], found[section] if same else before[section]
    if not same or (own.todo, own.priority, own.tags, own.ids) != (new.todo, new.priority, new.tags, new.ids):
        what = f"a heading with the keyword {new.todo}" if same and own.todo != new.todo else "something else than a heading's text"
        raise EditError(f"{name!r} cannot be the text of this heading: it would be read as {what}", path=sheet.path)
    if text_span(after, section) != Span(span.start, span.start + len(name)):
        raise EditError(f"{name!r} cannot be the text of this heading: a part of it would not be read as text", path=sheet.path)
    return after


class _Rewriting:
    """Links into a note before and after one of its headings has changed. Sections keep their indices."""

    def __init__(self, before: Outline, now: Outline, section: int, after: Graph) -> None:
        self._before, self._now, self._section, self._after = before, now, section, after
        self._old = {one.section: one for one in before.headings}
        self._new = {one.section: one for one in now.headings}
        self._abbreviations: dict[str, Mapping[str, str]] = {}

    def change(self, graph: Graph, reference: Reference, sheet: Sheet) -> Change | None:
        """How a link must be written to lead where it did; None when it is right. Raises EditError where it cannot be."""
        place, target, link = reference.place, reference.target, reference.link
        if place is None or not target.anchor or place.kind in ("note", "file") or target.anchor_kind in ("block", "line"):
            return None
        source, abbreviations = reference.note.path, self._abbreviated(graph, reference.note)
        spans = targets.spans(link, target).anchor
        named = self._named(place, target.anchor)
        if named is None and self._leads(self._after.meaning(source, link, abbreviations), place):
            return None
        unsure = graph.meaning(source, link, abbreviations).status == "ambiguous"
        for start, end, written in self._written(sheet, link, spans, place, named):
            if self._leads(self._after.meaning(source, spliced(link, start, end, written), abbreviations), place):
                return Change(sheet, start, end, written, unsure) if sheet.text[start:end] != written else None
        # An abbreviation that does not fit any more, or a link without brackets that would end too soon.
        if place.kind == "heading" and (link.kind == "org" or (link.kind == "plain" and not enclosed(sheet, link))):
            written = spelling.org_file(place.path, source, "*" + self._new[place.section].text)
            if self._leads(self._after.meaning(source, structs.replace(link, kind="org", target=written), {}), place):
                if link.kind == "plain":
                    return Change(sheet, link.start, link.end, f"[[{written}]]", unsure)
                return Change(sheet, link.target_start, link.target_end, written, unsure)
        raise EditError(
            f"the heading cannot be renamed so: the link {sheet.text[link.start : link.end][:80]!r} in {source} could not lead to "
            f"{self._new[place.section].text if place.section in self._new else place.label!r} any more",
            path=source,
        )

    def _abbreviated(self, graph: Graph, note: Note) -> Mapping[str, str]:
        known = self._abbreviations.get(note.path)
        if known is None:
            known = self._abbreviations[note.path] = graph.links_of(note)[1]
        return known

    def _leads(self, found: Resolution, place: Place) -> bool:
        return any(
            (one.path, one.kind, one.section, "" if one.kind == "heading" else one.label)
            == (place.path, place.kind, place.section, "" if place.kind == "heading" else place.label)
            for one in found.places[:1]
        )

    def _named(self, place: Place, anchor: str) -> int | None:
        """Which part of `#Heading#Subheading` names the renamed heading, counted from the end."""
        parts = [part for part in anchor.split("#") if part.strip()]
        heading = self._old.get(place.section)
        if place.kind != "heading" or heading is None or not parts:
            return None
        if place.section == self._section:
            return 0
        above = [names.heading_key(part) for part in parts[:-1]]
        if names.heading_key(parts[-1]) == names.heading_key(heading.text):
            for ancestor in self._before.ancestors(heading):
                if above and names.heading_key(ancestor.text) == above[-1]:
                    above.pop()
                    if ancestor.section == self._section:
                        return len(parts) - 1 - len(above)
        return None

    def _written(
        self, sheet: Sheet, link: Link, spans: tuple[Span, ...], place: Place, back: int | None
    ) -> Iterator[tuple[int, int, str]]:
        """Ranges of the link with what could stand there."""
        if place.section not in self._old or place.kind != "heading" or (back or 0) >= len(spans):
            return
        span = spans[-1 - (back or 0)]
        section = self._section if back is not None else place.section
        angled = sheet.text[link.target_start - 1 : link.target_start] == "<"
        dress = Dress(link.kind, sheet.text[span.start : span.end], angled)
        fuzzy = link.kind in ("org", "plain") and sheet.text[span.start - 1 : span.start] not in ("*", "#")
        new = self._new[section].text
        for written in spelling.headings(dress, self._old[section].text, new, self._now.slugs.get(section, ""), fuzzy=fuzzy):
            yield span.start, span.end, written
            if len(spans) > 1 and not back:
                yield spans[0].start, span.end, written  # the `#` was a part of the heading
        if link.kind in ("wiki", "embed"):
            # Two headings of one text: with the one above it is clear which is meant.
            parent = self._new.get(self._new[place.section].parent)
            if parent is not None:
                dress = Dress(link.kind, "")
                texts = [next(spelling.headings(dress, "", one.text, ""), "") for one in (parent, self._new[place.section])]
                yield spans[0].start, spans[-1].end, "#".join(texts)
