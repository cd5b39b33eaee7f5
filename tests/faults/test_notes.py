"""Notes that nobody should have written: each gets a state with its reason, and the others are found all the same."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Embedding, Folder
from khojd.errors import QueryError
from tests.engine.conftest import Notes


def by_words(notes: Notes, watch: str = "off") -> Config:
    return replace(notes.config(watch), embedding=Embedding(model="off"))


async def test_every_odd_file_is_indexed_or_says_why_not_and_the_engine_goes_on(notes: Notes) -> None:
    root = notes.root
    (root / "nul.md").write_bytes(b"# Nul\nThe shearwater\x00 flies on.\n")
    (root / "surrogates.txt").write_bytes(b"The petrel \xed\xa0\x80 and \xed\xb0\x80 the fulmar.\n")
    (root / "latin.txt").write_bytes("Größe und Güte der Möwe, über alle Maßen schön.\n".encode("latin-1"))
    (root / "utf16.md").write_bytes("# Kormoran\nEin Vogel am Wasser.\n".encode("utf-16"))
    (root / "japanese.txt").write_bytes("カワセミは川の近くに住む小さな青い鳥です。魚を食べます。\n".encode("shift_jis"))
    (root / "cut.txt").write_bytes("The gannet dives for mackerel ü".encode()[:-1])
    (root / "noise.md").write_bytes(bytes(range(256)) * 40)
    (root / "endless.md").write_text("razorbill " * 30_000 + "guillemot", encoding="utf-8")
    (root / "deep.org").write_text("".join(f"{'*' * level} Level {level}\n" for level in range(1, 2001)) + "The skua.\n")
    (root / "yaml.md").write_text("---\ntags: [a, {b: ]\n&x *y\n---\n# Dunlin\nA wader.\n", encoding="utf-8")
    (root / "empty.md").touch()
    (root / "blank.md").write_text("\n" * 5000 + "\t" * 5000, encoding="utf-8")
    (root / "a.md").mkdir()
    (root / "a.md" / "inside.md").write_text("The turnstone.\n", encoding="utf-8")
    (root / "loop").symlink_to(root)
    (root / "self.md").symlink_to("self.md")
    (root / ("n" * 240 + ".md")).write_text("The sanderling.\n", encoding="utf-8")
    (root / "new\nline \u202e.md").write_text("The whimbrel.\n", encoding="utf-8")
    async with notes.open(by_words(notes)) as engine:
        await engine.update()
        states = {str(Path(file.path).relative_to(root)): file for file in await engine.files()}
        assert {name for name, file in states.items() if file.state not in ("indexed", "failed", "skipped")} == set()
        odd = {name: file.reason for name, file in states.items() if file.state != "indexed"}
        assert set(odd) == {"noise.md", "self.md"}
        assert all(odd.values())
        assert all(states[name].notes for name in ("surrogates.txt", "latin.txt", "japanese.txt", "yaml.md"))
        for word, name in {
            "shearwater": "nul.md",
            "fulmar": "surrogates.txt",
            "Güte": "latin.txt",
            "Kormoran": "utf16.md",
            "カワセミ": "japanese.txt",
            "gannet": "cut.txt",
            "guillemot": "endless.md",
            "skua": "deep.org",
            "dunlin": "yaml.md",
            "turnstone": "a.md/inside.md",
            "sanderling": "n" * 240 + ".md",
            "whimbrel": "new\nline \u202e.md",
        }.items():
            assert await notes.found(word, mode="lexical") == [name]


async def test_a_long_line_without_spaces_is_found_by_words_at_its_end(notes: Notes) -> None:
    notes.write("a.txt", "x" * 150_000 + "漢" * 149_990 + "鶴が飛ぶ")
    async with notes.open(by_words(notes)) as engine:
        await engine.update()
        assert (await notes.file("a.txt")).state == "indexed"
        (hit,) = await notes.hits("鶴が飛ぶ", mode="lexical")
        assert hit.passage.end.column == 299_994


@pytest.mark.usefixtures("as_editor")
async def test_half_a_surrogate_pair_in_a_buffer_costs_one_character(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open(by_words(notes)) as engine:
        await engine.update()
        engine.open_buffer("editor", str(path), "An osprey \ud83d dives.\n", 1)
        await notes.until(lambda: _found(notes, "osprey"))
        (hit,) = await notes.hits("dives", mode="lexical")
        assert hit.unsaved
        hit.snippet.encode()  # can be sent


async def _found(notes: Notes, query: str) -> bool:
    return bool(await notes.hits(query, mode="lexical"))


async def test_a_file_that_changes_again_and_again_while_it_is_read_ends_as_it_is(notes: Notes) -> None:
    path = notes.write("a.md", "")
    async with notes.open(by_words(notes)) as engine:
        for number in range(30):
            path.write_text(f"# Version {number}\n" + "The heron waits.\n" * 2000, encoding="utf-8")
            running = asyncio.create_task(engine.update())
            await asyncio.sleep(0)
            with path.open("a", encoding="utf-8") as file:
                for line in range(20):
                    await asyncio.to_thread(file.write, f"Line {line} of the end{number}.\n")
                    file.flush()
            await running
        await engine.update()
        assert await notes.found("end29", mode="lexical") == ["a.md"]
        assert await notes.found("end28", mode="lexical") == []
        assert len(await notes.hits("heron", mode="lexical")) == 1


async def test_questions_beyond_all_measure_are_answered_or_refused_with_the_reason(notes: Notes) -> None:
    notes.write("a.md", "A heron stands in the pond.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        for mode in ("lexical", "semantic", "hybrid"):
            assert await notes.found("heron " * 17_000, mode=mode) == ["a.md"]
        assert await notes.found("heron " + "tag:none " * 5 + "x" * 100_000, mode="lexical") == []
        assert await notes.found("heron " + "-tag:none " * 200, mode="lexical") == ["a.md"]
        assert await notes.found("heron \x00\ud800 \u202e", mode="lexical") == ["a.md"]
        for query in ("", "   ", "date>" + "9" * 5000, 'file:"' + "[" * 2000 + '"'):
            with pytest.raises(QueryError):
                await notes.found(query)


async def test_the_torture_files_of_org_and_commonmark_are_indexed_or_failed_with_a_reason(notes: Notes, shared_data: Path) -> None:
    nasty = shared_data / "corpora" / "nasty"
    config = replace(by_words(notes), folders=(Folder(path=str(nasty)),))
    async with notes.open(config) as engine:
        await engine.update()
        files = await engine.files()
        assert {file.path for file in files} == {str(path) for path in nasty.rglob("*") if path.is_file()}
        assert [file.path for file in files if file.state != "indexed" and not file.reason] == []
        assert sum(file.state == "indexed" and file.entries > 0 for file in files) > len(files) // 2
        status = await engine.status()
        assert (status.words_pending, status.problems) == (0, ())
