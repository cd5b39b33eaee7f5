"""The index follows the files: what a person does to them is what search answers from."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Content, Folder
from khojd.graph.graph import Graph
from khojd.graph.model import Place
from khojd.sources import watch
from tests.engine.conftest import Notes


async def test_the_text_of_a_child_is_found_under_its_ancestors(notes: Notes) -> None:
    notes.write("a.org", "#+TITLE: Garden\n* Beds\n** Tomatoes\nWater the seedlings in the morning.\n")
    async with notes.open() as engine:
        await engine.update()
        (hit,) = await notes.hits("seedlings", mode="lexical")
    assert (hit.title, hit.headings) == ("Garden", ("Beds", "Tomatoes"))
    assert (hit.range.start.line, hit.range.start.column) == (1, 0)
    assert hit.passage.start.line <= 3 <= hit.passage.end.line


async def test_a_note_is_found_by_meaning_without_a_word_in_common(notes: Notes) -> None:
    notes.write("bike.md", "# Bicycle\nThe chain slips off the cassette under load.\n")
    notes.write("bread.md", "# Sourdough\nFeed the starter with rye flour every evening.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        assert (await notes.found("repairing a two-wheeled vehicle", mode="semantic"))[0] == "bike.md"
        assert (await notes.found("how do I bake a loaf?"))[0] == "bread.md"


async def test_two_files_with_the_same_text_are_both_found(notes: Notes) -> None:
    for name in ("a.md", "sub/b.md"):
        notes.write(name, "# Plan\nCross the Alps on foot next summer.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        for mode in ("lexical", "semantic", "hybrid"):
            assert sorted(await notes.found("Alps", mode=mode)) == ["a.md", "sub/b.md"]
        assert await notes.embedded() == 1


async def test_a_file_whose_name_is_no_text_has_its_state_as_long_as_it_is_there(notes: Notes) -> None:
    name = os.fsencode(notes.root) + b"/caf\xe9.md"
    with open(name, "wb") as file:  # noqa: PTH123 - Path takes no bytes
        file.write(b"text")
    since = 0.0
    async with notes.open() as engine:
        for _ in range(2):
            report = await engine.update()
            assert (report.failed, report.removed) == (1, 0)
            (file_status,) = await engine.files(states=("failed",))
            assert file_status.reason == "the file's name is not valid UTF-8"
            since = since or file_status.since
            assert file_status.since == since, "it has not failed anew"
        os.rename(name, os.fsencode(notes.root / "cafe.md"))  # noqa: PTH104
        await engine.update()
        assert [(Path(file.path).name, file.state) for file in await engine.files()] == [("cafe.md", "indexed")]


async def test_a_renamed_file_is_found_under_its_new_path_and_nothing_is_embedded(notes: Notes) -> None:
    old = notes.write("old name.md", "# Plan\nCross the Alps on foot next summer.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
        new = notes.root / "deep/new.md"
        new.parent.mkdir()
        old.rename(new)
        report = await engine.update(embed=True)
        assert (report.renamed, report.added, report.removed) == (1, 0, 0)
        for mode in ("lexical", "semantic"):
            assert await notes.found("Alps", mode=mode) == ["deep/new.md"]
        assert await notes.embedded() == before
        assert await notes.found('file:"old name"') == []


async def test_a_moved_directory_embeds_nothing(notes: Notes) -> None:
    for number in range(5):
        notes.write(f"one/{number}.md", f"# Note {number}\nText of number {number}.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
        (notes.root / "one").rename(notes.root / "two")
        report = await engine.update((str(notes.root / "one"), str(notes.root / "two")), embed=True)
        assert report.renamed == 5
        assert sorted(await notes.found("text")) == [f"two/{number}.md" for number in range(5)]
        assert await notes.embedded() == before


async def test_lines_inserted_above_move_the_hit_and_embed_nothing_of_it(notes: Notes) -> None:
    text = "* One\nFirst.\n* Two\nThe kestrel hovers over the field.\n"
    path = notes.write("a.org", text)
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
        path.write_text("\n\n\n" + text, encoding="utf-8")
        # No update is asked for: the answer itself must be true of the file as it is now.
        (hit,) = await notes.hits("kestrel", mode="lexical")
        assert (hit.range.start.line, hit.passage.start.line) == (5, 6)
        await engine.update(embed=True)
        assert await notes.embedded() == before


async def test_only_the_changed_entry_is_embedded(notes: Notes) -> None:
    path = notes.write("a.org", "* One\nFirst.\n* Two\nSecond.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
        path.write_text("* One\nFirst.\n* Two\nSecond, changed.\n", encoding="utf-8")
        await engine.update(embed=True)
        assert await notes.embedded() == before + 1


@pytest.mark.parametrize("how", ["emptied", "deleted"])
async def test_an_emptied_or_deleted_file_leaves_the_results(notes: Notes, how: str) -> None:
    path = notes.write("a.md", "A heron stands in the pond.\n")
    notes.write("b.md", "Something else.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        assert await notes.found("heron") != []
        path.unlink() if how == "deleted" else path.write_bytes(b"")
        await engine.update(embed=True)
        assert "a.md" not in await notes.found("heron", mode="lexical")
        assert "a.md" not in await notes.found("heron", mode="semantic")


async def test_a_file_that_became_unreadable_is_failed_and_returns_when_readable(notes: Notes) -> None:
    path = notes.write("a.md", "A heron stands in the pond.\n")
    async with notes.open() as engine:
        await engine.update()
        path.unlink()
        path.symlink_to(notes.root / "nowhere")  # root may read everything: a link to nothing is unreadable for all
        report = await engine.update()
        assert report.failed == 1
        status = await notes.file("a.md")
        assert (status.state, status.reason) == ("failed", "the link points to nothing")
        assert await notes.found("heron", mode="lexical") == []
        notes.write("nowhere", "A heron stands in the pond.\n")
        await engine.update()
        assert (await notes.file("a.md")).state == "indexed"
        assert "a.md" in await notes.found("heron", mode="lexical")


async def test_a_file_that_cannot_be_read_any_more_links_nowhere_and_has_lost_its_aliases(notes: Notes) -> None:
    path = notes.write("a.md", "---\ntitle: Herons\naliases: [Waders]\n---\nSee [[b]].\n")
    notes.write("b.md", "See [[Waders]] and [[Herons]].\n")
    target = str(notes.root / "b.md")

    def links(graph: Graph) -> tuple[list[str], list[str]]:
        """Who links to b, and what is called Waders or Herons."""
        note = graph.notes.at(target)
        assert note is not None
        found = [graph.notes.by_name(name, target) for name in ("Waders", "Herons")]
        return (
            [link.note.path for link in graph.backlinks(Place(target, "note", note=note))],
            [place.path for one in found for place in one.places],
        )

    async with notes.open() as engine:
        await engine.update()
        assert await engine.graph(links) == ([str(path)], [str(path), str(path)])
        path.write_bytes(bytes(range(256)) * 20)
        await engine.update()
        status = await notes.file("a.md")
        assert (status.state, status.format, status.language, status.encoding) == ("skipped", "", "", "")
        assert await engine.graph(links) == ([], [])


async def test_every_file_has_a_state_with_a_reason(notes: Notes) -> None:
    notes.write("good.md", "Fine.\n")
    (notes.root / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (notes.root / "noise").write_bytes(bytes(range(256)) * 20)
    async with notes.open() as engine:
        await engine.update()
        states = {Path(file.path).name: (file.state, bool(file.reason)) for file in await engine.files()}
    assert states == {"good.md": ("indexed", False), "picture.png": ("skipped", True), "noise": ("skipped", True)}


async def test_a_file_larger_than_the_limit_is_skipped_and_the_reason_names_the_setting(notes: Notes) -> None:
    path = notes.write("big.md", "")
    with path.open("wb") as file:
        file.truncate(50_000_000)
    async with notes.open() as engine:
        report = await engine.update()
        assert report.skipped == 1
        assert "content.max_file_bytes = 20,000,000" in (await notes.file("big.md")).reason


async def test_a_folder_that_is_gone_hides_its_notes_and_embeds_nothing_when_it_is_back(notes: Notes) -> None:
    notes.write("a.md", "A heron stands in the pond.\n")
    async with notes.open() as engine:
        await engine.update(embed=True)
        before = await notes.embedded()
    notes.root.rename(notes.root.with_name("away"))
    async with notes.open() as engine:
        await notes.until(lambda: _file_is(notes, "a.md", "pending"))
        assert await notes.found("heron") == []
        assert "is not there" in (await notes.file("a.md")).reason
        notes.root.with_name("away").rename(notes.root)
        await engine.update(embed=True)
        assert await notes.found("heron") == ["a.md"]
        assert await notes.embedded() == 0
    assert before == 1


async def test_a_folder_that_is_away_does_not_keep_the_others_from_being_read(notes: Notes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.md").write_text("A kite.\n", encoding="utf-8")
    config = replace(notes.config(), folders=(Folder(path=str(other)), *notes.config().folders))
    async with notes.open(config) as engine:
        await engine.update()
        other.rename(tmp_path / "away")
        notes.write("a.md", "A heron stands in the pond.\n")
        notes.write("b.org", "* Old :ARCHIVE:\nThe gannet was archived.\n")
        report = await engine.update()
        assert (report.added, report.failed) == (2, 0)
        assert await notes.found("heron", mode="lexical") == ["a.md"]
        assert await notes.hits("kite", mode="lexical") == ()
        (tmp_path / "away").rename(other)
        await engine.update()
        assert len(await notes.hits("kite", mode="lexical")) == 1
    other.rename(tmp_path / "away")
    async with notes.open(config) as engine:
        await engine.update()
        await engine.reconfigure(replace(config, content=Content(archived=True)))
        await notes.until(lambda: _is_found(notes, "gannet"))


async def _is_found(notes: Notes, word: str) -> bool:
    return bool(await notes.found(word, mode="lexical"))


async def _file_is(notes: Notes, name: str, state: str) -> bool:
    return (await notes.file(name)).state == state


async def test_watching_makes_saved_text_searchable_without_being_asked(notes: Notes) -> None:
    notes.write("a.md", "Nothing yet.\n")
    async with notes.open(notes.config(watch="auto")):
        await notes.until(lambda: _has(notes, "nothing", "a.md"))
        temporary = notes.write("a.md.tmp", "The osprey dives.\n")
        temporary.replace(notes.root / "a.md")  # how editors save
        await notes.until(lambda: _has(notes, "osprey", "a.md"))
        notes.write("new/b.org", "* Gannet\nPlunges.\n")
        await notes.until(lambda: _has(notes, "gannet", "new/b.org"))
        shutil.rmtree(notes.root / "new")
        await notes.until(lambda: _lacks(notes, "gannet"))


async def _has(notes: Notes, query: str, name: str) -> bool:
    return name in await notes.found(query, mode="lexical")


async def _lacks(notes: Notes, query: str) -> bool:
    return not await notes.found(query, mode="lexical")


async def test_an_unchanged_tree_reads_nothing_again(notes: Notes) -> None:
    for number in range(60):
        notes.write(f"{number}.md", f"# Note {number}\nText.\n")
    async with notes.open() as engine:
        assert (await engine.update()).added + (await engine.update()).unchanged >= 60
        report = await engine.update()
    assert (report.unchanged, report.added, report.changed) == (60, 0, 0)


async def test_a_file_touched_without_a_change_keeps_its_entries(notes: Notes) -> None:
    path = notes.write("a.md", "Text.\n")
    async with notes.open() as engine:
        await engine.update()
        os.utime(path, (1, 1))
        report = await engine.update()
        assert (report.unchanged, report.changed) == (1, 0)
        (hit,) = await notes.hits("text", mode="lexical")
        assert hit.modified == 1.0


async def test_pause_keeps_new_files_pending_and_resume_reads_them(notes: Notes) -> None:
    async with notes.open() as engine:
        await engine.update()
        await engine.pause()
        assert (await engine.status()).paused
        notes.write("a.md", "A heron.\n")
        running = asyncio.create_task(engine.update())
        await notes.until(lambda: _is_pending(notes))
        assert await notes.found("heron", mode="lexical") == []
        await engine.resume()
        await running
        assert await notes.found("heron", mode="lexical") == ["a.md"]


async def _is_pending(notes: Notes) -> bool:
    assert notes.engine is not None
    return [file.state for file in await notes.engine.files()] == ["pending"]


async def test_a_run_can_be_cancelled_and_the_next_one_goes_on(notes: Notes) -> None:
    for number in range(400):
        notes.write(f"{number}.md", f"# Note {number}\nText of the heron.\n")
    async with notes.open() as engine:
        started = asyncio.Event()
        running = asyncio.create_task(engine.update(progress=lambda progress: started.set()))
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert {file.state for file in await engine.files()} <= {"indexed", "pending"}
        await engine.update()
        assert (await engine.status()).indexed == 400
        assert len(await notes.found("heron", limit=200, mode="lexical")) == 200


async def test_a_search_while_indexing_is_paused_answers_although_its_hit_has_changed(notes: Notes) -> None:
    path = notes.write("a.md", "A heron.\n")
    async with notes.open() as engine:
        await engine.update()
        await engine.pause()
        path.write_text("A grey heron.\n", encoding="utf-8")
        async with asyncio.timeout(60):
            assert await notes.found("heron", mode="lexical") == ["a.md"]
        await engine.resume()


async def test_a_directory_that_gitignore_lets_in_again_is_watched_from_then_on(notes: Notes) -> None:
    notes.write(".gitignore", "drafts/\n")
    notes.write("drafts/a.md", "A heron.\n")
    async with notes.open(notes.config(watch="auto")) as engine:
        await engine.update()
        assert await notes.found("heron", mode="lexical") == []
        notes.write(".gitignore", "")
        await notes.until(lambda: _finds(notes, "heron"))
        notes.write("drafts/b.md", "An osprey.\n")
        await notes.until(lambda: _finds(notes, "osprey"))


async def test_a_gitignore_file_that_changes_before_its_folder_is_watched_does_not_keep_directories_from_it(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, events_of = threading.Event(), watch.events_of

    def late(root: str, enter: Callable[[str], bool]) -> watch.Events:
        looked.wait(100)
        return events_of(root, enter)

    monkeypatch.setattr(watch, "events_of", late)
    notes.write(".gitignore", "drafts/\n")
    notes.write("drafts/a.md", "A heron.\n")
    async with notes.open(notes.config(watch="auto")) as engine:
        await engine.update()
        assert await notes.found("heron", mode="lexical") == []
        notes.write(".gitignore", "")
        looked.set()
        await notes.until(lambda: _finds(notes, "heron"))
        notes.write("drafts/b.md", "An osprey.\n")
        await notes.until(lambda: _finds(notes, "osprey"))


async def _finds(notes: Notes, query: str) -> bool:
    return bool(await notes.found(query, mode="lexical"))


async def test_an_index_within_a_folder_of_notes_is_no_note(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.index_dir = notes.root / "deep" / "index"
    notes.write("a.md", "A heron.\n")
    notes.write("index/b.md", "An osprey.\n")
    async with notes.open(notes.config(watch="auto")) as engine:
        await engine.update()
        assert sorted(await notes.found("heron osprey", mode="lexical")) == ["a.md", "index/b.md"]
        notes.write("deep/c.md", "A kite.\n")
        await notes.until(lambda: _finds(notes, "kite"))
        assert len(await engine.files()) == 3
