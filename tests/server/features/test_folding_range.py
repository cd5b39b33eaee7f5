"""What can be folded."""

from typing import Any

import pytest

from tests.server.features.conftest import MakeVault

METHOD = "textDocument/foldingRange"
NOTE = """# Tea

intro

## Green

text

## Black
# Coffee
last

"""


async def folds(vault: Any, name: str) -> list[tuple[int, int]]:
    return [(one["startLine"], one["endLine"]) for one in await vault.ask(METHOD, name)]


async def test_a_section_folds_to_its_last_line_with_text_and_nothing_else_is_one_line(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("a.md", NOTE)
    assert await folds(vault, "a.md") == [(0, 8), (4, 6), (9, 10)]


async def test_org_sections_fold_with_line_ends_of_any_kind(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("a.org", "* One\r\ntext\r\n** Two\r\nmore\r\n\r\n* Three\r\n")
    assert await folds(vault, "a.org") == [(0, 3), (2, 3)]


async def test_blocks_of_whole_lines_fold(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    blocks = ["---\ntitle: T\n---", "```py\ncode\n```", "- one\n  two", "| a | b |\n|---|---|\n| 1 | 2 |", "<!-- hidden\ntext -->"]
    vault.open("a.md", "\n\n".join([*blocks, "> said\n> so\n"]))
    assert await folds(vault, "a.md") == [(0, 2), (4, 6), (8, 9), (11, 13), (15, 16), (18, 19)]
    kinds = {one["startLine"]: one.get("kind") for one in await vault.ask(METHOD, "a.md")}
    assert kinds[15] == "comment"


async def test_org_blocks_and_drawers_fold(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("a.org", "* One\n:PROPERTIES:\n:ID: x\n:END:\n#+begin_src sh\nls\n#+end_src\n- a\n  b\n- c\n")
    assert await folds(vault, "a.org") == [(0, 9), (1, 3), (4, 6), (7, 8)]


@pytest.mark.parametrize(("limit", "kept"), [(1, [(0, 8)]), (2, [(0, 8), (9, 10)]), (9, [(0, 8), (4, 6), (9, 10)])])
async def test_a_client_that_takes_few_gets_the_upper_levels(make_vault: MakeVault, limit: int, kept: list[Any]) -> None:
    vault = await make_vault({}, capabilities={"textDocument": {"foldingRange": {"rangeLimit": limit, "lineFoldingOnly": True}}})
    vault.open("a.md", NOTE)
    assert await folds(vault, "a.md") == kept


async def test_an_empty_note_has_nothing_to_fold(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": ""})
    assert await folds(vault, "a.md") == []
