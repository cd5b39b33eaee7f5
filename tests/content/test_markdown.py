"""Markdown to sections: headings, ranges, metadata, and that no text is lost."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from khojd.content import frontmatter
from khojd.content.lines import LineIndex
from khojd.content.markdown import parse as parse_with
from khojd.content.model import ContentSettings, Parsed, Section

SETTINGS = ContentSettings()

PIECES = st.sampled_from(
    """# A;## B;#### C #;###### D ##;#no;####### x;text;more text;===;---;- - -;***;_ _ _;- item;*;1. one;2) two;10. ten;  in;   in3
;    code;      deep;\tTabbed;- \tx;```;~~~~;```py;  ```;> quote;>> deep;>;> # in;> ```;- # in;- ```;  # in;   # three;[^1]: n
;[a]: /url;[a]:;[a]: /u "t;t";|a|b|;|--|-|;:-:;1|2;<div>;</div>;<!-- c;-->;<b>x</b>;<script>;%% c %%;%%;key:: v;id:: 7;^id;x ^id
;#tag;#a/b é;SCHEDULED: <2024-05-01 Wed>;[x](y);`a;title: x;\u2028;\x0c;\x00;日本語;2. two;-;1.;    - i;[^1]:""".replace(
        "\n", ""
    ).split(";")
)
INDENTS = st.sampled_from(["", "", "", " ", "  ", "   ", "    ", "\t", "> ", "- "])
LINES = st.lists(st.tuples(INDENTS, PIECES, st.sampled_from(["\n", "\n", "\n\n"])))
TEXTS = st.builds(lambda lines: "".join(indent + piece + end for indent, piece, end in lines), LINES)
ANY_ENDS = st.builds(lambda text, end: text.replace("\n", end), TEXTS, st.sampled_from(["\n", "\r\n", "\r"]))


def parse(text: str) -> Parsed:
    return parse_with(text, SETTINGS)


def section(text: str, heading: str) -> Section:
    return next(found for found in parse(text).sections if found.heading == heading)


def body(text: str, found: Section) -> str:
    return "".join(text[part.start : part.end] for part in found.segments)


def path(parsed: Parsed, found: Section) -> list[str]:
    headings = []
    while found.parent >= 0:
        headings.append(found.heading)
        found = parsed.sections[found.parent]
    return headings[::-1]


def oracle(text: str) -> list[tuple[int, int, int]]:
    """Top-level headings by a complete markdown-it parse, inline rules and all, as (first line, line after, level)."""
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").use(footnote_plugin, move_to_end=False)
    tokens = [token for token in parser.parse(text) if token.type == "heading_open" and token.level == 0]
    return [(token.map[0], token.map[1], int(token.tag[1])) for token in tokens if token.map]


def found_headings(text: str) -> list[tuple[int, int, int]]:
    lines = LineIndex(text)
    found = []
    for part in parse(text).sections:
        if part.heading_segment is not None and part.level < 7:
            start, end = part.heading_segment.start, part.heading_segment.end
            last = lines.line(end - 1) if end > start else lines.line(start)
            found.append((lines.line(start), last + 1, part.level))
    return found


def check_ranges(text: str) -> None:
    """What must hold for every text: exact places, nesting, order, and every non-blank line accounted for."""
    parsed = parse(text)
    lines = LineIndex(text)
    covered: set[int] = set()
    assert parsed.sections[0].parent == -1
    assert parsed.sections[0].heading_segment is None
    assert parsed.sections[0].span.start == 0
    assert parsed.sections[0].span.end == len(text)
    for number, found in enumerate(parsed.sections):
        assert found.parent < number
        if number:
            above = parsed.sections[found.parent]
            assert above.span.start <= found.span.start <= found.span.end <= above.span.end
            assert above.level < found.level
            assert found.heading_segment is not None
            assert found.heading_segment.start == found.span.start
        parts = [*([found.heading_segment] if found.heading_segment else []), *found.segments]
        for part in parts:
            assert lines.place(part.start) == (part.line, part.column)
            assert part.column == 0
            assert part.end == len(text) or text[part.end - 1] in "\r\n" or part.start == part.end
            assert found.span.start <= part.start <= part.end <= found.span.end
            own = range(part.line, lines.line(part.end - 1) + 1 if part.end > part.start else part.line)
            assert covered.isdisjoint(own)
            covered.update(own)
        for part in found.segments:
            assert text[part.start : part.end].strip()
    front = frontmatter.read(text)
    first = (
        lines.line(front.end) if front.valid and text[front.end - 1 : front.end] in ("\r", "\n") else len(lines) if front.end else 0
    )
    for number in range(first if front.valid else 0, len(lines)):
        line = text[lines.starts[number] : lines.end(number)].strip()
        if number not in covered and line:
            assert re.match(r"%%|id::|(?:> ?|- )*\^id$|(?:[->] ?)*id::|SCHEDULED", line) or in_comment(text, number), line


