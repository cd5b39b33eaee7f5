"""What Org headings, drawers, keywords and timestamps say."""

from datetime import date

import pytest

from khojd.content.model import ContentSettings, DateRef, Section
from khojd.content.org import parse

DEFAULTS = ContentSettings()


def heading(line: str, before: str = "") -> Section:
    return parse(f"{before}{line}\n", DEFAULTS).sections[1]


def day(year: int, month: int, number: int) -> int:
    return date(year, month, number).toordinal()


@pytest.mark.parametrize("keyword", ["TITLE", "title", "Title"])
def test_the_title_is_found_in_any_case_and_several_lines_are_joined(keyword: str) -> None:
    parsed = parse(f"#+{keyword}: One\n* A\n#+{keyword}: and [[https://x.org][two]]\n", DEFAULTS)
    assert parsed.title == "One and two"
    assert parsed.sections[1].segments == ()


@pytest.mark.parametrize(("written", "found"), [("en", "en"), ("de_AT", "de"), ("pt-BR", "pt")])
def test_the_language_is_its_two_letters(written: str, found: str) -> None:
    assert parse(f"#+LANGUAGE: {written}\n", DEFAULTS).language == found


@pytest.mark.parametrize(
    ("line", "todo", "title"),
    [
        ("* TODO buy", "TODO", "buy"),
        ("* DONE", "DONE", ""),
        ("* NEXT\tcall", "NEXT", "call"),
        ("* IN-PROGRESS x", "IN-PROGRESS", "x"),
        ("* Buy TODO stickers", "", "Buy TODO stickers"),
        ("* TODOist", "", "TODOist"),
        ("* TODO: x", "", "TODO: x"),
        ("* todo x", "", "todo x"),
    ],
)
def test_a_keyword_is_the_whole_first_word_of_a_heading(line: str, todo: str, title: str) -> None:
    section = heading(line)
    assert (section.todo, section.heading) == (todo, title)


@pytest.mark.parametrize("name", ["TODO", "seq_todo", "TYP_TODO"])
def test_a_file_brings_its_own_keywords(name: str) -> None:
    text = f"#+{name}: ASK(a) WAIT2(w@/!) | GONE(g)\n* ASK a\n* WAIT2 b\n* GONE c\n* TODO d\n* MINE e\n"
    sections = parse(text, ContentSettings(todo_keywords=("MINE",))).sections
    assert [section.todo for section in sections[1:]] == ["ASK", "WAIT2", "GONE", "", "MINE"]


def test_keywords_given_after_the_heading_and_on_several_lines_count() -> None:
    sections = parse("* ASK a\n* B b\n#+TODO: ASK |\n#+TODO: | B\n", DEFAULTS).sections
    assert [section.todo for section in sections[1:]] == ["ASK", "B"]


@pytest.mark.parametrize(
    ("line", "priority", "title"),
    [
        ("* TODO [#A] x", "A", "x"),
        ("* [#b]x", "b", "x"),
        ("* [#12] x", "12", "x"),
        ("* x [#A]", "", "x [#A]"),
        ("* [#] x", "", "[#] x"),
    ],
)
def test_a_priority_is_a_letter_or_a_number_before_the_title(line: str, priority: str, title: str) -> None:
    section = heading(line)
    assert (section.priority, section.heading) == (priority, title)


@pytest.mark.parametrize(
    ("line", "tags", "title"),
    [
        ("* x :a:b_1:@home:#1:50%:", ("a", "b_1", "@home", "#1", "50%"), "x"),
        ("* x  :日本:größe:हिन्दी:  ", ("日本", "größe", "हिन्दी"), "x"),
        ("* :only:", ("only",), ""),
        ("* x:a:", (), "x:a:"),
        ("* x :a b:", (), "x :a b:"),
        ("* x :a-b:", (), "x :a-b:"),
        ("* x ::", (), "x ::"),
        ("* see: this :", (), "see: this :"),
    ],
)
def test_tags_stand_after_a_space_at_the_end_of_the_heading(line: str, tags: tuple[str, ...], title: str) -> None:
    section = heading(line)
    assert (section.tags, section.heading) == (tags, title)


@pytest.mark.parametrize("filetags", [":f:g:", "f g", "f, g"])
def test_tags_come_from_the_file_and_the_parents_once(filetags: str) -> None:
    sections = parse(f"#+filetags: {filetags}\n* A :a:\n** B :b:a:\n* C\n", DEFAULTS).sections
    assert [section.tags for section in sections] == [("f", "g"), ("f", "g", "a"), ("f", "g", "a", "b"), ("f", "g")]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("* See [[https://x.org][the site]] now", "See the site now"),
        ("* [[file:a.org]]", "file:a.org"),
        ("* Tasks [1/3] [33%]", "Tasks [1/3] [33%]"),
        ("* [[a][b] and [[c][d [e] f]]", "[[a][b] and d [e] f"),
    ],
)
def test_links_in_a_heading_show_their_description(line: str, title: str) -> None:
    assert heading(line).heading == title


