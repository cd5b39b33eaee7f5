"""Labels of reference links, and footnotes: definition, references, highlights, hover, rename, what is not defined.

Situations: microsoft/vscode-markdown-languageservice (definition, references, rename, documentHighlights and diagnostic tests),
artempyanykh/marksman (RefsTests.fs, RefactorTests.fs, DiagTest.fs), Feel-ix-343/markdown-oxide (footnotes in vault/mod.rs).
"""

import pytest

from tests.peers.asking import definition, highlights, prepared, problems, references, renamed, show
from tests.server.editor import Failure
from tests.server.features.acting import FULL, act
from tests.server.features.conftest import MakeVault

NOTE = "[one][Ref] and [ref] and ![two][ref]\n\n[ref][]\n\n[ref]: tea.md 'title'\n[other]: tea.md\n"
DEFINED = "[ref]: tea.md 'title'"
FOOTED = "A claim[^a] and\nanother[^b], again[^A].\n\n- `x[^a]`\n\n[^a]: Said *there*.\n[^b]: See [[tea]].\n"


def at(text: str, needle: str, within: int = 0, nth: int = 1) -> str:
    """The text with the cursor `within` characters into the `nth` needle."""
    place = -1
    for _ in range(nth):
        place = text.index(needle, place + 1)
    place += within
    return text[:place] + "<|>" + text[place:]


