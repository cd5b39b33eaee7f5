"""textDocument/codeAction and codeAction/resolve: repairs of links, ids and keywords, and how clients of all kinds are answered."""

from typing import Any

import pytest

from tests.server.editor import Failure
from tests.server.features.acting import FULL, LAZY, act, at, offered, titles
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault

NOTES = {
    "index.md": "# Index\n\n[[Green tea]] [[Garden]] [[plan]]\n",
    "Green tea.md": "# Green tea\n\n## Brewing it\n\nHot. ^hot\n\n[[index]]\n",
    "Garden.md": "---\ntitle: The garden\n---\n[[index]]\n",
    "a/Soil.md": "[[index]]\n",
    "b/Soil.md": "[[index]]\n",
    "plan.org": "* Plan\n** Beds\n:PROPERTIES:\n:CUSTOM_ID: beds\n:END:\n[[file:index.md]]\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_broken_link_is_led_to_the_note_with_the_nearest_name(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, encoding=encoding)
    found = await act(vault, "x.md", "🍵 see [[Gren t|ea#Brewing it]] 🍵\r\n", "Link to Green tea")
    assert found == {"x.md": "🍵 see [[Green tea#Brewing it]] 🍵\r\n"}
    assert await act(vault, "x.md", "🍵 [it](Gren%20te|a.md#hot) \n", "Link to Green tea") == {
        "x.md": "🍵 [it](Green%20tea.md#hot) \n"
    }
    assert await act(vault, "x.org", "🍵 [[file:plna.o|rg::*Beds][Plan]]\n", "Link to plan") == {
        "x.org": "🍵 [[file:plan.org::*Beds][Plan]]\n"
    }


async def test_the_nearest_name_is_preferred_only_where_it_is_clear(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "Gardens.md": "x", "Gardener.md": "x"}, capabilities=LAZY)
    found = await offered(vault, "x.md", "[[Gardn|]]")
    assert [(one["title"], one.get("isPreferred")) for one in found if one["title"].startswith("Link")] == [
        ("Link to Garden", None),
        ("Link to Gardens", None),
        ("Link to Gardener", None),
    ]
    found = await offered(vault, "x.md", "[[Gren tea|]] [[index]]")  # with a link it is no orphan, whether it is indexed yet or not
    assert [(one["title"], one.get("isPreferred")) for one in found if one["kind"] == "quickfix"] == [
        ("Link to Green tea", True),
        ("Create Gren tea.md", None),
    ]


async def test_a_broken_anchor_is_led_to_the_nearest_heading_block_or_id(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, "x.md", "[[Green tea#Brewng it<|>|how]]", "Link to Brewing it") == {
        "x.md": "[[Green tea#Brewing it|how]]"
    }
    assert await act(vault, "x.md", "[how](Green%20tea.md#brewng-|it)", "Link to Brewing it") == {
        "x.md": "[how](Green%20tea.md#brewing-it)"
    }
    assert await act(vault, "x.md", "[[Green tea#^ho|o]]", "Link to hot") == {"x.md": "[[Green tea#^hot]]"}
    assert await act(vault, "x.org", "[[file:plan.org::*Bds|]]", "Link to Beds") == {"x.org": "[[file:plan.org::*Beds]]"}
    assert await act(vault, "x.org", "[[file:plan.org::#bedss|]]", "Link to beds") == {"x.org": "[[file:plan.org::#beds]]"}


