"""textDocument/codeLens, codeLens/resolve and textDocument/inlayHint."""

import asyncio

from khojd.config import Features
from tests.server.features.conftest import MakeVault

NOTES = {
    "tea.md": "# Tea\n\n## Green 🍵\n\nSteep the leaves.\n\n## Black\n",
    "a.md": "[[tea]] and [[tea#Green 🍵]]\n",
    "b.org": "* About\n[[file:tea.md::*Green 🍵]]\nSteep the leaves.\n",
}
ON = Features(code_lens=True, inlay_hint=True)
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}


async def test_they_are_off_by_default(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert "codeLensProvider" not in vault.editor.capabilities
    assert "inlayHintProvider" not in vault.editor.capabilities
    assert await vault.ask("textDocument/codeLens", "tea.md") is None
    assert await vault.ask("textDocument/inlayHint", "tea.md", range=WHOLE) is None


async def test_a_lens_is_counted_when_it_is_shown(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, features=ON, embedding=True)
    lenses = await vault.ask("textDocument/codeLens", "tea.md")
    assert [vault.cut("tea.md", lens["range"]) for lens in lenses] == ["# Tea", "## Green 🍵", "## Black"]
    assert all("command" not in lens for lens in lenses)
    titles = [(await vault.editor.request("codeLens/resolve", lens))["command"]["title"] for lens in lenses]
    assert [title.split(",")[0] for title in titles] == ["3 backlinks", "2 backlinks", "0 backlinks"]
    assert titles[1] == "2 backlinks, 2 related"


async def test_a_lens_of_a_heading_that_moved_or_went_away(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, features=ON)
    vault.open("tea.md")
    lenses = await vault.ask("textDocument/codeLens", "tea.md")
    vault.edit("tea.md", "\n\n\n## Green 🍵\n")
    resolved = [await vault.editor.request("codeLens/resolve", lens) for lens in lenses]
    assert [lens["command"]["title"] for lens in resolved] == ["", "2 backlinks", ""]


async def test_a_lens_of_a_note_that_went_away_counts_nothing(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, features=ON)
    (lens, *_) = await vault.ask("textDocument/codeLens", "tea.md")
    (vault.root / "tea.md").unlink()
    assert (await vault.editor.request("codeLens/resolve", lens))["command"]["title"] == ""


async def test_lenses_that_are_shown_again_count_what_was_written_meanwhile(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, features=ON)
    lenses = await vault.ask("textDocument/codeLens", "tea.md")

    async def counts() -> list[str]:
        resolved = await asyncio.gather(*(vault.editor.request("codeLens/resolve", lens) for lens in lenses))
        return [lens["command"]["title"] for lens in resolved]

    assert await counts() == ["3 backlinks", "2 backlinks", "0 backlinks"]
    vault.open("a.md", "[[tea#Black]]\n")
    assert await counts() == ["2 backlinks", "1 backlink", "1 backlink"]
    vault.write("c.md", "[[tea#Black]]\n")
    await vault.indexed()
    assert await counts() == ["3 backlinks", "1 backlink", "2 backlinks"]


async def test_a_hint_stands_after_each_heading_with_backlinks(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, features=ON, encoding="utf-16")
    hints = await vault.ask("textDocument/inlayHint", "tea.md", range=WHOLE)
    assert [(hint["position"], hint["label"]) for hint in hints] == [
        (vault.at("tea.md", "# Tea", after=True), "← 3"),
        (vault.at("tea.md", "## Green 🍵", after=True), "← 2"),
    ]
