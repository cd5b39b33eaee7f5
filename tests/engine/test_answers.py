"""What an answer shows of what was found."""

from tests.engine.conftest import Notes


async def test_a_rare_word_counts_also_where_meaning_is_asked(notes: Notes) -> None:
    notes.write("onsen.md", "# 箱根の温泉\n露天風呂のある宿に泊まった。\n")
    notes.write("tea.md", "# 茶\n龙井茶要用八十度的水。\n")
    for number in range(5):
        notes.write(f"{number}.md", f"# Travel {number}\nA hotel with a bath near the lake, number {number}.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        assert (await notes.found("温泉"))[0] == "onsen.md"
        assert (await notes.found("露天風呂のある宿"))[0] == "onsen.md"


async def test_the_passage_of_a_small_section_begins_with_its_own_heading(notes: Notes) -> None:
    notes.write("bread.md", "# Bread\n\n## Country loaf\nFlour and water.\n\n## What went wrong\nThe dough was flat and sticky.\n")
    async with notes.open() as engine:
        await engine.update()
        (hit,) = await notes.hits("sticky", mode="lexical")
        assert hit.headings == ("Bread", "What went wrong")
        assert hit.snippet.startswith("## What went wrong")
        assert hit.passage.start.line == 5
        assert [hit.snippet[start:end] for start, end in hit.highlights] == ["sticky"]


async def test_as_many_hits_come_as_there_are(notes: Notes) -> None:
    for number in range(230):
        notes.write(f"{number}.md", f"# Note {number}\nThe heron number {number} stands in its pond.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        for mode in ("lexical", "semantic", "hybrid"):
            assert len(await notes.hits("heron", limit=200, mode=mode)) == 200
            assert len(set(await notes.found("heron", limit=37, mode=mode))) == 37
