"""A text in its new form, by the edits that an editor would apply."""

from itertools import pairwise

from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet
from khojd.layout import note
from khojd.layout.edits import Edit


def edits(text: str, name: str = "note.md", within: tuple[int, int] | None = None) -> list[Edit]:
    sheet = Sheet(name, text, ContentSettings())
    found = note.lay_out(text, sheet.lines, sheet.format, sheet.marks, within)
    for one in found:
        assert 0 <= one.start <= one.end <= len(text)
        assert sheet.lines.line(one.start) == sheet.lines.line(one.end), "an edit stays within its line"
        assert text[one.start : one.end] != one.text, "an edit changes something"
    assert all(before.end <= after.start for before, after in pairwise(found)), "edits are in order and apart"
    return found


def laid(text: str, name: str = "note.md", within: tuple[int, int] | None = None) -> str:
    for one in reversed(edits(text, name, within)):
        text = text[: one.start] + one.text + text[one.end :]
    return text
