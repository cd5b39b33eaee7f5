"""CommonMark's top-level blocks line by line, in linear time and constant stack, an order of magnitude faster than a parser.

Follows the CommonMark specification 0.31 (sections 4 and 5, and the parsing strategy of its appendix) at the top level; inside list
items it follows the columns at which nested items begin, inside block quotes nothing. Wherever more would have to be known (lazy
continuation, code and HTML inside containers, tables and link reference definitions before an underline, footnotes) it goes on with
a guess and says that it is not sure, so that the caller can ask a parser.
"""

import re
from bisect import bisect_right
from typing import NamedTuple

_ATX = re.compile(r"(#{1,6})(?:[ \t]|$)")
_SETEXT = re.compile(r"(?:=+|-+)[ \t]*$")
_BREAK = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"([-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")
_FOOTNOTE = re.compile(r"\[\^[^\] ]+\]:")
# What can only be a paragraph's line: no marker of a block, no definition, no row of hyphens below a table's head.
_PROSE = re.compile(r"[^\W_]|\*\*?[^\W_]|`[^`]|\[\[|\[[ xX]\] |\[[^\[\]\\]+\]\(|<https?://")
_DELIMITERS = re.compile(r"[ \t>]*-*[ \t]*[|:][-|: \t]*$")
_HARD_IN_QUOTE = re.compile(r"```|~~~|<|\t|    ")

_BLOCK_NAMES = (
    "address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem "
    "nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr track ul"
)
_ATTRIBUTE = r"""\s+[A-Za-z_:][A-Za-z0-9_.:-]*(?:\s*=\s*(?:[^"'=<>`\x00-\x20]+|'[^']*'|"[^"]*"))?"""
# The seven kinds of HTML block: how it opens, how it ends ("" is a blank line), whether it may interrupt a paragraph.
_HTML = (
    (re.compile(r"<(?:script|pre|style|textarea)(?=[\s>]|$)", re.I), re.compile(r"</(?:script|pre|style|textarea)>", re.I), True),
    (re.compile(r"<!--"), re.compile(r"-->"), True),
    (re.compile(r"<\?"), re.compile(r"\?>"), True),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>"), True),
    (re.compile(r"<![A-Za-z]"), re.compile(r">"), True),
    (re.compile(rf"</?(?:{_BLOCK_NAMES.replace(' ', '|')})(?=\s|/?>|$)", re.I), None, True),
    (re.compile(rf"(?:<[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*\s*/?>|</[A-Za-z][A-Za-z0-9-]*\s*>)\s*$"), None, False),
)


class Found(NamedTuple):
    """Headings as (first line, line after, level), opaque lines (code, HTML) as (first line, line after), in order.

    `sure`: both are those of the specification, but for blank lines at the edges of code.
    """

    headings: list[tuple[int, int, int]]
    opaque: list[tuple[int, int]]
    sure: bool


def scan(lines: list[str]) -> Found:
    """The headings and opaque lines of a text given as its lines, without line ends and without NULs."""
    return _Scan(lines).run()


