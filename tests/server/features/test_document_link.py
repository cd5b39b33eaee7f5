"""Links to click on."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

METHOD = "textDocument/documentLink"
FILES = {
    "tea.md": "---\ntitle: All about tea\n---\n# Tea\n\n## Green tea\n\ntext ^steam\n",
    "sub/note.org": "* Plant\n:PROPERTIES:\n:ID: 1234-abcd\n:END:\n",
    "picture.png": "no picture",
}


async def links(vault: Vault, name: str) -> dict[str, dict[str, Any]]:
    """The links of a note by their text."""
    return {vault.cut(name, one["range"]): one for one in await vault.ask(METHOD, name)}


async def resolved(vault: Vault, name: str) -> dict[str, tuple[str | None, str]]:
    found = {}
    for text, link in (await links(vault, name)).items():
        answer = await vault.editor.request("documentLink/resolve", link)
        found[text] = (answer.get("target"), answer.get("tooltip", ""))
    return found


async def test_addresses_are_there_at_once_and_notes_when_asked_for(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    vault.open("index.md", "🍵 [site](https://example.org/a?b=c#d) and [[tea]] and <mailto:a@example.org>\n")
    found = await links(vault, "index.md")
    assert found["[site](https://example.org/a?b=c#d)"]["target"] == "https://example.org/a?b=c#d"
    assert "target" not in found["[[tea]]"]
    target, tooltip = (await resolved(vault, "index.md"))["[[tea]]"]
    assert (target, tooltip) == (vault.uri("tea.md"), "All about tea")


async def test_a_heading_and_a_block_are_at_their_lines(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    vault.open("index.md", "[[tea#Green tea]] [x](tea.md#green-tea) [[tea#^steam]] [[#Here]]\n\n# Here\n")
    found = await resolved(vault, "index.md")
    assert found["[[tea#Green tea]]"] == (vault.uri("tea.md") + "#L6", "All about tea › Green tea")
    assert found["[x](tea.md#green-tea)"][0] == vault.uri("tea.md") + "#L6"
    assert found["[[tea#^steam]]"][0] == vault.uri("tea.md") + "#L8"
    assert found["[[#Here]]"][0] == vault.uri("index.md") + "#L3"


async def test_org_links(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    vault.open("index.org", "[[file:tea.md][tea]] [[id:1234-abcd]] [[file:picture.png]] [[https://example.org][site]]\n")
    found = await resolved(vault, "index.org")
    assert found["[[file:tea.md][tea]]"][0] == vault.uri("tea.md")
    assert found["[[id:1234-abcd]]"][0] == vault.uri("sub/note.org")
    assert found["[[file:picture.png]]"][0] == vault.uri("picture.png")
    assert found["[[https://example.org][site]]"][0] == "https://example.org"


async def test_a_link_to_nothing_says_so(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    vault.open("index.md", "[[nowhere]] [up](../../../../../../../../etc/x.md) [[tea#No such]]\n")
    found = await resolved(vault, "index.md")
    assert found["[[nowhere]]"][0] is None
    assert "nowhere" in found["[[nowhere]]"][1]
    assert found["[up](../../../../../../../../etc/x.md)"][0] is None
    assert "above" in found["[up](../../../../../../../../etc/x.md)"][1]
    target, tooltip = found["[[tea#No such]]"]
    assert target == vault.uri("tea.md")
    assert "No such" in tooltip


async def test_a_link_that_moved_since_it_was_sent_is_still_resolved_and_one_that_is_gone_is_said(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    vault.open("index.md", "[[tea]]\n")
    (link,) = await vault.ask(METHOD, "index.md")
    vault.edit("index.md", "more <|>before\n\n[[tea]]\n")
    assert (await vault.editor.request("documentLink/resolve", link))["target"] == vault.uri("tea.md")
    vault.edit("index.md", "nothing\n")
    answer = await vault.editor.request("documentLink/resolve", link)
    assert "target" not in answer
    assert "no longer there" in answer["tooltip"]


async def test_what_no_server_has_sent_is_given_back(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    zero = {"line": 0, "character": 0}
    for data in (None, 7, {"uri": 1}, {"uri": "file:///nowhere.md", "kind": "wiki", "target": "x", "at": "0"}):
        link = {"range": {"start": zero, "end": zero}, "data": data}
        assert (await vault.editor.request("documentLink/resolve", link))["range"] == link["range"]


@given(st.text(st.sampled_from("[]()<>|#^!:./ab\n\r🍵\\`"), max_size=80), st.sampled_from(["a.md", "a.org"]))
def test_every_link_lies_within_its_note(text: str, name: str) -> None:
    from khojd.content.model import ContentSettings
    from khojd.graph.sheet import Sheet

    for link in Sheet(name, text, ContentSettings()).links:
        assert 0 <= link.start < link.end <= len(text)
        assert 0 <= link.target_start <= link.target_end <= len(text)


async def test_a_very_long_target_is_a_link_too(make_vault: MakeVault) -> None:
    vault = await make_vault(FILES)
    picture, name = "data:image/png;base64," + "A" * 50_000, "n" * 10_000
    vault.open("index.md", f"![p]({picture}) [[{name}]]\n")
    first, second = await vault.ask("textDocument/documentLink", "index.md")
    assert len(str(first)) + len(str(second)) < 10_000, "what may be long is not sent twice"
    assert (await vault.ask("documentLink/resolve", **first))["target"] == picture
    assert "There is no note nnn" in (await vault.ask("documentLink/resolve", **second))["tooltip"]
