"""Tables of contents in notes.

In Markdown between `<!-- toc -->` and `<!-- tocstop -->`, with the headings that follow; in Org the list under the heading tagged
`:TOC:` (`:TOC_3:` for three levels, `_gh` for slugs), with all headings but its own, as the package toc-org keeps it.
"""

import re
from collections import Counter
from typing import NamedTuple

from khojd.content import names
from khojd.content.model import Section
from khojd.graph import compose
from khojd.graph.habit import Habit
from khojd.graph.outline import Heading, Outline
from khojd.graph.sheet import Sheet

_START = re.compile(r"<!--[ \t]*toc[ \t]*-->", re.IGNORECASE)
_STOP = re.compile(r"<!--[ \t]*(?:tocstop|/toc)[ \t]*-->", re.IGNORECASE)
_TAG = re.compile(r"TOC(?:_([1-9]))?(?:_(gh|org))?(?:@[\w@]*)?", re.IGNORECASE)
_ITEM = re.compile(r"[ \t]*[-+*][ \t]+\[\[?")
_DRAWER_END = re.compile(r":END:[ \t]*", re.IGNORECASE)
ORG_DEPTH = 2  # toc-org's own


class Change(NamedTuple):
    """[start, end) of the text becomes `text`."""

    start: int
    end: int
    text: str


class _Frame(NamedTuple):
    """Where a table of contents stands: [start, end) is its inside, in whole lines."""

    start: int
    end: int
    depth: int  # levels of headings that are listed
    style: str  # "wiki", "slug", "org", "org-slug"; "" where nothing tells
    section: int  # whose own heading is left out
    stop: bool  # an end mark is there


def has(sheet: Sheet) -> bool:
    """Whether the note has a table of contents."""
    return _frame(sheet) is not None


def updated(sheet: Sheet, habit: Habit) -> Change | None:
    """What makes the table of contents say what the headings are now; None when it does, or there is none."""
    frame = _frame(sheet)
    if frame is None:
        return None
    newline = sheet.newline
    wanted = _lines(sheet, frame, habit)
    if sheet.format == "org":
        text = "".join(line + newline for line in wanted)
        if frame.start and sheet.text[frame.start - 1] not in "\r\n":
            text = newline + text
    else:
        body = newline.join(wanted)
        text = f"{newline}{body}{newline}{newline}" if body else newline
        if frame.start and sheet.text[frame.start - 1] not in "\r\n":
            text = newline + text
        if not frame.stop:
            text += f"<!-- tocstop -->{newline}"
    return _smallest(sheet.text, frame.start, frame.end, text)


def inserted(sheet: Sheet, habit: Habit) -> Change | None:
    """What puts a table of contents where one mostly stands: under the title in Markdown, above all headings in Org.

    None for a note with fewer than two headings, or that has one.
    """
    headings = [heading for heading in Outline.of(sheet).headings if heading.text]
    if len(headings) < 2 or has(sheet):
        return None
    newline = sheet.newline
    if sheet.format == "org":
        at = headings[0].start
        lines = _listed(sheet, headings, habit, depth=ORG_DEPTH, style="org")
        text = newline.join(["* Contents :TOC:", *lines, "", ""])
        return Change(at, at, text)
    first = sheet.sections[headings[0].section]
    top = first.level == 1 and not any(heading.level == 1 for heading in headings[1:]) and first.heading_segment is not None
    if top and first.heading_segment is not None:
        at, listed = first.heading_segment.end, headings[1:]
    else:
        at, listed = headings[0].start, headings
    lines = _listed(sheet, listed, habit, depth=6)
    lead = "" if not at or sheet.text[at - 1] in "\r\n" else newline
    text = lead + (newline if top else "") + newline.join(["<!-- toc -->", "", *lines, "", "<!-- tocstop -->", ""])
    return Change(at, at, text if top else text + newline)


def _frame(sheet: Sheet) -> _Frame | None:
    if sheet.format == "org":
        return _org_frame(sheet)
    if sheet.format != "markdown" or "toc" not in sheet.text.lower():
        return None
    for match in _START.finditer(sheet.text):
        if any(mark.kind == "code" and mark.start <= match.start() < mark.end for mark in sheet.marks):
            continue
        start = _next_line(sheet, match.end())
        stop = _STOP.search(sheet.text, match.end())
        end = stop.start() if stop is not None else start
        inside = sheet.text[min(start, end) : end]
        style = "wiki" if "[[#" in inside else "slug" if "](" in inside else ""  # wikilinks cannot tell headings of one name
        return _Frame(min(start, end), end, 6, style, -1, stop is not None)
    return None


