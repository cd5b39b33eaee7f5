"""Tables and lists are brought into form when a person asks for it."""

from typing import Any

import pytest

from khojd.config import Features
from tests.server.editor import Failure
from tests.server.features.applied import applied
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

WHOLE, RANGE = "textDocument/formatting", "textDocument/rangeFormatting"
OPTIONS = {"tabSize": 4, "insertSpaces": True}
ENCODINGS = ["utf-8", "utf-16", "utf-32"]
TEA = "# 🍵\n\n|茶|𝒏|\n|-|-|\n|日本茶 🍵|x|\n\n1. é\n3. b\n"
DONE = "# 🍵\n\n| 茶        | 𝒏   |\n|-----------|-----|\n| 日本茶 🍵 | x   |\n\n1. é\n2. b\n"
ORG = "* 🍵\n|茶|𝒏|\n|-\n|日本茶 🍵|12|\n3) x\n"
ORG_DONE = "* 🍵\n| 茶        |  𝒏 |\n|-----------+----|\n| 日本茶 🍵 | 12 |\n1) x\n"


async def formatted(vault: Vault, name: str, method: str = WHOLE, **more: Any) -> str:
    """The note after the edits that the server answers."""
    edits = await vault.ask(method, name, options=OPTIONS, **more)
    return applied(vault, {"changes": {vault.uri(name): edits}})[name]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("name", "text", "done"), [("tea.md", TEA, DONE), ("tea.org", ORG, ORG_DONE)])
async def test_an_open_note_is_formatted_as_it_is_shown(
    make_vault: MakeVault, encoding: str, name: str, text: str, done: str
) -> None:
    vault = await make_vault({name: "on disk\n"}, encoding=encoding)
    assert vault.editor.capabilities["documentFormattingProvider"]
    assert vault.editor.capabilities["documentRangeFormattingProvider"]
    vault.open(name)
    vault.edit(name, f"<|>{text}")
    assert await formatted(vault, name) == done
    vault.edit(name, f"<|>{done}")
    assert await vault.ask(WHOLE, name, options=OPTIONS) == []


@pytest.mark.parametrize("end", ["\r\n", "\r"])
async def test_a_note_on_disk_keeps_its_line_ends(make_vault: MakeVault, end: str) -> None:
    vault = await make_vault({"tea.md": TEA.replace("\n", end)})
    assert await formatted(vault, "tea.md") == DONE.replace("\n", end)


async def test_options_of_the_editor_make_no_difference(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": TEA + "\n\ttabs  \n\n\n"})
    plain = await vault.ask(WHOLE, "tea.md", options=OPTIONS)
    options = {
        "tabSize": 1,
        "insertSpaces": False,
        "trimTrailingWhitespace": True,
        "insertFinalNewline": True,
        "trimFinalNewlines": True,
    }
    assert await vault.ask(WHOLE, "tea.md", options=options) == plain


async def test_an_edit_is_no_larger_than_what_changes(make_vault: MakeVault) -> None:
    vault = await make_vault({"a.md": "| a | b   |\n|---|-----|\n\n1. x\n3. y\n"})
    (edit,) = [one for one in await vault.ask(WHOLE, "a.md", options=OPTIONS) if one["range"]["start"]["line"] > 1]
    assert edit == {"range": {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 1}}, "newText": "2"}


async def test_a_range_formats_what_it_touches_as_a_whole(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": TEA})
    tail, done = TEA.index("1."), DONE.index("1.")
    row = {"start": {"line": 4, "character": 2}, "end": {"line": 4, "character": 3}}
    assert await formatted(vault, "tea.md", RANGE, range=row) == DONE[:done] + TEA[tail:]
    upto = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
    assert await vault.ask(RANGE, "tea.md", options=OPTIONS, range=upto) == [], "the table's first line is not in it"
    rest = {"start": {"line": 5, "character": 0}, "end": {"line": 99, "character": 0}}
    assert await formatted(vault, "tea.md", RANGE, range=rest) == TEA[:tail] + DONE[done:]


async def test_plain_text_and_a_note_in_form_stay(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.txt": TEA, "done.md": DONE, "empty.org": ""})
    for name in ("tea.txt", "done.md", "empty.org"):
        assert await vault.ask(WHOLE, name, options=OPTIONS) == []


async def test_a_long_note_is_formatted(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    rows = "".join(f"|{number}|x|\n" for number in range(9000))
    vault.open("long.md", f"<|>|a|b|\n|-|-|\n{rows}")
    assert len(await vault.ask(WHOLE, "long.md", options=OPTIONS)) > 9000


async def test_a_note_that_is_not_there_is_an_error_that_names_it(make_vault: MakeVault) -> None:
    vault = await make_vault({})
    with pytest.raises(Failure, match=r"gone\.md"):
        await vault.ask(WHOLE, "gone.md", options=OPTIONS)


async def test_formatting_can_be_switched_off(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": TEA}, features=Features(formatting=False))
    assert "documentFormattingProvider" not in vault.editor.capabilities
    assert await vault.ask(WHOLE, "tea.md", options=OPTIONS) is None
