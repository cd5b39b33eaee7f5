"""Colours of a note."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.model import ContentSettings
from khojd.graph.sheet import Sheet
from khojd.server.encoding import SUPPORTED
from khojd.server.features.semantic_tokens import KINDS, by_lines, edits, encoded, spans, visible
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import WIDTHS, Vault

FULL = "textDocument/semanticTokens/full"
SAYS: dict[str, Any] = {"tokenTypes": [], "tokenModifiers": [], "formats": ["relative"]}


def colours(**requests: Any) -> dict[str, Any]:
    return {"textDocument": {"semanticTokens": {**SAYS, "requests": requests}}}


COLOURS = colours(full={"delta": True}, range={})


def read(vault: Vault, name: str, data: list[int]) -> list[tuple[str, str]]:
    """Text and type of each token."""
    legend = vault.editor.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"]
    found = []
    line = character = 0
    for down, right, length, kind, _ in zip(*[iter(data)] * 5, strict=True):
        line, character = line + down, right if down else character + right
        start, end = {"line": line, "character": character}, {"line": line, "character": character + length}
        found.append((vault.cut(name, {"start": start, "end": end}), legend[kind]))
    return found


async def tokens(vault: Vault, name: str) -> list[tuple[str, str]]:
    return read(vault, name, (await vault.ask(FULL, name))["data"])


@pytest.mark.parametrize("encoding", SUPPORTED)
async def test_a_markdown_note(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault({}, encoding=encoding, capabilities=COLOURS)
    vault.open("a.md", "<|># 🍵 Tea #drink\n\n🍵 on 2024-05-01 see [[green|🍵 x]] #tag ^here\n")
    assert await tokens(vault, "a.md") == [
        ("# 🍵 Tea #", "class"),
        ("drink", "decorator"),
        ("2024-05-01", "number"),
        ("[[green|🍵 x]]", "string"),
        ("tag", "decorator"),
        ("here", "variable"),
    ]


async def test_an_org_note(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=COLOURS)
    vault.open(
        "a.org",
        "#+TITLE: T\r\n* TODO [#A] Plant :garden:\r\nDEADLINE: <2024-05-01 Wed>\r\n:PROPERTIES:\r\n:Kind: bulb\r\n:END:\r\n",
    )
    found = dict(await tokens(vault, "a.org"))
    assert found["TODO"] == "keyword"
    assert found["garden"] == "decorator"
    assert found["<2024-05-01 Wed>"] == "number"
    assert found["Kind"] == "property"
    assert "enumMember" in found.values()
    assert "macro" in found.values()


async def test_tokens_of_several_lines_are_cut_for_a_client_that_does_not_take_them(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=COLOURS)
    text = "[a\nlink](b.md)\n"
    vault.open("a.md", text)
    assert await tokens(vault, "a.md") == [("[a", "string"), ("link](b.md)", "string")]
    says = {**SAYS, "requests": {}, "multilineTokenSupport": True}
    able = await make_vault({}, capabilities={"textDocument": {"semanticTokens": says}})
    able.open("a.md", text)
    assert (await able.ask(FULL, "a.md"))["data"] == [0, 0, len(text) - 1, list(KINDS).index("link"), 0]


async def test_a_range_of_the_note(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=COLOURS)
    vault.open("a.md", "# One\n\n# Two\n\n# Three\n")
    answer = await vault.ask("textDocument/semanticTokens/range", "a.md", range=vault.range("a.md", "Two"))
    assert read(vault, "a.md", answer["data"]) == [("# Two", "class")]


async def test_what_changed_is_told_as_an_edit(make_vault: MakeVault) -> None:
    vault = await make_vault({}, capabilities=COLOURS)
    vault.open("a.md", "# One\n\n# Three\n")
    first = await vault.ask(FULL, "a.md")
    vault.edit("a.md", "# One\n\n# Two\n\n# Three\n")
    delta = await vault.ask(f"{FULL}/delta", "a.md", previousResultId=first["resultId"])
    data = first["data"]
    for edit in delta["edits"]:
        data[edit["start"] : edit["start"] + edit["deleteCount"]] = edit.get("data", [])
    assert read(vault, "a.md", data) == [("# One", "class"), ("# Two", "class"), ("# Three", "class")]
    same = await vault.ask(f"{FULL}/delta", "a.md", previousResultId=delta["resultId"])
    assert same["edits"] == []


async def test_a_client_that_lost_count_gets_all_tokens(make_vault: MakeVault) -> None:
    vault = await make_vault({"b.md": "# B\n"}, capabilities=COLOURS)
    vault.open("a.md", "# One\n")
    first = await vault.ask(FULL, "a.md")
    vault.close("a.md")
    vault.open("a.md", "# Two\n")
    for unknown in (first["resultId"], "none"):
        answer = await vault.ask(f"{FULL}/delta", "a.md", previousResultId=unknown)
        assert read(vault, "a.md", answer["data"]) == [("# Two", "class")]
    assert "resultId" not in await vault.ask(FULL, "b.md"), "nothing is kept of a note that is not open"


async def test_what_a_client_asks_for_is_offered_and_no_more(make_vault: MakeVault) -> None:
    for capabilities, offered in (
        (COLOURS, {"full": {"delta": True}, "range": True}),
        (colours(full=True), {"full": True}),
        (colours(range=True), {"range": True}),
        (colours(), None),
        ({}, None),
    ):
        vault = await make_vault({}, capabilities=capabilities)
        announced = vault.editor.capabilities.get("semanticTokensProvider")
        assert (announced and {key: value for key, value in announced.items() if key != "legend"}) == offered, capabilities


@given(st.lists(st.integers(0, 3), max_size=20), st.lists(st.integers(0, 3), max_size=20))
def test_an_edit_turns_the_one_into_the_other(before: list[int], after: list[int]) -> None:
    data = list(before)
    for edit in edits(before, after):
        data[edit.start : edit.start + edit.delete_count] = edit.data or []
    assert data == after


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from(list(KINDS))), max_size=8))
def test_of_ranges_that_overlap_the_one_that_counts_most_is_seen_everywhere(found: list[tuple[int, int, str]]) -> None:
    order = list(KINDS)
    painted: dict[int, str] = {}
    for start, end, kind in sorted(found, key=lambda one: order.index(one[2])):
        painted.update(dict.fromkeys(range(start, end), kind))
    shown = list(visible(found))
    assert {at: kind for start, end, kind in shown for at in range(start, end)} == painted
    assert all(one[1] <= other[0] for one, other in pairwise(shown))


@given(
    st.text(st.sampled_from("#* ab[]()|:\n\r🍵<>2024-15"), max_size=60),
    st.sampled_from(["a.md", "a.org"]),
    st.sampled_from(SUPPORTED),
)
def test_every_token_lies_within_its_line(text: str, name: str, encoding: str) -> None:
    sheet = Sheet(name, text, ContentSettings())
    data = encoded(sheet, by_lines(sheet, visible(spans(sheet))), encoding)
    line = character = end = 0
    for down, right, length, _, _ in zip(*[iter(data)] * 5, strict=True):
        assert min(down, right) >= 0
        assert length > 0
        line, character = line + down, right if down else character + right
        assert down or character >= end, "tokens do not overlap"
        end = character + length
        assert end <= WIDTHS[encoding](sheet.line_text(line))
