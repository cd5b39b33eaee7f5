"""The outline of a note."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet
from khojd.server.features.document_symbol import heading_span
from tests.server.editor import Failure
from tests.server.features.conftest import MakeVault

TREE = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}
METHOD = "textDocument/documentSymbol"


def outline(symbols: list[dict[str, Any]]) -> list[Any]:
    return [[symbol["name"], *outline(symbol["children"])] for symbol in symbols]


def every(symbols: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for symbol in symbols for one in (symbol, *every(symbol["children"]))]


async def test_headings_are_a_tree(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    vault.open("tea.md", "intro\n\n# Tea\n\n## Green\n\ntext\n\n#### Sencha\n\n## Black\n\n# Coffee\n")
    symbols = await vault.ask(METHOD, "tea.md")
    assert outline(symbols) == [["Tea", ["Green", ["Sencha"]], ["Black"]], ["Coffee"]]


async def test_the_range_is_the_whole_subtree_and_the_selection_the_heading(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE, encoding="utf-16")
    vault.open("a.org", "* TODO [#A] Plant 🌷 bulbs :garden:\nText.\r\n** Kinds\nParrot.\n* Else\n")
    plant, _ = await vault.ask(METHOD, "a.org")
    assert vault.cut("a.org", plant["selectionRange"]) == "Plant 🌷 bulbs"
    assert vault.cut("a.org", plant["range"]).endswith("Parrot.\n")
    assert plant["detail"] == "TODO [#A] #garden"
    assert "detail" not in plant["children"][0], "a tag of the parent's is not said again"


async def test_a_client_without_trees_gets_a_list(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("tea.md", "# Tea\n\n## Green\n")
    found = await vault.ask(METHOD, "tea.md")
    assert [(one["name"], one.get("containerName"), one["location"]["uri"]) for one in found] == [
        ("Tea", None, vault.uri("tea.md")),
        ("Green", "Tea", vault.uri("tea.md")),
    ]


async def test_it_is_the_text_as_it_is_shown_and_not_as_it_is_indexed(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n"}, capabilities=TREE)
    assert outline(await vault.ask(METHOD, "tea.md")) == [["Tea"]], "a file that is not open is read"
    vault.open("tea.md", "# Coffee\n")
    assert outline(await vault.ask(METHOD, "tea.md")) == [["Coffee"]]
    vault.edit("tea.md", "# Cocoa\n")
    assert outline(await vault.ask(METHOD, "tea.md")) == [["Cocoa"]]
    vault.close("tea.md")
    assert outline(await vault.ask(METHOD, "tea.md")) == [["Tea"]]


async def test_a_heading_without_text_has_a_name_that_can_be_shown(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    vault.open("a.md", "#\n\ntext\n")
    assert outline(await vault.ask(METHOD, "a.md")) == [["(no heading)"]]


async def test_very_deep_headings_are_still_answered(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    vault.open("a.org", "".join(f"{'*' * level} h{level}\n" for level in range(1, 300)))
    assert len(every(await vault.ask(METHOD, "a.org"))) == 299


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("file:///nowhere/note.md", "/nowhere/note.md"),
        ("note.md", "note.md"),
        ("file://[::/note.md", "note.md"),
    ],
)
async def test_a_document_that_cannot_be_read_is_an_error_that_names_it(make_vault: MakeVault, uri: str, said: str) -> None:
    vault = await make_vault({}, capabilities=TREE)
    with pytest.raises(Failure, match=said):
        await vault.editor.request(METHOD, {"textDocument": {"uri": uri}})


async def test_a_binary_file_is_an_error_that_names_it(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    Path(vault.path("a.md")).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(Failure, match=r"a\.md"):
        await vault.ask(METHOD, "a.md")


async def test_a_long_note_is_read_once_for_requests_that_come_together(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    vault.open("long.md", "# Heading\n\n" + "word " * 20_000 + "\n\n## Last\n")
    answers = [vault.editor.ask(METHOD, {"textDocument": {"uri": vault.uri("long.md")}})[1] for _ in range(5)]
    assert [outline(await answer) for answer in answers] == [[["Heading", ["Last"]]]] * 5


@given(st.text(st.sampled_from("#* ab\n\r🍵-=:"), max_size=60), st.sampled_from(["a.md", "a.org"]))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_heading_lies_within_its_section(text: str, name: str) -> None:
    sheet = Sheet(name, text, ContentSettings())
    for index, section in enumerate(sheet.sections):
        start, end = heading_span(sheet, index)
        assert section.span.start <= start <= end <= section.span.end or section.heading_segment is None
