"""What holds for the layout of every note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layout.laid import edits, laid

MARKDOWN = "---\ntitle: T\n---\n# Tea\n\n|a|b|\n|-|-|\n|long|c|\n\nText  with   blanks \n\n1. a\n3. b\n"
ORG = "#+TITLE: T\n* Tea   :x:\n|a|b|\n|-\n|long|c|\n\nText  with   blanks \n\n1. a\n3. b\n"


@pytest.mark.parametrize(("text", "name"), [(MARKDOWN, "a.md"), (ORG, "a.org")])
@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_are_kept(text: str, name: str, end: str) -> None:
    after = laid(text, name)
    assert after != text
    assert laid(text.replace("\n", end), name) == after.replace("\n", end)
    assert laid(text.rstrip("\n"), name) == after.rstrip("\n")


@pytest.mark.parametrize(("text", "name"), [(MARKDOWN, "a.md"), (ORG, "a.org")])
def test_nothing_but_tables_and_lists_changes(text: str, name: str) -> None:
    before, after = text.split("\n"), laid(text, name).split("\n")
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert [line for line in changed if not line.startswith("|")] == ["3. b"]


@pytest.mark.parametrize("name", ["a.txt", "a.text"])
def test_plain_text_has_no_layout(name: str) -> None:
    assert edits(MARKDOWN, name) == []


@pytest.mark.parametrize("name", ["a.md", "a.org"])
def test_only_what_was_asked_for_changes_and_that_as_a_whole(name: str) -> None:
    first, second = "|a|b|\n|-|-|\n|long|c|\n", "1. a\n3. b\n5. c\n"
    text = f"{first}\n{second}\n{first}"
    done, counted = laid(first, name), laid(second, name)
    assert laid(text, name, (2, 3)) == f"{done}\n{second}\n{first}"
    assert laid(text, name, (5, 6)) == f"{first}\n{counted}\n{first}"
    assert laid(text, name, (3, 4)) == text, "the empty line between"
    assert laid(text, name, (6, 9)) == f"{first}\n{counted}\n{done}"
    assert laid(text, name, (0, 99)) == laid(text, name)


def test_a_text_that_the_parser_gave_up_on_stays() -> None:
    table = "|a|b|\n|-|-|\n|long|c|\n\n"
    assert edits(table) != []
    assert edits(table + ">" * 2000 + " deep\n") == []


@pytest.mark.parametrize("name", ["a.md", "a.org"])
@pytest.mark.parametrize(
    "text", ["", "\n", "|", "|\n", "1.", "|" * 20_000, "1. " * 3, "|-" * 5000, "`|" * 5000 + "\n|-|\n", "\ufeff|a|"]
)
def test_odd_texts_stay_or_are_laid_out_once(name: str, text: str) -> None:
    after = laid(text, name)
    assert laid(after, name) == after


HOSTILE = {
    "borders": "|" * 100_000,
    "backticks": "|a|b|\n|-|-|\n|" + "`|" * 50_000,
    "comments that do not end": "|a|b|\n|-|-|\n|" + "<!--|" * 50_000,
    "links that do not end": "|" + "[[a][" * 40_000 + "|\n|b|",
    "brackets": "|" + "[[a" * 50_000 + "|\n|b|",
    "digits": "|" + "1" * 100_000 + "x|\n|b|",
    "nested items": "".join(" " * depth + "5. x\n" for depth in range(500)),
    "items": "".join(f"{number % 7}. x\n   y\n" for number in range(5000)),
}


@pytest.mark.parametrize("name", ["a.md", "a.org"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_laid_out_in_time(name: str, text: str) -> None:
    """Each takes minutes where work grows with the square of the length, and then the test is timed out."""
    assert laid(text, name).count("\n") == text.count("\n")


@given(st.text(alphabet="|-: \n\r\t1.)a\u2028\x0b\x0c\0\u00a0", max_size=60), st.sampled_from(["a.md", "a.org"]))
def test_line_ends_are_those_of_the_protocol_and_no_others(text: str, name: str) -> None:
    after = laid(text, name)
    assert [char for char in after if char in "\n\r\u2028\x0b\x0c\0\u00a0"] == [
        char for char in text if char in "\n\r\u2028\x0b\x0c\0\u00a0"
    ]
    assert laid(after, name) == after
