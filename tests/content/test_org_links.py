"""Links, anchors and abbreviations in Org text, with their ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.model import ContentSettings, Parsed
from khojd.content.org import parse

DEFAULTS = ContentSettings()


def checked(text: str) -> Parsed:
    """The parsed text, after checking that each range holds what it names, in order and in its section."""
    parsed = parse(text, DEFAULTS)
    assert [link.start for link in parsed.links] == sorted({link.start for link in parsed.links})
    assert [anchor.start for anchor in parsed.anchors] == sorted({anchor.start for anchor in parsed.anchors})
    starts = [section.span.start for section in parsed.sections]
    for link in parsed.links:
        assert 0 <= link.start <= link.target_start < link.target_end <= link.end <= len(text)
        assert text[link.target_start : link.target_end] == link.target
        assert text[link.text_start : link.text_end] == link.text
        if link.text:
            assert link.target_end < link.text_start < link.text_end < link.end
        assert link.section == sum(start <= link.start for start in starts[1:])
    for anchor in parsed.anchors:
        assert text[anchor.start : anchor.end] == anchor.name != ""
        assert anchor.section == sum(start <= anchor.start for start in starts[1:])
    return parsed


def links(text: str) -> list[tuple[str, ...]]:
    """Whole, target and, if there is one, text of each link."""
    return [
        (link.kind, text[link.start : link.end], link.target, *((link.text,) if link.text else ())) for link in checked(text).links
    ]


def anchors(text: str) -> list[tuple[str, str, int]]:
    return [(anchor.kind, anchor.name, anchor.section) for anchor in checked(text).anchors]


@pytest.mark.parametrize(
    "target",
    [
        *(
            "file:x.org",
            "file:x.org::*Heading",
            "file:x.org::#custom-id",
            "file:x.org::target",
            "file:x.org::42",
            "./x.org",
            "~/x.org",
        ),
        *(
            "id:0b1c",
            "id:0b1c::*Heading",
            "#custom-id",
            "*Heading",
            "target",
            "(coderef)",
            "attachment:f.png",
            "https://x.org/?a=b&c",
        ),
        *("mailto:a@b.c", "file:a b|c#d%20.org", "./überall/✨.org", r"a\[1\].org", r"a\\", r"C:\notes\x.org", "x" * 10_000),
    ],
)
def test_any_target_in_brackets_is_a_link_with_and_without_description(target: str) -> None:
    assert links(f"see [[{target}]].") == [("org", f"[[{target}]]", target)]
    assert links(f"see [[{target}][its *name*]].") == [("org", f"[[{target}][its *name*]]", target, "its *name*")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[[a][with [1] and ] in it]]", [("org", "[[a][with [1] and ] in it]]", "a", "with [1] and ] in it")]),
        ("[[a][two\nlines]] [[b]]", [("org", "[[a][two\nlines]]", "a", "two\nlines"), ("org", "[[b]]", "b")]),
        ("[[a][two\r\n  lines]]", [("org", "[[a][two\r\n  lines]]", "a", "two\r\n  lines")]),
        ("[[a name\rof two]]", [("org", "[[a name\rof two]]", "a name\rof two")]),
        ("[[a][two\n\nparagraphs]]", []),
        ("[[a][text\n- item]]", []),
        ("[[a][text\r\n\r\n]]", []),
        ("[[a][x]", []),
        ("[[]] [[a][]] [[][x]]", []),
        ("[[open [[a]]", [("org", "[[a]]", "a")]),
        ("[[a][[[x]\u200b] y]]", [("org", "[[a][[[x]\u200b] y]]", "a", "[[x]\u200b] y")]),
        ("[[a][open [[b][c]]", [("org", "[[b][c]]", "b", "c")]),
        ("[[p][file:i.png]]", [("org", "[[p][file:i.png]]", "p", "file:i.png"), ("plain", "file:i.png", "file:i.png")]),
        ("[[p][[[file:i.png]]]]", [("org", "[[p][[[file:i.png]]]]", "p", "[[file:i.png]]"), ("plain", "file:i.png", "file:i.png")]),
        ("[[https://x.org][https://x.org]]", [("org", "[[https://x.org][https://x.org]]", "https://x.org", "https://x.org")]),
        ("[fn:1] [fn:x: text] [1] [cite:@key]", []),
        ("[2024-05-01 Wed] <2024-05-01 Wed>", []),
    ],
)
def test_a_link_in_brackets_is_read_as_org_reads_it(text: str, found: list[tuple[str, ...]]) -> None:
    assert links(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://x.org/a_(b)?q=1#f.", "https://x.org/a_(b)?q=1#f"),
        ("(https://x.org/a)", "https://x.org/a"),
        ("https://x.org/a/, then", "https://x.org/a/"),
        ("見よ https://x.org/a。", "https://x.org/a"),
        ("file:x.org::*Heading it is", "file:x.org::*Heading"),
        ("id:0b1c-2; mailto", "id:0b1c-2"),
        ("write to mailto:a@b.c!", "mailto:a@b.c"),
        ("- file+sys:a.pdf", "file+sys:a.pdf"),
        ("| doi:10.1000/182 |", "doi:10.1000/182"),
        ("http:: https: file: x:y a:b", None),
        ("profile:x grid:12 bohttp://x", None),
        ("file:... and id:x", None),
    ],
)
def test_a_link_without_brackets_ends_where_org_ends_it(text: str, found: str | None) -> None:
    assert links(text) == ([("plain", found, found)] if found else [])


def test_an_angle_link_may_hold_spaces_and_its_target_has_no_brackets() -> None:
    assert links("<file:my notes.org> and <https://x.org>") == [
        ("plain", "<file:my notes.org>", "file:my notes.org"),
        ("plain", "<https://x.org>", "https://x.org"),
    ]
    assert links("a <file:b.org, unclosed") == [("plain", "file:b.org", "file:b.org")]


@pytest.mark.parametrize(
    "text",
    [
        "* A heading with %s in it",
        "* TODO [#A] %s :tag:",
        "* H\n:PROPERTIES:\n:SOURCE: %s\n:END:\n",
        "#+CAPTION: of %s\n[[file:i.png]]",
        "#+TRANSCLUDE: %s :level 2",
        "#+TITLE: On %s",
        "| a | %s |",
        "- item %s\n",
        "  1. [ ] %s",
        "*bold %s text* and /it %s that/",
        "#+begin_quote\n%s\n#+end_quote",
        "#+begin_verse\n%s\n#+end_verse",
        "* H\n:LOGBOOK:\n- Note %s\n:END:\n",
        "#+begin_src\nunclosed %s",
        "a = %s = b",
        "1= %s =2 a~ %s ~b",
        "=open %s\n\n=",
        "- =a\n- %s=",
        "=a %s\n[fn:1] b=",
        "=a= %s =b=",
        "#tag %s",
        ":not: fixed %s",
        "*** not %s\ncomment",
    ],
)
@pytest.mark.parametrize("link", ["[[file:a.org][x]]", "https://x.org/a", "<id:12>"])
def test_links_are_found_wherever_text_is_read(text: str, link: str) -> None:
    written = text.replace("%s", link)
    found = [whole for _, whole, *_ in links(written) if whole != "[[file:i.png]]"]
    assert found == [link] * text.count("%s")


@pytest.mark.parametrize(
    "text",
    [
        "#+begin_src org\n%s\n#+end_src\n",
        "  #+BEGIN_EXAMPLE\n  %s\n  #+END_EXAMPLE\n",
        "#+begin_export html\n%s\n#+end_export",
        "#+begin_comment\n%s\n#+end_comment",
        "* H\n:LOGBOOK:\n#+begin_src\n%s\n#+end_src\n:END:\n",
        "# %s",
        "  # a comment on %s",
        ": %s",
        "\t: a fixed line %s",
        "=%s=",
        "~%s~",
        "the =code %s here=, it is",
        "it is =code\nwith %s in it=.",
        "*=%s=*",
        "| =%s= |",
        "#+LINK: bug %s",
        '#+HTML: <a href="%s">',
        '#+HTML_HEAD: <link href="%s">',
    ],
)
@pytest.mark.parametrize("link", ["[[file:a.org][x]]", "https://x.org/a", "<id:12>", "<<target>>"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_nothing_is_a_link_or_target_where_text_is_literal(text: str, link: str, end: str) -> None:
    written = f"before\n{text.replace('%s', link)}\nafter [[a]]".replace("\n", end)
    assert links(written) == [("org", "[[a]]", "a")]
    assert anchors(written) == []


def test_files_that_keywords_name_are_links() -> None:
    text = '#+INCLUDE: "a b.org::*H" :lines "5-10"\n#+include: c.org\n#+SETUPFILE: ~/org/my theme.setup\n#+SETUPFILE: "d.org"\n'
    assert [target for _, _, target in links(text)] == ["a b.org::*H", "c.org", "~/org/my theme.setup", "d.org"]
    assert links("#+SETUPFILE: https://x.org/t.setup\n[[a]]") == [
        ("plain", "https://x.org/t.setup", "https://x.org/t.setup"),
        ("org", "[[a]]", "a"),
    ]
    assert links('#+INCLUDE:\n#+INCLUDE: ""\n#+begin_src\n#+INCLUDE: "a.org"\n#+end_src') == []


def test_anchors_are_ids_targets_radio_targets_and_names() -> None:
    text = (
        ":PROPERTIES:\n:ID: file-id\n:END:\n#+NAME: my table\n| a |\n"
        "* One <<one>>\n:PROPERTIES:\n:CUSTOM_ID:   first  \n:id: 0b1c\n:ID:\n:OTHER: x\n:END:\n"
        "some <<<radio words>>> and <<b c>>, << d>> <<>> <<e\nf>>\n#+tblname: t\n"
    )
    assert anchors(text) == [
        ("id", "file-id", 0),
        ("name", "my table", 0),
        ("target", "one", 1),
        ("custom_id", "first", 1),
        ("id", "0b1c", 1),
        ("radio", "radio words", 1),
        ("target", "b c", 1),
        ("name", "t", 1),
    ]
    assert checked(text).sections[1].ids == ("first", "0b1c")


def test_abbreviations_are_names_with_their_replacements() -> None:
    text = '#+LINK: bug https://bugs/%s\n#+link: "two words"  file:x/%h.org\n#+LINK: alone\n* H\n#+LINK: g https://g/\n[[bug:1]]'
    assert checked(text).abbreviations == (("bug", "https://bugs/%s"), ("two words", "file:x/%h.org"), ("g", "https://g/"))
    assert links(text) == [("org", "[[bug:1]]", "bug:1")]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "[[" * 100_000,
            "[[a][" * 100_000,
            "a\n[[" * 100_000,
            "[[a\\" * 100_000,
            " =a" * 100_000,
            " =a [[b" * 50_000,
            "<file:" * 50_000,
        ),
        *(
            "file:(" * 50_000,
            "file:" * 50_000,
            "<<a " * 100_000,
            "[[x][\n \n" * 100_000,
            " [[x" + " \n" * 100_000,
            "https://x" + "." * 100_000,
        ),
    ],
    ids=lambda text: ascii(text[:9]),
)
def test_what_is_never_closed_takes_linear_time(text: str) -> None:
    assert [link.kind for link in checked(text).links] in ([], ["plain"])


PIECES = st.sampled_from(
    [
        *(
            "[[",
            "]]",
            "][",
            "[",
            "]",
            "\\",
            "=",
            "~",
            " ",
            "\n",
            "\r\n",
            "\r",
            "a",
            "b c",
            "file:",
            "https://x.org",
            "id:",
            "<",
            ">",
            "<<",
        ),
        *(
            ">>",
            "<<<",
            ">>>",
            "\n* ",
            "\n** H ",
            "\n# ",
            "\n: ",
            "\n- ",
            "\n| ",
            "#+begin_src\n",
            "\n#+end_src\n",
            "#+NAME: ",
            "#+INCLUDE: ",
        ),
        *(
            ":PROPERTIES:\n",
            ":ID: ",
            ":END:\n",
            "\n",
            ".",
            "(",
            ")",
            "é",
            "🍵",
            "\u0301",
            "#+LINK: x y",
            '"',
            "[[a]]",
            "[[a][b]]",
            ":LOGBOOK:\n",
        ),
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_ranges_hold_what_they_name_in_any_text(text: str) -> None:
    checked(text)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_line_ends_change_no_link(text: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    unix, dos, mac = (parse(plain.replace("\n", end), DEFAULTS) for end in ("\n", "\r\n", "\r"))
    for other, end in ((dos, "\r\n"), (mac, "\r")):
        assert [link.target.replace(end, "\n") for link in other.links] == [link.target for link in unix.links]
        assert [(anchor.kind, anchor.name, anchor.section) for anchor in other.anchors] == [
            (anchor.kind, anchor.name, anchor.section) for anchor in unix.anchors
        ]
