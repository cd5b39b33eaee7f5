"""Code actions that make notes: the one that a broken link names, and one of the selection."""

import pytest

from khojd import config
from tests.server.editor import Failure
from tests.server.features.acting import FULL, LAZY, act, offered, titles
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

NOTES = {
    "index.md": "# Index\n\n[[tea]] [[sub/deep]]\n",
    "tea.md": "# Tea\n\n## Green\n\n[[index]]\n",
    "sub/deep.md": "# Deep\n\n[[index]] [[tea]]\n",
    "sub/plan.org": "* Plan\n[[file:../index.md]]\n",
}
MARKDOWN_LINKS = {
    "index.md": "[a](tea.md) [b](sub/deep.md) [c](tea.md) [d](tea.md) [e](tea.md)\n",
    "tea.md": "# Tea\n",
    "sub/deep.md": "# Deep\n",
}


def settings(*templates: config.Template, **notes: str) -> config.Config:
    return config.Config(
        index=config.Index(watch="off"),
        embedding=config.Embedding(model="off"),
        notes=config.NewNotes(templates=templates, **notes),  # type: ignore[arg-type]
    )


async def made(vault: Vault, name: str, text: str) -> dict[str, str]:
    """What the one offer to create a note makes of a note with this text."""
    found = [title for title in await titles(vault, name, text) if title.startswith("Create ")]
    assert len(found) == 1, found
    return await act(vault, name, text, found[0])


@pytest.mark.parametrize(
    ("name", "text", "path", "content"),
    [
        ("x.md", "[[Green te|as]]", "Green teas.md", "# Green teas\n\n"),
        ("sub/x.md", "[[co|cao]]", "sub/cocao.md", "# cocao\n\n"),
        ("sub/x.md", "[[drinks/co|cao#Beans]]", "drinks/cocao.md", "# cocao\n\n"),
        ("sub/x.md", "[Hot cocoa](../drinks/co|coa.md)", "drinks/cocoa.md", "# Hot cocoa\n\n"),
        ("sub/x.md", "[Cocoa](my%20co|coa)", "sub/my cocoa.md", "# Cocoa\n\n"),
        ("sub/x.md", "[C][c|]\n\n[c]: ../v1.2\n", "v1.2.md", "# C\n\n"),
        ("sub/x.org", "[[file:../coc|oa.org][Cocoa]]", "cocoa.org", "#+title: Cocoa\n\n"),
        ("sub/x.org", "[[./coc|oa.md]]", "sub/cocoa.md", "# cocoa\n\n"),
        ("x.md", "[[日本|茶 🍵]]", "日本茶 🍵.md", "# 日本茶 🍵\n\n"),
        ("x.md", "[[👩‍👩‍👧|　x]]", "👩‍👩‍👧　x.md", "# 👩‍👩‍👧　x\n\n"),
    ],
)
async def test_the_note_that_a_broken_link_names_is_made(
    make_vault: MakeVault, name: str, text: str, path: str, content: str
) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await made(vault, name, text) == {path: content}


