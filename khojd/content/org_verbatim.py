"""Where Org text is `=verbatim=` or `~code~`, in which nothing else has a meaning.

Syntax: https://orgmode.org/worg/org-syntax.html#Emphasis_Markers. A span stays within its paragraph, item or table cell.
"""

import re

# What a line that ends the paragraph before it starts with. After a line end, as a lookahead.
BREAK = r"[ \t]*(?:[\r\n]|\Z|#[+ ]|\||:[ \w]|[-+][ \t]|\*+[ \t]|[0-9]+[.)][ \t]|\[fn:)"

# Org's own characters, and those at which an object ends that holds the span: other emphasis and table cells.
_OPENINGS = {marks: re.compile(rf"{marks}(?<![^\s\-('\"{{*/_+|].)(?=\S)") for marks in ("=", "~", "[=~]")}
_CLOSINGS = {
    mark: re.compile(rf"{mark}(?<=\S{mark})(?=[\s\-.,;:!?'\")}}\\\[*/_+|]|\Z)|(?P<limit>(?:\r\n?+|\n)(?={BREAK}))") for mark in "=~"
}


class Verbatim:
    """The verbatim spans of a text, asked for in ascending order. Linear in the text's length."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._read = 0  # before this offset all is known that matters after it
        self._stop = 0  # of the last span, or of the last object that was taken before it could open one
        self._dead = dict.fromkeys(_CLOSINGS, 0)  # no span of that mark opens before this offset: none would be closed

    def holds(self, offset: int) -> bool:
        """Whether `offset` is in a span."""
        text = self._text
        start = max(self._read, self._stop)
        if start < offset:
            start = max(start, text.rfind("\n\n", start, offset))  # spans end there, and most text is not near a link
            first, other = text.find("=", start, offset), text.find("~", start, offset)
            if first >= 0 or other >= 0:
                self._open("=" if other < 0 else "~" if first < 0 else "[=~]", start, offset)
            self._read = offset
        return offset < self._stop

    def take(self, end: int) -> None:
        """Say that an object which ends at `end` was found: what opens in it is no span."""
        self._stop = max(self._stop, end)

    def _open(self, marks: str, start: int, end: int) -> None:
        for opening in _OPENINGS[marks].finditer(self._text, start, end + 1):  # what follows an opening must be seen
            at, mark = opening.start(), opening[0]
            if at < self._stop or at < self._dead[mark]:
                continue
            close = _CLOSINGS[mark].search(self._text, at + 2)
            if close is None:
                self._dead[mark] = len(self._text)
            elif close["limit"]:
                self._dead[mark] = close.start()
            else:
                self._stop = close.end()
