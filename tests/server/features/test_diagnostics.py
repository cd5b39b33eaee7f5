"""textDocument/publishDiagnostics and textDocument/diagnostic."""

from typing import Any

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

NOTES = {
    "index.md": "[[tea]]\n",
    "tea.md": "# Tea\n\n## Green\n\n[[index]]\n",
    "a/soil.md": "[[tea]]\n",
    "b/soil.md": "[[tea]]\n",
    "ids.org": "* One\n:PROPERTIES:\n:ID: same\n:END:\n[[file:tea.md]]\n",
    "more.org": "* Two\n:PROPERTIES:\n:ID: same\n:END:\n[[file:tea.md]]\n",
}
PULL = {"textDocument": {"diagnostic": {"dynamicRegistration": False}}}
RELATED = {"textDocument": {"publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True}}}


async def pushed(vault: Vault, name: str) -> list[dict[str, Any]]:
    """What was published for the text that the editor has now."""
    version = vault._versions[name]
    uri = vault.uri(name)
    said = await vault.editor.hear(
        "textDocument/publishDiagnostics", where=lambda one: one["uri"] == uri and one.get("version") == version
    )
    return list(said["diagnostics"])


async def problems(vault: Vault, name: str, text: str) -> list[tuple[str, str]]:
    """Code and text of each problem of a note with this text."""
    if name in vault.texts:
        vault.edit(name, text)
    else:
        vault.open(name, text)
    return [(one["code"], vault.cut(name, one["range"])) for one in await pushed(vault, name)]


async def test_links_that_lead_nowhere_or_could_lead_to_several_notes(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, encoding="utf-16")
    text = "🍵 [[tea]] [[nowhere]] [x](gone.md) [[tea#Blue]] [[tea#^b]] [[soil]] [y](../../../etc/passwd) <https://x.org>\n"
    assert await problems(vault, "index.md", text) == [
        ("broken-link", "nowhere"),
        ("broken-link", "gone.md"),
        ("broken-anchor", "tea#Blue"),
        ("broken-anchor", "tea#^b"),
        ("ambiguous-link", "soil"),
        ("broken-link", "../../../etc/passwd"),
    ]


async def test_a_reference_link_is_broken_once(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "index.md", "[a][x] [b][x] [[tea]]\n\n[x]: gone.md\n") == [("broken-link", "gone.md")]


async def test_a_mended_link_is_no_problem_any_more(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "index.md", "[[tee]] [[tea]]") == [("broken-link", "tee")]
    assert await problems(vault, "index.md", "[[tea]] [[tea]]") == []


async def test_a_link_to_a_note_that_comes_into_being_is_no_problem_any_more(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "index.md", "[[tea]] [[coffee]]") == [("broken-link", "coffee")]
    vault.write("coffee.md", "[[tea]]")
    await vault.indexed()
    said = await vault.editor.hear("textDocument/publishDiagnostics", where=lambda one: not one["diagnostics"])
    assert vault.name(said["uri"]) == "index.md"


async def test_ids_that_stand_twice(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=RELATED)
    vault.open("ids.org")
    (found,) = await pushed(vault, "ids.org")
    assert (found["code"], vault.cut("ids.org", found["range"])) == ("duplicate-id", "same")
    assert [vault.name(one["location"]["uri"]) for one in found["relatedInformation"]] == ["more.org"]
    assert found["codeDescription"]["href"].endswith("diagnostics.md#duplicate-id")
    text = "[[tea]]\n\nOne ^x\n\nTwo ^x\n"
    assert await problems(vault, "index.md", text) == [("duplicate-id", "x"), ("duplicate-id", "x")]


async def test_metadata_that_cannot_be_read(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "index.md", '---\na: b\ntitle: "x\n---\n[[tea]]\n') == [("broken-front-matter", "---")]
    assert await problems(vault, "ids.org", "* WAITNG [[file:tea.md]]\n* TOOD x\n") == [("unknown-todo", "TOOD")]


async def test_a_note_that_nothing_links_to_or_from_is_an_orphan(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "alone.md": "# Alone\n"})
    vault.open("alone.md")
    (found,) = await pushed(vault, "alone.md")
    assert (found["code"], found["severity"]) == ("orphan", 4)


async def test_a_note_that_says_the_same_as_another(make_vault: MakeVault) -> None:
    text = "# Compost\n\n" + "Kitchen scraps, leaves and cardboard rot to humus when they are moist and turned now and then. " * 4
    notes = {**NOTES, "compost.md": text, "copy.md": text.replace("cardboard", "paper") + "[[compost]]"}
    vault = await make_vault(notes, embedding=True)
    vault.open("copy.md")
    (found,) = await pushed(vault, "copy.md")
    assert (found["code"], found["severity"]) == ("near-duplicate", 3)
    assert "compost.md" in found["message"]


async def test_codes_can_be_switched_off_for_a_client_and_for_a_note(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, khoj={"protocol": 1, "features": {"diagnose_broken_link": False}})
    assert await problems(vault, "index.md", "[[nowhere]] [[tea#Blue]]") == [("broken-anchor", "tea#Blue")]
    assert await problems(vault, "index.md", "<!-- khojd-ignore: broken-anchor -->\n[[soil]] [[tea#Blue]]") == [
        ("ambiguous-link", "soil")
    ]
    assert await problems(vault, "index.md", "%% khojd-ignore %%\n[[soil]] [[tea#Blue]]") == []
    assert await problems(vault, "ids.org", "# khojd-ignore: duplicate-id\n" + NOTES["ids.org"]) == []


async def test_a_closed_note_has_no_problems(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await problems(vault, "index.md", "[[nowhere]]")
    vault.close("index.md")
    said = await vault.editor.hear("textDocument/publishDiagnostics", where=lambda one: "version" not in one)
    assert said["diagnostics"] == []


async def test_a_client_that_pulls_is_answered_and_not_pushed_to(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, capabilities=PULL)
    vault.open("index.md", "[[nowhere]]")
    first = await vault.ask("textDocument/diagnostic", "index.md")
    assert [one["code"] for one in first["items"]] == ["broken-link"]
    again = await vault.ask("textDocument/diagnostic", "index.md", previousResultId=first["resultId"])
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    vault.edit("index.md", "[[tea]]")
    assert (await vault.ask("textDocument/diagnostic", "index.md", previousResultId=first["resultId"]))["items"] == []
    await vault.indexed()
    assert vault.editor.heard("textDocument/publishDiagnostics") == []


async def test_switched_off_nothing_is_said(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, khoj={"protocol": 1, "features": {"diagnostics": False}})
    vault.open("index.md", "[[nowhere]]")
    await vault.indexed()
    assert vault.editor.heard("textDocument/publishDiagnostics") == []


async def test_messages_say_what_is_missing_where(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    text = "[[tea]] [[nowhere]] ![p](p.png) [[tea#Blue]] [[tea#^b]] [x](#gone) [y](../../../etc/passwd)\n"
    vault.open("index.md", text)
    assert [one["message"] for one in await pushed(vault, "index.md")] == [
        "There is no note 'nowhere'",
        "There is no file 'p.png'",
        "tea has no heading 'Blue'",
        "tea has no block 'b'",
        "This note has no heading 'gone'",
        "../../../etc/passwd leads above the configured folders",
    ]


async def test_what_programs_with_a_vault_write_is_no_problem(make_vault: MakeVault) -> None:
    vault = await make_vault({**NOTES, "pages/proj___alpha.md": "- [[tea]]\n", "lang.python.md": "# Python\n## Loops\n"})
    logseq = "- [page]([[proj/alpha]]) [tea]([[tea]])\n"
    assert await problems(vault, "index.md", logseq) == []
    assert await problems(vault, "index.md", "[[tea]] ![[lang.*]] ![[lang.python#loops,1:#*]]\n") == []
    html = (
        '# One\n<a id="first"></a>\n\n## <a name="two"></a> Two\n\n<span id="three">Here</span>.\n'
        "[[tea]] [a](#first) [b](#two) [c](#three)\n"
    )
    assert await problems(vault, "index.md", html) == []
