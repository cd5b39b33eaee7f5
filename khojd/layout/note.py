"""The layout of a note: its tables aligned and its ordered lists numbered on, nothing else changed by a byte."""

from collections.abc import Iterable

from khojd.content import frontmatter
from khojd.content.lines import LineIndex
from khojd.content.model import Mark
from khojd.layout import edits, markdown, org
from khojd.layout.edits import Edit
from khojd.layout.scope import Scope


def lay_out(
    text: str, lines: LineIndex, format: str, marks: Iterable[Mark] = (), within: tuple[int, int] | None = None
) -> list[Edit]:
    """The edits that bring a note into form; none for one that is, for plain text, and for what is too much for the parser.

    format: `markdown` or `org`; anything else has no layout. marks: those of this text (`Sheet.marks`), for its comments and code.
    within: lines [first, last); only tables and lists that have some of them change, and those as a whole.
    """
    before = [text[start : lines.end(number)] for number, start in enumerate(lines.starts)]
    low, high = within or (0, len(before))
    if format == "org":
        fixed = _fixed(text, lines, [mark for mark in marks if mark.kind in ("code", "comment")])
        after = org.lay_out(before, Scope(low, high, fixed))
    elif format == "markdown":
        fixed = _fixed(text, lines, [mark for mark in marks if mark.kind == "comment"])
        front = frontmatter.read(text).end
        skipped = lines.line(front) if not front or text[front - 1] in "\r\n" else len(before)
        after = [*before[:skipped], *markdown.lay_out(before[skipped:], Scope(low - skipped, high - skipped, fixed[skipped:]))]
    else:
        return []
    return edits.between(lines, before, after)


def _fixed(text: str, lines: LineIndex, marks: Iterable[Mark]) -> bytearray:
    """Which lines begin in one of the marks. A comment that follows other text on its first line begins after that line does."""
    fixed = bytearray(len(lines))
    for mark in marks:
        first, last = lines.line(mark.start), lines.line(max(mark.end - 1, mark.start)) + 1
        if mark.kind == "comment" and not text[lines.starts[first] : lines.end(first)].lstrip(" \t>").startswith(
            ("<!--", "%%", "#")
        ):
            first += 1
        fixed[first:last] = b"\1" * (last - first)
    return fixed