def in_comment(text: str, number: int) -> bool:
    return sum(line.count("%%") for line in re.split(r"\r\n?|\n", text)[:number]) > 0


def test_a_section_knows_its_ancestors_and_skipped_levels_keep_the_right_parents() -> None:
    parsed = parse("# A\na\n#### B\nb\n## C\nc\n### D\nd\n# E\n")
    assert [path(parsed, found) for found in parsed.sections[1:]] == [["A"], ["A", "B"], ["A", "C"], ["A", "C", "D"], ["E"]]


def test_a_span_covers_the_subtree_and_the_body_is_the_sections_own() -> None:
    text = "intro\n\n# A\na\n## B\nb\n# C\nc"
    found = section(text, "A")
    assert text[found.span.start : found.span.end] == "# A\na\n## B\nb\n"
    assert body(text, found) == "a\n"
    assert body(text, parse(text).sections[0]) == "intro\n\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ranges_are_exact_with_every_kind_of_line_end(end: str) -> None:
    text = end.join(["---", "title: T", "---", "intro", "", "Setext", "over two", "===", "a\x00b", "## Sub ##", "c", ""])
    top, sub = parse(text).sections[1:]
    assert parse(text).title == "T"
    assert text[top.span.start :].startswith("Setext")
    assert top.heading == "Setext over two"
    assert top.heading_segment is not None
    assert top.heading_segment.line == 5
    assert body(text, top) == "a\x00b" + end
    assert sub.heading == "Sub"
    assert text[sub.span.start :].startswith("## Sub")
    check_ranges(text)


@pytest.mark.parametrize(
    "text",
    [
        "```\n# comment\n```\n",
        "~~~sh\n# comment\n",
        "    # code\n",
        "- item\n  # in a list\n",
        "> [!note] Callout\n> # in it\n",
        "<!--\n# hidden\n-->\n",
        "<pre>\n# x\n</pre>\n",
        "%%\n# hidden\n%%\n",
        "- a\n---\n",
        "#no\n",
    ],
)
def test_what_looks_like_a_heading_elsewhere_makes_no_section(text: str) -> None:
    assert len(parse(text).sections) == 1


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("# Plain", "Plain"),
        ("## Closed ##", "Closed"),
        ("# C#", "C#"),
        ("# **Bold** and `__init__`", "Bold and __init__"),
        ("# A [link](http://x.y/z_(1)) and [[Page|shown]] and [[Other]]", "A link and shown and Other"),
        ("# ![alt](x.png) text", "alt text"),
        ("# 2*3 and snake_case_name", "2*3 and snake_case_name"),
        ("# \\# escaped &amp; <b>html</b>", "# escaped & html"),
        ("# Ends #tag #other/one", "Ends"),
        ("# 見出し **強調**", "見出し 強調"),
        ("#", ""),
        ("# TODO", "TODO"),
        ("# `#` and `[x](y)`", "# and [x](y)"),
    ],
)
def test_a_heading_shows_what_a_reader_sees(line: str, shown: str) -> None:
    assert parse(line).sections[1].heading == shown


def test_ids_of_a_heading_come_from_attributes_block_ids_and_html_and_are_not_shown() -> None:
    parsed = parse('# One {#first .cls}\n# Two ^second\n# <a name="third"></a>Three\ntext\nlast line ^fourth\n\n^fifth\n')
    assert [(found.heading, found.ids) for found in parsed.sections[1:]] == [
        ("One", ("first",)),
        ("Two", ("second",)),
        ("Three", ("third", "fourth", "fifth")),
    ]


def test_the_title_is_only_ever_explicit() -> None:
    assert parse("# First heading\n").title == ""
    assert parse("---\ntitle: Given\n---\n# First heading\n").title == "Given"


def test_a_keyword_a_checkbox_and_a_priority_of_a_heading_are_metadata() -> None:
    parsed = parse_with(
        "# TODO [#A] Call Bob\n## DONE Old\n## [ ] Open\n## Todo list\n## BLOCKED x\n# Buy TODO stickers\n",
        ContentSettings(todo_keywords=("BLOCKED",)),
    )
    assert [(found.todo, found.priority, found.heading) for found in parsed.sections[1:]] == [
        ("TODO", "A", "Call Bob"),
        ("DONE", "", "Old"),
        ("TODO", "", "Open"),
        ("", "", "Todo list"),
        ("BLOCKED", "", "x"),
        ("", "", "Buy TODO stickers"),
    ]


