"""Tables of contents, whatever the headings are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.model import ContentSettings
from khojd.graph import contents
from khojd.graph.habit import Habit
from khojd.graph.sheet import Sheet

_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
_MARKDOWN = st.builds(lambda level, text: f"{'#' * level} {text}", st.integers(1, 6), _WORDS) | _WORDS
_ORG = st.builds(lambda level, text: f"{'*' * level} {text}", st.integers(1, 4), _WORDS) | _WORDS
_NEWLINES = st.sampled_from(["\n", "\r\n"])
_HABITS = st.sampled_from([Habit("wiki", "name", suffix=False), Habit("markdown", "relative", suffix=True)])


def applied(sheet: Sheet, change: contents.Change) -> Sheet:
    return Sheet(sheet.path, sheet.text[: change.start] + change.text + sheet.text[change.end :], sheet.settings)


@given(
    st.lists(_MARKDOWN, max_size=8),
    st.lists(st.sampled_from(["", "- [Old](#old)", "* [[#Old]]", "words"]), max_size=4),
    _NEWLINES,
    _HABITS,
)
def test_a_table_in_markdown_is_right_once_it_was_made_and_nothing_else_changes(
    after: list[str], inside: list[str], newline: str, habit: Habit
) -> None:
    head, tail = f"Before{newline}<!-- toc -->{newline}", f"<!-- tocstop -->{newline}{newline.join(after)}"
    sheet = Sheet("/n/x.md", head + "".join(line + newline for line in inside) + tail, ContentSettings())
    change = contents.updated(sheet, habit)
    if change is not None:
        sheet = applied(sheet, change)
        assert contents.updated(sheet, habit) is None
    assert sheet.text.startswith(head)
    assert sheet.text.endswith(tail)
    assert newline == "\n" or "\n" not in sheet.text.replace("\r\n", "")


@given(st.lists(_ORG, max_size=8), st.lists(_ORG, max_size=8), st.sampled_from(["TOC", "TOC_1", "TOC_3_gh"]), _NEWLINES)
def test_a_table_in_org_is_right_once_it_was_made_and_nothing_else_changes(
    before: list[str], after: list[str], tag: str, newline: str
) -> None:
    head = "".join(line + newline for line in before) + f"* Contents :{tag}:{newline}"
    tail = "".join(newline + line for line in after)
    sheet = Sheet("/n/x.org", f"{head}- [[*Old][Old]]{newline}{tail}", ContentSettings())
    habit = Habit("org", "relative", suffix=True)
    change = contents.updated(sheet, habit)
    if change is not None:
        sheet = applied(sheet, change)
        assert contents.updated(sheet, habit) is None
    assert sheet.text.startswith(head)
    assert sheet.text.endswith(tail)


@pytest.mark.parametrize("name", ["x.md", "x.org"])
@given(st.lists(_MARKDOWN, max_size=8), st.lists(_ORG, max_size=8), _HABITS)
def test_a_table_that_was_put_in_is_right(name: str, markdown: list[str], org: list[str], habit: Habit) -> None:
    lines = org if name.endswith(".org") else markdown
    sheet = Sheet(f"/n/{name}", "\n".join(lines), ContentSettings())
    change = contents.inserted(sheet, habit)
    if change is not None:
        sheet = applied(sheet, change)
        assert contents.has(sheet)
        assert contents.updated(sheet, habit) is None
