"""Renaming a heading, a note, a tag, a block: every link follows, and nothing else changes."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.editor import Failure
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Position, Vault

EDITS = {
    "workspace": {
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
        "fileOperations": {"willRename": True, "didRename": True},
    },
    "textDocument": {"rename": {"prepareSupport": True}},
}


DRAWER = "* H\n:PROPERTIES:\n:CUSTOM_ID: {}\n:END:\n"


async def renamed(vault: Vault, name: str, position: Position, new: str) -> dict[str, str]:
    edit = await vault.ask("textDocument/rename", name, position, newName=new)
    return applied(vault, edit)


async def refused(vault: Vault, name: str, position: Position, new: str) -> str:
    with pytest.raises(Failure) as caught:
        await vault.ask("textDocument/rename", name, position, newName=new)
    assert caught.value.code == -32803
    return str(caught.value)


async def test_links_to_a_heading_follow_it_in_each_style(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "tea.md": "# Tea\n\n## Green Tea ##\n\n[toc](#green-tea) and [[#Green Tea]]\n",
            "wiki.md": "[[tea#Green Tea]] [[tea#Tea#Green Tea|it]] ![[tea#green tea]] `[[tea#Green Tea]]`\n",
            "links.md": "[a](tea.md#green-tea) [b](tea.md#Green%20Tea) [c](<tea.md#Green Tea>) [r]\n\n"
            "[r]: tea.md#green-tea 'Title'\n",
            "org.org": "[[file:tea.md::*Green Tea][x]] and [[file:tea.md::Green Tea]]\n",
            "other.md": "[[tea]] [[tea#Tea]] #green-tea Green Tea\n",
        },
        capabilities=EDITS,
    )
    vault.open("tea.md")
    assert await renamed(vault, "tea.md", vault.at("tea.md", "Green Tea ##"), "Sencha, *cold*") == {
        "tea.md": "# Tea\n\n## Sencha, *cold* ##\n\n[toc](#sencha-cold) and [[#Sencha, cold]]\n",
        "wiki.md": "[[tea#Sencha, cold]] [[tea#Tea#Sencha, cold|it]] ![[tea#Sencha, cold]] `[[tea#Green Tea]]`\n",
        "links.md": "[a](tea.md#sencha-cold) [b](tea.md#Sencha,%20cold) [c](<tea.md#Sencha, cold>) [r]\n\n"
        "[r]: tea.md#sencha-cold 'Title'\n",
        "org.org": "[[file:tea.md::*Sencha, cold][x]] and [[file:tea.md::Sencha, cold]]\n",
    }


async def test_a_part_of_a_path_of_headings_follows(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {"a.md": "# One\n\n## Two\n\n# Uno\n\n## Two\n", "b.md": "[[a#Uno#Two]] [[a#One#Two]]\n"}, capabilities=EDITS
    )
    found = await renamed(vault, "a.md", vault.at("a.md", "Uno"), "Eins")
    assert found["b.md"] == "[[a#Eins#Two]] [[a#One#Two]]\n"


async def test_numbers_of_equal_headings_shift(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "[1](#log) [2](#log-1) [3](#log-2)\n\n# Log\n\n# Log\n\n# Log\n"}, capabilities=EDITS)
    found = await renamed(vault, "a.md", vault.at("a.md", "Log"), "Diary")
    assert found["a.md"] == "[1](#diary) [2](#log) [3](#log-1)\n\n# Diary\n\n# Log\n\n# Log\n"


async def test_only_the_text_of_a_headings_line_changes(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "a.org": "* TODO [#A] Call *Bob* :phone:work:\n[[*Call *Bob*]] [[Call *Bob*]]\n",
            "b.md": "## TODO [#B] Plan it {#plan}\n[x](#plan-it) [y](#plan)\n\nUnder\n=====\n[z](#under)\n",
        },
        capabilities=EDITS,
    )
    assert (await renamed(vault, "a.org", vault.at("a.org", "Bob"), "Ring [[x][Eve]]"))["a.org"] == (
        "* TODO [#A] Ring [[x][Eve]] :phone:work:\n[[*Ring Eve]] [[Ring Eve]]\n"
    )
    assert (await renamed(vault, "b.md", vault.at("b.md", "Plan it"), "Do"))["b.md"] == (
        "## TODO [#B] Do {#plan}\n[x](#do) [y](#plan)\n\nUnder\n=====\n[z](#under)\n"
    )
    assert (await renamed(vault, "b.md", vault.at("b.md", "Under"), "Über uns"))["b.md"] == (
        "## TODO [#B] Plan it {#plan}\n[x](#plan-it) [y](#plan)\n\nÜber uns\n=====\n[z](#über-uns)\n"
    )


async def test_a_heading_is_renamed_from_a_link_to_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# Old\n", "b.md": "[[a#Old|shown]]\n"}, capabilities=EDITS)
    vault.open("b.md")
    prepared = await vault.ask("textDocument/prepareRename", "b.md", vault.at("b.md", "Old"))
    assert prepared == {"range": vault.range("b.md", "Old"), "placeholder": "Old"}
    assert await renamed(vault, "b.md", vault.at("b.md", "Old"), "New") == {"a.md": "# New\n", "b.md": "[[a#New|shown]]\n"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("two\nlines", "line break"),
        ("TODO call", "TODO"),
        ("text #tag", "something else"),
        ("text {#id}", "something else"),
        ("Next", "could not lead to"),
    ],
)
async def test_what_cannot_be_a_heading_is_refused(make_vault: MakeVault, name: str, reason: str) -> None:
    vault = await make_vault({"a.md": "# Next\n\n# Old\n\n[[#Old]] [[#Next]]\n"}, capabilities=EDITS)
    assert reason in await refused(vault, "a.md", vault.at("a.md", "Old"), name)


async def test_links_to_a_note_keep_their_style(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "notes/green tea.md": "---\ntitle: All about tea\naliases: [brew]\n---\n[up](../index.md) [me](green%20tea.md#x)\n",
            "index.md": "[[green tea]] [[Green Tea|it]] [[notes/green tea#x]] [[green tea.md]] [[brew]] [[All about tea]]\n",
            "links.md": "[a](notes/green%20tea.md) [b](./notes/green%20tea.md#x) [c](</notes/green tea.md>) "
            "[d](notes/green%20tea 'T')\n",
            "notes/near.md": "[a](green%20tea.md) ![[./green tea]] ((green tea)) green tea\n",
            "o.org": "[[file:notes/green tea.md][x]] [[./notes/green tea.md::*x]] [[file:notes/green tea.md::3]]\n",
        },
        capabilities=EDITS,
    )
    edit = await vault.ask("textDocument/rename", "index.md", vault.at("index.md", "green tea"), newName="black (hot)")
    assert applied(vault, edit) == {
        "notes/black (hot).md": "---\ntitle: All about tea\naliases: [brew]\n---\n[up](../index.md) [me](black%20%28hot%29.md#x)\n",
        "index.md": "[[black (hot)]] [[black (hot)|it]] [[notes/black (hot)#x]] [[black (hot).md]] [[brew]] [[All about tea]]\n",
        "links.md": "[a](notes/black%20%28hot%29.md) [b](./notes/black%20%28hot%29.md#x) [c](</notes/black (hot).md>) "
        "[d](notes/black%20%28hot%29 'T')\n",
        "notes/near.md": "[a](black%20%28hot%29.md) ![[./black (hot)]] ((green tea)) green tea\n",
        "o.org": "[[file:notes/black (hot).md][x]] [[./notes/black (hot).md::*x]] [[file:notes/black (hot).md::3]]\n",
    }
    assert edit["documentChanges"][-1]["kind"] == "rename"


async def test_a_note_is_renamed_from_its_title_and_its_first_line(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {"a.md": "---\ntitle: Apple\n---\ntext\n", "b.org": "#+TITLE: Bee\ntext\n", "c.md": "just\ntext\n"}, capabilities=EDITS
    )
    for name, needle, placeholder in (("a.md", "Apple", "a"), ("b.org", "Bee", "b"), ("c.md", "just", "c")):
        vault.open(name)
        prepared = await vault.ask("textDocument/prepareRename", name, vault.at(name, needle))
        assert prepared == {"range": vault.range(name, needle), "placeholder": placeholder}
        assert await renamed(vault, name, vault.at(name, needle), "new") == {f"new.{name[2:]}": vault.text(name)}
        assert await vault.ask("textDocument/prepareRename", name, vault.at(name, "text")) is None


async def test_a_name_that_others_have_is_written_with_its_path(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {"x/one.md": "", "y/two.md": "", "index.md": "[[one]] [[two]]\n"},
        capabilities=EDITS,
    )
    found = await renamed(vault, "index.md", vault.at("index.md", "one"), "two")
    assert found == {"x/two.md": "", "index.md": "[[x/two]] [[y/two]]\n"}


async def test_logseqs_names_keep_their_slashes(make_vault: MakeVault) -> None:
    vault = await make_vault({"pages/a___b.md": "- x\n", "pages/c.md": "- [[a/b]] and [[pages/a___b]]\n"}, capabilities=EDITS)
    found = await renamed(vault, "pages/c.md", vault.at("pages/c.md", "a/b"), "a/new")
    assert found == {"pages/a___new.md": "- x\n", "pages/c.md": "- [[a/new]] and [[pages/a___new]]\n"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("a\nb", "line break"),
        ("taken", "exists already"),
        ("Taken", "exists already"),
        ("A", "exists already"),
        ("../../out", "leads out"),
        (".hidden", "hidden"),
        ("x" * 300, "255 bytes"),
    ],
)
async def test_what_cannot_be_the_name_of_a_note_is_refused(make_vault: MakeVault, name: str, reason: str) -> None:
    vault = await make_vault({"a.md": "", "A.md": "", "taken.md": "", "Taken.md/x.md": "", "b.md": "[[a]]\n"}, capabilities=EDITS)
    assert reason in await refused(vault, "b.md", vault.at("b.md", "a"), name)


async def test_names_that_a_link_cannot_carry_are_encoded_or_refused(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "", "b.md": "[[a]] [x](a.md)\n", "c.org": "[[file:a.md]] file:a.md\n"}, capabilities=EDITS)
    found = await renamed(vault, "b.md", vault.at("b.md", "a"), "x]y #1|2")
    assert found == {
        "x]y #1|2.md": "",
        "b.md": "[[x%5Dy %231%7C2]] [x](x]y%20%231|2.md)\n",
        "c.org": "[[file:x\\]y #1|2.md]] [[file:x\\]y #1|2.md]]\n",
    }
    assert "cannot be written" in await refused(vault, "b.md", vault.at("b.md", "a"), "x::y")


async def test_without_renaming_of_files_it_says_so(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "b.md": "[[a]] [[a#H]]\n"})
    assert "does not let a language server rename files" in await refused(vault, "b.md", vault.at("b.md", "a"), "c")
    edit = await vault.ask("textDocument/rename", "a.md", vault.at("a.md", "H"), newName="I")
    assert set(edit) == {"changes"}
    assert applied(vault, edit) == {"a.md": "# I\n", "b.md": "[[a]] [[a#I]]\n"}


async def test_an_edit_names_versions_and_asks_for_what_is_not_open(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "b.md": "[[a#H]]\n"}, capabilities=EDITS)
    vault.open("a.md")
    vault.edit("a.md", "intro\n\n# H\n")
    edit = await vault.ask("textDocument/rename", "a.md", vault.at("a.md", "H"), newName="I")
    versions = {vault.name(change["textDocument"]["uri"]): change["textDocument"]["version"] for change in edit["documentChanges"]}
    assert versions == {"a.md": 2, "b.md": None}
    asked = {
        vault.name(change["textDocument"]["uri"]): edit["changeAnnotations"][one["annotationId"]].get("needsConfirmation", False)
        for change in edit["documentChanges"]
        for one in change["edits"]
    }
    assert asked == {"a.md": False, "b.md": True}
    assert all("Rename heading 'H' to 'I'" in one["label"] for one in edit["changeAnnotations"].values())


async def test_without_annotations_edits_are_plain(make_vault: MakeVault) -> None:
    capabilities = {"workspace": {"workspaceEdit": {"documentChanges": True}}}
    vault = await make_vault({"a.md": "# H\n", "b.md": "[[a#H]]\n"}, capabilities=capabilities)
    edit = await vault.ask("textDocument/rename", "a.md", vault.at("a.md", "H"), newName="I")
    assert set(edit) == {"documentChanges"}
    assert [set(one) for change in edit["documentChanges"] for one in change["edits"]] == [{"range", "newText"}] * 2


async def test_text_that_the_index_has_not_read_gets_right_ranges(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "# H\n", "disk.md": "[[a#H]]\n", "open.md": "[[a#H]]\n"}, capabilities=EDITS)
    vault.write("disk.md", "another\n\n[[a#H]] [[a#H]]\n")
    Path(vault.path("a.md")).write_text("new\n\n# Other\n\n# H\n")
    vault.open("open.md", "typed [[a#H]]\n")
    found = await renamed(vault, "open.md", vault.at("open.md", "H]"), "I")
    assert found == {
        "a.md": "new\n\n# Other\n\n# I\n",
        "disk.md": "another\n\n[[a#I]] [[a#I]]\n",
        "open.md": "typed [[a#I]]\n",
    }


@pytest.mark.parametrize(
    ("files", "cursor", "new", "after"),
    [
        (
            {"a.md": "text ^one\n", "b.md": "[[a#^one]] ![[a#^one|x]] [m](a.md#^one)\n"},
            ("a.md", "one"),
            "two",
            {"a.md": "text ^two\n", "b.md": "[[a#^two]] ![[a#^two|x]] [m](a.md#^two)\n"},
        ),
        (
            {
                "a.org": "* H\n:PROPERTIES:\n:CUSTOM_ID: one\n:END:\n[[#one]]\n",
                "b.org": "[[file:a.org::#one]]\n",
                "c.md": "[x](a.org#one)\n",
            },
            ("b.org", "one"),
            "two",
            {
                "a.org": "* H\n:PROPERTIES:\n:CUSTOM_ID: two\n:END:\n[[#two]]\n",
                "b.org": "[[file:a.org::#two]]\n",
                "c.md": "[x](a.org#two)\n",
            },
        ),
        (
            {"a.org": "* H\n:PROPERTIES:\n:ID: one\n:END:\n", "b.org": "[[id:one][H]] id:one\n"},
            ("b.org", "one"),
            "two",
            {"a.org": "* H\n:PROPERTIES:\n:ID: two\n:END:\n", "b.org": "[[id:two][H]] id:two\n"},
        ),
        (
            {"a.org": "a <<one>> and [[one]]\n", "b.org": "[[file:a.org::one]]\n"},
            ("a.org", "one"),
            "two words",
            {"a.org": "a <<two words>> and [[two words]]\n", "b.org": "[[file:a.org::two words]]\n"},
        ),
        (
            {"a.org": "#+NAME: one\n| 1 |\n\n[[one]]\n"},
            ("a.org", "one"),
            "two",
            {"a.org": "#+NAME: two\n| 1 |\n\n[[two]]\n"},
        ),
        ({"a.md": "# H {#one}\n[x](#one)\n"}, ("a.md", "one"), "two", {"a.md": "# H {#two}\n[x](#two)\n"}),
    ],
)
async def test_links_follow_an_anchor(
    make_vault: MakeVault, files: dict[str, str], cursor: tuple[str, str], new: str, after: dict[str, str]
) -> None:
    vault = await make_vault(files, capabilities=EDITS)
    assert await renamed(vault, cursor[0], vault.at(*cursor), new) == after


async def test_an_anchor_that_is_taken_or_cannot_be_is_refused(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "x ^one\n\ny ^two\n", "b.org": "<<<radio>>>\n"}, capabilities=EDITS)
    assert "already, in line 3" in await refused(vault, "a.md", vault.at("a.md", "one"), "two")
    assert "letters, digits and hyphens" in await refused(vault, "a.md", vault.at("a.md", "one"), "a b")
    assert "wherever its words stand" in await refused(vault, "b.org", vault.at("b.org", "radio"), "x")


async def test_a_tag_is_renamed_wherever_it_stands(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "a.md": "---\ntags: [tea, Tea/green, other]\n---\n# H #tea\n\n#tea/black #teapot `#tea`\n",
            "b.org": "#+FILETAGS: :tea:x:\n* H :a:tea:\n",
            "c.md": "#teapot\n",
        },
        capabilities=EDITS,
    )
    assert await renamed(vault, "a.md", vault.at("a.md", "tea/black"), "brew") == {
        "a.md": "---\ntags: [brew, brew/green, other]\n---\n# H #brew\n\n#brew/black #teapot `#tea`\n",
        "b.org": "#+FILETAGS: :brew:x:\n* H :a:brew:\n",
    }
    assert await renamed(vault, "a.md", vault.at("a.md", "black"), "tea/red") == {
        "a.md": "---\ntags: [tea, Tea/green, other]\n---\n# H #tea\n\n#tea/red #teapot `#tea`\n",
    }
    assert "Org's tags" in await refused(vault, "a.md", vault.at("a.md", "tea/black"), "with-hyphen")
    assert "ends a tag" in await refused(vault, "a.md", vault.at("a.md", "black"), "tea/a b")


async def test_tags_become_one_only_after_a_question(make_vault: MakeVault) -> None:
    files = {"a.md": "#one\n", "b.md": "#two\n"}
    plain = await make_vault(files)
    assert "would become one" in await refused(plain, "a.md", plain.at("a.md", "one"), "two")
    asking = await make_vault(files, capabilities=EDITS)
    asking.open("a.md")
    edit: dict[str, Any] = await asking.ask("textDocument/rename", "a.md", asking.at("a.md", "one"), newName="two")
    assert [one["needsConfirmation"] for one in edit["changeAnnotations"].values()] == [True]


async def test_links_by_the_heading_a_note_begins_with_follow_it(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "n1.md": "# Growing Tea\n\n## Sow\n",
            "links.md": "[[Growing Tea]] [[growing-tea|it]] [[growing tea#Sow]] [[n1]] [[n1#Growing Tea]]\n",
        },
        capabilities=EDITS,
    )
    vault.open("n1.md")
    assert await renamed(vault, "n1.md", vault.at("n1.md", "Growing"), "All about Tea") == {
        "n1.md": "# All about Tea\n\n## Sow\n",
        "links.md": "[[All about Tea]] [[all-about-tea|it]] [[All about Tea#Sow]] [[n1]] [[n1#All about Tea]]\n",
    }
