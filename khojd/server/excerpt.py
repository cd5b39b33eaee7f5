"""A piece of a note as a hover shows it: Markdown as it is, Org put into Markdown, or plain text."""

import re
from bisect import bisect_left

from khojd.graph.sheet import Sheet

MOST_LINES = 30
MOST_CHARACTERS = 2_000
_LOOKED_AT = 10 * MOST_CHARACTERS  # of a text that may be of any length; more than is shown, as drawers are left out

_KEYWORD = re.compile(r"[ \t]*#\+(\w+)(?::[ \t]*(.*)|([ \t].*)?)$")
_DRAWER = re.compile(r"[ \t]*:(?:PROPERTIES|LOGBOOK):[ \t]*", re.IGNORECASE)
_HEADLINE = re.compile(r"(\*+)[ \t]+(.*)$")
_LINK = re.compile(r"\[\[((?:[^\[\]\\]|\\.)+)\](?:\[((?:[^\[\]]|\[(?!\[)|\](?!\]))+)\])?\]")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])"), r"**\1**"),
    (re.compile(r"(?<![\w/:.])/(\S(?:[^/\n]*\S)?)/(?![\w/])"), r"*\1*"),
    (re.compile(r"(?<![\w=])=(\S(?:[^=\n]*\S)?)=(?![\w=])"), r"`\1`"),
    (re.compile(r"(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])"), r"`\1`"),
)
_LITERAL = {"src", "example", "export"}


def excerpt(sheet: Sheet, start: int, end: int, *, markdown: bool) -> str:
    """The text of a range, at most `MOST_LINES` lines of it; an ellipsis stands for the rest. Property drawers are left out."""
    stop = min(end, start + _LOOKED_AT)
    text = sheet.text[start:stop].replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if sheet.format == "org":
        text = org_to_markdown(text) if markdown else without_drawers(text)
    lines = text.split("\n")
    shown = "\n".join(lines[:MOST_LINES])
    cut = stop < end or len(lines) > MOST_LINES or len(shown) > MOST_CHARACTERS
    shown = shown[:MOST_CHARACTERS].rstrip()
    if not cut:
        return shown
    # A fence that was cut off would swallow what follows.
    return shown + ("\n```" if markdown and shown.count("```") % 2 else "") + "\n…"


def section_text(sheet: Sheet, index: int, *, markdown: bool) -> str:
    """A section with all below it; of the root the text before the first heading, or all of it when that is short."""
    section = sheet.sections[index]
    start, end = section.span.start, section.span.end
    if index == 0:
        start = max((mark.end for mark in sheet.marks if mark.kind == "frontmatter"), default=0)
        end = len(sheet.text)
    return excerpt(sheet, start, end, markdown=markdown)


def without_drawers(text: str) -> str:
    """Org text without property and log drawers."""
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines) if line.strip().upper() == ":END:"]
    kept, number = [], 0
    while number < len(lines):
        closed = bisect_left(ends, number) if _DRAWER.fullmatch(lines[number]) else len(ends)
        if closed < len(ends):
            number = ends[closed] + 1
        else:
            kept.append(lines[number])
            number += 1
    return "\n".join(kept)


def org_to_markdown(text: str) -> str:
    """Org markup as Markdown has it, line by line: enough to be read in a hover, not an export."""
    shown: list[str] = []
    literal = ""
    for line in without_drawers(text).split("\n"):
        keyword = _KEYWORD.match(line)
        name = keyword[1].lower() if keyword else ""
        if literal:
            if name == "end_" + literal:
                literal = ""
                shown.append("```")
            else:
                shown.append(line)
        elif name.startswith("begin_"):
            literal = name[6:] if name[6:] in _LITERAL else ""
            if literal:
                language = (keyword[3] or "").split()[:1] if keyword else []
                shown.append("```" + ("".join(language) if literal == "src" else ""))
        elif name == "title" and keyword:
            shown.append(f"**{keyword[2] or ''}**\n")
        elif not name:
            shown.append(_inline(line))
    return "\n".join(shown)


def _inline(line: str) -> str:
    if headline := _HEADLINE.match(line):
        return f"{'#' * min(len(headline[1]), 6)} {_inline(headline[2])}"
    line = _LINK.sub(lambda link: link[2] or link[1], line)
    if line.lstrip().startswith(("|", ": ")):
        return line
    for pattern, replacement in _STYLES:
        line = pattern.sub(replacement, line)
    return line
