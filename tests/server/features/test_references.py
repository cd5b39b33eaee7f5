"""textDocument/references."""

from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Position, Vault

NOTES = {
    "tea.md": "# Tea\n\nSee [[#Green]].\n\n## Green ^g\n\n#drinks/hot\n",
    "a.md": "To [[tea]] and [[Tea#Green|there]].\n\nA cup of tea, ☕ then `tea`.\n",
    "b.org": "#+FILETAGS: :drinks:\n* About [[file:tea.md][tea]] :Drinks:\n[[file:tea.md::*Green]]\nTeatime with Tea.\n",
}


async def find(vault: Vault, name: str, cursor: Position, *, declaration: bool = False) -> list[tuple[str, str]]:
    found = await vault.ask("textDocument/references", name, cursor, context={"includeDeclaration": declaration})
    return [(vault.name(one["uri"]), vault.cut(vault.name(one["uri"]), one["range"])) for one in found or []]


LINKS = [
    ("a.md", "[[tea]]"),
    ("a.md", "[[Tea#Green|there]]"),
    ("b.org", "[[file:tea.md][tea]]"),
    ("b.org", "[[file:tea.md::*Green]]"),
    ("tea.md", "[[#Green]]"),
]
MENTIONS = [("a.md", "tea"), ("b.org", "Tea")]


async def test_links_to_a_note_come_first_then_its_mentions(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    for place in ("Tea", "\n\nSee"):  # on its title, and on nothing in particular
        assert await find(vault, "tea.md", vault.at("tea.md", place)) == LINKS + MENTIONS


async def test_a_title_that_is_a_common_word_is_not_taken_for_mentions_but_an_alias_is(make_vault: MakeVault) -> None:
    diary = {f"day{number}.md": f"Some tea, day {number}.\n" for number in range(30)}
    notes = {"tea.md": "---\naliases: [a cup of sencha]\n---\n\n# Tea\n", "a.md": "A cup of sencha.\n", "b.md": "[[tea]]\n"}
    vault = await make_vault({**diary, **notes})
    assert await find(vault, "tea.md", vault.at("tea.md", "Tea")) == [("b.md", "[[tea]]"), ("a.md", "A cup of sencha")]


async def test_mentions_can_be_switched_off(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES, khoj={"protocol": 1, "features": {"mentions": False}})
    assert await find(vault, "tea.md", vault.at("tea.md", "Tea")) == LINKS


async def test_a_link_gives_the_references_of_what_it_leads_to(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    assert await find(vault, "a.md", vault.at("a.md", "ea]]")) == LINKS + MENTIONS
    green = [link for link in LINKS if "Green" in link[1]]
    assert await find(vault, "a.md", vault.at("a.md", "Green|")) == green
    assert await find(vault, "tea.md", vault.at("tea.md", "## Green"), declaration=True) == [("tea.md", "## Green ^g"), *green]


async def test_a_tag_is_found_wherever_it_is_written_with_those_below_it(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    wanted = [("b.org", "drinks"), ("b.org", "Drinks"), ("tea.md", "drinks/hot")]
    assert await find(vault, "b.org", vault.at("b.org", "rinks:")) == wanted
    assert await find(vault, "tea.md", vault.at("tea.md", "drinks/hot")) == wanted[2:]


async def test_what_was_typed_a_moment_ago_counts(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    vault.open("b.org", "nothing\n")
    vault.open("a.md", "\n\n🍵 [[tea]]\n")
    found = await find(vault, "tea.md", vault.at("tea.md", "Tea"))
    assert [one for one in found if one[1] != "tea"] == [("a.md", "[[tea]]"), ("tea.md", "[[#Green]]")]


async def test_a_link_to_nowhere_has_no_references(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    cursor = vault.open("a.md", "[[no|where]]")
    assert await find(vault, "a.md", cursor) == []


async def test_what_a_custom_id_names_is_its_heading(make_vault: MakeVault) -> None:
    notes = {"plan.org": "* Plan\n** Order seeds\n:PROPERTIES:\n:CUSTOM_ID: seeds\n:END:\n", "b.org": "[[file:plan.org::#seeds]]\n"}
    vault = await make_vault(notes)
    assert await find(vault, "b.org", vault.at("b.org", "seeds"), declaration=True) == [
        ("plan.org", "** Order seeds"),
        ("b.org", "[[file:plan.org::#seeds]]"),
    ]


async def test_tags_are_links_to_the_page_of_their_name(make_vault: MakeVault) -> None:
    notes = {
        "pages/two words.md": "- about #[[two words]]\n",
        "pages/a___b.md": "alias:: ab\n\n- x\n",
        "tags.work.later.md": "---\ntitle: Later\n---\n",
        "journals/2024_05_01.md": "- #[[Two Words]] and #a/b and #AB, [[two words]]\n- #work/later #a/b/c\n",
    }
    vault = await make_vault(notes, khoj={"protocol": 1, "features": {"mentions": False}})
    day = "journals/2024_05_01.md"
    assert await find(vault, "pages/two words.md", vault.at("pages/two words.md", "about")) == [
        (day, "[[two words]]"),
        (day, "Two Words"),
        ("pages/two words.md", "two words"),
    ]
    assert await find(vault, "pages/a___b.md", vault.at("pages/a___b.md", "x")) == [(day, "a/b"), (day, "AB")]
    assert await find(vault, "tags.work.later.md", vault.at("tags.work.later.md", "---")) == [(day, "work/later")]
    vault.open("new.md", "#ab\n")
    assert ("new.md", "ab") in await find(vault, "pages/a___b.md", vault.at("pages/a___b.md", "x"))


async def test_links_of_a_note_that_was_opened_this_very_moment_are_found(make_vault: MakeVault) -> None:
    vault = await make_vault(NOTES)
    cursor = vault.open("new.md", "# New\n\n[[te<|>a#Green]] and [[tea#Green]]\n")  # never saved, and not yet in the index
    found = await find(vault, "new.md", cursor)
    assert [one for one in found if one[0] == "new.md"] == [("new.md", "[[tea#Green]]")] * 2


async def test_the_heading_that_a_note_begins_with_stands_for_the_note_with_any_title(
    make_vault: MakeVault,
) -> None:
    vault = await make_vault(
        {
            "brew.md": "---\ntitle: On brewing\n---\n# How to make it\n\n## Later\n",
            "a.md": "[[brew]] [[brew#How to make it]] [[brew#Later]]\n",
            "two.md": "# One\n\n# Two\n",
            "b.md": "[[two]] [[two#One]]\n",
        }
    )
    for name, heading, count in (("brew.md", "How", 3), ("brew.md", "Later", 1), ("two.md", "One", 1)):
        vault.open(name)
        found = await vault.ask("textDocument/references", name, vault.at(name, heading), context={"includeDeclaration": False})
        assert len(found) == count, heading
        hover = await vault.ask("textDocument/hover", name, vault.at(name, heading))
        assert f"{count} backlink" in hover["contents"]["value"], heading
