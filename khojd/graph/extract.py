"""A part of a note as a note of its own: its title, its text in the new place, with links that lead where they did."""

import posixpath
import re
from typing import NamedTuple

from khojd.content import names, targets
from khojd.content.model import Link, Section
from khojd.graph import compose, spelling
from khojd.graph.graph import Graph
from khojd.graph.habit import Habit, in_form
from khojd.graph.model import Place, Resolution
from khojd.graph.sheet import Sheet
from khojd.graph.spelling import Dress

LONGEST_TITLE = 60

_WHOLE = ("code", "frontmatter", "drawer")
_HASHES = re.compile(r"[ \t>]*(#{1,6})(?=[ \t\r\n]|\Z)")
_LEAD = re.compile(r"(?:[ \t>]+|#{1,6}[ \t]|\*+[ \t]|[-+][ \t]|[0-9]{1,9}[.)][ \t]|\[[ xX-]\][ \t])*")
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FORBIDDEN = re.compile(r"[\[\]|#^]")
_EMPHASIS = " \t*_~=`/+:.,;"


class Cut(NamedTuple):
    """[start, end) of the text without white space around it. `head` is the heading that it begins with."""

    start: int
    end: int
    title: str
    head: Section | None = None


def cut(sheet: Sheet, start: int, end: int) -> Cut | None:
    """What of [start, end) can be a note of its own; None for nothing, metadata, or a part of a link, code block or table."""
    text = sheet.text
    start, end = _stripped(text, start, end)
    if start >= end or sheet.format not in ("markdown", "org"):
        return None
    if any(mark.kind in _WHOLE and _parted(*_stripped(text, mark.start, mark.end), start, end) for mark in sheet.marks):
        return None
    if any(mark.kind == "frontmatter" and mark.start < end and start < mark.end for mark in sheet.marks):
        return None
    if any(_parted(link.start, link.end, start, end) for link in sheet.links):
        return None
    cells = any(char in "|\r\n" for char in text[start:end])
    if cells and any(mark.kind == "table" and _parted(*_stripped(text, mark.start, mark.end), start, end) for mark in sheet.marks):
        return None
    head = next((one for one in sheet.sections if one.heading_segment and one.heading_segment.start == start), None)
    if head is not None and head.heading.strip():
        return Cut(start, end, _shortened(head.heading), head)
    return Cut(start, end, _shortened(_plain(sheet, start, end)) or f"Part of {names.stem(sheet.path)}", head)


def text_of(graph: Graph, sheet: Sheet, part: Cut, target: Sheet, habit: Habit, *, titled: bool) -> str:
    """The text of `part` in the new note. `target` stands for that note, which `graph` has.

    titled: the new note says its title itself, so a heading that the part begins with is left out, if it says nothing else.
    """
    changes: dict[tuple[int, int], str] = {}
    start = part.start
    if titled and part.head is not None and _says_only_title(sheet, part.head):
        assert part.head.heading_segment is not None, "a head has its heading"
        start = min(part.head.heading_segment.end, part.end)
        while start < part.end and sheet.text[start].isspace() and sheet.text[start] not in " \t":
            start += 1
    _shift(sheet, start, part.end, changes, titled=titled)
    move = _Move(graph, sheet, part, target, habit)
    for link in sheet.links:
        if start <= link.start and link.end <= part.end:
            change = move.carried(link)
            if change is not None:
                changes[change[0], change[1]] = change[2]
    text, at = [], start
    for (low, high), new in sorted(changes.items()):
        if low >= at:
            text += [sheet.text[at:low], new]
            at = high
    return "".join([*text, sheet.text[at : part.end]])


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _parted(low: int, high: int, start: int, end: int) -> bool:
    """Whether [start, end) has a part of [low, high), and not all of it: a word within a link, half of a code block."""
    return low < end and start < high and not (start <= low and high <= end)


def _plain(sheet: Sheet, start: int, end: int) -> str:
    """The first line that says something, without markup."""
    line = sheet.lines.line(start)
    while sheet.lines.starts[line] < end:
        low, high = max(start, sheet.lines.starts[line]), min(end, sheet.lines.end(line))
        shown, at = [], low
        for link in sheet.links:
            if at <= link.start and link.end <= high:
                shown += [sheet.text[at : link.start], link.text or names.stem(link.target).lstrip("#*^")]
                at = link.end
        text = "".join([*shown, sheet.text[at:high]])
        lead = _LEAD.match(text)
        text = text[lead.end() if lead else 0 :].strip(_EMPHASIS)
        if any(char.isalnum() for char in text):
            return text
        line += 1
        if line >= len(sheet.lines):
            break
    return ""


def _shortened(text: str) -> str:
    text = " ".join(_CONTROL.sub(" ", text).split())
    if len(text) <= LONGEST_TITLE:
        return text
    kept = text[: LONGEST_TITLE + 1].rsplit(" ", 1)[0]
    return kept[:LONGEST_TITLE].rstrip(_EMPHASIS)


def _says_only_title(sheet: Sheet, head: Section) -> bool:
    """Whether nothing is lost without the heading: no keyword, tag, date or property of it."""
    if sheet.format != "org":
        return True
    segment = head.heading_segment
    if segment is None or head.todo or head.priority or sheet.text[segment.start : segment.end].rstrip().endswith(":"):
        return False
    following = sheet.text[segment.end :].lstrip(" \t")
    return not following.startswith((":", "SCHEDULED", "DEADLINE", "CLOSED"))