async def test_an_ambiguous_link_is_led_to_each_candidate(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    text = "[[Soil|]] and [[Soil]]"
    assert [title for title in await titles(vault, "x.md", text) if "Soil" in title] == ["Link to a/Soil", "Link to b/Soil"]
    assert await act(vault, "x.md", text, "Link to b/Soil") == {"x.md": "[[b/Soil]] and [[Soil]]"}


async def test_an_id_that_stands_twice_gets_a_new_one(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "ids.org": "* One\n:PROPERTIES:\n:ID: same\n:END:\n"}, capabilities=LAZY)
    assert await act(vault, "x.md", "One ^x\n\nTwo ^x|\n", "Give it a new id") == {"x.md": "One ^x\n\nTwo ^x-2\n"}
    found = await act(vault, "x.org", "* Two\n:PROPERTIES:\n:ID: sa|me\n:END:\n", "Give it a new id")
    assert found["x.org"].startswith("* Two\n:PROPERTIES:\n:ID: ")
    assert "same" not in found["x.org"]
    assert found["x.org"].endswith("\n:END:\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "#+title: x\n\n* WAIT Call\n* TOOD| Write\n* DONE Read\n",
            "#+title: x\n#+TODO: TODO WAIT TOOD | DONE\n\n* WAIT Call\n* TOOD Write\n* DONE Read\n",
        ),
        ("#+TODO: TODO NEXT | DONE\n* FIXME<|> it\n", "#+TODO: TODO NEXT FIXME | DONE\n* FIXME it\n"),
        ("#+TODO: TODO DONE\r\n* FIXME| it\r\n", "#+TODO: TODO FIXME DONE\r\n* FIXME it\r\n"),
        (
            ":PROPERTIES:\n:ID: x\n:END:\n* BLOCKED| it\n",
            ":PROPERTIES:\n:ID: x\n:END:\n#+TODO: TODO BLOCKED | DONE\n* BLOCKED it\n",
        ),
    ],
)
async def test_an_unknown_keyword_is_made_known_and_the_others_stay_known(make_vault: MakeVault, before: str, after: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    titled = [title for title in await titles(vault, "x.org", before) if title.startswith("Add ")]
    assert await act(vault, "x.org", before, titled[0]) == {"x.org": after}


async def test_a_slip_in_a_keyword_can_be_put_right(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, "x.org", "* TOOD| Write\n", "Write TODO") == {"x.org": "* TODO Write\n"}


async def test_a_quick_fix_names_the_diagnostic_that_it_does_away_with(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    cursor = vault.open("x.md", "[[index]]\n[[Gren t|ea]] [[Gardn]]")
    said = await vault.editor.hear("textDocument/publishDiagnostics", where=lambda one: one["uri"] == vault.uri("x.md"))
    found = await at(vault, "x.md", cursor, diagnostics=said["diagnostics"])
    fixes = [one for one in found if one["kind"] == "quickfix"]
    assert {one["title"] for one in fixes} == {"Link to Green tea", "Create Gren tea.md"}
    assert all(one["diagnostics"] == [said["diagnostics"][0]] for one in fixes)


async def test_only_the_kinds_that_are_asked_for_are_answered(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    text = "# One\n\n[[Gren t|ea]] [[Soil]]\n\n# Two\n"
    assert {one["kind"] for one in await offered(vault, "x.md", text, only=["quickfix"])} == {"quickfix"}
    assert {one["kind"] for one in await offered(vault, "x.md", text, only=["refactor"])} == {"refactor.rewrite.contents"}
    assert await offered(vault, "x.md", text, only=["source"]) == []
    assert await offered(vault, "x.md", text, only=["refactor.inline"]) == []


async def test_a_client_that_resolves_gets_edits_later_another_at_once_and_an_old_one_commands(make_vault: MakeVault) -> None:
    text = "[[Gren t|ea]] [[index]]"
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert all("edit" not in one and one["data"] for one in await offered(vault, "x.md", text))
    eager = await make_vault(NOTES, capabilities=FULL)
    found = await offered(eager, "x.md", text)
    assert all("data" not in one for one in found)
    assert applied(eager, found[0]["edit"]) == {"x.md": "[[Green tea]] [[index]]"}
    edits: list[Any] = []

    def apply(params: Any) -> Any:
        edits.append(params["edit"])
        return {"applied": True}

    old = await make_vault(NOTES, capabilities={"workspace": {"applyEdit": True}}, answers={"workspace/applyEdit": apply})
    found = await offered(old, "x.md", text)
    assert [one["title"] for one in found] == ["Link to Green tea"]  # no file can be created by this client
    answer = await old.editor.request("workspace/executeCommand", {key: found[0][key] for key in ("command", "arguments")})
    assert answer["applied"]
    assert applied(old, edits[0]) == {"x.md": "[[Green tea]] [[index]]"}


async def test_an_action_for_a_text_that_changed_is_refused(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    (action, *_) = await offered(vault, "x.md", "[[Gren t|ea]] [[index]]")
    vault.edit("x.md", "x [[Gren tea]] [[index]]")
    with pytest.raises(Failure, match="changed meanwhile: ask again") as caught:
        await vault.editor.request("codeAction/resolve", action)
    assert caught.value.data["kind"] == "edit"
    vault.edit("x.md", "[[Gren tea]] [[index]]")  # as it was
    after = applied(vault, (await vault.editor.request("codeAction/resolve", action))["edit"])
    assert after == {"x.md": "[[Green tea]] [[index]]"}
    with pytest.raises(Failure, match="no action of khojd"):
        await vault.editor.request("codeAction/resolve", {"title": "x", "data": {"what": "remove"}})


async def test_positions_past_the_end_and_unknown_documents(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    vault.open("x.md", "[[Gren tea]]")
    past = {"line": 99, "character": 99}
    found = await at(vault, "x.md", past)
    assert "Link to Green tea" in [one["title"] for one in found]
    assert [one["title"] for one in await at(vault, "index.md", {"line": 2, "character": 999})] != ["x"]
    with pytest.raises(Failure, match="neither open nor can it be read"):
        await at(vault, "none.md", past)
    vault.open("x.txt", "[[Gren tea]]")
    assert await at(vault, "x.txt", past) is None


async def test_nasty_links_are_answered(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    for text in (
        f"[[{'x' * 10_000}|]]",
        "[[../../../../etc/passwd|]]",
        "[x](<|>)",
        "[[<|>]]",
        "[[a\u0007b<|>]]",
        "[[x]]]]<|>",
        "[[#<|>]]",
    ):
        assert all(not one["title"].startswith("Create") for one in await offered(vault, "x.md", text)), text
