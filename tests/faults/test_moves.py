"""Many files at once, moved directories, folders that come and go, while khojd watches."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from khojd.config import Config, Embedding
from tests.engine.conftest import Notes

MANY = 3000  # words of four digits: none begins another one, which would be found in its place


def watching(notes: Notes) -> Config:
    return replace(notes.config("auto"), embedding=Embedding(model="off"))


def holds(notes: Notes, expected: set[str]) -> Callable[[], Awaitable[bool]]:
    """Whether exactly these files are indexed, and searchable by the word they all have."""

    async def condition() -> bool:
        assert notes.engine is not None
        status = await notes.engine.status()
        if status.indexed != len(expected) or status.pending or status.words_pending:
            return False
        files = await notes.engine.files()
        return {str(Path(file.path).relative_to(notes.root)) for file in files} == expected

    return condition


def names(notes: Notes) -> set[str]:
    return {str(path.relative_to(notes.root)) for path in notes.root.rglob("*.md")}


@pytest.mark.timeout(600)
async def test_a_checkout_of_thousands_of_files_over_others_ends_in_the_right_index(notes: Notes) -> None:
    """Half of the files are rewritten, a quarter replaced by others, a quarter moved; as git does it, one after the other."""
    for number in range(MANY):
        notes.write(f"{number % 20}/{number}.md", f"# Before {number}\nThe heron of before{number:04}.\n")
    async with notes.open(watching(notes)) as engine:
        await engine.update()
        await notes.until(holds(notes, names(notes)), seconds=300)

        def checkout() -> None:
            for number in range(MANY):
                path = notes.root / f"{number % 20}/{number}.md"
                if number % 4 == 0:
                    path.unlink()
                    notes.write(f"new/{number % 20}/{number}.md", f"# After {number}\nThe heron of after{number:04}.\n")
                elif number % 4 == 1:
                    moved = notes.root / f"moved {number % 20}" / path.name
                    moved.parent.mkdir(exist_ok=True)
                    path.rename(moved)
                else:
                    fresh = path.with_name(path.name + ".lock")
                    fresh.write_text(f"# After {number}\nThe heron of after{number:04}.\n", encoding="utf-8")
                    fresh.replace(path)

        await asyncio.to_thread(checkout)
        notes.write("last.md", "# Last\nWhat was changed before this was told before it, or with it.\n")
        await notes.until(holds(notes, names(notes)), seconds=300)
        await notes.until(lambda: _idle(notes))  # also what was told with it is read
        report = await engine.update()  # what watching has missed would be found now
        assert (report.added, report.changed, report.removed, report.renamed) == (0, 0, 0, 0)
        assert report.unchanged == MANY + 1
        for number in (0, 4, 1000, 2996):
            assert await notes.found(f"after{number:04}", mode="lexical") == [f"new/{number % 20}/{number}.md"]
            assert await notes.found(f"before{number:04}", mode="lexical") == []
        for number in (1, 1001, 2997):
            assert await notes.found(f"before{number:04}", mode="lexical") == [f"moved {number % 20}/{number}.md"]
        for number in (2, 3, 2998):
            assert await notes.found(f"after{number:04}", mode="lexical") == [f"{number % 20}/{number}.md"]
            assert await notes.found(f"before{number:04}", mode="lexical") == []


async def _idle(notes: Notes) -> bool:
    assert notes.engine is not None
    return not notes.engine.busy


async def test_looks_that_overlap_lose_nothing(notes: Notes) -> None:
    """An editor that saves, the watcher and `khojd index` may all look at once, at renamed files with the same text."""
    for number in range(120):
        notes.write(f"{number}.md", f"# Heron\nOne of twelve kinds: kind{number % 12}.\n")
    async with notes.open(replace(notes.config(), embedding=Embedding(model="off"))) as engine:
        await engine.update()
        for turn in range(6):
            for number, path in enumerate(sorted(notes.root.rglob("*.md"))):
                if (number + turn) % 3:
                    path.rename(path.with_name(f"{turn} {number} {number % 12}.md"))
            await asyncio.gather(*(engine.update() for _ in range(4)))
            assert await holds(notes, names(notes))()
            assert len(await notes.found("heron", limit=200, mode="lexical")) == 120


async def test_a_directory_moved_back_and_forth_while_it_is_watched_is_found_where_it_ends(notes: Notes) -> None:
    for number in range(30):
        notes.write(f"one/deep/{number}.md", f"# Note {number}\nThe heron.\n")
    async with notes.open(watching(notes)) as engine:
        await engine.update()
        for turn in range(10):
            source, target = ("one", "two") if turn % 2 == 0 else ("two", "one")
            (notes.root / source).rename(notes.root / target)
            await asyncio.sleep(0.01 * turn)
        (notes.root / "one").rename(notes.root / "three")
        await notes.until(holds(notes, {f"three/deep/{number}.md" for number in range(30)}))
        notes.write("three/deep/late.md", "The osprey.\n")  # the moved directory is watched, too
        await notes.until(lambda: _finds(notes, "osprey", "three/deep/late.md"))


async def _finds(notes: Notes, query: str, name: str) -> bool:
    return name in await notes.found(query, mode="lexical")


async def test_loops_of_links_made_while_watching_add_nothing(notes: Notes) -> None:
    notes.write("a/note.md", "The heron.\n")
    async with notes.open(watching(notes)) as engine:
        await engine.update()
        (notes.root / "a" / "up").symlink_to(notes.root)
        (notes.root / "b").symlink_to(notes.root / "a")
        (notes.root / "ring").symlink_to("ring")
        notes.write("late.md", "The osprey.\n")
        await notes.until(lambda: _finds(notes, "osprey", "late.md"))
        report = await engine.update()
        assert (report.added, report.removed) == (0, 0)
        assert len(await notes.found("heron", mode="lexical")) == 1


async def test_a_folder_that_vanishes_and_comes_back_while_khojd_runs(notes: Notes) -> None:
    notes.write("a.md", "The heron.\n")
    notes.write("b.md", "The egret.\n")
    away = notes.root.with_name("away")
    async with notes.open(watching(notes)) as engine:
        await engine.update()
        notes.root.rename(away)
        await notes.until(lambda: _absent(notes))
        await notes.until(lambda: _lacks(notes, "heron"))  # it is hidden after that was said
        assert {file.state for file in await engine.files()} == {"pending"}  # hidden, not forgotten
        (away / "b.md").write_text("The osprey.\n", encoding="utf-8")
        away.rename(notes.root)
        await notes.until(lambda: _finds(notes, "heron", "a.md"))
        await notes.until(lambda: _finds(notes, "osprey", "b.md"))
        (folder,) = (await engine.status()).folders
        assert folder.problem == ""
        # And as another folder of that name, e.g. a fresh clone.
        shutil.rmtree(notes.root)
        notes.root.mkdir()
        notes.write("c.md", "The kestrel.\n")
        await notes.until(lambda: _finds(notes, "kestrel", "c.md"))
        await notes.until(lambda: _lacks(notes, "heron"))
        notes.write("d.md", "The merlin.\n")
        await notes.until(lambda: _finds(notes, "merlin", "d.md"))


async def _absent(notes: Notes) -> bool:
    assert notes.engine is not None
    (folder,) = (await notes.engine.status()).folders
    return "not there" in folder.problem


async def _lacks(notes: Notes, query: str) -> bool:
    return not await notes.found(query, mode="lexical")


async def test_an_old_file_put_in_the_place_of_a_newer_one_is_noticed(notes: Notes) -> None:
    """`cp -p`, `git checkout` and backups give files times of the past."""
    path = notes.write("a.md", "The heron.\n")
    async with notes.open(watching(notes)) as engine:
        await engine.update()
        old = notes.root.parent / "old.md"
        old.write_text("The egret.\n", encoding="utf-8")
        os.utime(old, (1, 1))
        old.replace(path)
        await notes.until(lambda: _finds(notes, "egret", "a.md"))
        assert await _lacks(notes, "heron")
