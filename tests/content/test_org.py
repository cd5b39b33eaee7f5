"""Org text to sections: tree, ranges, and what counts as text."""

import re
import sys
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.model import ContentSettings, Parsed, Section
from khojd.content.org import parse

DEFAULTS = ContentSettings()


def body(text: str, section: Section) -> str:
    return "".join(text[segment.start : segment.end] for segment in section.segments)


def bodies(text: str) -> list[str]:
    return [body(text, section) for section in parse(text, DEFAULTS).sections]


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(section.level, section.heading) for section in parsed.sections[1:]]


def test_a_subtree_spans_its_children_and_its_segments_are_its_own_lines() -> None:
    text = "intro\n* A\nin a\n** B\nin b\n* C\nin c\n"
    root, a, b, c = parse(text, DEFAULTS).sections
    assert [section.parent for section in (root, a, b, c)] == [-1, 0, 1, 0]
    assert text[root.span.start : root.span.end] == text
    assert text[a.span.start : a.span.end] == "* A\nin a\n** B\nin b\n"
    assert text[b.span.start : b.span.end] == "** B\nin b\n"
    assert bodies(text) == ["intro\n", "in a\n", "in b\n", "in c\n"]
    assert b.heading_segment is not None
    assert (b.heading_segment.line, b.segments[0].line) == (3, 4)


def test_skipped_levels_keep_the_right_parents() -> None:
    sections = parse("* A\n**** B\n** C\n*** D\n* E\n", DEFAULTS).sections
    assert [section.parent for section in sections] == [-1, 0, 1, 1, 3, 0]


def test_a_file_without_headings_is_its_root_and_an_empty_file_has_no_text() -> None:
    assert bodies("one\n\ntwo") == ["one\n\ntwo"]
    assert bodies("") == [""]
    assert parse("* Only", DEFAULTS).sections[1].segments == ()


def test_intro_lines_stay_separate_lines() -> None:
    text = "#+TITLE: T\nfirst line\nsecond line\n\nthird\n* H\n"
    assert bodies(text)[0] == "first line\nsecond line\n\nthird\n"


@pytest.mark.parametrize("line", ["*bold* start", "*", "**", "*\ttab", " * list item", ",* escaped", "*no space"])
def test_a_line_that_only_looks_like_a_heading_is_text(line: str) -> None:
    assert bodies(f"{line}\n") == [f"{line}\n"]