def _shift(sheet: Sheet, start: int, end: int, changes: dict[tuple[int, int], str], *, titled: bool) -> None:
    """Headings begin with the first level, below the title in Markdown, and keep their distances."""
    inside = [one for one in sheet.sections if one.heading_segment and start <= one.heading_segment.start < end]
    if not inside:
        return
    top = 2 if titled and sheet.format == "markdown" else 1
    by = top - min(section.level for section in inside)
    for section in inside if by else ():
        segment = section.heading_segment
        assert segment is not None, "only sections with a heading are inside"
        if sheet.format == "org":
            changes[segment.start, segment.start + section.level] = "*" * max(section.level + by, 1)
        elif found := _HASHES.match(sheet.text, segment.start):
            changes[found.start(1), found.end(1)] = "#" * min(max(section.level + by, 1), 6)
        else:
            _restyle(sheet, section, section.level + by, changes)


def _restyle(sheet: Sheet, section: Section, level: int, changes: dict[tuple[int, int], str]) -> None:
    """An underlined heading, which has two levels only."""
    segment = section.heading_segment
    assert segment is not None, "only sections with a heading are shifted"
    last = sheet.lines.line(max(segment.end - 1, segment.start))
    low, high = sheet.lines.starts[last], sheet.lines.end(last)
    if level in (1, 2):
        sign = "=" if level == 1 else "-"
        changes[low, high] = sign * max(len(sheet.text[low:high].rstrip()), 3)
    elif last == segment.line + 1:  # one line of text above the underline
        changes[segment.start, segment.start] = "#" * min(level, 6) + " "
        changes[sheet.lines.end(last - 1), high] = ""


class _Move(NamedTuple):
    """What it takes to write links for their new place."""

    graph: Graph
    sheet: Sheet
    part: Cut
    target: Sheet
    habit: Habit

    def carried(self, link: Link) -> tuple[int, int, str] | None:
        """What a link of the part must become to lead where it did; None when it does."""
        before = self.graph.resolve(self.sheet, link)
        if link.kind == "reference" and not self.part.start <= link.target_start < self.part.end:
            if self.sheet.text[link.start] == "!":
                return None
            written = self._written(link, before)
            destination = link.target if written is None else written
            label = _LABEL.match(self.sheet.text, link.start)
            shown = link.text or (label[1] if label else link.target)
            return link.start, link.end, f"[{shown}]({f'<{destination}>' if ' ' in destination else destination})"
        if before.target.kind == "here":
            if before.places and self.part.start <= before.places[0].start < self.part.end:
                return None
            return self._led_back(link)
        written = self._written(link, before)
        return None if written is None else (link.target_start, link.target_end, written)

    def _led_back(self, link: Link) -> tuple[int, int, str] | None:
        """A link to another part of its note names that note from now on."""
        place = Place(self.sheet.path, "note", note=self.graph.notes.at(self.sheet.path))
        anchor = link.target.strip()
        if link.kind in ("wiki", "embed"):
            own = compose.wiki_target(self.graph, self.target, place, in_form(self.habit, "wiki"))
            # The catalog may not know a note yet that was made a moment ago.
            stem = names.stem(self.sheet.path)
            written = own + anchor if own else None if _FORBIDDEN.search(stem) else stem + anchor
        elif link.kind in targets.BY_URL:
            written = compose.markdown_target(self.graph, self.target, place, in_form(self.habit, "markdown")) + anchor
        elif link.kind == "org":
            written = f"file:{compose.escaped(_relative(self.target.path, self.sheet.path))}::{anchor}"
        else:
            written = None
        return None if written is None else (link.target_start, link.target_end, written)

    def _written(self, link: Link, before: Resolution) -> str | None:
        """The whole target of a link to another file, as it must be in the new note; None when it is right as it is."""
        if not before.places or before.target.kind not in ("name", "path") or before.target.swapped:
            return None
        span = targets.spans(link, before.target).path
        if span is None:
            return None
        place = before.places[0]
        raw = self.sheet.text[span.start : span.end]
        dress = Dress(link.kind, raw, self.sheet.text[link.target_start - 1 : link.target_start] == "<")
        named = before.target.kind == "name"
        root = self.graph.notes.root(place.path)
        path = spelling.read_path(dress, self.sheet.path, place.path, root, named=named)
        now = spelling.read_path(dress, self.target.path, place.path, root, named=named)
        if path is None or (now is not None and now.way == path.way and self._leads(link, place)):
            return None
        roots = (self.graph.notes.root(self.target.path), root)
        for candidate in spelling.paths(path, (self.sheet.path, self.target.path), (place.path, place.path), roots, named=named):
            written = dress.dressed(candidate)
            if written is None:
                continue
            whole = self.sheet.text[link.target_start : span.start] + written + self.sheet.text[span.end : link.target_end]
            changed = Link(link.kind, link.start, link.end, whole, link.target_start, link.target_end, link.section)
            if self._leads(changed, place):
                return whole
        return None

    def _leads(self, link: Link, place: Place) -> bool:
        found = self.graph.resolve(self.target, link)
        return bool(found.places) and found.places[0].path == place.path


def _relative(source: str, path: str) -> str:
    return posixpath.relpath(path, posixpath.dirname(source))