@pytest.mark.parametrize(
    "text",
    [
        "[[../../out|side]]",
        "[x](/etc/pass|wd)",
        "![[pict|ure.png]]",
        "![x](pict|ure.png)",
        "[[te|a]]",
        "[[#Gr|een]]",
        "((6f9619ff-8b86-d011-b42d-00c04fc96|4ff))",
        "[x](https://x.org/|y)",
        "[[..|]]",
        f"[[{'x' * 300}|]]",
    ],
)
async def test_no_note_is_made_for_what_is_no_missing_note(make_vault: MakeVault, text: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert not [title for title in await titles(vault, "x.md", text) if title.startswith("Create ")]


async def test_a_new_note_has_the_text_of_the_template_of_the_settings(make_vault: MakeVault) -> None:
    template = config.Template(name="mine", folder="inbox", file="{date:%Y}-{slug}", text="---\nid: {id}\n---\n{{ {title} }}\n")
    vault = await make_vault(NOTES, capabilities=LAZY, settings=settings(template, template="mine"))
    (path,) = found = await made(vault, "x.md", "[[Green te|as]]")
    assert path == "inbox/Green teas.md"  # the name is the link's
    assert found[path].startswith("---\nid: ")
    assert found[path].endswith("---\n{ Green teas }\n")


async def test_a_note_that_came_into_being_meanwhile_is_not_made_again(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    found = await offered(vault, "x.md", "[[coc|oa]]")
    action = next(one for one in found if one["title"] == "Create cocoa.md")
    vault.write("cocoa.md", "Mine")
    with pytest.raises(Failure, match=r"cocoa\.md is there already"):
        await vault.editor.request("codeAction/resolve", action)


async def test_a_client_that_cannot_create_files_is_offered_none(make_vault: MakeVault) -> None:
    text = {**FULL, "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}}}
    vault = await make_vault(NOTES, capabilities=text)
    assert not [title for title in await titles(vault, "x.md", "[[coc|oa]]") if title.startswith("Create ")]
    assert not [title for title in await titles(vault, "x.md", "Some words", "Some") if title.startswith("Extract ")]


# --- extracting ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_section_becomes_a_note_and_leaves_a_link(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, encoding=encoding)
    section = "### Matcha 🍵\n\nPowder.\n\n#### Whisk\n\nBamboo.\n"
    text = f"# 🍵 Drinks\n\n## Tea\n\n{section}\n## Coffee\n"
    assert await act(vault, "x.md", text, "Extract into the note 'Matcha 🍵'", section) == {
        "matcha.md": "# Matcha 🍵\n\nPowder.\n\n## Whisk\n\nBamboo.\n",
        "x.md": "# 🍵 Drinks\n\n## Tea\n\n[[matcha|Matcha 🍵]]\n\n## Coffee\n",
    }


async def test_words_become_a_note_too(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, "x.md", "Some *green tea* here\r\n", "Extract into the note 'green tea'", "*green tea*") == {
        "green-tea.md": "# green tea\r\n\r\n*green tea*\r\n",
        "x.md": "Some [[green-tea|green tea]] here\r\n",
    }
    text = "- [ ] [[tea|Buy]] leaves\n- Pour water\n"
    assert await act(vault, "x.md", text + "<|>", "Extract into the note 'Buy leaves'", text) == {
        "buy-leaves.md": "# Buy leaves\n\n- [ ] [[tea|Buy]] leaves\n- Pour water\n",
        "x.md": "[[buy-leaves|Buy leaves]]\n",
    }


async def test_the_link_is_in_the_way_of_the_folder(make_vault: MakeVault) -> None:
    vault = await make_vault(MARKDOWN_LINKS, capabilities=LAZY)
    assert await act(vault, "x.md", "Some words\n", "Extract into the note 'Some words'", "Some words") == {
        "some-words.md": "# Some words\n\nSome words\n",
        "x.md": "[Some words](some-words.md)\n",
    }


async def test_words_of_a_table_leave_a_link_that_does_not_end_their_cell(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    table = "| a | b |\n|---|---|\n| Hot cocoa | two |\n"
    found = await act(vault, "x.md", f"<|>{table}", "Extract into the note 'Hot cocoa'", "Hot cocoa")
    assert found["x.md"] == table.replace("Hot cocoa", "[Hot cocoa](hot-cocoa.md)")


async def test_an_org_tree_becomes_an_org_note(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    tree = "** Beds\nDig.\n*** Soil\nBlack.\n"
    assert await act(vault, "sub/x.org", f"* Garden\n{tree}* House\n", "Extract into the note 'Beds'", tree) == {
        "sub/beds.org": "#+title: Beds\n\nDig.\n* Soil\nBlack.\n",
        "sub/x.org": "* Garden\n[[file:beds.org][Beds]]\n* House\n",
    }
    tree = "** TODO Beds :spring:\n:PROPERTIES:\n:ID: beds\n:END:\nDig.\n"
    assert await act(vault, "sub/x.org", f"* Garden\n{tree}", "Extract into the note 'Beds'", tree) == {
        "sub/beds.org": "#+title: Beds\n\n* TODO Beds :spring:\n:PROPERTIES:\n:ID: beds\n:END:\nDig.\n",
        "sub/x.org": "* Garden\n[[file:beds.org][Beds]]\n",
    }


async def test_links_lead_where_they_did(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "pic.png": "x"}, capabilities=LAZY, settings=settings(folder="inbox/new"))
    part = (
        "See [a](deep.md), [b](../tea.md#green), [[tea]], ![p](../pic.png), [up](#top), [[#Top]], [[#In here]],"
        " [w](https://x.org), [r][ref], [n](none.md)\n\n## In here\n\nText"
    )
    text = f"# Top\n\n{part}\n\n[ref]: deep.md\n"
    found = await act(vault, "sub/x.md", text, "Extract into the note 'See a, b, tea, p, up, Top, In here, w, r, n'", part)
    (path,) = set(found) - {"sub/x.md"}
    assert path.startswith("inbox/new/see-a")
    assert found[path].split("\n\n", 1)[1] == (
        "See [a](../../sub/deep.md), [b](../../tea.md#green), [[tea]], ![p](../../pic.png), [up](../../sub/x.md#top), [[x#Top]],"
        " [[#In here]], [w](https://x.org), [r](../../sub/deep.md), [n](none.md)\n\n## In here\n\nText\n"
    )


async def test_org_links_lead_where_they_did(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, settings=settings(folder="inbox"))
    part = "Part [[file:plan.org::*Plan][p]] [[*Top]] [[*In here]] file:../index.md\n** In here\nText"
    found = await act(vault, "sub/x.org", f"* Top\n{part}\n", "Extract into the note 'Part p Top In here index'", part)
    (path,) = set(found) - {"sub/x.org"}
    assert found[path].split("\n\n", 1)[1] == (
        "Part [[file:../sub/plan.org::*Plan][p]] [[file:../sub/x.org::*Top]] [[*In here]] file:../index.md\n* In here\nText\n"
    )


async def test_links_to_what_was_extracted_follow(make_vault: MakeVault) -> None:
    notes = {
        **NOTES,
        "x.md": "[In](#in-it) [[#Out]]\n\n# Part\n\n## In it\n\nA ^b\n\n# Out\n",
        "a.md": "[[x#In it|in]] [[x#Out]] [[x]] ![[x#^b]] [i](x.md#in-it) [[x#Part]]\n",
        "sub/b.org": "[[file:../x.md::*In it][in]] [[file:../x.md::*Out]] [[file:../x.md]]\n",
    }
    vault = await make_vault(notes, capabilities=LAZY)
    part = "# Part\n\n## In it\n\nA ^b"
    assert await act(vault, "x.md", notes["x.md"], "Extract into the note 'Part'", part) == {
        "part.md": "# Part\n\n## In it\n\nA ^b\n",
        "x.md": "[In](part.md#in-it) [[#Out]]\n\n[[part|Part]]\n\n# Out\n",
        "a.md": "[[part#In it|in]] [[x#Out]] [[x]] ![[part#^b]] [i](part.md#in-it) [[part#Part]]\n",
        "sub/b.org": "[[file:../part.md::*In it][in]] [[file:../x.md::*Out]] [[file:../x.md]]\n",
    }


async def test_org_links_to_what_was_extracted_follow(make_vault: MakeVault) -> None:
    text = "* Top\n[[*Beds][b]] [[#soil]] [[*Top]]\n* Beds\nDig.\n** Soil\n:PROPERTIES:\n:CUSTOM_ID: soil\n:END:\n"
    vault = await make_vault({**NOTES, "x.org": text}, capabilities=LAZY)
    part = text[text.index("* Beds") :]
    assert await act(vault, "x.org", text, "Extract into the note 'Beds'", part) == {
        "beds.org": "#+title: Beds\n\nDig.\n* Soil\n:PROPERTIES:\n:CUSTOM_ID: soil\n:END:\n",
        "x.org": "* Top\n[[file:beds.org][b]] [[file:beds.org::#soil]] [[*Top]]\n[[file:beds.org][Beds]]\n",
    }


async def test_a_name_that_is_taken_gets_a_number(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    found = await act(vault, "x.md", "Tea here\n", "Extract into the note 'Tea'", "Tea")
    assert found == {"tea-2.md": "# Tea\n\nTea\n", "x.md": "[[tea-2|Tea]] here\n"}


async def test_a_template_without_a_title_keeps_the_heading(make_vault: MakeVault) -> None:
    template = config.Template(name="note", file="{title}", text="Made {date}.\n")
    vault = await make_vault(NOTES, capabilities=LAZY, settings=settings(template))
    found = await act(vault, "x.md", "# A\n\n### B: c\n\nText\n", "Extract into the note 'B: c'", "### B: c\n\nText\n")
    assert found["B- c.md"].endswith(".\n\n# B: c\n\nText\n")


async def test_underlined_headings_keep_their_place(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    part = "Words\n\nTop\n===\n\nBelow\n-----\n\n### Third\n"
    found = await act(vault, "x.md", part, "Extract into the note 'Words'", part)
    assert found["words.md"] == "# Words\n\nWords\n\nTop\n---\n\n### Below\n\n#### Third\n"


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("---\ntitle: x\n---\nText\n", "title: x\n---\nText"),
        ("See [[tea]] here\n", "te"),
        ("```\ncode\n```\nText\n", "code\n```\nText"),
        ("A \n B", " \n "),
        ("<|>| a | b |\n|---|---|\n| one | two |\n| three | four |\n", "one | two"),
        ("<|>| a | b |\n|---|---|\n| one | two |\n| three | four |\n", "two |\n| three | four |"),
    ],
)
async def test_what_cannot_stand_alone_is_not_extracted(make_vault: MakeVault, text: str, selected: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert not [title for title in await titles(vault, "x.md", text, selected) if title.startswith("Extract")]
