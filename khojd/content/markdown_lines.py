"""CommonMark's top-level blocks line by line, in linear time and constant stack, for texts too large or too deep for a parser.

Follows the CommonMark specification 0.31 (sections 4 and 5, and the parsing strategy of its appendix) at the top level only: what
lies inside a list item, block quote or footnote is known to be inside, but is not looked into. It guesses in three places: a line
of plain text right after a container's line continues it (lazy continuation) even where the container's last block was no
paragraph; code inside containers is recognised by its fences; tables and link reference definitions count as paragraphs.
"""

import re

_ATX = re.compile(r"(#{1,6})(?:[ \t]|$)")
_SETEXT = re.compile(r"(?:=+|-+)[ \t]*$")
_BREAK = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r"([-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")
_FOOTNOTE = re.compile(r"\[\^[^\] ]+\]:")
_MARKERS = re.compile(r"(?:[ \t]*(?:>|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t])))*[ \t]*")

_BLOCK_NAMES = (
    "address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem "
    "nav noframes ol optgroup option p param search section summary table tbody td tfoot th thead title tr track ul"
)
_ATTRIBUTE = r"""[ \t]+[A-Za-z_:][A-Za-z0-9_.:-]*(?:[ \t]*=[ \t]*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
# The seven kinds of HTML block: how it opens, how it ends ("" is a blank line), whether it may interrupt a paragraph.
_HTML = (
    (re.compile(r"<(?:script|pre|style|textarea)(?=[\s>]|$)", re.I), re.compile(r"</(?:script|pre|style|textarea)>", re.I), True),
    (re.compile(r"<!--"), re.compile(r"-->"), True),
    (re.compile(r"<\?"), re.compile(r"\?>"), True),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>"), True),
    (re.compile(r"<![A-Za-z]"), re.compile(r">"), True),
    (re.compile(rf"</?(?:{_BLOCK_NAMES.replace(' ', '|')})(?=\s|/?>|$)", re.I), None, True),
    (re.compile(rf"(?:<[A-Za-z][A-Za-z0-9-]*(?:{_ATTRIBUTE})*[ \t]*/?>|</[A-Za-z][A-Za-z0-9-]*[ \t]*>)\s*$"), None, False),
)

Found = tuple[list[tuple[int, int, int]], list[tuple[int, int]]]


def scan(lines: list[str]) -> Found:
    """Headings as (first line, line after, level), and opaque lines (code, HTML) as (first line, line after), in order."""
    return _Scan(lines).run()


class _Scan:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.headings: list[tuple[int, int, int]] = []
        self.opaque: list[tuple[int, int]] = []
        self.paragraph = -1  # first line of the open top-level paragraph
        self.inside = ""  # open container: "list" (and footnotes), "quote"
        self.width = 0  # columns a line must be indented by to belong to the list item
        self.blank = True  # the line before was blank
        self.fence = ""  # fence open inside the container

    def run(self) -> Found:
        number = 0
        while number < len(self.lines):
            number = self._line(number)
        return self.headings, self.opaque

    def _line(self, number: int) -> int:
        """Take the line, and for leaf blocks of several lines those after it; gives the next line."""
        line = self.lines[number]
        body = line.lstrip(" \t")
        if not body:
            if self.inside == "quote" or (self.inside == "list" and self.width < 0):
                self._leave()
            self.paragraph, self.blank = -1, True
            if self.fence:
                self.opaque.append((number, number + 1))
            return number + 1
        indent = _columns(line, len(line) - len(body))
        if self.inside:
            if self._belongs(body, indent):
                self._inner(number, body)
                self.blank = False
                return number + 1
            if not self.blank and not self._interrupts(body, indent):
                return number + 1  # lazy continuation
            self._leave()
        self.blank = False
        return self._top(number, body, indent)

    def _leave(self) -> None:
        self.inside, self.width, self.fence = "", 0, ""

    def _belongs(self, body: str, indent: int) -> bool:
        return body[0] == ">" if self.inside == "quote" else indent >= abs(self.width)

    def _inner(self, number: int, body: str) -> None:
        """Keep track of fences inside a container."""
        self.width = abs(self.width)
        if self.inside == "quote":
            body = body.lstrip("> \t")
        if self.fence:
            self.opaque.append((number, number + 1))
            if body.startswith(self.fence) and not body.strip(self.fence[0] + " \t"):
                self.fence = ""
        elif ("```" in body or "~~~" in body) and (found := _FENCE.match(body, _markers_end(body))):
            self.fence = found[1]
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
            return number + 1
        first = body[0]
        if within and first in "=-" and _SETEXT.match(body):
            self.headings.append((self.paragraph, number + 1, 1 if first == "=" else 2))
        elif first == "#" and (found := _ATX.match(body)):
            self.headings.append((number, number + 1, len(found[1])))
        elif first in "`~" and (found := _FENCE.match(body)):
            return self._close(number, self._fence_end(number, found[1]))
        elif first == "<" and (kind := _html(body)) is not None and (kind[2] or not within):
            return self._close(number, self._html_end(number, body, kind[1]))
        elif first == ">":
            self.inside = "quote"
            self._inner(number, body)
        elif first in "-+*_" and _BREAK.match(body):
            pass
        elif (first in "-+*0123456789" and (found := _ITEM.match(body)) and not (within and _cannot_interrupt(found[1], body))) or (
            first == "[" and (found := _FOOTNOTE.match(body))
        ):
            self.inside = "list"
            self.width = 4 if first == "[" else _content_column(body, found.end(), indent)
            rest = body[found.end() :]
            empty = not rest.strip(" \t")
            if not empty and ("```" in rest or "~~~" in rest):
                self._inner(number, rest.lstrip(" \t"))
            self.width = -self.width if empty and first != "[" else self.width
        else:
            self.paragraph = self.paragraph if within else number
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


def _html(body: str) -> tuple[re.Pattern[str], re.Pattern[str] | None, bool] | None:
    return next((kind for kind in _HTML if kind[0].match(body)), None)


def _markers_end(body: str) -> int:
    found = _MARKERS.match(body)
    return found.end() if found else 0


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
