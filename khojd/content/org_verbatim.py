"""Where Org text is `=verbatim=` or `~code~`, in which nothing else has a meaning.

Syntax: https://orgmode.org/worg/org-syntax.html#Emphasis_Markers. A span stays within its paragraph, item or table cell.
"""

import re

# What a line that ends the paragraph before it starts with. After a line end, as a lookahead.
BREAK = r"[ \t]*(?:[\r\n]|\Z|#[+ ]|\||:[ \w]|[-+][ \t]|\*+[ \t]|[0-9]+[.)][ \t])"

# Org's own characters, and those at which an object ends that holds the span: other emphasis and table cells.
_OPENINGS = {mark: re.compile(rf"{mark}(?<![^\s\-('\"{{*/_+|]{mark})(?=\S)") for mark in "=~"}
_CLOSINGS = {
    mark: re.compile(rf"{mark}(?<=\S{mark})(?=[\s\-.,;:!?'\")}}\\\[*/_+|]|\Z)|(?P<limit>(?:\r\n?+|\n)(?={BREAK}))") for mark in "=~"
}


class Verbatim:
    """The verbatim spans of a text, asked for in ascending order. Linear in the text's length."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._openings = sorted(match.start() for opening in _OPENINGS.values() for match in opening.finditer(text))
        self._next = 0
        self._stop = 0  # of the last span, or of the last object that was taken before it could open one
        self._dead = dict.fromkeys(_OPENINGS, 0)  # no span of that mark opens before this offset: none would be closed

    def holds(self, offset: int) -> bool:
        """Whether `offset` is in a span."""
        openings = self._openings
        while self._next < len(openings) and openings[self._next] < offset:
            start = openings[self._next]
            self._next += 1
            mark = self._text[start]
            if start < self._stop or start < self._dead[mark]:
                continue
            close = _CLOSINGS[mark].search(self._text, start + 2)
            if close is None:
                self._dead[mark] = len(self._text)
            elif close["limit"]:
                self._dead[mark] = close.start()
            else:
                self._stop = close.end()
        return offset < self._stop

    def take(self, end: int) -> None:
        """Say that an object which ends at `end` was found: what opens in it is no span."""
        self._stop = max(self._stop, end)
