"""What can be folded, and what a selection grows to.

Situations: microsoft/vscode-markdown-languageservice (folding.test.ts, smartSelect.test.ts), iwe-org/iwe (folding_range_test.rs).
"""

from tests.peers.asking import folds, show
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

FOLDS = [
    ("", set()),
    ("a\n**b** c\na#b\nd\n", set()),
    ("a\n# b\nc\nd\n", {(2, 4)}),
    ("\n# a\nx\n\n\n\n# b\ny\n", {(2, 3), (7, 8)}),
    ("# a\nx\n# b\ny\n", {(1, 2), (3, 4)}),
    ("# test\n\n## One\n\ntext\n\n## Two\n\ntext\n", {(1, 9), (3, 5), (7, 9)}),
    ("# only\n", set()),
    ("# a\n\n~~~ts\nb\n~~~\nc\n", {(1, 6), (3, 5)}),
    ("a\n- b\nc\nd\n", {(2, 4)}),
    ("a\n- an item\n  of three\n  lines\n- one\n", {(2, 4)}),
    ("- a\n  - b\n  - c\n    more\n- d\n", {(1, 4), (3, 4)}),
    ("> a\n> b\n\nc\n", {(1, 2)}),
    ("| a |\n|---|\n| b |\n\nc\n", {(1, 3)}),
    ("---\ntitle: x\n---\n\n~~~\na\n~~~\n", {(1, 3), (5, 7)}),
    ("x\n\n<div>\n\tfa\n</div>\n", {(3, 5)}),
    ("x\n<!--\nfa\n-->\n", {(2, 4)}),
    ("a\n<!-- #region -->\nb\n<!-- #endregion -->\nc\n", {(2, 4)}),
    (
        "<!-- region one -->\nb\n\n<!-- #region two: x -->\n\nc\n<!-- #endregion two -->\n\n"
        "<!--#region-->\nd\n<!--#endregion-->\n\n<!-- endregion -->\n",
        {(1, 13), (4, 7), (9, 11)},
    ),
    ("<!-- #region -->\nb\n", set()),
    ("<!-- #endregion -->\nb\n<!-- regional -->\n", set()),
    ("```\n<!-- #region -->\nb\n<!-- #endregion -->\n```\n", {(1, 5)}),
]


async def test_what_can_be_folded(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    for text, wanted in FOLDS:
        for newline in ("\n", "\r\n"):
            assert await folds(vault, "here.md", "<|>" + text.replace("\n", newline)) == wanted, text


async def test_regions_are_of_their_kind(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    show(vault, "here.md", "<!-- #region -->\nb\n<!-- #endregion -->\n\n<!--\nc\n-->\n")
    found = await vault.ask("textDocument/foldingRange", "here.md")
    assert [(one["startLine"], one.get("kind")) for one in found] == [(0, "region"), (4, "comment")]


async def grown(vault: Vault, text: str) -> list[str]:
    """The texts that the selection at the cursor grows to."""
    cursor = show(vault, "here.md", text)
    (chain,) = await vault.ask("textDocument/selectionRange", "here.md", positions=[cursor])
    found = []
    while chain is not None:
        found.append(vault.cut("here.md", chain["range"]))
        chain = chain.get("parent")
    return found


async def test_a_selection_grows_from_the_word_to_the_note(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    assert await grown(vault, "Hel|lo") == ["Hello"]
    listed = await grown(vault, "# One\n\n- a\n- b |c\n\n# Two\n")
    assert listed[:5] == ["c", "b c", "- b c", "- a\n- b c", "# One\n\n- a\n- b c"]
    assert listed[-1] == vault.text("here.md")
    assert await grown(vault, "~~~\na|\n~~~\n") == ["a", "~~~\na\n~~~", "~~~\na\n~~~\n"]
    assert await grown(vault, "see [te|xt](near.md) on") == ["text", "[text](near.md)", "see [text](near.md) on"]
    assert await grown(vault, "see [text](ne|ar.md) on") == ["near", "near.md", "[text](near.md)", "see [text](near.md) on"]
    assert "<p>\n<img>\n</p>" in await grown(vault, "<p>\n<i|mg>\n</p>\n\nb")


async def test_a_selection_grows_within_nested_lists_quotes_and_sections(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    nested = await grown(vault, "* top\n   * in|ner\n   * other\n* last\n")
    for wanted in ("* inner", "* top\n   * inner\n   * other", "* top\n   * inner\n   * other\n* last"):
        assert any(one.strip() == wanted for one in nested), wanted
    sections = await grown(vault, "# main\ncontent\n## sub\ncon|tent 2\n# other\n")
    for wanted in ("content 2", "## sub\ncontent 2", "# main\ncontent\n## sub\ncontent 2"):
        assert wanted in sections, wanted
    quoted = await grown(vault, "> one\n> two th|ree\n\nfour\n")
    assert "> one\n> two three" in quoted
    assert await grown(vault, "|") == [""]
