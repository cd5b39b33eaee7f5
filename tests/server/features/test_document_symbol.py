"""The outline of a note."""

from typing import Any

from tests.server.features.conftest import MakeVault

TREE = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}


def outline(symbols: list[dict[str, Any]]) -> list[Any]:
    return [[symbol["name"], *outline(symbol["children"])] for symbol in symbols]


async def test_headings_are_a_tree(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=TREE)
    vault.open("tea.md", "intro\n\n# Tea\n\n## Green\n\ntext\n\n#### Sencha\n\n## Black\n\n# Coffee\n")
    symbols = await vault.ask("textDocument/documentSymbol", "tea.md")
    assert outline(symbols) == [["Tea", ["Green", ["Sencha"]], ["Black"]], ["Coffee"]]
