"""Renaming where text, names and editors are not simple."""

import unicodedata
from typing import Any

import pytest

from khojd import config
from tests.server.editor import Failure
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.test_rename import EDITS, refused, renamed

NFD = unicodedata.normalize("NFD", "Ångström")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_ranges_are_right_in_each_encoding(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(
        {
            "a.md": "\r\n# 😀 é̂ tea ##\r\n\r\n😀 [[#😀 é̂ tea]] 😀\r\n",
            "b 😀.md": "😀é [x](a.md#-é̂-tea) 😀 [[a#😀 é̂ tea|😀]]\r\n",
        },
        encoding=encoding,
        capabilities=EDITS,
    )
    vault.open("a.md")
    prepared = await vault.ask("textDocument/prepareRename", "a.md", vault.at("a.md", "tea"))
    assert prepared == {"range": vault.range("a.md", "😀 é̂ tea"), "placeholder": "😀 é̂ tea"}
    assert await renamed(vault, "a.md", vault.at("a.md", "tea"), "🫖 tee") == {
        "a.md": "\r\n# 🫖 tee ##\r\n\r\n😀 [[#🫖 tee]] 😀\r\n",
        "b 😀.md": "😀é [x](a.md#-tee) 😀 [[a#🫖 tee|😀]]\r\n",
    }
    assert await renamed(vault, "b 😀.md", vault.at("b 😀.md", "a#"), "ä😀") == {
        "ä😀.md": vault.text("a.md"),
        "b 😀.md": "😀é [x](ä😀.md#-é̂-tea) 😀 [[ä😀#😀 é̂ tea|😀]]\r\n",
    }


async def test_normalisation_and_case_of_names_do_not_matter(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            f"{NFD}.md": "",
            "index.md": "[[Ångström]] [[ångström]] [x](Ångström.md)\n",
            "UPPER.md": "",
            "low.md": "[[upper]] [[UPPER]]\n",
        },
        capabilities=EDITS,
    )
    assert (await renamed(vault, "index.md", vault.at("index.md", "Ångström"), "unit"))[
        "index.md"
    ] == "[[unit]] [[unit]] [x](unit.md)\n"
    assert await renamed(vault, "low.md", vault.at("low.md", "upper"), "Upper") == {
        "Upper.md": "",
        "low.md": "[[Upper]] [[Upper]]\n",
    }


async def test_an_ambiguous_link_asks_even_in_an_open_note(make_vault: MakeVault) -> None:
    vault = await make_vault({"x/one.md": "", "y/one.md": "", "index.md": "[[one]] [[x/one]]\n"}, capabilities=EDITS)
    vault.open("index.md")
    edit: dict[str, Any] = await vault.ask("textDocument/rename", "index.md", vault.at("index.md", "x/one"), newName="two")
    asked = {
        one["newText"]: edit["changeAnnotations"][one["annotationId"]].get("needsConfirmation", False)
        for one in edit["documentChanges"][0]["edits"]
    }
    assert asked == {"two": True, "x/two": False}


async def test_links_to_others_that_a_new_name_makes_ambiguous_are_made_clear(make_vault: MakeVault) -> None:
    vault = await make_vault({"x/one.md": "", "y/two.md": "", "i.md": "[[x/one]] [[two]] [y](y/two.md)\n"}, capabilities=EDITS)
    assert (await renamed(vault, "i.md", vault.at("i.md", "x/one"), "two"))["i.md"] == "[[x/two]] [[y/two]] [y](y/two.md)\n"


async def test_an_org_abbreviation_is_written_out_when_it_does_not_fit(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {"notes/a.org": "* H\n", "b.org": "#+LINK: n file:notes/%s\n[[n:a.org][A]] [[n:a.org::*H]]\n"}, capabilities=EDITS
    )
    assert await renamed(vault, "notes/a.org", vault.at("notes/a.org", "H"), "I") == {
        "notes/a.org": "* I\n",
        "b.org": "#+LINK: n file:notes/%s\n[[n:a.org][A]] [[file:notes/a.org::*I]]\n",
    }
    edit = await vault.ask(
        "workspace/willRenameFiles", files=[{"oldUri": vault.uri("notes/a.org"), "newUri": vault.uri("else/b.org")}]
    )
    assert applied(vault, edit)["b.org"] == "#+LINK: n file:notes/%s\n[[file:else/b.org][A]] [[file:else/b.org::*H]]\n"


