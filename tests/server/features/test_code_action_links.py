"""Code actions that link: an unlinked mention, a related note; and tables of contents."""

import pytest

from tests.server.features.acting import LAZY, act, at, offered, titles
from tests.server.features.conftest import MakeVault

NOTES = {
    "index.md": "# Index\n\n[[tea]]\n",
    "tea.md": "---\ntitle: All about tea\naliases: [Chai]\n---\nGreen and black leaves in hot water.\n\n[[index]]\n",
    "Green tea.md": "Steamed leaves.\n\n[[index]]\n",
    "日本茶.md": "[[index]]\n",
    "Soil.md": "Earthworms make compost of kitchen scraps, and the bed of tomatoes grows.\n\n[[index]]\n",
    "plan.org": "[[file:index.md]]\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_a_mention_becomes_a_link(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, encoding=encoding)
    assert await act(vault, "x.md", "🍵 I like gre|en tea a lot.\r\n", "Link 'green tea' to Green tea") == {
        "x.md": "🍵 I like [[Green tea|green tea]] a lot.\r\n"
    }
    assert await act(vault, "x.md", "🍵 drink all about tea|!", "Link 'all about tea' to tea") == {
        "x.md": "🍵 drink [[tea|all about tea]]!"
    }
    assert await act(vault, "x.md", "I drink |Chai", "Link 'Chai' to tea") == {"x.md": "I drink [[tea|Chai]]"}
    assert await act(vault, "x.md", "私は日本|茶が好き", "Link '日本茶' to 日本茶") == {"x.md": "私は[[日本茶]]が好き"}
    assert await act(vault, "x.org", "* A\nGreen te|a\n", "Link 'Green tea' to Green tea") == {
        "x.org": "* A\n[[file:Green tea.md][Green tea]]\n"
    }


async def test_a_mention_in_a_table_becomes_a_link_without_a_bar(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    text = "| a | b |\n|---|---|\n| gr<|>een tea | x |\n"
    assert await act(vault, "x.md", text, "Link 'green tea' to Green tea") == {
        "x.md": "| a | b |\n|---|---|\n| [green tea](Green%20tea.md) | x |\n"
    }


@pytest.mark.parametrize(
    "text",
    [
        "`green te|a`",
        "```\ngreen te|a\n```",
        "[green te|a](x.md)",
        "[[green te<|>a]]",
        "# green te|a",
        "---\nx: green te|a\n---\n",
        "<!-- green te|a -->",
        "evergreen tea|s",
        "#green te|ab",
    ],
)
async def test_code_links_headings_and_parts_of_words_are_no_mentions(make_vault: MakeVault, text: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert not [title for title in await titles(vault, "x.md", text) if title.startswith("Link '")]


async def test_a_note_does_not_mention_itself(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert not [title for title in await titles(vault, "Green tea.md", "green te|a") if "Green tea" in title]


async def test_the_notes_nearest_in_meaning_can_be_linked_to(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, embedding=True)
    text = "Worms turn food waste into humus,| you know. [[plan]]\n"
    found = [title for title in await titles(vault, "index.md", text) if title.startswith("Insert a link")]
    assert found[0] == "Insert a link to Soil"
    assert len(found) <= 3
    assert "Insert a link to plan" not in found  # the paragraph has one
    assert await act(vault, "index.md", text, "Insert a link to Soil") == {
        "index.md": "Worms turn food waste into humus, [[Soil]] you know. [[plan]]\n"
    }


async def test_related_notes_are_not_looked_for_with_each_move_of_the_cursor(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, embedding=True)
    cursor = vault.open("index.md", "Worms turn food waste into humus.|\n")
    invoked = await at(vault, "index.md", cursor, triggerKind=1)
    assert [one for one in invoked if "Soil" in one["title"]]
    automatic = await at(vault, "index.md", cursor, triggerKind=2)
    assert not [one for one in automatic if "Soil" in one["title"]]
    wanted = await at(vault, "index.md", cursor, triggerKind=2, only=["refactor.link"])
    assert [one for one in wanted if "Soil" in one["title"]]
    assert not await at(vault, "index.md", cursor, only=["source"])


async def test_an_orphan_gets_a_link_at_its_end(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {**NOTES, "alone.md": "Worms turn food waste into humus.\n\nMore.\n"}, capabilities=LAZY, embedding=True
    )
    vault.open("alone.md")
    said = await vault.editor.hear("textDocument/publishDiagnostics", where=lambda one: one["diagnostics"] != [])
    start = said["diagnostics"][0]["range"]["start"]
    found = await at(vault, "alone.md", start, diagnostics=said["diagnostics"], only=["quickfix"])
    chosen = next(one for one in found if one["title"] == "Add a link to Soil")
    assert [one["code"] for one in chosen["diagnostics"]] == ["orphan"]
    assert await act(vault, "alone.md", "|Worms turn food waste into humus.\n\nMore.\n", "Add a link to Soil") == {
        "alone.md": "Worms turn food waste into humus.\n\nMore.\n\n[[Soil]]\n"
    }


# --- tables of contents --------------------------------------------------------------------------------------------------------

STALE = "# T\n\n<!-- toc -->\n\n- [A](#a)\n- [Gone](#gone)\n\n<!-- tocstop -->\n\n## A\n\n### A [b] `c`\n\n## A\n"
FRESH = STALE.replace("- [Gone](#gone)\n", "  - [A \\[b\\] c](#a-b-c)\n- [A](#a-1)\n")
UPDATE = "Update the table of contents"


async def test_a_table_of_contents_is_made_anew_between_its_marks(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, "x.md", STALE, UPDATE) == {"x.md": FRESH}
    crlf = STALE.replace("\n", "\r\n")
    assert await act(vault, "x.md", crlf, UPDATE) == {"x.md": FRESH.replace("\n", "\r\n")}
    assert UPDATE not in await titles(vault, "x.md", FRESH)


async def test_only_the_lines_that_differ_are_changed(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    (action,) = [one for one in await offered(vault, "x.md", STALE) if one["title"] == UPDATE]
    resolved = await vault.editor.request("codeAction/resolve", action)
    (edit,) = resolved["edit"]["documentChanges"][0]["edits"]
    assert edit["range"]["start"]["line"] == 5
    assert action["kind"] == "source.contents"


async def test_links_of_a_table_of_contents_are_as_they_were_or_as_the_folder_has_them(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    text = "<!-- toc -->\n<!-- tocstop -->\n\n# A: b|c\n## D\n# E\n# E"
    assert await act(vault, "x.md", text + "<|>", UPDATE) == {
        "x.md": "<!-- toc -->\n\n- [[#A: b c]]\n  - [[#D]]\n- [E](#e)\n- [E](#e-1)\n\n<!-- tocstop -->\n\n# A: b|c\n## D\n# E\n# E"
    }
    text = "<!-- toc -->\n* [X](#x)\n<!-- tocstop -->\n\n# A\n"
    assert await act(vault, "x.md", text, UPDATE) == {"x.md": "<!-- toc -->\n\n* [A](#a)\n\n<!-- tocstop -->\n\n# A\n"}
    assert await act(vault, "x.md", "<!-- toc -->\n# A\n", UPDATE) == {
        "x.md": "<!-- toc -->\n\n- [[#A]]\n\n<!-- tocstop -->\n# A\n"
    }


async def test_marks_in_code_are_none(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert UPDATE not in await titles(vault, "x.md", "```\n<!-- toc -->\n<!-- tocstop -->\n```\n# A\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "* C :TOC:\n:PROPERTIES:\n:X: y\n:END:\n- [[*Old][Old]]\n\n* TODO A :x:\n** B\n*** Deep\n* D :noexport:\n",
            "* C :TOC:\n:PROPERTIES:\n:X: y\n:END:\n- [[*A][A]]\n  - [[*B][B]]\n\n* TODO A :x:\n** B\n*** Deep\n* D :noexport:\n",
        ),
        (
            "* C :TOC_3_gh:\n* A b\n** B\n*** D\n",
            "* C :TOC_3_gh:\n- [[#a-b][A b]]\n  - [[#b][B]]\n    - [[#d][D]]\n* A b\n** B\n*** D\n",
        ),
        (
            "* A\n:PROPERTIES:\n:CUSTOM_ID: a\n:END:\n* C :TOC:",
            "* A\n:PROPERTIES:\n:CUSTOM_ID: a\n:END:\n* C :TOC:\n- [[#a][A]]\n",
        ),
    ],
)
async def test_the_list_under_an_org_heading_tagged_toc_is_made_anew(make_vault: MakeVault, before: str, after: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, "x.org", before, UPDATE) == {"x.org": after}
    assert UPDATE not in await titles(vault, "x.org", after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "x.md",
            "---\na: b\n---\n# T\n\nText\n\n## A\n\n## B\n",
            "---\na: b\n---\n# T\n\n<!-- toc -->\n\n- [[#A]]\n- [[#B]]\n\n<!-- tocstop -->\n\nText\n\n## A\n\n## B\n",
        ),
        ("x.md", "# A\n# B\n", "<!-- toc -->\n\n- [[#A]]\n- [[#B]]\n\n<!-- tocstop -->\n\n# A\n# B\n"),
        ("x.org", "#+title: x\n\n* A\n** B\n", "#+title: x\n\n* Contents :TOC:\n- [[*A][A]]\n  - [[*B][B]]\n\n* A\n** B\n"),
    ],
)
async def test_a_table_of_contents_can_be_put_in(make_vault: MakeVault, name: str, before: str, after: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY)
    assert await act(vault, name, before, "Insert a table of contents") == {name: after}
    assert "Insert a table of contents" not in await titles(vault, name, after)