async def test_a_label_leads_to_its_definition_and_the_text_before_it_to_the_note(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n", "here.md": "", "other.md": NOTE.replace("tea", "soil")})
    for needle, within in (("[Ref]", 2), ("[Ref]", 0), ("[ref] and", 1), ("[ref][]", 3), ("[ref][]", 7), ("[ref]:", 2)):
        assert await definition(vault, "here.md", at(NOTE, needle, within)) == [("here.md", 5, DEFINED)], (needle, within)
    assert await definition(vault, "here.md", at(NOTE, "one", 1)) == [("tea.md", 1, "")]
    assert await definition(vault, "here.md", at(NOTE, "tea.md", 1)) == [("tea.md", 1, "")], "the target in the definition"


async def test_the_first_definition_counts_and_none_is_taken_from_another_note(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": "", "other.md": "[x]: https://example.org/other\n"})
    text = "[a][x]\n\n[x]: https://example.org/1\n[x]: https://example.org/2\n"
    assert await definition(vault, "here.md", at(text, "[x]", 1)) == [("here.md", 3, "[x]: https://example.org/1")]
    assert await definition(vault, "here.md", "[a][|x]") == []


async def test_the_uses_of_a_label_are_its_references(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n", "here.md": "", "other.md": NOTE})
    uses = [("here.md", 1, "![two][ref]"), ("here.md", 1, "[one][Ref]"), ("here.md", 1, "[ref]"), ("here.md", 3, "[ref][]")]
    for needle, within in (("[Ref]", 1), ("[ref]:", 3)):
        assert await references(vault, "here.md", at(NOTE, needle, within)) == uses
        with_it = await references(vault, "here.md", at(NOTE, needle, within), declaration=True)
        assert with_it == sorted([*uses, ("here.md", 5, DEFINED)])


async def test_check_boxes_are_no_uses_of_a_label(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    text = "- [x] done\n- [X] done\n- [x] [x] twice\n\n[x]: https://example.org\n"
    assert await references(vault, "here.md", at(text, "[x]:", 1)) == [("here.md", 3, "[x]")]


async def test_the_uses_and_the_definition_of_a_label_are_marked(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    marked = [(1, "Ref"), (1, "ref"), (1, "ref"), (3, "ref"), (5, "ref")]
    assert await highlights(vault, "here.md", at(NOTE, "[Ref]", 2)) == marked
    assert await highlights(vault, "here.md", at(NOTE, "[ref]:", 2)) == marked


async def test_a_label_is_renamed_with_all_its_uses_and_nothing_else(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": "", "other.md": NOTE})
    wanted = NOTE.replace("[Ref]", "[New one]").replace("[ref]", "[New one]")
    for needle, within, shown in (("[Ref]", 2, "Ref"), ("[ref]:", 2, "ref"), ("[ref] and", 2, "ref")):
        assert await prepared(vault, "here.md", at(NOTE, needle, within)) == (shown, shown)
        assert await renamed(vault, "here.md", at(NOTE, needle, within), "New one") == {"here.md": wanted}


async def test_a_label_that_is_renamed_back_gives_the_same_bytes(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    text = NOTE.replace("Ref", "ref").replace("\n", "\r\n")
    changed = await renamed(vault, "here.md", at(text, "[ref]", 1), "x y")
    assert await renamed(vault, "here.md", at(changed["here.md"], "[x y]", 1), "ref") == {"here.md": text}


@pytest.mark.parametrize("name", ["", "a[b", "a]b", "^a", "other", "OTHER", "a\nb", "back\\"])
async def test_what_cannot_be_a_label_or_is_one_already_is_refused(make_vault: MakeVault, name: str) -> None:
    vault = await make_vault({"here.md": ""})
    with pytest.raises(Failure, match=r"cannot be a label|has a definition"):
        await renamed(vault, "here.md", at(NOTE, "[ref]", 1), name)


async def test_a_footnote_leads_to_its_text_and_shows_it(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n", "here.md": ""})
    for within in range(5):
        assert await definition(vault, "here.md", at(FOOTED, "[^A]", min(within, 4))) == [("here.md", 6, "[^a]: Said *there*.")]
    assert await definition(vault, "here.md", at(FOOTED, "[[tea]]", 3)) == [("tea.md", 1, "")], "a link in its text"
    assert await definition(vault, "here.md", at(FOOTED, "`x[^a]`", 4)) == [], "code"
    hover = await vault.ask("textDocument/hover", "here.md", show(vault, "here.md", at(FOOTED, "[^a]", 2)))
    assert hover["contents"]["value"] == "Said *there*."
    assert vault.cut("here.md", hover["range"]) == "[^a]"
    hover = await vault.ask("textDocument/hover", "here.md", show(vault, "here.md", at(FOOTED, "[^a]:", 2)))
    assert hover["contents"]["value"] == "2 references"


async def test_the_uses_of_a_footnote_are_found_marked_and_renamed(make_vault: MakeVault) -> None:
    vault = await make_vault({"tea.md": "# Tea\n", "here.md": "", "other.md": FOOTED})
    defined = ("here.md", 6, "[^a]: Said *there*.")
    assert await references(vault, "here.md", at(FOOTED, "[^a]", 2)) == [("here.md", 1, "[^a]"), ("here.md", 2, "[^A]")]
    assert defined in await references(vault, "here.md", at(FOOTED, "[^a]:", 2), declaration=True)
    assert await highlights(vault, "here.md", at(FOOTED, "[^a]", 2)) == [(1, "a"), (2, "A"), (6, "a")]
    assert await prepared(vault, "here.md", at(FOOTED, "[^a]", 2)) == ("a", "a")
    wanted = "A claim[^why] and\nanother[^b], again[^why].\n\n- `x[^a]`\n\n[^why]: Said *there*.\n[^b]: See [[tea]].\n"
    assert await renamed(vault, "here.md", at(FOOTED, "[^a]", 2), "why") == {"here.md": wanted}
    for name in ("b", "two words", "", "a]"):
        with pytest.raises(Failure, match=r"footnote|has a definition"):
            await renamed(vault, "here.md", at(FOOTED, "[^a]", 2), name)


async def test_labels_and_footnotes_without_a_definition_are_broken_links(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""}, capabilities=FULL)
    used = "[good][a] [bad][no such] ![bad][b] and[^1] or[^2] [shortcut] a[i][j] `[x][y]` [1][2]"
    text = used + "\n\n[a]: https://example.org\n[^2]: two\n"
    assert await problems(vault, "here.md", "<|>" + text) == [
        ("broken-link", "no such"),
        ("broken-link", "b"),
        ("broken-link", "1"),
    ]
    after = await act(vault, "here.md", at(text, "no such"), "Add [no such]:")
    assert after == {"here.md": text.rstrip("\n") + "\n[no such]: \n"}
    after = await act(vault, "here.md", "Said[^|1]", "Add [^1]:")
    assert after == {"here.md": "Said[^1]\n\n[^1]: \n"}


async def test_a_label_in_code_front_matter_or_escaped_is_none(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    text = "---\nx: '[^1] [a][b]'\n---\n\\[^2] \\[a][c]\n\n```\n[^3] [a][d]\n```\n\n[[here|see [^4] b]] [e](f.md#[^5]) [^6](https://example.org)\n"
    assert [one for one in await problems(vault, "here.md", "<|>" + text) if one[1][-1:].isdigit()] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_ranges_of_labels_are_right_in_each_encoding(make_vault: MakeVault, encoding: str) -> None:
    vault = await make_vault({"here.md": ""}, encoding=encoding)
    text = "🍵 [é][🍵] ū[^é]\r\n\r\n[🍵]: tea.md\r\n[^é]: 🍵\r\n"
    assert await prepared(vault, "here.md", at(text, "[🍵]", 1)) == ("🍵", "🍵")
    assert await definition(vault, "here.md", at(text, "[^é]", 2)) == [("here.md", 4, "[^é]: 🍵")]
    wanted = {"here.md": text.replace("[🍵]", "[𝕩]")}
    assert await renamed(vault, "here.md", at(text, "[🍵]:", 1), "𝕩") == wanted
