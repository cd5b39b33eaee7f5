"""textDocument/definition."""

from typing import Any

import pytest

from tests.server.editor import Failure
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Position, Vault

NOTES = {
    "index.md": "# Index\n",
    "tea.md": "---\naliases: [Chai]\n---\n# Tea\r\n\r\n## Gréen 🍵 tea\r\n\r\nSteep it. ^steep\r\n",
    "a/soil.md": "# Soil\n",
    "b/soil.md": "# Soil\n",
    "plan.org": "* Plan\n:PROPERTIES:\n:ID: plan-1\n:END:\n** Order seeds\n",
}


async def follow(vault: Vault, name: str, cursor: Position) -> list[tuple[str, str]] | None:
    """The notes and the text there that a jump leads to."""
    found: list[dict[str, Any]] | None = await vault.ask("textDocument/definition", name, cursor)
    return None if found is None else [(vault.name(one["uri"]), vault.cut(vault.name(one["uri"]), one["range"])) for one in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_links_lead_to_notes_headings_blocks_and_ids(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, encoding=encoding)
    assert await follow(vault, "index.md", vault.open("index.md", "🍵 [[t|ea]]")) == [("tea.md", "")]
    assert await follow(vault, "index.md", vault.edit("index.md", "[[chai#gr|éen 🍵 tea]]")) == [("tea.md", "## Gréen 🍵 tea")]
    assert await follow(vault, "index.md", vault.edit("index.md", "[[tea#^st<|>eep|so]]")) == [("tea.md", "steep")]
    assert await follow(vault, "index.md", vault.edit("index.md", "[x](plan.org|)")) == [("plan.org", "")]
    vault.open("plan.org")
    assert await follow(vault, "plan.org", vault.edit("plan.org", NOTES["plan.org"] + "[[id:pl<|>an-1]]")) == [
        ("plan.org", "* Plan")
    ]
    vault.edit("plan.org", "* New\n" + NOTES["plan.org"] + "[[*Order<|> seeds]]")
    cursor = vault.at("plan.org", "[[*Order")
    assert await follow(vault, "plan.org", cursor) == [("plan.org", "** Order seeds")]


async def test_an_ambiguous_link_leads_to_each_candidate(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await follow(vault, "index.md", vault.open("index.md", "[[so|il]]")) == [("a/soil.md", ""), ("b/soil.md", "")]


async def test_nothing_is_followed_where_there_is_nothing(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for text in ("plain | text", "[[no|where]]", "<https://example.|org>", "[[|]]"):
        cursor = vault.open("index.md", text)
        assert await follow(vault, "index.md", cursor) is None, text
        vault.close("index.md")


async def test_a_link_above_every_folder_is_refused_with_the_reason(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    cursor = vault.open("index.md", "[x](../../../../etc/pas|swd)")
    with pytest.raises(Failure, match="above the configured folders"):
        await follow(vault, "index.md", cursor)


async def test_a_jump_into_a_note_that_changed_a_moment_ago_finds_its_heading(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    cursor = vault.open("index.md", "[[plan#Order s|eeds]]")
    vault.write("plan.org", "* Before\n* After\n** Order seeds\n")  # not indexed yet
    assert await follow(vault, "index.md", cursor) == [("plan.org", "** Order seeds")]
    vault.open("plan.org", "\n\n** Order seeds")  # typed, not indexed yet
    assert await follow(vault, "index.md", cursor) == [("plan.org", "** Order seeds")]


async def test_an_id_leads_to_where_the_editor_shows_it(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    vault.open("plan.org")
    await vault.indexed()
    cursor = vault.edit("plan.org", "* New\n* Newer\n" + NOTES["plan.org"] + "[[id:pl<|>an-1]]")
    assert await follow(vault, "plan.org", cursor) == [("plan.org", "* Plan")]
    cursor = vault.edit("plan.org", NOTES["plan.org"] + NOTES["plan.org"].replace("Plan", "Other") + "[[id:pl<|>an-1]]")
    assert await follow(vault, "plan.org", cursor) == [("plan.org", "* Plan"), ("plan.org", "* Other")]


async def test_a_client_that_takes_links_gets_the_range_it_came_from(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities={"textDocument": {"definition": {"linkSupport": True}}})
    cursor = vault.open("index.md", "see [[t|ea]].")
    (found,) = await vault.ask("textDocument/definition", "index.md", cursor)
    assert found["originSelectionRange"] == vault.range("index.md", "[[tea]]")
    assert vault.name(found["targetUri"]) == "tea.md"


async def test_a_position_past_the_end_and_a_note_that_is_nowhere(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    vault.open("index.md", "[[tea]]")
    assert await follow(vault, "index.md", {"line": 99, "character": 99}) == [("tea.md", "")]
    with pytest.raises(Failure, match=r"gone\.md"):
        await vault.ask("textDocument/definition", "gone.md", {"line": 0, "character": 0})


async def test_a_tag_leads_to_the_page_of_its_name(make_vault: MakeVault) -> None:
    pages = {"pages/proj___alpha.md": "- one\n", "tags.home.md": "# Home\n"}
    vault = await make_vault({**NOTES, **pages})
    assert await follow(vault, "index.md", vault.open("index.md", "see #[[proj/al|pha]]")) == [("pages/proj___alpha.md", "")]
    assert await follow(vault, "index.md", vault.edit("index.md", "see #te|a")) == [("tea.md", "")]
    assert await follow(vault, "index.md", vault.edit("index.md", "see #ho|me")) == [("tags.home.md", "")]
    assert await follow(vault, "index.md", vault.edit("index.md", "see #nowh|ere")) is None


async def test_links_of_a_note_in_no_folder_lead_to_the_files_around_it(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    vault.write("../elsewhere/near.md", "# Near\n")
    vault.write("../elsewhere/here.md", "[[near]] [x](near.md)")
    vault.open("../elsewhere/here.md")
    for link in ("[[near", "](near"):
        (found,) = await vault.ask("textDocument/definition", "../elsewhere/here.md", vault.at("../elsewhere/here.md", link))
        assert found["uri"].endswith("/elsewhere/near.md"), link


async def test_a_note_that_is_only_typed_yet_is_there_at_once(make_vault: MakeVault) -> None:
    vault = await make_vault({".gitignore": "drafts/\n", "b.md": "See [[fresh]].\n"})
    cursor = vault.open("a.md", "To [[fresh|]] and [[fresh#Part]] and [x](fresh.md), [[left out]]\n")
    vault.open("drafts/left out.md", "# Left out\n")
    vault.open("fresh.md", "# Fresh\n\n## Part\n")
    for place in (cursor, vault.at("a.md", "fresh.md")):
        (found,) = await vault.ask("textDocument/definition", "a.md", place)
        assert vault.name(found["uri"]) == "fresh.md"
    (part,) = await vault.ask("textDocument/definition", "a.md", vault.at("a.md", "#Part"))
    assert vault.cut("fresh.md", part["range"]) == "## Part"
    assert await vault.ask("textDocument/definition", "a.md", vault.at("a.md", "left out")) is None, "no folder has it"
    found = await vault.ask(
        "textDocument/references", "fresh.md", vault.at("fresh.md", "Fresh"), context={"includeDeclaration": False}
    )
    assert [vault.name(one["uri"]) for one in found] == ["a.md", "a.md", "a.md", "b.md"]
