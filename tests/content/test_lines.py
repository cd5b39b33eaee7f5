import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.lines import LineIndex

TEXTS = st.text(alphabet=st.sampled_from(["a", "é", "𝄞", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("", [0]),
        ("one", [0]),
        ("one\n", [0, 4]),
        ("a\nb\r\nc\rd", [0, 2, 5, 7]),
        ("\r\r\n\n", [0, 1, 3, 4]),
        ("a\x0bb\x0cc\u2028d\x85e", [0]),
    ],
)
def test_lines_end_at_lf_crlf_and_a_lone_cr_and_nothing_else(text: str, starts: list[int]) -> None:
    index = LineIndex(text)
    assert index.starts == starts
    assert len(index) == len(starts)


def test_columns_are_code_points() -> None:
    index = LineIndex("ä𝄞b\r\nc")
    assert index.place(2) == (0, 2)
    assert index.place(5) == (1, 0)
    assert index.offset(0, 2) == 2


def test_places_outside_the_text_are_held_within_it() -> None:
    index = LineIndex("ab\r\ncd\n")
    assert index.offset(0, 99) == 2
    assert index.offset(1, 99) == 6
    assert index.offset(7, 0) == 7
    assert index.offset(-1, 5) == 0
    assert index.offset(1, -5) == 4
    assert index.place(99) == (2, 0)
    assert index.place(-3) == (0, 0)


@given(TEXTS)
def test_every_offset_comes_back_from_its_place(text: str) -> None:
    index = LineIndex(text)
    assert len(index) == len(re.findall(r"\r\n|\r|\n", text)) + 1
    for offset in range(len(text) + 1):
        line, column = index.place(offset)
        assert index.starts[line] + column == offset
        assert index.line(offset) == line
        if offset <= index.end(line):
            assert index.offset(line, column) == offset


@given(TEXTS)
def test_the_end_of_a_line_is_before_its_line_end(text: str) -> None:
    index = LineIndex(text)
    lines = [text[index.starts[line] : index.end(line)] for line in range(len(index))]
    assert lines == re.split(r"\r\n|\r|\n", text)
