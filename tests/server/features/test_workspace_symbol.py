"""Searching all notes as workspace symbols."""

from typing import Any

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

LAZY = {"workspace": {"symbol": {"resolveSupport": {"properties": ["location.range"]}}}}
NOTES = {
    "tea.md": "# Tea\n\n## Green tea\n\nSteamed leaves 🍵 from Uji.\n\n## Oolong\n\nHalf oxidised.\n",
    "garden.org": "* TODO Plant bulbs :garden:\nTulips want sun.\n** Tulip kinds\nParrot and fringed.\n",
    "plain note.md": "No heading here, but a word: zeppelin.\n",
}


async def found(vault: Vault, query: str) -> list[str]:
    return [symbol["name"] for symbol in await vault.ask("workspace/symbol", query=query)]


async def test_headings_and_notes_of_that_name_come_before_what_mentions_it(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "trip.md": "# Trip\n\nWe drank oolong.\n"})
    assert await found(vault, "oolong") == ["Oolong", "Trip"]
    assert (await found(vault, "tea"))[:3] == ["tea", "Tea", "Green tea"]


async def test_part_of_a_heading_is_enough_while_it_is_typed(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert "Tulip kinds" in await found(vault, "tul ki")
    assert await found(vault, "100%") == []


async def test_a_symbol_says_where_it_stands(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    (symbol,) = [one for one in await vault.ask("workspace/symbol", query="green") if one["name"] == "Green tea"]
    assert symbol["containerName"] == "tea › Tea"
    assert vault.name(symbol["location"]["uri"]) == "tea.md"
    assert symbol["location"]["range"]["start"] == vault.at("tea.md", "## Green")
    (hit,) = await vault.ask("workspace/symbol", query="zeppelin")
    assert (hit["name"], vault.cut("plain note.md", hit["location"]["range"])) == ("plain note", NOTES["plain note.md"].rstrip())


async def test_filters_work(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await found(vault, "tag:garden") == ["Plant bulbs"]
    assert await found(vault, "tea tag:garden") == []


async def test_a_query_that_cannot_be_understood_yet_is_taken_for_words(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert "Oolong" in await found(vault, "oolong dt>")
    assert await found(vault, '"') == []


async def test_no_query_lists_headings_newest_note_first(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert set(await found(vault, "")) == {"Tea", "Green tea", "Oolong", "Plant bulbs", "Tulip kinds"}


async def test_a_lazy_client_gets_the_range_when_it_asks_for_it_in_the_note_as_it_is_now(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    (symbol,) = [one for one in await vault.ask("workspace/symbol", query="oolong") if one["name"] == "Oolong"]
    assert symbol["location"] == {"uri": vault.uri("tea.md")}
    vault.open("tea.md", "🍵\n\n" + NOTES["tea.md"])
    resolved: dict[str, Any] = await vault.editor.request("workspaceSymbol/resolve", symbol)
    assert vault.cut("tea.md", resolved["location"]["range"]) == "Oolong"


async def test_what_is_typed_and_not_saved_is_found(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    vault.open("tea.md", "# Rooibos\n")
    await vault.indexed()
    assert await found(vault, "rooibos") == ["Rooibos"]
    assert await found(vault, "oolong") == []


async def test_meaning_finds_what_no_word_does(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, embedding=True)
    assert "Oolong" in await found(vault, "beverage half fermented")


async def test_a_query_of_any_length_is_answered(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await found(vault, "x" * 100_000) == []
