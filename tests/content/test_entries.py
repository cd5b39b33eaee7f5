"""Entries are tested on sections made by hand: what each format makes of a file is tested with the format."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.entries import form_entries
from khojd.content.headings import NEAREST, TOP
from khojd.content.lines import LineIndex
from khojd.content.model import ContentSettings, DateRef, Entry, Parsed, Section, Segment, Span


def words(text: str) -> int:
    return len(text.split())


def outline(text: str, *, title: str = "", excluded: frozenset[str] = frozenset(), hidden: str = "%") -> Parsed:
    """Sections of a text whose headings are `#` lines; lines that start with `hidden` are metadata."""
    lines = LineIndex(text)
    marks = list(re.finditer(r"^(#+) (.*)\n?", text, re.MULTILINE))
    stack: list[tuple[int, int]] = [(0, 0)]
    sections: list[Section] = [
        Section(-1, 0, "", Span(0, len(text)), None, tuple(_body(text, lines, 0, _start(marks, 0, text), hidden)))
    ]
    for number, match in enumerate(marks):
        level = len(match[1])
        while len(stack) > 1 and stack[-1][0] >= level:
            stack.pop()
        parent = stack[-1][1]
        end = next((later.start() for later in marks[number + 1 :] if len(later[1]) <= level), len(text))
        heading = Segment(match.start(), match.end(), *lines.place(match.start()))
        body = tuple(_body(text, lines, match.end(), _start(marks, number + 1, text), hidden))
        out = match[2] in excluded or sections[parent].excluded
        sections.append(Section(parent, level, match[2], Span(match.start(), end), heading, body, excluded=out))
        stack.append((level, len(sections) - 1))
    return Parsed(title=title, sections=tuple(sections))


def _start(marks: list[re.Match[str]], number: int, text: str) -> int:
    return marks[number].start() if number < len(marks) else len(text)


def _body(text: str, lines: LineIndex, start: int, end: int, hidden: str) -> Iterator[Segment]:
    for match in re.finditer(r".*\n|.+", text[start:end]):
        if not match[0].startswith(hidden):
            yield Segment(start + match.start(), start + match.end(), *lines.place(start + match.start()))


def form(text: str, budget: int = 32, *, title: str = "", excluded: frozenset[str] = frozenset()) -> tuple[Entry, ...]:
    return form_entries(text, outline(text, title=title, excluded=excluded), ContentSettings(entry_tokens=budget), words)


def described(entries: tuple[Entry, ...]) -> list[tuple[tuple[str, ...], str]]:
    return [(entry.headings, entry.text) for entry in entries]


def test_a_heading_with_small_children_is_one_entry_from_its_own_line() -> None:
    text = "intro\n# A\nown\n## B\nb\n## C\nc\n## D\nd\n"
    entries = form(text)
    assert described(entries) == [((), "intro\n"), (("A",), "own\n## B\nb\n## C\nc\n## D\nd\n")]
    assert entries[1].sections == (1, 2, 3, 4)
    assert entries[1].span == Span(6, len(text) - 1)
    assert entries[1].segments == (Segment(10, len(text), 2, 0),)


def test_over_budget_the_heading_and_each_child_stand_apart() -> None:
    text = "# A\nown\n## B\n" + "b " * 15 + "\n## C\n" + "c " * 15 + "\n## D\nd\n"
    entries = form(text)
    assert described(entries) == [
        (("A",), "own\n"),
        (("A", "B"), "b " * 15 + "\n"),
        (("A", "C"), "c " * 15 + "\n"),
        (("A", "D"), "d\n"),
    ]
    assert text[entries[0].span.start : entries[0].span.end] == "# A\nown"
    assert text[entries[1].span.start : entries[1].span.end] == "## B\n" + ("b " * 15).rstrip()


def test_the_budget_counts_the_title_and_the_heading_path() -> None:
    text = "# A\nown\n## B\n" + "b " * 14
    assert len(form(text)) == 1
    assert len(form(text, title="t " * 16)) == 2


def test_a_child_subtree_that_fits_stays_together_below_one_that_does_not() -> None:
    text = "# A\n## B\n### C\nc\n## D\n" + "d " * 40 + "\n"
    assert described(form(text)) == [(("A",), ""), (("A", "B"), "### C\nc\n"), (("A", "D"), "d " * 40 + "\n")]


def test_top_level_siblings_are_never_merged() -> None:
    assert described(form("# A\na\n# B\nb\n")) == [(("A",), "a\n"), (("B",), "b\n")]


def test_skipped_levels_keep_their_parents() -> None:
    long = "w " * 40 + "\n"
    entries = form("# A\n" + long + "#### B\n" + long + "## C\n" + long)
    assert [entry.headings for entry in entries] == [("A",), ("A", "B"), ("A", "C")]


def test_a_section_over_the_budget_stays_one_entry() -> None:
    entries = form("# A\n" + "word " * 5000)
    assert len(entries) == 1
    assert words(entries[0].text) == 5000


def test_a_heading_without_a_body_is_an_entry_without_text() -> None:
    entries = form("# A\n\n# B\n")
    assert described(entries) == [(("A",), ""), (("B",), "")]
    assert entries[0].segments == ()
    assert entries[0].span == Span(0, 3)


def test_blank_text_before_the_first_heading_is_no_entry() -> None:
    assert described(form("\n \n# A\na\n")) == [(("A",), "a\n")]
    assert form("") == ()
    assert form(" \n\n") == ()


def test_a_file_of_metadata_alone_is_found_by_its_title() -> None:
    assert described(form("%meta\n", title="Reading list")) == [((), "")]


def test_metadata_lines_are_no_text_and_positions_step_over_them() -> None:
    text = "# A\none\n%drawer\ntwo\nthree\n"
    (entry,) = form(text)
    assert entry.text == "one\ntwo\nthree\n"
    assert entry.segments == (Segment(4, 8, 1, 0), Segment(16, len(text), 3, 0))


def test_excluded_trees_give_no_entry_no_text_and_cost_no_budget() -> None:
    text = "# A\na\n## Old\n" + "old " * 100 + "\n### Older\nx\n## B\nb\n# Gone\ngone\n"
    entries = form(text, excluded=frozenset({"Old", "Gone"}))
    assert described(entries) == [(("A",), "a\n## B\nb\n")]
    assert entries[0].sections == (1, 4)


def test_paragraph_sections_are_joined_as_far_as_the_budget_goes() -> None:
    text = "".join(f"p{number} " + "w " * 9 + "\n\n" for number in range(7))
    lines = LineIndex(text)
    starts = [match.start() for match in re.finditer("p", text)]
    sections = [Section(-1, 0, "", Span(0, len(text)), None, ())]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        sections.append(Section(0, 1, "", Span(start, end), None, (Segment(start, end, *lines.place(start)),)))
    entries = form_entries(text, Parsed(title="", sections=tuple(sections)), ContentSettings(entry_tokens=32), words)
    assert [entry.sections for entry in entries] == [(1, 2, 3), (4, 5, 6), (7,)]
    assert all(entry.headings == () for entry in entries)
    assert entries[1].segments[0].line == 6


def test_the_key_knows_no_position() -> None:
    text = "# A\none\n## B\ntwo\n# C\nthree\n"
    before = form(text)
    after = form("\n\nnew intro\n\n" + text.replace("three", "3"))
    assert after[1].key == before[0].key
    assert after[2].key != before[1].key


@pytest.mark.parametrize(
    "change",
    [
        {"todo": "TODO"},
        {"priority": "A"},
        {"tags": ("x",)},
        {"properties": (("K", "v"),)},
        {"dates": (DateRef("text", 1, 2),)},
        {"ids": ("i",)},
        {"heading": "Z"},
    ],
)
def test_the_key_changes_with_everything_that_can_be_searched(change: dict[str, object]) -> None:
    text = "# A\none\n## B\ntwo\n"
    parsed = outline(text)
    changed = msgspec.structs.replace(
        parsed, sections=(*parsed.sections[:-1], msgspec.structs.replace(parsed.sections[-1], **change))
    )
    settings = ContentSettings(entry_tokens=32)
    assert form_entries(text, parsed, settings, words)[0].key != form_entries(text, changed, settings, words)[0].key


def test_ten_thousand_nested_headings_form_entries_with_short_paths() -> None:
    text = "".join(f"{'#' * level} h{level}\n" for level in range(1, 10_001))
    lines = LineIndex(text)
    sections = [Section(-1, 0, "", Span(0, len(text)), None, ())]
    for number, (start, end) in enumerate(zip(lines.starts, lines.starts[1:], strict=False)):
        sections.append(Section(number, number + 1, f"h{number + 1}", Span(start, len(text)), Segment(start, end, number), ()))
    entries = form_entries(text, Parsed(title="", sections=tuple(sections)), ContentSettings(), words)
    assert max(len(entry.headings) for entry in entries) == TOP + NEAREST
    assert entries[5000].headings[0] == "h1"
    assert entries[5000].headings[-1] == "h5001"
    assert sum(len(entry.sections) for entry in entries) == 10_000


@st.composite
def outlines(draw: st.DrawFn) -> str:
    lines = draw(
        st.lists(
            st.one_of(
                st.builds(lambda level, name: "#" * level + " " + name, st.integers(1, 5), st.sampled_from(["A", "B", "C"])),
                st.builds(lambda count: "w " * count, st.integers(0, 20)),
                st.just("%meta"),
            ),
            max_size=25,
        )
    )
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(outlines(), st.integers(32, 60))
def test_every_content_line_is_in_exactly_one_entry_and_maps_back_to_the_file(text: str, budget: int) -> None:
    parsed = outline(text)
    entries = form_entries(text, parsed, ContentSettings(entry_tokens=budget), words)
    lines = LineIndex(text)
    seen: list[int] = []
    for entry in entries:
        assert entry.text == "".join(text[segment.start : segment.end] for segment in entry.segments)
        assert all(lines.place(segment.start) == (segment.line, segment.column) for segment in entry.segments)
        seen.extend(entry.sections)
        first = parsed.sections[entry.sections[0]]
        if len(entry.sections) > 1:
            assert words(" ".join(entry.headings)) + words(entry.text) <= budget
            assert all(first.span.start <= parsed.sections[index].span.start < first.span.end for index in entry.sections)
    assert len(seen) == len(set(seen))
    expected = re.findall(r"w[w ]*", text)
    assert [line for entry in entries for line in re.findall(r"w[w ]*", entry.text)] == expected
    assert {index for index, section in enumerate(parsed.sections) if section.parent >= 0} <= set(seen)
