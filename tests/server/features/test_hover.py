"""textDocument/hover."""

from typing import Any

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Position, Vault

NOTES = {
    "index.md": "# Index\n",
    "tea.md": "---\ntitle: Tea\n---\nA drink.\n\n# Green\n\nSteep it at *seventy* degrees. #drinks\n\n- leaf\n\n# Black\n\nBoil.\n",
    "plan.org": (
        "#+TITLE: The plan\n* TODO Order /seeds/ :drinks:\nSCHEDULED: <2024-05-01 Wed>\n:PROPERTIES:\n:ID: p1\n:END:\n"
        "From [[https://x.org][the shop]], =fast=.\n#+begin_src sh\n* ls\n#+end_src\n* Other\n"
    ),
    "a/soil.md": "",
    "b/soil.md": "",
    "2024-05-01.md": "Today I ordered.\n",
}
MARKDOWN = {"textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}}}
PLAIN = {"textDocument": {"hover": {"contentFormat": ["plaintext"]}}}


async def hover(vault: Vault, name: str, cursor: Position) -> str:
    found: dict[str, Any] | None = await vault.ask("textDocument/hover", name, cursor)
    return "" if found is None else found["contents"]["value"]


async def test_a_link_shows_the_section_it_leads_to(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=MARKDOWN)
    shown = await hover(vault, "index.md", vault.open("index.md", "[[tea#Gr|een]]"))
    assert shown == "**tea.md**\n\n# Green\n\nSteep it at *seventy* degrees. #drinks\n\n- leaf"
    shown = await hover(vault, "index.md", vault.edit("index.md", "[[te|a]]"))
    assert shown.startswith("**tea.md**\n\nA drink.\n\n# Green")
    assert "title:" not in shown


async def test_org_is_shown_as_markdown_or_as_it_is(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=MARKDOWN)
    shown = await hover(vault, "index.md", vault.open("index.md", "[[plan#Order seeds|x]]"))
    assert "From the shop, `fast`.\n```sh\n* ls\n```" in shown
    assert ":ID:" not in shown
    plain = await make_vault(NOTES, capabilities=PLAIN)
    found = await plain.ask("textDocument/hover", "index.md", plain.open("index.md", "[[plan#Order seeds|x]]"))
    assert found["contents"]["kind"] == "plaintext"
    assert "[[https://x.org][the shop]], =fast=." in found["contents"]["value"]
    assert ":ID:" not in found["contents"]["value"]


async def test_a_link_that_is_broken_or_ambiguous_says_so(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=MARKDOWN)
    assert "Broken link" in await hover(vault, "index.md", vault.open("index.md", "[[no|where]]"))
    assert "'Blue'" in await hover(vault, "index.md", vault.edit("index.md", "[[tea#Bl|ue]]"))
    ambiguous = await hover(vault, "index.md", vault.edit("index.md", "[[so|il]]"))
    assert "a/soil.md" in ambiguous
    assert "b/soil.md" in ambiguous


async def test_a_heading_shows_its_backlinks_and_what_is_related(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {**NOTES, "x.md": "[[tea#Green]]", "leaf.md": "# Leaves to steep\n\nSteep green leaves.\n"}, embedding=True
    )
    shown = await hover(vault, "tea.md", vault.at("tea.md", "Green"))
    assert "1 backlink" in shown
    assert "[x.md](" in shown
    assert "leaf.md" in shown.split("Related")[1]
    assert "tea.md) › Green" not in shown.split("Related")[1]


async def test_a_tag_shows_how_many_notes_have_it(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=PLAIN)
    shown = await hover(vault, "tea.md", vault.at("tea.md", "drinks"))
    assert shown == "#drinks: 2 notes\n- plan.org\n- tea.md"


async def test_the_sign_of_a_tag_belongs_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "Green. #tea #drinks\n", "plan.org": "* Buy :tea:drinks:\n"}, capabilities=PLAIN)
    assert await hover(vault, "tea.md", vault.at("tea.md", "#drinks")) == "#drinks: 2 notes\n- plan.org\n- tea.md"
    assert await hover(vault, "plan.org", vault.at("plan.org", ":tea")) == "#tea: 2 notes\n- plan.org\n- tea.md"


async def test_a_date_shows_the_notes_of_that_day(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=PLAIN)
    shown = await hover(vault, "plan.org", vault.at("plan.org", "2024-05-01"))
    assert shown == "Wednesday 2024-05-01\n- 2024-05-01.md\n- plan.org › Order /seeds/ (scheduled)"


async def test_plain_text_has_nothing_to_show(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await hover(vault, "tea.md", vault.at("tea.md", "drink.")) == ""


async def test_a_block_is_shown_without_what_stands_around_it(make_vault: MakeVault) -> None:
    steps = "---\na: b\n---\n# Steps\n- first\n- second ^two\n- third\n# Else\n"
    vault = await make_vault({**NOTES, "steps.md": steps, "t.org": "* Head\n<<here>> it is\n* Next\n"}, capabilities=MARKDOWN)
    assert await hover(vault, "index.md", vault.open("index.md", "[[steps#^t|wo]]")) == "**steps.md**\n\n- second ^two"
    vault.open("plan.org")
    assert await hover(vault, "plan.org", vault.edit("plan.org", "[[file:t.org::he|re]]")) == "**t.org**\n\n<<here>> it is"


async def test_a_file_in_no_folder_is_shown(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=MARKDOWN)
    vault.write("../elsewhere/near.md", "# Near\n")
    vault.write("../elsewhere/here.md", "[[near]]")
    vault.open("../elsewhere/here.md")
    shown = await hover(vault, "../elsewhere/here.md", vault.at("../elsewhere/here.md", "near"))
    assert shown.endswith("/elsewhere/near.md**\n\n# Near")


CITED = "# Brewing 🍵\n\nGreen tea is steamed.\nIt is never boiled.\n\nBlack tea is.\n"


async def test_a_citation_of_an_answer_shows_the_text_it_cites(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "brew.md": CITED}, capabilities=MARKDOWN)
    shown = await hover(vault, "answer.md", vault.open("answer.md", "Steam it.[|1](brew.md#L3-L4)"))
    assert shown == "**brew.md**\n\nGreen tea is steamed.\nIt is never boiled."
    shown = await hover(vault, "answer.md", vault.edit("answer.md", f"Boil it.[|1](<{vault.root}/brew.md#L6>)"))
    assert shown == "**brew.md**\n\nBlack tea is."
    shown = await hover(vault, "answer.md", vault.edit("answer.md", "As VS Code writes it: [|1](brew.md#L6,2)"))
    assert shown == "**brew.md**\n\nBlack tea is."
    shown = await hover(vault, "answer.org", vault.open("answer.org", f"Steam it.[[file:{vault.root}/brew.md::3][|1]]"))
    assert shown == "**brew.md**\n\nGreen tea is steamed.\nIt is never boiled."


async def test_a_citation_shows_the_text_that_an_editor_has_open(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "brew.md": CITED}, capabilities=MARKDOWN)
    vault.open("brew.md", "New first line\nand more\n" + CITED)
    shown = await hover(vault, "answer.md", vault.open("answer.md", "Steam it.[|1](brew.md#L5-L5)"))
    assert shown == "**brew.md**\n\nGreen tea is steamed."
