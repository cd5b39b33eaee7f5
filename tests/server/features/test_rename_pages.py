"""In Logseq and Dendron a tag leads to the page of its name: when that is renamed, its tags are, too."""

from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.test_rename import EDITS, renamed
from tests.server.features.vault import Vault

GRAPH = {
    "logseq/config.edn": "{}\n",
    "pages/tea.md": "- about it, #self\n",
    "pages/a.md": "- #tea and #[[tea]], [[tea]]\n- `#tea` #teapot #tea/green\n",
    "pages/b.md": "tags:: tea, [[other]]\n\n- x\n",
    "pages/c.md": "tags:: [[tea]]\n\n- x\n",
    "journals/2024_05_01.md": "---\ntags: [tea]\n---\n- x\n",
    "pages/other.md": "- x\n",
}


async def moved(vault: Vault, old: str, new: str) -> dict[str, str]:
    files = [{"oldUri": vault.uri(old), "newUri": vault.uri(new)}]
    edit = await vault.ask("workspace/willRenameFiles", files=files)
    return applied(vault, edit) if edit is not None else {}


async def test_tags_and_page_properties_follow_a_page_of_logseq(make_vault: MakeVault) -> None:
    vault = await make_vault(GRAPH, capabilities=EDITS)
    assert await moved(vault, "pages/tea.md", "pages/coffee.md") == {
        "pages/a.md": "- #coffee and #[[coffee]], [[coffee]]\n- `#tea` #teapot #tea/green\n",
        "pages/b.md": "tags:: coffee, [[other]]\n\n- x\n",
        "pages/c.md": "tags:: [[coffee]]\n\n- x\n",
        "journals/2024_05_01.md": "---\ntags: [coffee]\n---\n- x\n",
    }


async def test_a_name_that_no_bare_tag_can_have_is_put_in_brackets(make_vault: MakeVault) -> None:
    files = {**GRAPH, "pages/b.md": "tags:: tea\n\n- x\n"}
    vault = await make_vault(files, capabilities=EDITS)
    assert await moved(vault, "pages/tea.md", "pages/green tea.md") == {
        "pages/a.md": "- #[[green tea]] and #[[green tea]], [[green tea]]\n- `#tea` #teapot #tea/green\n",
        "pages/b.md": "tags:: [[green tea]]\n\n- x\n",
        "pages/c.md": "tags:: [[green tea]]\n\n- x\n",
        "journals/2024_05_01.md": "---\ntags: [green tea]\n---\n- x\n",
    }


async def test_tags_follow_a_page_of_a_namespace(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {"logseq/config.edn": "", "pages/drink___tea.md": "- x\n", "pages/a.md": "- #drink/tea #[[drink/tea]] [[drink/tea]]\n"},
        capabilities=EDITS,
    )
    assert await moved(vault, "pages/drink___tea.md", "pages/drink___hot___tea.md") == {
        "pages/a.md": "- #drink/hot/tea #[[drink/hot/tea]] [[drink/hot/tea]]\n"
    }


async def test_a_page_renamed_at_a_link_takes_its_tags_with_it(make_vault: MakeVault) -> None:
    vault = await make_vault(GRAPH, capabilities=EDITS)
    vault.open("pages/a.md")
    found = await renamed(vault, "pages/a.md", vault.at("pages/a.md", "tea]]\n"), "coffee")
    assert found["pages/a.md"] == "- #coffee and #[[coffee]], [[coffee]]\n- `#tea` #teapot #tea/green\n"
    assert found["pages/b.md"] == "tags:: coffee, [[other]]\n\n- x\n"


async def test_tags_that_name_a_page_by_its_title_or_its_first_heading(make_vault: MakeVault) -> None:
    vault = await make_vault(
        {
            "logseq/config.edn": "",
            "pages/one.md": "title:: Black Tea\n\n- x\n",
            "pages/two.md": "# Green Tea\n\ntext\n",
            "pages/a.md": "- #[[Black Tea]] #[[Green Tea]]\n",
        },
        capabilities=EDITS,
    )
    assert await moved(vault, "pages/one.md", "pages/1.md") == {}
    vault.open("pages/two.md")
    found = await renamed(vault, "pages/two.md", vault.at("pages/two.md", "Green"), "Sencha")
    assert found == {"pages/two.md": "# Sencha\n\ntext\n", "pages/a.md": "- #[[Black Tea]] #[[Sencha]]\n"}


async def test_tags_follow_their_page_in_dendron(make_vault: MakeVault) -> None:
    vault = await make_vault({"tags.drink.tea.md": "x\n", "a.md": "#drink.tea and #drink/tea, #drink\n"}, capabilities=EDITS)
    assert await moved(vault, "tags.drink.tea.md", "tags.drink.coffee.md") == {"a.md": "#drink.coffee and #drink/coffee, #drink\n"}
    assert await moved(vault, "tags.drink.tea.md", "tea.md") == {}


async def test_elsewhere_a_tag_has_nothing_to_do_with_a_note_of_its_name(make_vault: MakeVault) -> None:
    vault = await make_vault({".obsidian/app.json": "{}", "tea.md": "x\n", "a.md": "#tea [[tea]]\n"}, capabilities=EDITS)
    assert await moved(vault, "tea.md", "coffee.md") == {"a.md": "#tea [[coffee]]\n"}