def test_a_section_with_tasks_is_open_while_one_of_them_is() -> None:
    text = "# A\n- [x] a\n- [ ] b\n# B\n- [x] a\n- [-] b\n# C\n- Buy TODO stickers\n# D\n1. DOING it\n# E\n```\n- [ ] code\n```\n"
    assert {found.heading: found.todo for found in parse(text).sections[1:]} == {
        "A": "TODO",
        "B": "DONE",
        "C": "",
        "D": "DOING",
        "E": "",
    }


def test_a_large_note_and_a_long_line_are_read_in_time_proportional_to_them() -> None:
    piece = "# Heading\n\nSome text with a #tag and a [[link]].\n\n- item\n  - nested\n\n```\n# code\n```\n"
    text = piece * 12_000 + "- [a]: b\nlazy\n"  # 1 MB; the test's time limit is the guard
    parsed = parse(text)
    assert len(parsed.sections) == 12_001
    assert "line by line" in parsed.notes[0]
    line = "# t `a` #x ^b (k:: v) %% - [ ] " * 10_000
    assert len(parse(f"{line}\n\n# H\n").sections) == 3


HOSTILE = (
    r"""> |- |1. |[|[a]: /u "N|`|``N`|<a |<!-- |%%N|:LOGBOOK:N|#|"""
    r"""# |(k:: |**a |^a |OaNO-N|- [ ] |T| |*|_ |![|[[|{| #a|---N|> - |- xN |[^1]: |&#|<x y='"""
)


@pytest.mark.parametrize("mark", HOSTILE.split("|"))
def test_repeated_marks_do_not_take_quadratic_time(mark: str) -> None:
    piece = mark.replace("N", "\n").replace("T", "\t").replace("O", "|")
    text = piece * (60_000 // len(piece))
    check_ranges_of_hostile(text)
    check_ranges_of_hostile("# " + text)
    check_ranges_of_hostile("# x" + text + "}")


def check_ranges_of_hostile(text: str) -> None:
    parsed = parse(text)
    assert parsed.sections[0].span.end == len(text)


@pytest.mark.parametrize("unit", ["> ", "- ", "  "])
def test_deep_nesting_is_no_obstacle_to_the_headings_after_it(unit: str) -> None:
    deep = "\n".join(unit * level + "- x" for level in range(400))
    parsed = parse(f"# Before\n{deep}\n\n# After\ntext\n")
    assert [found.heading for found in parsed.sections[1:]] == ["Before", "After"]


def test_10_000_headings_nest_by_their_levels() -> None:
    parsed = parse("".join(f"{'#' * (1 + number % 6)} {number}\n" for number in range(10_000)))
    assert len(parsed.sections) == 10_001
    assert len(path(parsed, parsed.sections[-1])) == 10_000 % 6 or 6


@given(ANY_ENDS)
def test_every_line_is_in_a_segment_a_heading_or_is_nameable_metadata(text: str) -> None:
    check_ranges(text)


@given(TEXTS)
def test_headings_are_those_of_a_full_commonmark_parse(text: str) -> None:
    if "%%" in text or frontmatter.read(text).end or any(found.level == 7 for found in parse(text).sections):
        return
    if re.search(r"^\s*-[ \t]+#", text, re.MULTILINE) and len(found_headings(text)) != len(oracle(text)):
        return  # a Logseq page
    assert found_headings(text) == oracle(text)


def test_commonmarks_own_examples_have_the_headings_of_a_full_parse(shared_data: Path) -> None:
    spec = (shared_data / "corpora/nasty/nasty-commonmark/spec.txt").read_text(encoding="utf-8")
    examples = re.findall(r"^`{32} example\n(.*?)^\.$", spec, re.DOTALL | re.MULTILINE)
    assert len(examples) > 600
    for example in (one.replace("→", "\t") for one in examples):
        check_ranges(example)
        if not frontmatter.read(example).end:
            assert found_headings(example) == oracle(example), example
    check_ranges(spec)


@pytest.mark.parametrize("corpus", ["dendron-vault", "logseq-graph"])
def test_real_notes_are_read_exactly(shared_data: Path, corpus: str) -> None:
    files = sorted((shared_data / "corpora" / corpus).rglob("*.md"))
    assert len(files) > 200
    for file in files:
        text = file.read_bytes().decode()
        parsed = parse(text)
        assert parsed.sections[0].span.end == len(text)
        front = frontmatter.read(text)
        if not any(found.level == 7 for found in parsed.sections):
            shift = len(LineIndex(text[: front.end])) - 1
            expected = [(first + shift, last + shift, level) for first, last, level in oracle(text[front.end :])]
            assert found_headings(text) == expected or not expected, file
        for found in parsed.sections[1:]:
            assert found.heading_segment is not None
            line = text[found.span.start :].partition("\n")[0]
            assert line[:1] in "#-" or found.heading.split()[0] in line
