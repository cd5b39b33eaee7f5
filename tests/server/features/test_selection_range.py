"""Expanding the selection."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet
from khojd.server.features.selection_range import spans
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

METHOD = "textDocument/selectionRange"
NOTE = """# Tea

## Green

It is steamed. Then the <|>leaves 🍵 are
dried. Done.

- one
- two

## Black

# End
"""


async def expanded(vault: Vault, name: str, position: dict[str, int]) -> list[str]:
    (chain,) = await vault.ask(METHOD, name, positions=[position])
    return texts(vault, name, chain)


def texts(vault: Vault, name: str, chain: Any) -> list[str]:
    found = []
    while chain is not None:
        found.append(vault.cut(name, chain["range"]))
        chain = chain.get("parent")
    return found


async def test_from_word_to_file(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", NOTE)
    text = vault.text("a.md")
    assert await expanded(vault, "a.md", cursor) == [
        "leaves",
        "Then the leaves 🍵 are\ndried.",
        "It is steamed. Then the leaves 🍵 are\ndried. Done.",
        text[text.index("It is") : text.index("\n\n## Black")],
        text[text.index("## Green") : text.index("\n\n## Black")],
        text[: text.index("\n\n# End")],
        text.rstrip(),
        text,
    ]


async def test_a_sentence_within_its_line(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "It was hot. The <|>kettle sang! Nobody came.\n")
    assert (await expanded(vault, "a.md", cursor))[:3] == [
        "kettle",
        "The kettle sang!",
        "It was hot. The kettle sang! Nobody came.",
    ]


async def test_a_list_item_with_what_is_below_it(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "- <|>one\n  more\n  - inner\n- two\n")
    assert (await expanded(vault, "a.md", cursor))[:5] == [
        "one",
        "- one",
        "- one\n  more",
        "- one\n  more\n  - inner",
        "- one\n  more\n  - inner\n- two",
    ]


async def test_a_link_and_its_parts(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.md", "See [[green<|> tea|this]] now\n")
    assert (await expanded(vault, "a.md", cursor))[:4] == ["green", "green tea", "[[green tea|this]]", "See [[green tea|this]] now"]


async def test_a_heading_and_its_section_in_org(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    cursor = vault.open("a.org", "* TODO Buy <|>tea :shop:\nSoon.\n* Else\n")
    found = await expanded(vault, "a.org", cursor)
    assert found[:2] == ["tea", "Buy tea"]
    assert found[-3:] == [
        "* TODO Buy tea :shop:\nSoon.",
        "* TODO Buy tea :shop:\nSoon.\n* Else",
        "* TODO Buy tea :shop:\nSoon.\n* Else\n",
    ]


async def test_each_position_gets_its_own_chain_and_one_past_the_end_too(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    vault.open("a.md", "one\r\ntwo\r\n")
    spots = [{"line": 1, "character": 1}, {"line": 0, "character": 99}, {"line": 99, "character": 0}]
    chains = await vault.ask(METHOD, "a.md", positions=spots)
    assert [texts(vault, "a.md", chain)[0] for chain in chains] == ["two", "one", "one\r\ntwo\r\n"]


@pytest.mark.parametrize("name", ["a.md", "a.org", "a.txt"])
async def test_an_empty_note_has_its_empty_range(make_vault: MakeVault, name: str) -> None:
    vault = await make_vault({name: ""})
    zero = {"line": 0, "character": 0}
    assert await vault.ask(METHOD, name, positions=[zero]) == [{"range": {"start": zero, "end": zero}}]


@given(
    st.text(st.sampled_from("ab .#*-[]()|:\n\r🍵`>1"), max_size=60), st.integers(0, 60), st.sampled_from(["a.md", "a.org", "a.txt"])
)
def test_each_range_holds_the_place_and_the_one_before_it(text: str, offset: int, name: str) -> None:
    offset = min(offset, len(text))
    chain = spans(Sheet(name, text, ContentSettings()), offset)
    assert chain[-1] == (0, len(text))
    for (start, end), (low, high) in pairwise(chain):
        assert low <= start <= offset <= end <= high
        assert (start, end) != (low, high)