def _org_frame(sheet: Sheet) -> _Frame | None:
    for index, section in enumerate(sheet.sections):
        segment = section.heading_segment
        if segment is None:
            continue
        heading = sheet.text[segment.start : segment.end].rstrip()
        tags = heading.rsplit(" ", 1)[-1].rsplit("\t", 1)[-1] if heading.endswith(":") else ""
        tag = next((found for word in tags.split(":") if (found := _TAG.fullmatch(word))), None)
        if tag is None:
            continue
        start, end = _list(sheet, segment.end, section)
        inside = sheet.text[start:end]
        slugs = (tag[2] or "").lower() == "gh" or (not tag[2] and re.search(r"\[\[#", inside) is not None)
        return _Frame(start, end, int(tag[1] or ORG_DEPTH), "org-slug" if slugs else "org", index, True)
    return None


def _list(sheet: Sheet, at: int, section: Section) -> tuple[int, int]:
    """The list of links that is there, else the empty range where it belongs: under the heading and its drawer."""
    line = sheet.lines.line(at) if at < len(sheet.text) or sheet.text[-1:] in ("\r", "\n") else len(sheet.lines)
    last = sheet.lines.line(section.span.end - 1) if section.span.end else 0
    if line <= last and sheet.line_text(line).strip().upper() == ":PROPERTIES:":
        while line <= last and not _DRAWER_END.fullmatch(sheet.line_text(line).strip()):
            line += 1
        line += 1
    place = sheet.lines.starts[line] if line < len(sheet.lines) else len(sheet.text)
    first = line
    while first <= last and not sheet.line_text(first).strip():
        first += 1
    if first > last or not _ITEM.match(sheet.line_text(first)):
        return place, place
    end = first
    while end <= last and _ITEM.match(sheet.line_text(end)):
        end += 1
    return sheet.lines.starts[first], sheet.lines.starts[end] if end < len(sheet.lines) else len(sheet.text)


def _lines(sheet: Sheet, frame: _Frame, habit: Habit) -> list[str]:
    headings = [heading for heading in Outline.of(sheet).headings if heading.text]
    if sheet.format == "org":
        headings = [
            heading
            for heading in headings
            if heading.section != frame.section and "noexport" not in map(str.lower, sheet.sections[heading.section].tags)
        ]
    else:
        headings = [heading for heading in headings if heading.start >= frame.end]
    bullet = found[0].strip()[0] if (found := _ITEM.search(sheet.text[frame.start : frame.end])) else "-"
    return _listed(sheet, headings, habit, depth=frame.depth, style=frame.style, bullet=bullet)


def _listed(sheet: Sheet, headings: list[Heading], habit: Habit, *, depth: int, style: str = "", bullet: str = "-") -> list[str]:
    """The items; a heading is as deep in the list as it has listed headings above it."""
    outline = Outline.of(sheet)
    custom = {anchor.section: anchor.name for anchor in reversed(outline.anchors) if anchor.kind == "custom_id"}
    keys = Counter(names.heading_key(heading.text) for heading in outline.headings)
    style = style or ("wiki" if habit.style == "wiki" else "slug")
    lines = []
    above: list[int] = []
    for heading in headings:
        while above and above[-1] >= heading.level:
            above.pop()
        above.append(heading.level)
        if len(above) <= depth:
            unique = keys[names.heading_key(heading.text)] == 1
            link = _link(heading, outline.slugs[heading.section], style, custom.get(heading.section, ""), unique=unique)
            lines.append(f"{'  ' * (len(above) - 1)}{bullet} {link}")
    return lines


def _link(heading: Heading, slug: str, style: str, custom: str, *, unique: bool) -> str:
    if style in ("org", "org-slug"):
        described = heading.text.replace("[", "{").replace("]", "}")
        if style == "org-slug":
            return f"[[#{slug}][{described}]]"
        target = f"#{custom}" if custom else f"*{heading.text}"
        return f"[[{compose.escaped(target)}][{described}]]"
    if style == "wiki" and unique:
        named = re.sub(r"[\[\]|#^]+", " ", heading.text)
        return f"[[#{' '.join(named.split())}]]"
    shown = re.sub(r"([\[\]\\])", r"\\\1", heading.text)
    return f"[{shown}](#{slug or compose.encoded(heading.text)})"


def _smallest(text: str, start: int, end: int, wanted: str) -> Change | None:
    """Only the lines that differ."""
    now = text[start:end]
    if now == wanted:
        return None
    old, new = now.splitlines(keepends=True), wanted.splitlines(keepends=True)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    low = start + sum(map(len, old[:head]))
    high = end - sum(map(len, old[len(old) - tail :]))
    return Change(low, high, "".join(new[head : len(new) - tail]))


def _next_line(sheet: Sheet, offset: int) -> int:
    line = sheet.lines.line(offset)
    return sheet.lines.starts[line + 1] if line + 1 < len(sheet.lines) else len(sheet.text)
