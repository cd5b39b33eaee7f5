"""The same thing elsewhere in the note."""

from typing import Any

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

METHOD = "textDocument/documentHighlight"
READ, WRITE = 2, 3


async def highlights(vault: Vault, name: str, position: dict[str, int]) -> Any:
    found = await vault.ask(METHOD, name, position)
    return found and [(vault.cut(name, one["range"]), one["kind"]) for one in found]


async def test_a_heading_with_the_links_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "", "b.md": "# B\n"})
    cursor = vault.open(
        "a.md", "# Gre<|>en 🍵 tea\n\n[[#Green 🍵 tea]] and [there](a.md#green--tea) and [[a#Green 🍵 tea|x]] and [[b]]\n"
    )
    found = await highlights(vault, "a.md", cursor)
    assert found[0] == ("Green 🍵 tea", WRITE)
    assert ("[[#Green 🍵 tea]]", READ) in found
    assert ("[[a#Green 🍵 tea|x]]", READ) in found
    assert ("[[b]]", READ) not in found


async def test_links_to_the_same_place_however_written(make_vault: MakeVault) -> None:
    vault = await make_vault({"b.md": "# B\n"})
    cursor = vault.open("a.md", "[[<|>b]] [x](b.md) [[B|other]] [[b#B]] [[c]] [[c]]\n")
    assert await highlights(vault, "a.md", cursor) == [("[[b]]", READ), ("[x](b.md)", READ), ("[[B|other]]", READ)]
    broken = vault.at("a.md", "c]]")
    assert await highlights(vault, "a.md", broken) == [("[[c]]", READ), ("[[c]]", READ)]


async def test_a_link_within_the_note_shows_its_heading(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.org", "* One\ntext\n* Two\n[[*O<|>ne]]\n")
    assert await highlights(vault, "a.org", cursor) == [("One", WRITE), ("[[*One]]", READ)]


async def test_a_block_and_the_links_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "Some text ^blo<|>ck\n\n[[#^block]]\n")
    assert await highlights(vault, "a.md", cursor) == [("block", WRITE), ("[[#^block]]", READ)]


async def test_a_tag_in_any_case(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "About #te<|>a and #Tea and #teapot.\n")
    assert await highlights(vault, "a.md", cursor) == [("tea", READ), ("Tea", READ)]


async def test_plain_text_has_none(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "# A\n\njust <|>text\n")
    assert await highlights(vault, "a.md", cursor) is None
    assert await highlights(vault, "a.md", {"line": 99, "character": 99}) is None