async def test_an_org_link_without_brackets_gets_them_when_it_needs_them(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.org": "* H\n", "b.org": "see file:a.org::*H and <file:a.org>.\n"}, capabilities=EDITS)
    assert (await renamed(vault, "a.org", vault.at("a.org", "H"), "Two words"))["b.org"] == (
        "see [[file:a.org::*Two words]] and <file:a.org>.\n"
    )
    assert (await renamed(vault, "b.org", vault.at("b.org", "a.org::"), "a b"))["b.org"] == (
        "see [[file:a b.org::*H]] and <file:a b.org>.\n"
    )


async def test_long_links_and_paths_above_everything_are_left_alone(make_vault: MakeVault) -> None:
    text = f"[[{'x' * 10_000}]] [up](../../../../../../../../etc/passwd) [[]] []() [[#]] [[a]]\n"
    vault = await make_vault({"a.md": "", "b.md": text}, capabilities=EDITS)
    assert (await renamed(vault, "b.md", vault.at("b.md", "[[a]]", after=True), "c"))["b.md"] == text.replace("[[a]]", "[[c]]")
    for needle, reason in (("xxx", "no such note"), ("etc", "leads above")):
        assert reason in await refused(vault, "b.md", vault.at("b.md", needle), "c")


async def test_positions_past_the_end_and_notes_that_are_not_there(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n\ntext\n"}, capabilities=EDITS)
    assert await vault.ask("textDocument/prepareRename", "a.md", {"line": 99, "character": 99}) is None
    assert "nothing to rename" in await refused(vault, "a.md", {"line": 2, "character": 1}, "x")
    with pytest.raises(Failure, match=r"none\.md is neither open"):
        await vault.ask("textDocument/rename", "none.md", {"line": 0, "character": 0}, newName="x")
    vault.open("../outside.md", "# H\n")
    assert "none of the configured folders" in await refused(vault, "../outside.md", {"line": 0, "character": 3}, "x")


async def test_what_another_editor_has_typed_is_not_edited(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "b.md": "[[a#H]]\n"}, capabilities=EDITS)
    vault.engine.open_buffer("another", vault.path("b.md"), "much more text [[a#H]]\n", 1)
    await vault.indexed()
    assert await renamed(vault, "a.md", vault.at("a.md", "H"), "I") == {"a.md": "# I\n", "b.md": "[[a#I]]\n"}


async def test_a_link_typed_a_moment_ago_follows(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "b.md": "text\n"}, capabilities=EDITS)
    vault.open("b.md")
    vault.edit("b.md", "[[a#H]] [[a]]\n")
    assert await renamed(vault, "a.md", vault.at("a.md", "H"), "I") == {"a.md": "# I\n", "b.md": "[[a#I]] [[a]]\n"}
    assert await renamed(vault, "b.md", vault.at("b.md", "a]]"), "c") == {"c.md": "# H\n", "b.md": "[[c#H]] [[c]]\n"}


async def test_the_part_of_a_nested_tag_with_the_cursor_is_shown(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "text #one/two/three\n"}, capabilities=EDITS)
    for needle, shown in (("ne/", "one"), ("wo/", "one/two"), ("hree", "one/two/three")):
        prepared = await vault.ask("textDocument/prepareRename", "a.md", vault.at("a.md", needle))
        assert prepared == {"range": vault.range("a.md", shown), "placeholder": shown}


async def test_logseqs_tags_of_two_words_and_its_blocks(make_vault: MakeVault) -> None:
    block = "64f0a1b2-0000-4000-8000-000000000001"
    vault = await make_vault(
        {
            "pages/a.md": f"- one #[[two words]]\n  id:: {block}\n- x\n\t- #[[two words]] (({block}))\n",
            "pages/b.md": f"- (({block})) and {block}\n",
        },
        capabilities=EDITS,
    )
    found = await renamed(vault, "pages/b.md", vault.at("pages/b.md", block), "new-id")
    assert found["pages/b.md"] == f"- ((new-id)) and {block}\n"
    assert found["pages/a.md"] == vault.text("pages/a.md").replace(block, "new-id")
    cursor = vault.at("pages/a.md", "two words")
    assert (await renamed(vault, "pages/a.md", cursor, "three more"))["pages/a.md"] == (
        vault.text("pages/a.md").replace("two words", "three more")
    )


