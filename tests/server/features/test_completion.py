"""textDocument/completion and completionItem/resolve."""

import asyncio
from typing import Any

import pytest

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Position, Vault

NOTES = {
    "index.md": "# Index\n",
    "Tea.md": (
        "---\ntitle: All about tea\naliases: [Chai]\ntags: [drinks]\n---\n# Leaves\n\nGreen.\n\n"
        "## Brewing\n\n- a pot\n- a cup ^cup\n"
    ),
    "a/Soil.md": "# Soil\n\nEarthworms make compost of kitchen scraps, and the bed of tomatoes grows. #garden\n",
    "b/Soil.md": "# Soil\n",
    "plan.org": (
        "* TODO Order seeds :garden:\n:PROPERTIES:\n:ID: seeds-1\n:END:\n* NEXT Dig\n:PROPERTIES:\n:EFFORT: 1h\n:END:\n** Beds\n"
    ),
    "c#d.md": "# Odd\n",
}
FULL = {
    "textDocument": {"completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
}


async def offered(vault: Vault, name: str, text: str) -> list[dict[str, Any]]:
    """The items for a note with this text, at its cursor."""
    cursor = vault.edit(name, text) if name in vault.texts else vault.open(name, text)
    found = await vault.ask("textDocument/completion", name, cursor)
    return sorted(found["items"], key=lambda item: item["sortText"]) if found else []


def inserted(vault: Vault, name: str, item: dict[str, Any]) -> str:
    """The note's text after the item was chosen, with its additional edits."""
    edits = [item["textEdit"], *(item.get("additionalTextEdits") or [])]
    text = vault.text(name)
    for edit in sorted(edits, key=lambda one: vault.offset(name, one["range"]["start"]), reverse=True):
        start, end = vault.offset(name, edit["range"]["start"]), vault.offset(name, edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text


async def choose(vault: Vault, name: str, text: str, label: str) -> str:
    """The note's text after the item with this label was chosen."""
    items = await offered(vault, name, text)
    chosen = [item for item in items if item["label"].strip() == label]
    assert chosen, f"{label} is not among {[item['label'] for item in items]}"
    return inserted(vault, name, chosen[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_name_becomes_a_link_in_the_way_of_the_format(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, encoding=encoding)
    assert await choose(vault, "index.md", "🍵 see [[te|", "All about tea") == "🍵 see [[Tea]]"
    assert await choose(vault, "index.md", "see [[te|]] there", "All about tea") == "see [[Tea]] there"
    assert await choose(vault, "index.md", "see [[cha|", "Chai") == "see [[Tea|Chai]]"
    assert await choose(vault, "index.md", "| a |\n|---|\n| [[cha<|> |", "Chai") == "| a |\n|---|\n| [[Tea]] |", "no bar in a cell"
    assert await choose(vault, "index.md", "[x](Te|)", "All about tea") == "[x](Tea.md)"
    assert await choose(vault, "plan.org", "* a\n[[te|]]", "All about tea") == "* a\n[[file:Tea.md][All about tea]]"


async def test_a_name_of_two_notes_gets_as_much_path_as_it_needs(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    items = await offered(vault, "index.md", "[[soil|")
    assert sorted(inserted(vault, "index.md", item) for item in items) == ["[[a/Soil]]", "[[b/Soil]]"]


async def test_a_name_that_cannot_stand_in_a_wikilink_becomes_a_markdown_link(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await choose(vault, "index.md", "[[c|", "c#d") == "[c#d](c%23d.md)"


async def test_what_the_sentence_is_about_comes_first(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, embedding=True)
    items = await offered(vault, "index.md", "Worms turn food waste into humus, see [[|")
    assert inserted(vault, "index.md", items[0]).endswith("[[a/Soil]]")
    items = await offered(vault, "index.md", "A hot drink of leaves in a pot, see [[|")
    assert inserted(vault, "index.md", items[0]).endswith("[[Tea]]")


async def test_headings_and_blocks_of_the_named_note(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await choose(vault, "index.md", "[[Tea#br|]]", "Brewing") == "[[Tea#Brewing]]"
    assert await choose(vault, "index.md", "# Here we go\n\n[[#|]]", "Here we go") == "# Here we go\n\n[[#Here we go]]"
    assert await choose(vault, "index.md", "[x](Tea.md#|)", "Brewing") == "[x](Tea.md#brewing)"
    assert await choose(vault, "index.md", "[[Tea#^cu|]]", "- a cup ^cup") == "[[Tea#^cup]]"
    assert await choose(vault, "plan.org", "* One\n** Two\n[[*T|]]", "Two") == "* One\n** Two\n[[*Two]]"
    assert await choose(vault, "plan.org", "* One\n[[file:Tea.md::*Br|", "Brewing") == "* One\n[[file:Tea.md::*Brewing][Brewing]]"


async def test_of_many_headings_and_blocks_the_best_are_offered_and_typing_on_asks_again(make_vault: MakeVault) -> None:
    parts = "".join(f"## Part {number}\n\nA start {number}.\n\n" for number in range(60))
    vault = await make_vault({"long.md": f"# Long\n\n{parts}## Art\n\nart\n", "index.md": ""})
    for sign, best in (("#", "Art"), ("#^", "art")):
        cursor = (vault.edit if "index.md" in vault.texts else vault.open)("index.md", f"[[long{sign}art|]]")
        found = await vault.ask("textDocument/completion", "index.md", cursor)
        assert min(found["items"], key=lambda item: item["sortText"])["label"].strip() == best
        assert found["isIncomplete"]


async def test_underlines_of_headings_and_rules_are_no_blocks_that_could_get_an_id(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    text = "Setext\n======\n\nTwo\nlines\n---\n\n***\n\nOne.\n\n_ _ _\n\nSee [[#^|]]"
    labels = {item["label"].strip() for item in await offered(vault, "index.md", text)}
    assert labels == {"One.", "See [[#^]]"}


async def test_a_block_without_an_id_gets_one(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    text = await choose(vault, "index.md", "A paragraph\nof two lines.\n\nSee [[#^para|]]", "A paragraph of two lines.")
    name = text.split("^")[1].split()[0]
    assert text == f"A paragraph\nof two lines. ^{name}\n\nSee [[#^{name}]]"


async def test_a_heading_of_another_note_gets_its_id_by_an_edit_the_client_applies(make_vault: MakeVault) -> None:
    edits: list[Any] = []

    def apply(params: Any) -> Any:
        edits.append(params["edit"])
        return {"applied": True}

    vault = await make_vault({**NOTES, "x.org": "* X\n"}, capabilities=FULL, answers={"workspace/applyEdit": apply})
    assert await choose(vault, "x.org", "* X\n[[id:see|", "Order seeds") == "* X\n[[id:seeds-1][Order seeds]]"
    items = await offered(vault, "x.org", "* X\n[[id:be|")
    beds = next(item for item in items if item["label"] == "Beds")
    identity = beds["textEdit"]["newText"].removeprefix("[[id:").split("]")[0]
    answer = await vault.editor.request("workspace/executeCommand", beds["command"])
    assert answer["applied"] is True
    (change,) = edits[0]["documentChanges"]
    assert vault.name(change["textDocument"]["uri"]) == "plan.org"
    (edit,) = change["edits"]
    assert vault.cut("plan.org", edit["range"]) == ""
    assert vault.offset("plan.org", edit["range"]["start"]) == len(NOTES["plan.org"])
    assert edit["newText"] == f":PROPERTIES:\n:ID:       {identity}\n:END:\n"


async def test_a_heading_of_the_same_note_gets_its_id_with_the_link(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "x.org": "* X\n"})
    text = await choose(vault, "x.org", "* X\n* Own one\nSCHEDULED: <2024-01-01>\ntext [[id:own|", "Own one")
    head, link = text.split("text ")
    identity = link.removeprefix("[[id:").split("]")[0]
    assert head == f"* X\n* Own one\nSCHEDULED: <2024-01-01>\n:PROPERTIES:\n:ID:       {identity}\n:END:\n"


async def test_a_custom_id_is_no_id(make_vault: MakeVault) -> None:
    custom = {"plots.org": "* Plots\n:PROPERTIES:\n:CUSTOM_ID: plots\n:END:\n", "x.org": "* X\n"}
    vault = await make_vault(custom)
    (item,) = await offered(vault, "x.org", "* X\n[[id:plo|")
    assert item["command"]["arguments"][0]["id"] in item["textEdit"]["newText"]
    assert "plots]" not in item["textEdit"]["newText"]


async def test_a_client_that_runs_no_command_is_asked_all_the_same(make_vault: MakeVault) -> None:
    proposed: asyncio.Queue[Any] = asyncio.Queue()

    def apply(params: Any) -> Any:
        proposed.put_nowait(params["edit"])
        return {"applied": True}

    vault = await make_vault({**NOTES, "x.org": "* X\n"}, capabilities=FULL, answers={"workspace/applyEdit": apply})
    items = await offered(vault, "x.org", "* X\n[[id:be|")
    beds = next(item for item in items if item["label"] == "Beds")
    vault.edit("x.org", "* X\n" + beds["textEdit"]["newText"] + "\n<|>")
    async with asyncio.timeout(60):
        edit = await proposed.get()
    (change,) = edit["documentChanges"]
    assert vault.name(change["textDocument"]["uri"]) == "plan.org"
    assert beds["command"]["arguments"][0]["id"] in change["edits"][0]["newText"]


async def test_an_id_goes_as_far_in_as_what_belongs_to_the_heading(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "x.org": "* X\n"})
    text = await choose(vault, "x.org", "** TODO Own one\n   SCHEDULED: <2024-01-01>\n   text [[id:own|", "Own one")
    identity = text.split("[[id:")[1].split("]")[0]
    planned = "** TODO Own one\n   SCHEDULED: <2024-01-01>\n"
    assert text.startswith(f"{planned}   :PROPERTIES:\n   :ID:       {identity}\n   :END:\n   text ")
    drawer = "* Own one\n  :PROPERTIES:\n  :KEY: 1\n  :END:\n"
    text = await choose(vault, "x.org", drawer + "[[id:own|", "Own one")
    identity = text.split("[[id:")[1].split("]")[0]
    assert text.startswith(f"* Own one\n  :PROPERTIES:\n  :ID:       {identity}\n  :KEY: 1\n")


async def test_tags_keywords_states_and_properties(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    assert await choose(vault, "index.md", "a #gar|", "garden") == "a #garden"
    assert await choose(vault, "index.md", "---\ntags: [dr|]\n---\n", "drinks") == "---\ntags: [drinks]\n---\n"
    assert await choose(vault, "plan.org", "* Dig :gar|", "garden") == "* Dig :garden:"
    assert await choose(vault, "plan.org", "#+fileta|", "filetags") == "#+filetags: "
    assert await choose(vault, "plan.org", "* N|", "NEXT") == "* NEXT "
    assert await choose(vault, "plan.org", "* a\n:PROPERTIES:\n:EFF|", "EFFORT") == "* a\n:PROPERTIES:\n:EFFORT: "
    source = next(item for item in await offered(vault, "plan.org", "#+begin_s|") if item["label"] == "begin_src")
    assert (source["insertTextFormat"], source["textEdit"]["newText"]) == (2, "begin_src ${1:language}\n$0\n#+end_src")


async def test_states_are_those_of_the_note(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    vault.open("plan.org")
    states = [item["label"] for item in await offered(vault, "plan.org", "#+TODO: TODO BUY | GOT\n* TODO x\n* <|>")]
    assert states == ["TODO", "BUY", "GOT"]


async def test_states_that_are_used_come_first_then_the_usual_ones_open_before_done(make_vault: MakeVault) -> None:
    used = "* WAITING a\n* WAITING b\n* NEXT c\n* DONE d\n* DONE e\n* DONE f\n"
    vault = await make_vault({"plan.org": ""}, capabilities=FULL)
    vault.open("plan.org")
    fresh = [item["label"] for item in await offered(vault, "plan.org", "* <|>")]
    assert fresh[:3] == ["TODO", "NEXT", "DONE"]
    assert [item["label"] for item in await offered(vault, "plan.org", "* TODO<|>")][:1] == ["TODO"]
    states = [item["label"] for item in await offered(vault, "plan.org", used + "* <|>")]
    assert states[:4] == ["WAITING", "NEXT", "DONE", "TODO"]
    assert [item["label"] for item in await offered(vault, "plan.org", used + "* D<|>")][:1] == ["DONE"]


@pytest.mark.parametrize("others", [{}, {"b.md": "[c](c.md)\n"}])
async def test_a_link_that_is_being_typed_tells_no_habit(make_vault: MakeVault, others: dict[str, str]) -> None:
    vault = await make_vault({"s p/tea.md": "# Tea\n", "c.md": "x\n", "index.md": "[x](s%20p/\n", **others})
    text = await choose(vault, "index.md", "[x](s%20p/|", "tea")
    assert text == "[x](s%20p/tea.md)"


async def test_completion_in_a_long_note(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "long.md": "", "long.org": ""}, capabilities=FULL)
    for name, head, code in (("long.md", "# H", "```\n[[te|\n```"), ("long.org", "* H", "#+begin_src\n[[te|\n#+end_src")):
        filler = "".join(f"{head} {number}\n\nwords about tea, and more of them\n\n" for number in range(1_000))
        vault.open(name, filler)
        items = await offered(vault, name, filler + "see [[te|]]\n\n" + filler)
        assert "All about tea" in [item["label"] for item in items], name
        assert await offered(vault, name, filler + code + "\n\n" + filler) == [], name


async def test_a_client_without_snippets_gets_plain_text(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await choose(vault, "plan.org", "#+begin_q|", "begin_quote") == "#+begin_quote\n\n#+end_quote"


async def test_nothing_is_offered_in_code_or_plain_text(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for text in ("plain | text", "`[[te|`", "```\n[[te|\n```\n", "# |", "[[Tea|al<|>"):
        assert await offered(vault, "index.md", text) == [], text


async def test_an_item_shows_the_note_when_it_is_resolved(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=FULL)
    items = await offered(vault, "index.md", "[[Tea#br|")
    resolved = await vault.editor.request("completionItem/resolve", items[0])
    assert resolved["documentation"] == {"kind": "markdown", "value": "## Brewing\n\n- a pot\n- a cup ^cup"}


async def test_every_item_leads_where_it_says(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for name in ("index.md", "plan.org"):
        texts = [inserted(vault, name, item) for item in await offered(vault, name, "* [[|")]
        assert len(texts) == 5, texts
        for text in texts:
            vault.edit(name, text)
            cursor: Position = {"line": 0, "character": 5}
            (found,) = await vault.ask("textDocument/definition", name, cursor)
            assert vault.name(found["uri"]) in NOTES, text


async def test_a_note_that_went_away_while_the_list_was_shown_has_no_text_and_is_no_error(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    (item, *_) = await offered(vault, "index.md", "[[te|")
    (vault.root / "Tea.md").unlink()
    assert (await vault.editor.request("completionItem/resolve", item)).get("documentation") is None
