"""How a link is written anew: in the way it was written before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content import names, targets
from khojd.content.model import Link
from khojd.graph import spelling
from khojd.graph.spelling import Dress

ROOT = "/v"


def first(
    written: str, source: str, old: str, new: str, *, kind: str = "markdown", moved: str = "", angled: bool = False
) -> str | None:
    """The likeliest spelling of a link in `source` (now at `moved`) to `old`, which is now at `new`; paths are below the folder."""
    dress = Dress(kind, written, angled)
    named = kind in ("wiki", "embed")
    path = spelling.read_path(dress, f"{ROOT}/{source}", f"{ROOT}/{old}", ROOT, named=named)
    assert path is not None, f"{written} does not name {old}"
    sources, ends = (f"{ROOT}/{source}", f"{ROOT}/{moved or source}"), (f"{ROOT}/{old}", f"{ROOT}/{new}")
    return dress.dressed(next(spelling.paths(path, sources, ends, (ROOT, ROOT), named=named)))


@pytest.mark.parametrize(
    ("written", "new", "expected"),
    [
        ("old", "d/new.md", "new"),
        ("old", "e/new.md", "new"),
        ("OLD", "d/new.md", "new"),
        ("old.md", "d/new.md", "new.md"),
        ("d/old", "d/new.md", "d/new"),
        ("d/old", "x/y/new.md", "y/new"),
        ("d/old", "new.md", "new"),
        ("/d/old", "d/new.md", "/d/new"),
        ("./d/old", "d/new.md", "./d/new"),
        ("./d/old", "e/new.md", "./e/new"),
        ("old", "d/new name.md", "new name"),
        ("d/old", "d/a[1]#2|3.md", "d/a%5B1%5D%232%7C3"),
    ],
)
def test_a_wikilink_stays_as_short_or_long_as_it_was(written: str, new: str, expected: str) -> None:
    assert first(written, "index.md", "d/old.md", new, kind="wiki") == expected


@pytest.mark.parametrize(
    ("written", "new", "expected"),
    [
        ("../d/old.md", "d/new.md", "../d/new.md"),
        ("../d/old", "e/new.md", "../e/new"),
        ("../d/old.md", "s/new.md", "new.md"),
        ("./../d/old.md", "d/new.md", "./../d/new.md"),
        ("/d/old.md", "e/new.md", "/e/new.md"),
        ("d/old.md", "e/new.md", "e/new.md"),
        ("/v/d/old.md", "e/new.md", "/v/e/new.md"),
        ("../d/old.md", "d/ü (1).md", "../d/ü%20%281%29.md"),
        ("../d/old.md", "d/100% oo.md", "../d/100%25%20oo.md"),
    ],
)
def test_a_markdown_link_keeps_its_kind_of_path(written: str, new: str, expected: str) -> None:
    assert first(written, "s/index.md", "d/old.md", new) == expected


def test_percent_encoding_of_letters_stays_when_it_was_there() -> None:
    assert first("%C3%A9.md", "a.md", "é.md", "ü x.md") == "%C3%BC%20x.md"
    assert first("é.md", "a.md", "é.md", "ü x.md") == "ü%20x.md"
    assert first("é x.md", "a.md", "é x.md", "ü y.md", angled=True) == "ü y.md"
    assert first("my%20note", "a.md", "my note.md", "a new one.md", kind="wiki") == "a%20new%20one"


def test_names_are_recognised_in_any_unicode_normalisation() -> None:
    assert first("e\u0301te\u0301", "a.md", "été.md", "hiver.md", kind="wiki") == "hiver"
    assert first("été.md", "a.md", "e\u0301te\u0301.md", "hiver.md") == "hiver.md"


def test_relative_links_of_a_moved_note_follow_its_place() -> None:
    assert first("../x.md", "d/a.md", "x.md", "x.md", moved="e/f/a.md") == "../../x.md"
    assert first("./x.md", "d/a.md", "d/x.md", "d/x.md", moved="a.md") == "./d/x.md"
    assert first("x.md", "d/a.md", "d/x.md", "e/x.md", moved="e/a.md") == "x.md"


def test_logseqs_names_of_pages() -> None:
    for written, new, expected in (("a/b", "p/a___c.md", "a/c"), ("a/b", "p/c.md", "c"), ("a/b", "p/x___y___z.md", "x/y/z")):
        assert first(written, "p/i.md", "p/a___b.md", new, kind="wiki") == expected
    assert first("a___b", "p/i.md", "p/a___b.md", "p/a___c.md", kind="wiki") == "a___c"
    assert first("p/a/b", "p/i.md", "p/a___b.md", "p/a___c.md", kind="wiki") == "p/a/c"


def test_an_alias_is_no_path() -> None:
    for written in ("Tea time", "", "/", "x/old"):
        assert spelling.read_path(Dress("wiki", written), "/v/a.md", "/v/old.md", ROOT, named=True) is None


def test_what_a_kind_of_link_cannot_carry() -> None:
    assert Dress("plain", "a.org").dressed("two words.org") is None
    assert Dress("plain", "a.org", angled=True).dressed("two words.org") == "two words.org"
    assert Dress("block", "1").dressed("a b") is None
    assert Dress("markdown", "a").dressed("a\nb") is None
    assert Dress("org", "a").dressed("x]y[z") == "x\\]y\\[z"


def heading(kind: str, raw: str, before: str, now: str, slug: str = "", *, fuzzy: bool = False) -> list[str]:
    return list(spelling.headings(Dress(kind, raw), before, now, slug or names.slug(now), fuzzy=fuzzy))


def test_headings_in_the_style_of_the_link() -> None:
    assert heading("wiki", "My Heading", "My Heading", "A [new] one") == ["A new one"]
    assert heading("wiki", "my-heading", "My Heading", "A new one")[0] == "a-new-one"
    assert heading("markdown", "my-heading", "My Heading", "A new one")[0] == "a-new-one"
    assert heading("markdown", "my-heading-1", "My Heading", "A new one", "a-new-one-2")[0] == "a-new-one-2"
    assert heading("markdown", "My%20Heading", "My Heading", "A new one") == ["A%20new%20one"]
    assert heading("markdown", "my--heading", "My: Heading", "A new one")[0] == "a-new-one"
    assert heading("org", "My Heading", "My Heading", "A [new] one") == ["A \\[new\\] one"]
    assert heading("org", "My Heading", "My Heading", "new", fuzzy=True) == ["new", "*new"]
    assert heading("markdown", "my-heading", "My Heading", "🫖") == ["🫖"]


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)


@given(NAMES.filter(lambda name: name == name.strip()), st.booleans())
def test_a_dressed_name_is_read_as_that_name(name: str, angled: bool) -> None:
    for kind, dress in (("wiki", Dress("wiki", "x")), ("markdown", Dress("markdown", "x", angled)), ("org", Dress("org", "x"))):
        written = dress.dressed(name)
        assert written is not None
        assert name in Dress(kind, written, angled).undressed()
        if kind != "org":
            read = targets.read(Link(kind, 0, 0, written + "#part", 0, len(written) + 5, 0))[0]
            if read.kind != "external":  # a name with `:` in it
                assert name in names.spellings(read.path) or read.kind == "here"
