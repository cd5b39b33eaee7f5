"""Code-point offsets to lines and columns and back. Lines are 0-based and end at LF, CRLF or a lone CR, as in LSP."""

import re
from bisect import bisect_right
from itertools import accumulate

_LINE_END = re.compile(r"\r\n?|\n")


class LineIndex:
    """Where the lines of a text start.

    A text has one line more than it has line ends: the empty text has one line, and so has what follows a final line end.
    Vertical tabs, form feeds, U+0085, U+2028 and U+2029 end no line.
    """

    __slots__ = ("_text", "starts")

    def __init__(self, text: str) -> None:
        self._text = text
        self.starts: list[int]
        if "\r" in text:
            self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        else:
            self.starts = list(accumulate(map((1).__add__, map(len, text.split("\n"))), initial=0))
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, offset: int) -> int:
        """The line that holds `offset`; an offset past the text is on its last line."""
        return max(bisect_right(self.starts, offset) - 1, 0)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and code-point column of `offset`, which is held within the text."""
        offset = min(max(offset, 0), len(self._text))
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]

    def end(self, line: int) -> int:
        """Offset of the end of `line`, before its line end."""
        if line + 1 >= len(self.starts):
            return len(self._text)
        end = self.starts[line + 1] - 1
        if self._text[end] == "\n" and end > self.starts[line] and self._text[end - 1] == "\r":
            end -= 1
        return end

    def offset(self, line: int, column: int) -> int:
        """Offset of a place. As in LSP, a column past the line's end is that end, a line past the last is the text's end."""
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self._text)
        return min(self.starts[line] + max(column, 0), self.end(line))
