"""A folder of notes that is configured by one path and opened by another: there is a symbolic link on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from khojd.server.aliases import Aliases
from tests.server.features.conftest import serving
from tests.server.features.vault import Vault

NOTES = {
    "tea.md": "# Tea\n\n## Oolong\n\nHalf oxidised.\n",
    "log.md": "# Log\n\nWe drank [[tea#Oolong]] and [more](tea.md).\n",
    "deep/plan.md": "# Plan\n\nBuy [[tea]].\n",
}
CAPABILITIES = {"workspace": {"workspaceEdit": {"documentChanges": True, "resourceOperations": ["create", "rename"]}}}


@pytest.fixture(params=["opened through the link", "configured through the link"])
async def vault(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Vault]:
    """The editor's paths are not the configuration's; `vault.root` is the editor's."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    configured, opened = (real, link) if request.param.startswith("opened") else (link, real)
    async with serving(configured / "there", NOTES, capabilities=CAPABILITIES) as made:
        made.root = opened / "there" / "vault"
        yield made


async def test_backlinks_are_found_and_named_by_the_editors_own_paths(vault: Vault) -> None:
    cursor = vault.open("tea.md", "# T|ea\n\n## Oolong\n\nHalf oxidised.\n")
    found = await vault.ask("textDocument/references", "tea.md", cursor, context={"includeDeclaration": False})
    assert sorted(vault.name(one["uri"]) for one in found) == ["deep/plan.md", "log.md", "log.md"]


async def test_a_link_leads_to_the_note_as_the_editor_names_it(vault: Vault) -> None:
    cursor = vault.open("log.md", "# Log\n\nWe drank [[te|a#Oolong]].\n")
    found = await vault.ask("textDocument/definition", "log.md", cursor)
    [place] = found if isinstance(found, list) else [found]
    assert vault.name(place.get("uri") or place["targetUri"]) == "tea.md"


async def test_a_rename_changes_links_in_the_notes_that_the_editor_has_open(vault: Vault) -> None:
    vault.open("log.md")
    cursor = vault.open("tea.md", "# Tea\n\n## Oo|long\n\nHalf oxidised.\n")
    edit = await vault.ask("textDocument/rename", "tea.md", cursor, newName="Dong Ding")
    named = {vault.name(change["textDocument"]["uri"]): change["textDocument"]["version"] for change in edit["documentChanges"]}
    assert named == {"tea.md": 1, "log.md": 1}


async def test_unsaved_text_stands_in_for_the_file(vault: Vault) -> None:
    vault.open("tea.md", "# Tea\n\nLapsang souchong smells of smoke.\n")
    await vault.indexed()
    found = await vault.ask("khoj/search", query="lapsang", mode="lexical")
    assert [(vault.name(hit["location"]["uri"]), hit["unsaved"]) for hit in found["hits"]] == [("tea.md", True)]


def test_paths_outside_and_paths_as_they_are_configured_stay(tmp_path: Path) -> None:
    notes, other = tmp_path / "notes", tmp_path / "other"
    notes.mkdir()
    other.mkdir()
    aliases = Aliases(lambda: [str(notes)])
    for path in (notes / "a.md", other / "b.md", tmp_path / "absent" / "c.md", notes):
        assert aliases.canonical(str(path)) == str(path)
        assert aliases.shown(str(path)) == str(path)


def test_the_folder_itself_and_what_is_deep_in_it_are_known_by_another_name(tmp_path: Path) -> None:
    notes, link = tmp_path / "notes", tmp_path / "link"
    (notes / "deep").mkdir(parents=True)
    link.symlink_to(notes)
    aliases = Aliases(lambda: [str(notes)])
    assert aliases.canonical(str(link)) == str(notes)
    assert aliases.canonical(str(link / "deep" / "a.md")) == str(notes / "deep" / "a.md")
    assert aliases.shown(str(notes / "deep" / "a.md")) == str(link / "deep" / "a.md")
    assert aliases.shown(str(tmp_path / "elsewhere.md")) == str(tmp_path / "elsewhere.md")
