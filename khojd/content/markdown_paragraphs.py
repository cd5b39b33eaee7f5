"""The pieces of a Markdown text whose inline marks belong together: paragraphs, headings, list items, table rows.

A link's text may run over several lines, but not from one of these pieces into the next. Blocks of code and HTML are known before
(see `markdown_outline`) and are no part of what is cut here. A line that looks like the start of a block starts one here, also
where CommonMark lets it continue a paragraph (`2. ` after text).
"""

import re
from collections.abc import Iterator

_LINE_END = re.compile(r"\r\n?|\n")
_END = r"(?=[\r\n]|\Z)"
_MARKER = r"(?:[-+*]|[0-9]{1,9}[.)])"
# What is a piece of its own, in one line: headings, empty items, underlines and breaks; in a table also its rows.
_ALONE = (
    rf"\#{{1,6}}(?=[ \t\r\n]|\Z)|{_MARKER}[ \t]*{_END}"
    rf"|=+[ \t]*{_END}|(?>(?:-[ \t]*)+){_END}|(?>(?:\*[ \t]*){{3,}}){_END}|(?>(?:_[ \t]*){{3,}}){_END}"
)
_DELIMITERS = r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t|:-]*)?"
_ROW = rf"\||{_DELIMITERS}{_END}"
_BLANK = r"(?:[ \t>]*+(?:\r\n?+|\n))"
_BLANKS = re.compile(rf"(?>{_BLANK}*)")


def _border(alone: str) -> re.Pattern[str]:
    start = rf"{_MARKER}(?=[ \t\r\n]|\Z)|\[\^[^\s\[\]]+\]:|{alone}"
    return re.compile(rf"(?:\r\n?+|\n)(?:(?>{_BLANK}+)|(?=[ \t>]*+(?:{start})|[ \t]*+(>)))")


def _single(alone: str) -> re.Pattern[str]:
    return re.compile(rf"[ \t>]*+(?>(?:{_MARKER}[ \t]+)*)(?:{alone})")


_TEXT = _border(_ALONE), _single(_ALONE)
_TABLE = _border(f"{_ALONE}|{_ROW}"), _single(f"{_ALONE}|{_ROW}")
_HAS_TABLE = re.compile(rf"[\r\n][ \t>]*+{_DELIMITERS}{_END}")
_QUOTE = re.compile(r"[ \t]*+(?>(?:>[ \t]?)*)")
_PREFIX = re.compile(rf"[ \t]*+(?>(?:(?:>|{_MARKER}(?=[ \t]))[ \t]*+)*)")


def pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The ranges of the pieces of `text[start:end]`, which starts where a line does, in order; blank lines may be left out."""
    at = blanks.end() if (blanks := _BLANKS.match(text, start, end)) else start
    table = text.find("|", start, end) >= 0 and _HAS_TABLE.search(text, start, end) is not None
    borders, single = _TABLE if table else _TEXT
    for border in borders.finditer(text, at, end):
        cut = border.end()
        if border[1] and _depth(text, cut, end) <= _depth(text, _line_start(text, at, border.start()), end):
            continue  # the quote goes on
        yield from _split(text, at, cut, single)
        at = cut
    if at < end:
        yield from _split(text, at, end, single)


def content(text: str, start: int, end: int) -> int:
    """Where a piece's own text starts, after the markers of quotes and list items."""
    found = _PREFIX.match(text, start, end)
    return found.end() if found else start


def _split(text: str, start: int, end: int, single: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """A piece that starts with a heading or a table's row ends with its line."""
    if single.match(text, start, end) and (after := _LINE_END.search(text, start, end)) and after.end() < end:
        yield start, after.end()
        start = after.end()
    yield start, end


def _line_start(text: str, low: int, at: int) -> int:
    return max(text.rfind("\n", low, at), text.rfind("\r", low, at), low - 1) + 1


def _depth(text: str, start: int, end: int) -> int:
    found = _QUOTE.match(text, start, end)
    return text.count(">", start, found.end()) if found else 0
