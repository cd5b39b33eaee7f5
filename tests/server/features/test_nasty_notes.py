"""Notes that are hard to count in: every range that is answered lies within the note, in each encoding."""

from collections.abc import Iterator
from typing import Any

import pytest

from khojd.server.encoding import SUPPORTED
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

CAPABILITIES = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}
WHOLE = ("documentSymbol", "foldingRange", "documentLink", "semanticTokens/full")
FAMILY = "👩‍👩‍👧‍👦"  # seven code points
MARKDOWN = """---
title: 🍵
---
# 🍵 Té #tag

[[crlf#🍵 Té|x]] on 2024-05-01

- [ ] a
  b

```
x
```
"""
ORG = """#+TITLE: 🍵
* TODO [#A] 🍵 Tee :été:
SCHEDULED: <2024-05-01 Wed>
:PROPERTIES:
:ID: x🍵
:END:
[[*🍵 Tee]]
"""
NOTES = {
    "crlf.md": MARKDOWN.replace("\n", "\r\n"),
    "lone-cr.md": "# One\r## 🍵 Two\r[a\rb](c.md) #tag\r",
    "crlf.org": ORG.replace("\n", "\r\n"),
    "no-end.org": "* 🍵",
    "no-end.md": f"{FAMILY} [[{FAMILY}]] #{FAMILY}\n\n# {FAMILY}",
    "marks.md": "\ufeff# مرحبا [[سلام#^بلوك|🍵]]\n\ne\u0301 \u202e#tag\u2028# no heading\x0c\x85 ^block\n",
    "nul.md": "# a\x00b\n\n[[x\x00]] #t\n",
    "empty.md": "",
    "newlines.org": "\r\n\n\r\r\n",
}


def ranges(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, list):
        for one in answer:
            yield from ranges(one)
    elif isinstance(answer, dict):
        if answer.keys() == {"start", "end"}:
            yield answer
        for one in answer.values():
            yield from ranges(one)


def token_ranges(data: list[int]) -> Iterator[dict[str, Any]]:
    line = character = 0
    for down, right, length, _, _ in zip(*[iter(data)] * 5, strict=True):
        line, character = line + down, right if down else character + right
        yield {"start": {"line": line, "character": character}, "end": {"line": line, "character": character + length}}


def positions(vault: Vault, name: str) -> list[dict[str, int]]:
    text = vault.text(name)
    there = [vault.position(name, offset) for offset in range(len(text) + 1) if text[offset - 1 : offset + 1] != "\r\n"]
    return [*there, {"line": 999, "character": 0}, {"line": 0, "character": 2**31 - 1}]


@pytest.mark.parametrize("encoding", SUPPORTED)
async def test_every_range_lies_within_the_note(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault({}, encoding=encoding, capabilities=CAPABILITIES)
    for name, text in NOTES.items():
        vault.open(name, "<|>" + text)
        for method in WHOLE:
            answer = await vault.ask(f"textDocument/{method}", name)
            if method.startswith("semantic"):
                answer = list(token_ranges(answer["data"]))
            elif method == "foldingRange":
                last = vault.position(name, len(vault.text(name)))["line"]
                assert all(one["startLine"] < one["endLine"] <= last for one in answer)
            for found in ranges(answer):
                vault.cut(name, found)
        spots = positions(vault, name)
        answer = await vault.ask("textDocument/selectionRange", name, positions=spots)
        assert len(answer) == len(spots)
        for found in ranges(answer):
            vault.cut(name, found)
        for spot in spots[:: max(1, len(spots) // 25)]:
            for found in ranges(await vault.ask("textDocument/documentHighlight", name, spot)):
                vault.cut(name, found)


@pytest.mark.parametrize("encoding", SUPPORTED)
async def test_symbols_of_all_notes_lie_within_them(make_vault: MakeVault, encoding: str) -> None:
    notes = {name: text.removeprefix("\ufeff") for name, text in NOTES.items()}
    vault = await make_vault(notes, encoding=encoding)
    for query in ("", "🍵", "té", "tag:tag", "x"):
        for symbol in await vault.ask("workspace/symbol", query=query):
            vault.cut(vault.name(symbol["location"]["uri"]), symbol["location"]["range"])