def test_properties_are_kept_as_written_and_only_some_inherit() -> None:
    text = (
        ":PROPERTIES:\n:ID: file-id\n:CATEGORY: work\n:END:\n#+PROPERTY: Effort_ALL 1 2\n#+PROPERTY: Scope all\n"
        "* A\n:PROPERTIES:\n:Custom_ID: a\n:Owner: Ada\n:header-args:python: :tangle yes\n:Empty:\n:END:\n"
        "** B\n:properties:\n:category: home\n:header-args:python+: :session\n:Owner+: Bob\n:end:\n"
    )
    root, a, b = parse(text, DEFAULTS).sections
    assert (root.ids, a.ids, b.ids) == (("file-id",), ("a",), ())
    assert dict(root.properties) == {"ID": "file-id", "CATEGORY": "work", "Effort_ALL": "1 2", "Scope": "all"}
    assert dict(a.properties) == {
        **{"Custom_ID": "a", "Owner": "Ada", "header-args:python": ":tangle yes", "Empty": ""},
        **{"CATEGORY": "work", "Effort_ALL": "1 2", "Scope": "all"},
    }
    assert dict(b.properties) == {
        **{"category": "home", "header-args:python": ":tangle yes :session", "Owner": "Bob"},
        **{"Effort_ALL": "1 2", "Scope": "all"},
    }


def test_values_of_one_property_are_joined() -> None:
    section = heading("* A\n:PROPERTIES:\n:v: one\n:v+: two\n:END:")
    assert section.properties == (("v", "one two"),)


def test_a_drawer_may_follow_planning_or_blank_lines_but_not_text() -> None:
    drawer = ":PROPERTIES:\n:ID: 1\n:END:\n"
    for before in ("DEADLINE: <2024-05-01>\n", "\n \n", "SCHEDULED: <2024-05-01>\n\n"):
        section = heading(f"* A\n{before}{drawer}")
        assert (section.ids, section.segments) == (("1",), ())
    section = heading(f"* A\ntext\n{drawer}")
    assert section.ids == ()
    assert len(section.segments) == 2  # "text" and the line in the drawer, which is no property there


def test_a_planning_line_gives_its_dates_in_any_order() -> None:
    section = heading("* A\n  CLOSED: [2024-05-04 Sat 10:00] DEADLINE: <2024-05-03 Fri -2d> SCHEDULED: <2024-05-01 Wed +1w>")
    assert section.dates == (
        DateRef("closed", day(2024, 5, 4), day(2024, 5, 5)),
        DateRef("deadline", day(2024, 5, 3), day(2024, 5, 4)),
        DateRef("scheduled", day(2024, 5, 1), day(2024, 5, 2)),
    )
    assert section.segments == ()


def test_planning_must_follow_the_heading_directly() -> None:
    section = heading("* A\n\nSCHEDULED: <2024-05-01 Wed>")
    assert section.dates == (DateRef("timestamp", day(2024, 5, 1), day(2024, 5, 2)),)
    assert section.segments


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("SCHEDULED: <2024-05-01> call Bob <2024-05-02>", ["scheduled", "timestamp"]),
        ("SCHEDULED: <2024-02-30>", []),
        ("DEADLINE: tomorrow", []),
    ],
)
def test_a_planning_line_that_says_more_stays_text(line: str, kinds: list[str]) -> None:
    section = heading(f"* A\n{line}")
    assert [ref.kind for ref in section.dates] == kinds
    assert len(section.segments) == 1


@pytest.mark.parametrize(
    ("stamp", "kind", "first", "last"),
    [
        ("<2024-05-01 Wed>", "timestamp", 1, 1),
        ("<2024-05-01>", "timestamp", 1, 1),
        ("<2024-05-01 Wed 10:00-11:00 +1w>", "timestamp", 1, 1),
        ("<2024-05-01 水 9:05 .+1d/3d -1d>", "timestamp", 1, 1),
        ("[2024-05-01 Wed 25:10]", "inactive", 1, 1),
        ("<2024-05-01 Wed>--<2024-05-04 Sat>", "timestamp", 1, 4),
        ("[2024-05-01 Wed 10:00]--[2024-05-04 Sat 11:00]", "inactive", 1, 4),
        ("<2024-05-04>--<2024-05-01>", "timestamp", 1, 4),
    ],
)
def test_stamps_are_half_open_ranges_of_whole_days(stamp: str, kind: str, first: int, last: int) -> None:
    expected = (DateRef(kind, day(2024, 5, first), day(2024, 5, last) + 1),)
    assert heading(f"* A\nsee {stamp}, please").dates == expected
    assert heading(f"* Meet {stamp} :x:").dates == expected
    assert heading(f"* A\n:PROPERTIES:\n:CREATED: {stamp}\n:END:").dates == expected


@pytest.mark.parametrize("text", ["<2024-13-01>", "<0000-01-01>", "<2024-05-01", "2024-05-01", "<2024-05-01]", "<2024-05-011>"])
def test_what_is_no_stamp_gives_no_date(text: str) -> None:
    assert heading(f"* A\n{text}").dates == ()


def test_stamps_in_code_and_clocks_are_no_dates_of_the_section() -> None:
    text = "* A\n#+begin_src sh\n[2024-05-01]\n#+end_src\n<2024-05-02>\n:LOGBOOK:\n[2024-05-03]\n:END:\n* B\n<2024-05-04>\n"
    _, a, b = parse(text, DEFAULTS).sections
    assert [ref.start for ref in a.dates] == [day(2024, 5, 2)]
    assert [ref.start for ref in b.dates] == [day(2024, 5, 4)]


def test_the_date_of_the_file_belongs_to_its_root_and_stays_text_when_it_is_none() -> None:
    root = parse("#+DATE: <2024-05-01 Wed>\n", DEFAULTS).sections[0]
    assert (root.dates[0], root.segments) == (DateRef("frontmatter", day(2024, 5, 1), day(2024, 5, 2)), ())
    assert parse("#+date: last spring\n", DEFAULTS).sections[0].segments
