"""Whatever is selected, in every encoding: actions change what they say and nothing else."""

import random

import pytest

from tests.server.features.acting import LAZY, at
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault

NOTES = {"tea.md": "---\naliases: [🍵]\n---\n# Tea\n", "Green tea.md": "# Green\n", "a/s.md": "x", "b/s.md": "x"}
MARKDOWN = (
    "---\ntitle: 🍵 x\n---\n# Tïtle 🍵\n\n<!-- toc -->\n- [old](#old)\n<!-- tocstop -->\n\n## A [[te a]] 🍵\n\n"
    "I like green tea 👩‍👩‍👧 and [x](te.md#🍵) `green tea` ![p](p.png) [[s]] #tag\n\nB\n===\n\n```\n# green tea\n```\n"
    "| a | green tea |\n|---|---|\n| [[tee]] | 🍵 |\n\n- [ ] x ^id\n- y ^id\n"
).replace("\n", "\r\n")
ORG = (
    "#+title: 🍵\n* TOOD A :x:\n:PROPERTIES:\n:ID: a\n:END:\n🍵 [[file:te.md][t]] green tea [[id:a]] [[*B]] [[*Bb]]\n"
    "** C :TOC:\n- [[*Old][Old]]\n* B\n#+begin_src\n* green tea\n#+end_src\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize(("name", "text"), [("x.md", MARKDOWN), ("x.org", ORG)])
async def test_any_selection_is_answered_with_edits_that_fit(make_vault: MakeVault, encoding: str, name: str, text: str) -> None:
    vault = await make_vault(NOTES, capabilities=LAZY, encoding=encoding)
    vault.open(name, text + "<|>")
    await vault.indexed()
    chance = random.Random(7)
    kinds = set()
    for _ in range(40):
        low, high = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        low = high if chance.random() < 0.4 else low
        for action in await at(vault, name, vault.position(name, low), vault.position(name, high)):
            kinds.add(action["kind"])
            if "command" in action:
                continue  # a question
            resolved = await vault.editor.request("codeAction/resolve", action)
            files = applied(vault, resolved["edit"])
            after = files.get(name, text)
            assert "\r\n" not in text or "\n" not in after.replace("\r\n", ""), action["title"]
            if action["kind"] == "refactor.extract":
                assert after.startswith(text[:low]), action["title"]
                assert after.endswith(text[high:]), action["title"]
    assert {"quickfix", "refactor.extract", "refactor.link", "source.contents"} <= kinds
