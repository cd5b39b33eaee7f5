"""textDocument/completion: names of notes in folders and namespaces, and of files."""

import pytest

from tests.server.features.conftest import MakeVault

NOTES: dict[str, str] = {
    "pages/proj___alpha.md": "- a\n",
    "pages/proj___beta.md": "- b\n",
    "garden/soil.md": "# Soil\n",
    "kitchen/soup.md": "# Soup\n",
    "index.md": "",
}


@pytest.mark.parametrize(
    ("typed", "label", "becomes"),
    [
        ("[[pro", "proj/alpha", "[[proj/alpha]]"),
        ("[[proj/al", "proj/alpha", "[[proj/alpha]]"),
        ("[[garden/", "soil", "[[soil]]"),
        ("![[leaf", "leaf one.png", "![[leaf one.png]]"),
        ("![x](leaf", "leaf one.png", "![x](pics/leaf%20one.png)"),
    ],
)
async def test_a_name_is_offered_by_what_stands_before_it(make_vault: MakeVault, typed: str, label: str, becomes: str) -> None:
    vault = await make_vault(NOTES)
    (vault.root / "pics").mkdir()
    (vault.root / "pics/leaf one.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    await vault.indexed()
    items = (await vault.ask("textDocument/completion", "index.md", vault.open("index.md", typed + "|")))["items"]
    item = next(one for one in items if one["label"] == label)
    edit = item["textEdit"]
    start, end = (vault.offset("index.md", edit["range"][side]) for side in ("start", "end"))
    assert typed[:start] + edit["newText"] + typed[end:] == becomes
    assert item["filterText"].startswith(typed[start:].partition(" ")[0])


async def test_files_are_offered_only_where_they_are_shown(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    (vault.root / "leaf.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    await vault.indexed()
    found = await vault.ask("textDocument/completion", "index.md", vault.open("index.md", "[[leaf|"))
    assert [one["label"] for one in found["items"]] == []
