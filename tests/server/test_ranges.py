"""Offsets to positions and back, exact in every encoding; and documents that stay the editor's under any edits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet
from khojd.server import encoding, ranges
from khojd.server.documents import Documents
from tests.server.test_documents import TEXT, places, position

ENCODINGS = st.sampled_from(encoding.SUPPORTED)


def sheet(text: str) -> Sheet:
    return Sheet("/a.md", text, ContentSettings())


@given(TEXT, ENCODINGS)
def test_every_offset_that_an_editor_can_name_comes_back(text: str, kind: str) -> None:
    one = sheet(text)
    for offset, start in places(text):
        there = position(text, offset, start, kind)
        assert ranges.to_position(one, offset, kind) == there
        assert ranges.to_offset(one, there, kind) == offset


@given(TEXT, st.integers(-5, 40), st.integers(-5, 40), ENCODINGS)
def test_every_range_lies_within_the_document_and_in_order(text: str, start: int, end: int, kind: str) -> None:
    one = sheet(text)
    found = ranges.to_range(one, start, end, kind)
    valid = {(spot.line, spot.character) for spot in (position(text, *place, kind) for place in places(text))}
    first, last = ((spot.line, spot.character) for spot in (found.start, found.end))
    assert first in valid
    assert last in valid
    assert first <= last


@given(TEXT, st.integers(0, 50), st.integers(0, 50), ENCODINGS)
def test_any_position_is_held_within_its_line_and_the_text(text: str, line: int, character: int, kind: str) -> None:
    one = sheet(text)
    offset = ranges.to_offset(one, lsp.Position(line, character), kind)
    assert offset in {known for known, _ in places(text)}
    if line < len(one.lines):
        assert one.lines.starts[line] <= offset <= one.lines.end(line)
    else:
        assert offset == len(text)


@pytest.mark.parametrize(("kind", "width"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_a_range_after_crlf_and_an_emoji_is_counted_in_the_clients_units(kind: str, width: int) -> None:
    one = sheet("first\r\n🍵 tea\rlast")
    assert ranges.to_range(one, 9, 12, kind) == lsp.Range(lsp.Position(1, width + 1), lsp.Position(1, width + 4))
    assert ranges.to_position(one, 6, kind) == lsp.Position(0, 5), "between CR and LF is the end of the line"


@given(TEXT, st.lists(st.tuples(TEXT, st.integers(0, 1000), st.integers(0, 1000)), max_size=6), ENCODINGS, st.integers(1, 3))
def test_incremental_sync_equals_full_sync(text: str, edits: list[tuple[str, int, int]], kind: str, together: int) -> None:
    """Each edit is sent as a range to one copy and as a whole text to the other, several in one message."""
    partial, whole = Documents(), Documents()
    partial.encoding = whole.encoding = kind
    partial.open("/a.md", text, 1)
    whole.open("/a.md", text, 1)
    version = 1
    while edits:
        now, edits = edits[:together], edits[together:]
        changes: list[lsp.TextDocumentContentChangePartial | lsp.TextDocumentContentChangeWholeDocument] = []
        for new, one, other in now:
            known = places(text)
            first, last = sorted((known[one % len(known)], known[other % len(known)]))
            spots = lsp.Range(position(text, *first, kind), position(text, *last, kind))
            changes.append(lsp.TextDocumentContentChangePartial(range=spots, text=new))
            text = text[: first[0]] + new + text[last[0] :]
        version += 1
        partial.change("/a.md", changes, version)
        whole.change("/a.md", [lsp.TextDocumentContentChangeWholeDocument(text=text)], version)
        settings = ContentSettings()
        ours, theirs = partial.sheet("/a.md", settings), whole.sheet("/a.md", settings)
        assert ours is not None
        assert theirs is not None
        assert ours.text == theirs.text == text
        assert ours.version == version
        assert ours.sections == theirs.sections
        assert ours.lines.starts == theirs.lines.starts


def test_what_is_known_of_a_text_is_kept_until_it_or_the_settings_change() -> None:
    documents = Documents()
    documents.open("/a.md", "# A\n", 1)
    before = documents.sheet("/a.md", ContentSettings())
    assert documents.sheet("/a.md", ContentSettings()) is before
    documents.change("/a.md", [], 2)
    assert documents.sheet("/a.md", ContentSettings()) is before
    assert documents.version("/a.md") == 2
    assert documents.sheet("/a.md", ContentSettings(todo_keywords=("WAIT",))) is not before