@pytest.mark.parametrize(
    ("cursor", "shown", "placeholder"),
    [
        ("al", "alias", "a"),
        ("a#H", "a", "a"),
        ("H|", "H", "H"),
        ("use", "use", "Heading *2*"),
        ("#one", "one", "one"),
        ("site", "Go to [site](https://example.org)", "Go to [site](https://example.org)"),
        ("lined", "Under\nlined", "Under lined"),
    ],
)
async def test_what_is_shown_as_chosen_holds_the_cursor(make_vault: MakeVault, cursor: str, shown: str, placeholder: str) -> None:
    text = (
        "[[a|alias]] [[a#H|x]] [use][r] #one\n\n# Go to [site](https://example.org)\n\nUnder\nlined\n=====\n\n[r]: a.md#heading-2\n"
    )
    vault = await make_vault({"a.md": "# H\n\n# Heading *2*\n", "b.md": text}, capabilities=EDITS)
    prepared = await vault.ask("textDocument/prepareRename", "b.md", vault.at("b.md", cursor))
    assert (vault.cut("b.md", prepared["range"]), prepared["placeholder"]) == (shown, placeholder)


async def test_a_heading_of_two_lines_becomes_one_of_one(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "Under\nlined\n---\n\n[x](#under-lined)\n"}, capabilities=EDITS)
    assert await renamed(vault, "a.md", vault.at("a.md", "lined"), "Over") == {"a.md": "Over\n---\n\n[x](#over)\n"}


async def test_switched_off_it_answers_nothing(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n"}, capabilities=EDITS, features=config.Features(rename=False))
    assert "renameProvider" not in vault.editor.capabilities
    assert await vault.ask("textDocument/rename", "a.md", vault.at("a.md", "H"), newName="x") is None


async def test_a_link_in_the_text_of_another_gets_no_brackets(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.org": "* H\n", "b.org": "[[https://example.org][see file:a.org here]]\n"}, capabilities=EDITS)
    assert (await renamed(vault, "a.org", {"line": 0, "character": 2}, "Two words"))["a.org"] == "* Two words\n"
    assert "cannot be written" in await refused(vault, "b.org", vault.at("b.org", "a.org"), "two words")
    assert (await renamed(vault, "b.org", vault.at("b.org", "a.org"), "c"))["b.org"] == (
        "[[https://example.org][see file:c.org here]]\n"
    )


async def test_links_in_front_matter_follow(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "", "b.md": "---\nup: '[[a]]'\n---\n[![x](a.md)](a.md)\n"}, capabilities=EDITS)
    assert (await renamed(vault, "b.md", vault.at("b.md", "a]]"), "c d"))["b.md"] == (
        "---\nup: '[[c d]]'\n---\n[![x](c%20d.md)](c%20d.md)\n"
    )


async def test_a_rename_and_its_inverse_give_the_same_bytes_also_for_links_with_superfluous_signs(make_vault: MakeVault) -> None:
    text = "[a](t%65a.md) [[TEA]] [b](<tea\\.md>) [c](./x/../tea.md#in%74ro)\n"
    vault = await make_vault({"tea.md": "# Intro\n", "a.md": text}, capabilities=EDITS)
    vault.open("a.md")
    found = await renamed(vault, "a.md", vault.at("a.md", "TEA"), "coffee")
    assert found["a.md"] == "[a](coffee.md) [[coffee]] [b](<coffee.md>) [c](./x/../coffee.md#in%74ro)\n"
    vault.edit("a.md", found["a.md"])
    (vault.root / "tea.md").rename(vault.root / "coffee.md")
    await vault.indexed()
    assert (await renamed(vault, "a.md", vault.at("a.md", "coffee"), "tea"))["a.md"] == text
