from hypothesis import given
from hypothesis import strategies as st

from khojd.content.entries import form_entries
from khojd.content.lines import LineIndex
from khojd.content.model import ContentSettings, Document, Entry
from khojd.content.registry import read
from khojd.content.text import parse


def words(text: str) -> int:
    return len(text.split())


def document(text: str, budget: int = 32) -> Document:
    return read("/notes/a.txt", text.encode(), ContentSettings(entry_tokens=budget), words)


def lines_of(text: str, entry: Entry) -> tuple[int, int]:
    index = LineIndex(text)
    return index.line(entry.span.start), index.line(entry.span.end)


def test_a_short_text_is_one_entry() -> None:
    (entry,) = document("one\n\ntwo\n").entries
    assert (entry.text, entry.headings) == ("one\n\ntwo\n", ())


def test_a_long_text_is_entries_of_whole_paragraphs_with_their_lines() -> None:
    text = "".join(f"paragraph {number}\n" + "word " * 10 + "\n\n" for number in range(12))
    entries = document(text).entries
    assert [lines_of(text, entry) for entry in entries] == [(0, 4), (6, 10), (12, 16), (18, 22), (24, 28), (30, 34)]
    assert all(entry.text.startswith("paragraph") and words(entry.text) <= 32 for entry in entries)
    assert "".join(entry.text for entry in entries) == text


def test_blank_lines_before_the_text_are_not_part_of_it() -> None:
    (entry,) = document("\n\n \nfirst line\nsecond\n\n\n").entries
    assert entry.text == "first line\nsecond\n\n\n"
    assert entry.segments[0].line == 3


def test_a_log_without_blank_lines_is_cut_at_lines() -> None:
    text = "".join(f"10:00 line {number} of a log with some words\r\n" for number in range(100))
    entries = document(text).entries
    assert len(entries) > 10
    assert all(entry.text.startswith("10:00") and entry.text.endswith("\r\n") for entry in entries)
    assert all(words(entry.text) <= 32 for entry in entries)


def test_a_single_long_line_is_one_entry() -> None:
    text = "word " * 10_000
    assert len(document(text).entries) == 1


def test_number_signs_and_stars_are_text() -> None:
    (entry,) = document("# no heading\n* no heading either\n").entries
    assert entry.headings == ()
    assert entry.text == "# no heading\n* no heading either\n"


@given(
    st.lists(st.sampled_from(["a", "word ", "\n", "\r", "\r\n", "\n\n", " ", "今", "\x0c", "long " * 30]), max_size=60).map("".join)
)
def test_every_character_that_is_not_blank_is_in_one_entry(text: str) -> None:
    settings = ContentSettings(entry_tokens=32)
    entries = form_entries(text, parse(text, settings), settings, words)
    assert "".join("".join(entry.text.split()) for entry in entries) == "".join(text.split())
    for entry in entries:
        assert entry.text == "".join(text[segment.start : segment.end] for segment in entry.segments)
        assert all(LineIndex(text).place(segment.start) == (segment.line, segment.column) for segment in entry.segments)