@pytest.mark.parametrize("line", ["* ", "**   ", "*** \t "])
def test_stars_and_a_space_alone_are_a_heading_without_title(line: str) -> None:
    parsed = parse(f"{line}\nx\n", DEFAULTS)
    assert headings(parsed) == [(line.count("*"), "")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_gives_the_same_tree_and_lines(end: str) -> None:
    lines = ["#+TITLE: T", "intro", "* TODO A :x:", "SCHEDULED: <2024-05-01 Wed>", ":PROPERTIES:", ":ID: 1", ":END:", "text"]
    lines += [":LOGBOOK:", "CLOCK: [2024-05-01 Wed 10:00]", ":END:", "", "more", "** B", "last"]
    text = end.join(lines)
    parsed = parse(text, DEFAULTS)
    a = parsed.sections[1]
    assert (parsed.title, a.heading, a.todo, a.tags, a.ids, a.dates[0].kind) == ("T", "A", "TODO", ("x",), ("1",), "scheduled")
    assert [(s.line, text[s.start : s.end].replace(end, "|")) for s in a.segments] == [(7, "text|"), (11, "|more|")]
    assert parsed.sections[2].segments[0].line == 14


def test_a_heading_ends_a_block_and_a_drawer_that_are_not_closed() -> None:
    text = "* A\n#+begin_src c\nint x;\n:LOGBOOK:\n- note\n* B\n:PROPERTIES:\n:ID: 1\n* C\nafter\n#+end_src\n:END:\n"
    parsed = parse(text, DEFAULTS)
    assert headings(parsed) == [(1, "A"), (1, "B"), (1, "C")]
    assert bodies(text)[1:] == [
        "#+begin_src c\nint x;\n:LOGBOOK:\n- note\n",
        ":PROPERTIES:\n:ID: 1\n",
        "after\n#+end_src\n:END:\n",
    ]
    assert parsed.sections[2].ids == ()


@pytest.mark.parametrize("block", ["src org", "example", "EXPORT html", "comment", "verse"])
def test_a_block_is_kept_as_it_is_written(block: str) -> None:
    inside = "# a comment\n#+TITLE: not mine\n,* escaped\n:LOGBOOK:\nCLOCK: [2024-01-01]\n:END:\n"
    inside += "#+TODO: X | Y\n:PROPERTIES:\n:ID: 1\n:END:\n"
    text = f"* A\n#+begin_{block}\n{inside}#+END_{block.partition(' ')[0]}\n* X b\n"
    parsed = parse(text, DEFAULTS)
    assert inside in body(text, parsed.sections[1])
    assert (parsed.title, parsed.sections[2].todo, parsed.sections[1].ids) == ("", "", ())


def test_log_drawers_and_clock_lines_are_no_text_and_other_drawers_lose_their_marks_only() -> None:
    text = (
        "* A\n:LOGBOOK:\n- State changed\nCLOCK: [2024-05-01 Wed 10:00]--[2024-05-01 Wed 11:00] =>  1:00\n:END:\n"
        "before\nCLOCK: [2024-05-02 Thu 10:00]--[2024-05-02 Thu 11:00] =>  1:00\n"
        ":NOTES:\nremember\n:END:\nafter\nCLOCK: is a word\n"
    )
    assert bodies(text)[1] == "before\nremember\nafter\nCLOCK: is a word\n"
    assert parse(text, DEFAULTS).sections[1].dates == ()


def test_a_drawer_in_a_quote_ends_with_the_quote() -> None:
    text = "#+begin_quote\n:LOGBOOK:\nsaid\n#+end_quote\nkept\n:END:\n"
    assert bodies(text) == [text]


def test_settings_are_left_out_and_words_of_the_author_stay() -> None:
    kept = "#+AUTHOR: Ada\n#+CAPTION: A map\n#+name: map\n# remark\n| 1 |\n[fn:1] foot\n"
    assert bodies("#+OPTIONS: toc:nil\n#+STARTUP: overview\n#+html_head: <x>\n" + kept)[0] == kept


def test_an_inline_task_is_text_of_the_section_around_it() -> None:
    stars = "*" * 15
    text = f"* A\nfoo\n{stars} TODO ask Bob\ninside\n{stars} END\nbar\n{stars} single\nbaz\n* B\n"
    parsed = parse(text, DEFAULTS)
    assert headings(parsed) == [(1, "A"), (1, "B")]
    assert bodies(text)[1] == f"foo\n{stars} TODO ask Bob\ninside\nbar\n{stars} single\nbaz\n"


def test_fifteen_stars_are_a_heading_where_no_inline_task_ends() -> None:
    assert headings(parse(f"{'*' * 14} A\n{'*' * 15} B\n", DEFAULTS)) == [(14, "A"), (15, "B")]


def test_commented_and_archived_trees_are_excluded_unless_asked_for() -> None:
    text = "* COMMENT A :x:\n** A1\n* B :ARCHIVE:\n** B1\n* C\n* COMMENTARY\n* TODO [#A] COMMENT D\n"
    parsed = parse(text, DEFAULTS)
    assert [section.heading for section in parsed.sections if section.excluded] == ["A", "A1", "B", "B1", "D"]
    assert [s.heading for s in parse(text, ContentSettings(include_commented=True)).sections if s.excluded] == ["B", "B1"]
    assert [s.heading for s in parse(text, ContentSettings(include_archived=True)).sections if s.excluded] == ["A", "A1", "D"]


def test_a_file_tagged_archive_is_excluded_and_says_so() -> None:
    parsed = parse("#+FILETAGS: :ARCHIVE:\ntext\n* A\n", DEFAULTS)
    assert all(section.excluded for section in parsed.sections)
    assert "ARCHIVE" in parsed.notes[0]


def test_ten_thousand_nested_headings_are_no_recursion() -> None:
    count = 10_000
    assert sys.getrecursionlimit() < count
    text = "".join(f"{'*' * level} h\n" for level in range(1, count + 1))
    sections = parse(text, DEFAULTS).sections
    assert [section.parent for section in sections] == list(range(-1, count))
    assert {section.span.end for section in sections} == {len(text)}


HUGE = 200_000


@pytest.mark.timeout(100)  # what is quadratic in the length takes many minutes on these
@pytest.mark.parametrize(
    "text",
    [
        "word " * HUGE,
        "* x" + " " * HUGE + "y :",
        "* " + "[[a][" * HUGE,
        "* h\nSCHEDULED: " + " " * HUGE + "x",
        "CLOCK:" + " " * HUGE + "x",
        ":x:" + " " * HUGE + "y",
        "<2024-05-01 " * HUGE,
        "#+begin_src c\n" * HUGE,
        ":FOO:\n" * HUGE + ":END:",
        "* h\n" + ":PROPERTIES:\n:a: b\n" * HUGE,
        "#+" + "a[" * HUGE,
    ],
    ids=["line", "heading", "links", "planning", "clock", "drawer", "stamps", "blocks", "drawers", "properties", "keyword"],
)
def test_long_and_malformed_input_is_read_in_linear_time_and_kept(text: str) -> None:
    sections = parse(text, DEFAULTS).sections
    assert sections[0].span.end == len(text)


LINES = st.sampled_from(
    [
        *("* A", "** TODO B :t:", "*** COMMENT C", "* ", "**", "*bold*", "*************** x", "*************** END"),
        *(":PROPERTIES:", ":ID: 1", ":a+: b", ":LOGBOOK:", ":NOTES:", ":CLOCK:", ":END:", "  :end:", ":not a drawer"),
        *("SCHEDULED: <2024-05-01 Wed>", "DEADLINE: <2024-02-30>", "CLOSED: [2024-05-01] rest", "SCHEDULED: soon"),
        *("CLOCK: [2024-05-01 Wed 10:00]--[2024-05-01 Wed 11:00] =>  1:00", "CLOCK: x", "<2024-05-01>--<2024-05-03>"),
        *("#+begin_src c", "#+END_SRC", "#+begin_quote", "#+end_quote", "#+begin_example", "#+end_example", "#+begin: x", "#+end:"),
        *("#+TITLE: T", "#+todo: X(x) | Y", "#+CAPTION: c", "#+DATE: 2024-05-01", "#+DATE: then", "# c", "#+FILETAGS: :f:"),
        *("text", "", "  ", "\u3000", "x\u2028y", "a\x0bb\x0c", "- item", "| 1 |", ",* x", "日本語", "\ud800"),
    ]
)
METADATA = re.compile(
    r"\s*(?:(?:SCHEDULED|DEADLINE|CLOSED):.*|CLOCK:.*|:\S+:.*|#\+(?!caption|name)\w+:.*|\*{15,} END)", re.IGNORECASE | re.DOTALL
)


def check_lines(text: str) -> None:
    """Each line that is not blank is in one segment, in the order of the file, or is metadata; sections nest."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
    starts = [0, *accumulate(map(len, lines))]
    line_of = {start: index for index, start in enumerate(starts)}
    owners: list[int] = []
    shown: list[int] = []
    sections = parse(text, DEFAULTS).sections
    for number, section in enumerate(sections):
        assert (section.heading_segment is None) == (number == 0)
        assert section.parent < number
        if number:
            outer = sections[section.parent].span
            assert outer.start <= section.span.start < section.span.end <= outer.end
        for segment in (*filter(None, [section.heading_segment]), *section.segments):
            assert (line_of[segment.start], 0) == (segment.line, segment.column)
            run = range(segment.line, line_of[segment.end])
            shown += run
            owners += [number] * len(run)
    assert shown == sorted(set(shown))
    assert owners == sorted(owners)
    left_out = set(range(len(lines))) - set(shown)
    in_log = False
    for index, line in enumerate(lines):
        word = line.strip().upper()
        if index not in left_out:
            in_log = False
        elif word:
            assert in_log or METADATA.fullmatch(line.rstrip("\r\n")), line
            in_log = word in (":LOGBOOK:", ":CLOCK:") or (in_log and word != ":END:")


@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=30), st.booleans())
def test_every_line_is_in_one_place_and_only_metadata_is_left_out(parts: list[tuple[str, str]], cut: bool) -> None:
    text = "".join(line + end for line, end in parts)
    check_lines(text[:-1] if cut else text)
