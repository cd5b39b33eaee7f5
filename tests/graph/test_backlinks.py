"""What links to a place, and what names it without a link."""

from pathlib import Path

from khojd.graph.mentions import find
from khojd.graph.model import Place
from khojd.graph.tags import counts, documents
from tests.graph.conftest import MakeVault
from tests.graph.vault import Vault

NOTES = {
    "Soil.md": "---\naliases: [Good earth]\n---\n# Soil\n\n## Lime ^lime\n\nSee [[#Lime]].\n",
    "a.md": "To [[Soil]], [[soil#Lime|there]], [[Soil#^lime]] and `[[Soil]]`.\n",
    "b.md": "By [path](./Soil.md#lime) and [[Good Earth]]. Soil is soil, subsoil is not, and [Soil](x.md) is linked.\n",
    "c.org": "* Uses [[file:Soil.md][soil]]\n[[file:Soil.md::*Lime]] #soil\n",
    "other/soil-types.md": "[[Soily]] good  EARTH\n",
}


def shown(path: str, start: int, end: int) -> str:
    return Path(path).read_text()[start:end]


def lines(notes: Vault, place: Place) -> list[str]:
    found = notes.graph().backlinks(place)
    return [f"{one.note.name}: {shown(one.note.path, one.link.start, one.link.end)}" for one in found]


def test_all_ways_to_link_to_a_note_are_backlinks(vault: MakeVault) -> None:
    notes = vault(NOTES)
    assert lines(notes, Place(notes.path("Soil.md"), "note")) == [
        "Soil: [[#Lime]]",
        "a: [[Soil]]",
        "a: [[soil#Lime|there]]",
        "a: [[Soil#^lime]]",
        "b: [path](./Soil.md#lime)",
        "b: [[Good Earth]]",
        "c: [[file:Soil.md][soil]]",
        "c: [[file:Soil.md::*Lime]]",
    ]


def test_backlinks_of_a_heading_are_those_that_name_it(vault: MakeVault) -> None:
    notes = vault(NOTES)
    sheet = notes.sheet("Soil.md")
    place = notes.graph().place_at(sheet, sheet.text.index("Lime"))
    assert place is not None
    assert (place.kind, place.label) == ("heading", "Lime")
    assert lines(notes, place) == [
        "Soil: [[#Lime]]",
        "a: [[soil#Lime|there]]",
        "b: [path](./Soil.md#lime)",
        "c: [[file:Soil.md::*Lime]]",
    ]


def test_backlinks_of_a_block_are_those_that_name_it(vault: MakeVault) -> None:
    notes = vault(NOTES)
    sheet = notes.sheet("Soil.md")
    place = notes.graph().place_at(sheet, sheet.text.index("^lime") + 2)
    assert place is not None
    assert lines(notes, place) == ["a: [[Soil#^lime]]"]


def test_a_link_typed_a_moment_ago_is_a_backlink(vault: MakeVault) -> None:
    notes = vault(NOTES)
    typed = notes.sheet("other/soil-types.md", "now [[Soil]]")
    found = notes.graph(typed).backlinks(Place(notes.path("Soil.md"), "note"))
    assert notes.path("other/soil-types.md") in [reference.note.path for reference in found]


def test_mentions_are_whole_words_outside_links_in_other_notes(vault: MakeVault) -> None:
    notes = vault(NOTES)
    graph = notes.graph()
    soil = graph.notes.at(notes.path("Soil.md"))
    assert soil is not None
    mentions = find(graph.db, graph.notes, soil, graph.phrase, graph.stop)
    found = [(one.note.name, shown(one.note.path, one.start, one.end)) for one in mentions]
    assert found == [("b", "Soil"), ("b", "soil"), ("soil-types", "good  EARTH")]


def test_tags_are_counted_by_notes_in_any_spelling(vault: MakeVault) -> None:
    notes = vault({"a.md": "#Garden and #garden/soil", "b.org": "* x :garden:\n", "c.md": "#gardener"})
    graph = notes.graph()
    assert {tag.name.lower(): tag.notes for tag in counts(graph.db)} == {"garden": 2, "garden/soil": 1, "gardener": 1}
    below = [graph.notes.by_id(one) for one in documents(graph.db, "garden")]
    assert [note.name for note in below if note] == ["a", "b"]
