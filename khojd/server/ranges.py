"""Code-point offsets of a note's text to LSP positions in a client's encoding, and back."""

from lsprotocol import types as lsp

from khojd.graph.sheet import Sheet
from khojd.server import encoding as encodings


def place(sheet: Sheet, offset: int, encoding: str) -> tuple[int, int]:
    """Line and character of `offset`, which is held within the text; one between CR and LF is the end of the line."""
    text, lines = sheet.text, sheet.lines
    line, column = lines.place(offset)
    start = lines.starts[line]
    if column and text[start + column - 1] == "\r":
        column -= 1
    if encoding == "utf-32" or text.isascii():
        return line, column
    return line, encodings.measure(encoding)(text[start : start + column])


def to_position(sheet: Sheet, offset: int, encoding: str) -> lsp.Position:
    """The position of `offset`, as `place` has it."""
    return lsp.Position(*place(sheet, offset, encoding))


def to_range(sheet: Sheet, start: int, end: int, encoding: str) -> lsp.Range:
    """The range of [start, end), held within the text and in order."""
    first = to_position(sheet, start, encoding)
    return lsp.Range(first, first if end <= start else to_position(sheet, end, encoding))


def to_offset(sheet: Sheet, position: lsp.Position, encoding: str) -> int:
    """The offset of a position; past the end of its line it is that end, past the last line the end of the text."""
    lines = sheet.lines
    if position.line >= len(lines):
        return len(sheet.text)
    start, end = lines.starts[position.line], lines.end(position.line)
    if encoding == "utf-32" or sheet.text.isascii():
        return min(start + position.character, end)
    return start + encodings.column(sheet.text[start:end], position.character, encoding)


def to_span(sheet: Sheet, range: lsp.Range, encoding: str) -> tuple[int, int]:
    """The half-open range of offsets of an LSP range, in order."""
    start = to_offset(sheet, range.start, encoding)
    return start, max(start, to_offset(sheet, range.end, encoding))
