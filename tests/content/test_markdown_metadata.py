"""Front matter, tags, properties, tasks, comments and Logseq pages."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content import frontmatter
from khojd.content.markdown import parse as parse_with
from khojd.content.model import ContentSettings, DateRef, Parsed, Section


def parse(text: str) -> Parsed:
    return parse_with(text, ContentSettings())


def body(text: str, found: Section) -> str:
    return "".join(text[part.start : part.end] for part in found.segments)


def day(kind: str, year: int, month: int, number: int) -> DateRef:
    ordinal = date(year, month, number).toordinal()
    return DateRef(kind, ordinal, ordinal + 1)


def test_front_matter_is_metadata_of_every_section_and_no_text() -> None:
    text = (
        "---\ntitle: 'A  title'\ntags: [one, '#two', a/b]\naliases:\n  - Other\n  - Name\ndate: 2024-05-01\n"
        "created: 1600564193281\n"
        "due: 2024-06-01\nlang: de\nversion: 1.10\ndone: yes\nnested:\n  key: v\n---\nintro\n\n# H\ntext\n"
    )
    parsed = parse(text)
    assert (parsed.title, parsed.language, parsed.notes) == ("A title", "de", ())
    root, heading = parsed.sections
    assert body(text, root) == "intro\n\n"
    assert root.span.start == 0
    for found in (root, heading):
        assert found.tags == ("one", "two", "a/b")
        assert found.properties == (
            ("aliases", "Other"),
            ("aliases", "Name"),
            ("version", "1.10"),
            ("done", "yes"),
            ("nested.key", "v"),
        )
        assert found.dates == (day("frontmatter", 2024, 5, 1), day("frontmatter", 2020, 9, 20), day("deadline", 2024, 6, 1))


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("tags: one, two", ("one", "two")),
        ("tags: '#one #two'", ("one", "two")),
        ("Tags: 2024", ("2024",)),
        ("tags:", ()),
        ("tags: {a: b}", ()),
        ("tag: [two words]", ("two words",)),
    ],
)
def test_tags_of_front_matter_are_a_list_or_a_string(line: str, tags: tuple[str, ...]) -> None:
    assert parse(f"---\n{line}\n---\n").sections[0].tags == tags


def test_broken_yaml_is_a_note_with_its_line_and_stays_text() -> None:
    text = "---\ntitle: ok\nkey: [open\nother: }\n---\n# H\ntext\n"
    parsed = parse(text)
    assert parsed.title == ""
    assert len(parsed.notes) == 1
    assert "not valid YAML (line 4" in parsed.notes[0]
    assert [found.heading for found in parsed.sections] == ["", "H"]
    assert body(text, parsed.sections[0]) == "---\ntitle: ok\nkey: [open\nother: }\n---\n"


@pytest.mark.parametrize(
    ("block", "note"),
    [
        ("[" * 30_000, "nested"),
        ("- " * 30_000 + "x", "nested"),
        ("? " * 30_000 + "x", "nested"),
        ("\n".join(" " * 126 * level + "- " * 63 for level in range(30)), ""),
        ("a: " + "{a: " * 500 + "}" * 500, "nested"),
        ("\n".join(f"k{number}: {'x' * 90}" for number in range(1000)), "longer"),
        ("a: \x01", "not valid"),
        ("{{title}}: x", "not valid"),
        ("a: b: c", "not valid"),
    ],
)
def test_hostile_yaml_is_noted_and_read_as_text(block: str, note: str) -> None:
    text = f"---\n{block}\n---\ntext\n"
    parsed = parse(text)
    assert note in parsed.notes[0]
    assert body(text, parsed.sections[0]) == text


def test_anchors_that_multiply_stay_within_the_limit_of_properties() -> None:
    levels = ["a0: &a0 [x, y, z]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    levels += [f"b: [{', '.join(['*a11'] * 300)}]", "date: *a11", "tags: *a11"]
    parsed = parse("---\n" + "\n".join(levels) + "\ntitle: Still here\n---\n")
    assert parsed.title == "Still here"
    assert 0 < len(parsed.sections[0].properties) <= frontmatter.MAX_PROPERTIES
    assert "recursive" in parse("---\na: &a [*a]\n---\n").notes[0]


def test_what_is_not_a_mapping_is_ordinary_markdown() -> None:
    parsed = parse("---\n\n# Heading\n\ntext\n\n---\nmore\n")
    assert [found.heading for found in parsed.sections] == ["", "Heading"]
    assert parse("---\ntitle: never closed\n\n# H\n").title == ""


def test_toml_front_matter_is_read_too() -> None:
    parsed = parse('+++\ntitle = "T"\ndate = 2024-05-01T10:00:00Z\ntags = ["a"]\ndraft = true\n+++\ntext\n')
    root = parsed.sections[0]
    assert (parsed.title, root.tags, root.properties, root.dates) == (
        "T",
        ("a",),
        (("draft", "true"),),
        (day("frontmatter", 2024, 5, 1),),
    )
    assert "not valid TOML (line 3" in parse("+++\na = 1\nb = \n+++\n").notes[0]
    assert parse(f"+++\na = {'9' * 9000}\n+++\n").notes
    assert parse(f"+++\na = 0x{'f' * 9000}\nb = 1\n+++\n").sections[0].properties == (("b", "1"),)


@given(st.text(alphabet="-+.:#[]{}&*a1 \"'\t\n\r|>!%@`?,", max_size=80))
def test_no_front_matter_makes_parsing_fail(block: str) -> None:
    for fence in ("---", "+++"):
        text = f"{fence}\n{block}\n{fence}\nend\n"
        assert "end" in body(text, parse(text).sections[-1]) + parse(text).sections[-1].heading


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a #tag, and (#other).", ("tag", "other")),
        ("#a/b #Ünïcode #日本語 #हिन्दी #todo. #x_y-z", ("a/b", "Ünïcode", "日本語", "हिन्दी", "todo", "x_y-z")),
        ("#dendron.style #[[two words]]", ("dendron.style", "two words")),
        ("#123 #2024-05 a#b http://x.y/#frag [l](#anchor) \\#no ##no `#code` ``a`#b``", ()),
        ("#y2024 #1a", ("y2024", "1a")),
        ("```\n#code\n```\n    #indented\n\n<div>\n#fff\n</div>", ()),
        ("- item\n  ```\n  #code\n  ```\n  #tag", ("tag",)),
    ],
)
def test_tags_are_found_in_text_and_not_in_code_or_addresses(text: str, tags: tuple[str, ...]) -> None:
    assert parse(text).sections[0].tags == tags


def test_tags_of_headings_and_of_lines_of_their_own_are_inherited_and_those_in_sentences_are_not() -> None:
    parsed = parse("#file #wide\n\nroot #own\n\n# A #head\nin #a\n## B\n#line\n### C\n# D\n")
    assert {found.heading: found.tags for found in parsed.sections} == {
        "": ("file", "wide", "own"),
        "A": ("file", "wide", "head", "a"),
        "B": ("file", "wide", "head", "line"),
        "C": ("file", "wide", "head", "line"),
        "D": ("file", "wide"),
    }


def test_properties_are_lines_or_inline_and_stay_text_but_for_a_programs_own() -> None:
    text = "intro\n\n# H\nstatus:: open\n**Due date**:: soon\n- rating:: 5\ncollapsed:: true\nid:: 6-7\n"
    text += "see [by:: Ann] `[no:: x]` std::string\n"
    found = parse(text).sections[1]
    assert found.properties == (("status", "open"), ("Due date", "soon"), ("rating", "5"), ("collapsed", "true"), ("by", "Ann"))
    assert found.ids == ("6-7",)
    assert body(text, found) == "status:: open\n**Due date**:: soon\n- rating:: 5\nsee [by:: Ann] `[no:: x]` std::string\n"


def test_planning_of_tasks_gives_dates_and_drawers_are_left_out() -> None:
    text = (
        "# H\n- TODO call\n  SCHEDULED: <2024-05-01 Wed>\n  :LOGBOOK:\n  CLOCK: [2024-01-01 Mon 10:00]\n  :END:\n"
        "- [ ] pay 📅 2024-06-02 ⏳ 2024-06-01\n"
    )
    found = parse(text).sections[1]
    assert found.todo == "TODO"
    assert set(found.dates) == {day("scheduled", 2024, 5, 1), day("deadline", 2024, 6, 2), day("scheduled", 2024, 6, 1)}
    assert body(text, found) == "- TODO call\n- [ ] pay 📅 2024-06-02 ⏳ 2024-06-01\n"


def test_comments_of_whole_lines_are_left_out_and_inline_ones_stay() -> None:
    text = "# A\none %%inline%%\n%% whole %%\ntwo\n%%\n# hidden #tag\n%%\nthree\n```\n%% code %%\n```\n%% never closed\nend\n"
    parsed = parse(text)
    assert [found.heading for found in parsed.sections] == ["", "A"]
    assert parsed.sections[1].tags == ()
    shown = "one %%inline%%\ntwo\nthree\n```\n%% code %%\n```\n%% never closed\nend\n"
    assert body(text, parsed.sections[1]) == shown


def test_links_embeds_callouts_tables_html_and_footnotes_stay_text_as_written() -> None:
    lines = "# A\n[[Page|shown]] ![[embed.png]] x[^1]\n\n> [!note] Title\n> body\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    text = lines + "<details>\n<!-- c -->\n</details>\n\n[^1]: the note\n"
    assert body(text, parse(text).sections[1]) == text.removeprefix("# A\n")


def test_a_logseq_page_has_its_blocks_as_sections() -> None:
    text = (
        "title:: My page\nalias:: Other\ntags:: a, [[b c]]\n\n- TODO [#B] call Bob #work\n  collapsed:: true\n\t- DONE nested\n"
        "- plain block\n\t- child\n- ## Part\n\t- below\n- after\n\t- more\n-\n"
    )
    parsed = parse(text)
    assert parsed.title == "My page"
    root, call, plain, part, after = parsed.sections
    assert [found.heading for found in parsed.sections] == ["", "call Bob", "plain block", "Part", "after"]
    assert [found.parent for found in parsed.sections] == [-1, 0, 0, 0, 3]
    assert (call.todo, call.priority, call.tags) == ("TODO", "B", ("a", "b c", "work"))
    assert ("alias", "Other") in plain.properties
    assert body(text, call) == "- TODO [#B] call Bob #work\n\t- DONE nested\n"
    assert body(text, plain) == "- plain block\n\t- child\n"
    assert body(text, part) == "\t- below\n"
    assert body(text, root) == "alias:: Other\ntags:: a, [[b c]]\n\n"
    assert after.todo == ""


def test_a_plain_list_is_no_logseq_page() -> None:
    assert len(parse("- milk\n- eggs\n  - brown\n").sections) == 1
    assert len(parse("- # Foo\n- Bar\n").sections) == 1


def test_a_long_block_is_shown_by_its_first_words_and_keeps_its_text() -> None:
    line = "- " + "word " * 100
    text = f"{line}\n\t- child\n"
    found = parse(text).sections[1]
    assert len(found.heading) <= 81
    assert body(text, found) == text


def test_real_logseq_pages_have_blocks_with_their_own_lines(shared_data: Path) -> None:
    files = sorted((shared_data / "corpora/logseq-graph").rglob("*.md"))
    blocks = 0
    for file in files:
        text = file.read_bytes().decode()
        for found in parse(text).sections[1:]:
            if found.level == 7:
                blocks += 1
                assert text[found.span.start] == "-"
                assert found.heading_segment is not None
                assert found.heading_segment.start == found.heading_segment.end == found.span.start
    assert blocks > 200
