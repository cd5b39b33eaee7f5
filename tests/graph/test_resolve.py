"""Where links lead."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.graph.conftest import MakeVault
from tests.graph.vault import Vault

TOMATOES = """---
title: Growing tomatoes
aliases: [Love apples, 'San Marzano']
---
# Tomatoes

## When to sow

In March. ^march

## When to sow

Again.

### Under glass
"""
PLAN = """#+TITLE: Plan
* Plan of the year
:PROPERTIES:
:ID: 3f1c-11
:CUSTOM_ID: year
:END:
** TODO Order seeds :buy:
<<list>> of seeds
#+NAME: prices
| a | b |
"""
UUID = "64a0e5f2-0000-4000-8000-000000000001"
NOTES: dict[str, str | bytes] = {
    "index.md": "# Index\n",
    "garden/Tomatoes.md": TOMATOES,
    "garden/Soil.md": "# Soil & water!\n\n## Under glass\n",
    "office/Soil.md": "# Soil survey\n",
    "office/plan.org": PLAN,
    "office/attach.org": "* Papers\n:PROPERTIES:\n:ID: abcdef12\n:END:\n[[attachment:scan.png]]\n",
    "office/data/ab/cdef12/scan.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "pics/Leaf.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "odd/a#b.md": "# Hash\n",
    "odd/100% sure.md": "# Percent\n",
    "odd/café.md": "# Coffee\n",
    "odd/emoji 🍅 note.md": "# Emoji\n",
    "odd/שלום.md": "# Peace\n",
    "pages/projects___garden.md": f"- block one\n  id:: {UUID}\n",
    "journals/2024_05_01.md": "- a day\n",
}

CASES = {
    "a name": ("index.md", "[[Tomatoes]]", ["garden/Tomatoes.md"]),
    "a name in other case": ("index.md", "[[tomatoes]]", ["garden/Tomatoes.md"]),
    "a name with its suffix": ("index.md", "[[Tomatoes.md]]", ["garden/Tomatoes.md"]),
    "the end of a path": ("index.md", "[[garden/Soil]]", ["garden/Soil.md"]),
    "two notes of one name, from one's side": ("garden/Tomatoes.md", "[[Soil]]", ["ambiguous", "garden/Soil.md", "office/Soil.md"]),
    "two notes of one name, from the other side": ("office/plan.org", "[[file:Soil.md]]", ["office/Soil.md"]),
    "an alias": ("index.md", "[[love apples]]", ["garden/Tomatoes.md"]),
    "a title": ("index.md", "[[Growing tomatoes]]", ["garden/Tomatoes.md"]),
    "the heading a note begins with": ("index.md", "[[Soil survey]]", ["office/Soil.md"]),
    "its slug": ("index.md", "[[soil-survey]]", ["office/Soil.md"]),
    "a heading": ("index.md", "[[Tomatoes#When to sow]]", ["garden/Tomatoes.md#When to sow"]),
    "a heading below a heading": ("index.md", "[[Tomatoes#When to sow#Under glass]]", ["garden/Tomatoes.md#Under glass"]),
    "a block": ("index.md", "[[Tomatoes#^march]]", ["garden/Tomatoes.md#march"]),
    "a missing heading": ("index.md", "[[Tomatoes#Nothing]]", ["no-anchor", "garden/Tomatoes.md"]),
    "a missing block": ("index.md", "[[Tomatoes#^nothing]]", ["no-anchor", "garden/Tomatoes.md"]),
    "a missing note": ("index.md", "[[Nowhere]]", ["no-note"]),
    "an embed of an image": ("index.md", "![[leaf.png]]", ["pics/Leaf.png"]),
    "a heading of the same note": ("index.md", "# One\n\n[[#One]]", ["index.md#One"]),
    "a relative path": ("garden/Soil.md", "[x](../office/Soil.md)", ["office/Soil.md"]),
    "a path without suffix": ("garden/Soil.md", "[x](Tomatoes)", ["garden/Tomatoes.md"]),
    "a path from the top": ("garden/Soil.md", "[x](/office/plan.org)", ["office/plan.org"]),
    "a slug": ("index.md", "[x](garden/Soil.md#soil--water)", ["garden/Soil.md#Soil & water!"]),
    "the second heading of a slug": ("index.md", "[x](garden/Tomatoes.md#when-to-sow-1)", ["garden/Tomatoes.md#When to sow"]),
    "a reference link": ("index.md", "[x][l]\n\n[l]: garden/Soil.md 'title'", ["garden/Soil.md"]),
    "percent-encoding": ("index.md", "[x](odd/100%25%20sure.md)", ["odd/100% sure.md"]),
    "a percent sign as it is": ("index.md", "[[100% sure]]", ["odd/100% sure.md"]),
    "a hash in the name": ("index.md", "[[a#b]]", ["odd/a#b.md"]),
    "a hash in the name, encoded": ("index.md", "[x](odd/a%23b.md)", ["odd/a#b.md"]),
    "an accent": ("index.md", "[[CAFÉ]]", ["odd/café.md"]),
    "an accent taken apart": ("index.md", f"[[{unicodedata.normalize('NFD', 'café')}]]", ["odd/café.md"]),
    "an emoji": ("index.md", "[x](<odd/emoji 🍅 note.md>)", ["odd/emoji 🍅 note.md"]),
    "letters from right to left": ("index.md", "[[שלום]]", ["odd/שלום.md"]),
    "an address": ("index.md", "<https://example.org/a#b>", ["external"]),
    "a page of Logseq with a slash": ("index.md", "[[projects/garden]]", ["pages/projects___garden.md"]),
    "a block of Logseq": ("index.md", f"(({UUID}))", [f"pages/projects___garden.md#{UUID}"]),
    "a day": ("index.md", "[[2024-05-01]]", ["journals/2024_05_01.md"]),
    "above every folder": ("index.md", "[x](../../../etc/passwd)", ["refused"]),
    "an Org file": ("office/attach.org", "[[file:plan.org]]", ["office/plan.org"]),
    "an Org heading": ("office/attach.org", "[[file:plan.org::*Order seeds][x]]", ["office/plan.org#Order seeds"]),
    "an Org custom id": ("office/attach.org", "[[file:plan.org::#year]]", ["office/plan.org#year"]),
    "an Org id": ("office/attach.org", "[[id:3F1C-11]]", ["office/plan.org#Plan of the year"]),
    "an unknown Org id": ("office/attach.org", "[[id:nope]]", ["no-note"]),
    "an Org target": ("office/attach.org", "[[file:plan.org::list]]", ["office/plan.org#list"]),
    "an Org name": ("office/attach.org", "[[file:plan.org::prices]]", ["office/plan.org#prices"]),
    "an Org heading of the same file": ("office/attach.org", "* One\n[[*One]]", ["office/attach.org#One"]),
    "an Org abbreviation": ("office/attach.org", "#+LINK: p file:%s.org\n[[p:plan]]", ["office/plan.org"]),
    "an Org address": ("office/attach.org", "[[https://example.org]]", ["external"]),
    "an Org include": ("office/attach.org", '#+INCLUDE: "plan.org::*Order seeds" :lines "1-2"', ["office/plan.org#Order seeds"]),
    "an Org link over a line end": ("office/attach.org", "[[file:plan.org::*Order\n  seeds][x]]", ["office/plan.org#Order seeds"]),
    "a plain Org link": ("office/attach.org", "see file:plan.org there", ["office/plan.org"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    made = Vault(tmp_path_factory.mktemp("resolve"), NOTES)
    yield made
    made.close()


@pytest.mark.parametrize("case", CASES)
def test_a_link_leads_where_a_person_expects(notes: Vault, case: str) -> None:
    source, written, wanted = CASES[case]
    assert notes.leads(source, written) == wanted


def test_an_attachment_is_found_by_the_id_of_its_heading(notes: Vault) -> None:
    sheet = notes.sheet("office/attach.org")
    found = notes.graph().resolve(sheet, sheet.links[0])
    assert [place.path for place in found.places] == [notes.path("office/data/ab/cdef12/scan.png")]


def test_a_file_outside_the_folders_is_shown(notes: Vault, tmp_path: Path) -> None:
    (tmp_path / "letter.md").write_text("Dear")
    found = notes.follow("office/plan.org", f"[[file:{tmp_path}/letter.md]]")
    assert (found.status, [place.path for place in found.places]) == ("outside", [str(tmp_path / "letter.md")])


@pytest.mark.parametrize(
    ("source", "written", "lines"),
    [
        ("index.md", "[1](garden/Tomatoes.md#L7)", (6, None)),
        ("index.md", "[1](garden/Tomatoes.md#L7-L9)", (6, 8)),
        ("index.md", "[1](/garden/Tomatoes.md#L7C1-L9C4)", (6, 8)),
        ("index.md", "[[Tomatoes#L7-9]]", (6, 8)),
        ("office/plan.org", "[[file:../garden/Tomatoes.md::7][1]]", (6, None)),
    ],
)
def test_a_line_is_named_by_its_number(notes: Vault, source: str, written: str, lines: tuple[int, int | None]) -> None:
    found = notes.follow(source, written)
    assert found.status == "found"
    assert [(place.path, place.line, place.last_line) for place in found.places] == [(notes.path("garden/Tomatoes.md"), *lines)]


def test_a_line_of_a_file_outside_the_folders_is_named_too(notes: Vault, tmp_path: Path) -> None:
    (tmp_path / "letter.md").write_text("Dear\nTomato\n")
    found = notes.follow("index.md", f"[1](<{tmp_path}/letter.md#L2>)")
    assert [(place.path, place.line) for place in found.places] == [(str(tmp_path / "letter.md"), 1)]


def test_a_heading_that_looks_like_a_line_counts_first(vault: MakeVault) -> None:
    notes = vault({"index.md": "", "shelf.md": "# Shelf\n\n## L2\n"})
    assert notes.leads("index.md", "[x](shelf.md#L2)") == ["shelf.md#L2"]


def test_a_text_at_hand_counts_before_the_catalog(notes: Vault) -> None:
    soil = notes.sheet("garden/Soil.md", "# Soil & water!\n\n## Just typed\n")
    index = notes.sheet("index.md", "[[garden/Soil#Just typed]] [[garden/Soil#Under glass]]")
    graph = notes.graph(soil, index)
    typed, gone = (graph.resolve(index, link) for link in index.links)
    assert (typed.status, typed.places[0].start) == ("found", soil.text.index("## Just"))
    assert gone.status == "no-anchor"


def test_a_link_of_ten_thousand_characters_leads_nowhere(notes: Vault) -> None:
    assert notes.leads("index.md", f"[[{'a/' * 5000}]]") == ["no-note"]


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="file names differ in case here")
def test_the_spelling_decides_between_names_that_differ_in_case(vault: MakeVault) -> None:
    notes = vault({"index.md": "", "a/Soil.md": "", "b/soil.md": ""})
    assert notes.leads("index.md", "[[soil]]") == ["b/soil.md"]