class _Scan:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.headings: list[tuple[int, int, int]] = []
        self.opaque: list[tuple[int, int]] = []
        self.sure = True
        self.paragraph = -1  # first line of the open top-level paragraph
        self.tricky = False  # it may be a table or start with link reference definitions
        self.inside = ""  # open container: "list" (and footnotes), "quote"
        self.columns: list[int] = []  # where the content of the open list items starts, the outermost first
        self.empty = False  # the list item has nothing in it yet
        self.blank = True  # the line before was blank
        self.prose: list[str] | None = None  # lines of what may be the container's open paragraph, that were not looked at yet
        self.fence = ""  # fence open inside the container
        self.fence_column = 0

    def run(self) -> Found:
        number = 0
        while number < len(self.lines):
            number = self._line(number)
        return Found(self.headings, self.opaque, self.sure)

    def _line(self, number: int) -> int:
        """Take the line, and for leaf blocks of several lines those after it; gives the next line."""
        line = self.lines[number]
        body = line.lstrip(" \t")
        if not body:
            if self.inside == "quote" or self.empty:
                self._leave()
            self.paragraph, self.blank = -1, True
            if self.fence:
                self.opaque.append((number, number + 1))
            return number + 1
        indent = _columns(line, len(line) - len(body))
        if self.inside:
            if self.inside == "quote" and body[0] == ">":
                self._in_quote(body, indent)
                self.blank = False
                return number + 1
            if self.inside == "list" and indent >= self.columns[0]:
                self._in_list(number, body, indent)
                self.blank = False
                return number + 1
            if not self.blank and not self._interrupts(body, indent):
                self.sure = indent < 4 and self._in_paragraph(number, body) and self.sure
                return number + 1
            self._leave()
        self.blank = False
        return self._top(number, body, indent)

    def _leave(self) -> None:
        self.inside, self.fence, self.empty, self.prose = "", "", False, None
        self.columns.clear()

    def _in_quote(self, body: str, indent: int) -> None:
        if indent >= 4 or _HARD_IN_QUOTE.search(body):
            self.sure = False
        self.prose = None

    def _in_list(self, number: int, body: str, indent: int) -> None:
        """A line inside a list item: follow nested items and fences."""
        self.empty = False
        if self.blank:
            self.prose = []
        if self.fence:
            self.prose = None
            self.opaque.append((number, number + 1))
            closes = body.startswith(self.fence) and not body.rstrip(" \t").strip(self.fence[0])
            if indent < self.fence_column or (closes and indent != self.fence_column):
                self.sure = False
            if closes:
                self.fence = ""
            return
        found = _ITEM.match(body) if body[0] in "-+*0123456789" and not _BREAK.match(body) else None
        if indent < self.columns[-1]:
            if not self.blank and found is None:
                column = self.columns[bisect_right(self.columns, indent) - 1]
                if indent - column < 4 and not self._interrupts(body, 0) and self._in_paragraph(number, body):
                    return
                self.sure = False
            while self.columns[-1] > indent:
                self.columns.pop()
        elif found and not self.blank and _cannot_interrupt(found[1], body):
            self.sure = False
        if indent - self.columns[-1] >= 4:
            self.sure = False  # indented code, or a paragraph's continuation
        if found:
            self._item(number, body, found.end(), indent)
        elif _starts_other(body):
            self.sure, self.prose = False, None
        elif body[0] in "`~" and (fence := _FENCE.match(body)):
            self._open_fence(number, fence[1], indent)
        elif self.prose is not None:
            self.prose.append(body)

    def _item(self, number: int, body: str, marker: int, indent: int) -> None:
        """A list item starts: note where its content does, and what it starts with as far as that matters."""
        column = _content_column(body, marker, indent)
        content = body[marker:].lstrip(" \t")
        space = body[marker : len(body) - len(content)]
        nested = len(self.columns) > 0
        self.columns.append(column)
        self.prose = None
        if not content:
            self.empty = not nested
            self.sure = self.sure and not nested
        elif "\t" in space or len(space) > 4 or _ITEM.match(content) or _starts_other(content):
            self.sure = False
        elif content[0] in "`~" and (fence := _FENCE.match(content)):
            self._open_fence(number, fence[1], column)
        else:
            self.prose = [content]

    def _in_paragraph(self, number: int, body: str) -> bool:
        """Whether the line is lazy continuation text for sure: the container's last block is a paragraph, and no table starts."""
        below = self.lines[number + 1] if number + 1 < len(self.lines) else ""
        if self.prose is not None and body[0] not in "|:-" and not _DELIMITERS.match(below) and all(map(_PROSE.match, self.prose)):
            self.prose.clear()
            return True
        self.prose = None
        return False

    def _open_fence(self, number: int, fence: str, column: int) -> None:
        self.prose = None
        self.fence, self.fence_column = fence, column
        self.opaque.append((number, number + 1))

    def _interrupts(self, body: str, indent: int) -> bool:
        """Whether a line ends a paragraph of a container that it does not belong to."""
        if indent >= 4:
            return False
        first = body[0]
        if first == "#":
            return _ATX.match(body) is not None
        if first in "`~":
            return _FENCE.match(body) is not None
        if first == "<":
            return (kind := _html(body)) is not None and kind[2]
        if first in "-+*_0123456789":
            return _BREAK.match(body) is not None or _ITEM.match(body) is not None
        return first == ">" or (self.inside == "list" and _FOOTNOTE.match(body) is not None)

    def _top(self, number: int, body: str, indent: int) -> int:
        within = self.paragraph >= 0
        if indent >= 4:
            if not within:
                self.opaque.append((number, number + 1))
            self.sure = self.sure and not (within and self.tricky)
            return number + 1
        first = body[0]
        if within and first in "=-" and _SETEXT.match(body):
            self.headings.append((self.paragraph, number + 1, 1 if first == "=" else 2))
            self.sure = self.sure and not self.tricky
        elif first == "#" and (atx := _ATX.match(body)):
            self.headings.append((number, number + 1, len(atx[1])))
        elif first in "`~" and (fence := _FENCE.match(body)):
            return self._close(number, self._fence_end(number, fence[1]))
        elif first == "<" and (kind := _html(body)) is not None and (kind[2] or not within):
            return self._close(number, self._html_end(number, body, kind[1]))
        elif first == ">":
            self.inside = "quote"
            self._in_quote(body, indent)
        elif first in "-+*_" and _BREAK.match(body):
            pass
        elif first in "-+*0123456789" and (item := _ITEM.match(body)) and not (within and _cannot_interrupt(item[1], body)):
            self.inside = "list"
            self._item(number, body, item.end(), indent)
        elif first == "[" and _FOOTNOTE.match(body):
            self.inside, self.sure = "list", False
            self.columns.append(4)
        else:
            if not within:
                self.paragraph = number
                self.tricky = first == "["
            elif self.tricky and first in "<-+*0123456789":
                self.sure = False  # after a table's row or a definition it may start a block, which it cannot in a paragraph
            self.tricky = self.tricky or "|" in body
            return number + 1
        self.paragraph = -1
        return number + 1

    def _close(self, first: int, after: int) -> int:
        self.opaque.append((first, after))
        self.paragraph = -1
        self.blank = not self.lines[after - 1].strip(" \t")
        return after

    def _fence_end(self, number: int, fence: str) -> int:
        for later in range(number + 1, len(self.lines)):
            line = self.lines[later]
            body = line.strip(" \t")
            if body.startswith(fence) and not body.strip(fence[0]) and _columns(line, len(line) - len(line.lstrip(" \t"))) < 4:
                return later + 1
        return len(self.lines)

    def _html_end(self, number: int, body: str, end: re.Pattern[str] | None) -> int:
        if end is None:
            while number < len(self.lines) and self.lines[number].strip(" \t"):
                number += 1
            return number
        if end.search(body):
            return number + 1
        for later in range(number + 1, len(self.lines)):
            if end.search(self.lines[later]):
                return later + 1
        return len(self.lines)


def _columns(line: str, length: int) -> int:
    """Width of the first `length` characters, spaces and tabs to stops of four."""
    if "\t" not in line[:length]:
        return length
    return len(line[:length].expandtabs(4))


def _starts_other(body: str) -> bool:
    """Whether a quote, an HTML block or a footnote starts."""
    return body[0] == ">" or (body[0] == "<" and _html(body) is not None) or body.startswith("[^")


def _html(body: str) -> tuple[re.Pattern[str], re.Pattern[str] | None, bool] | None:
    return next((kind for kind in _HTML if kind[0].match(body)), None)


def _cannot_interrupt(marker: str, body: str) -> bool:
    """An empty item, or an ordered one that does not start at 1, is no list after a paragraph's line."""
    return (marker[0].isdigit() and int(marker[:-1]) != 1) or not body[len(marker) :].strip(" \t")


def _content_column(body: str, marker: int, indent: int) -> int:
    """The column at which an item's content starts; content of five columns and more after the marker is indented code."""
    column = start = indent + marker
    for character in body[marker:]:
        if character == " ":
            column += 1
        elif character == "\t":
            column += 4 - column % 4
        else:
            break
    else:
        return start + 1
    return start + 1 if column - start > 4 else column
