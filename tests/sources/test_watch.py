"""Changes on disk are noticed, whatever happens to the folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from khojd.sources import watch
from khojd.sources.watch import FolderWatch


class Seen:
    """Collects what a watch tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()
        self.looks = 0

    async def __call__(self, paths: frozenset[str] | None) -> None:
        self.looks += paths is None
        await self.told.put(paths)

    async def until(self, path: Path) -> None:
        """Wait until `path`, or the whole folder, was told of."""
        async with asyncio.timeout(20):
            while (told := await self.told.get()) is not None and str(path) not in told:
                pass

    async def look(self) -> None:
        async with asyncio.timeout(20):
            while await self.told.get() is not None:
                pass


@asynccontextmanager
async def watched(root: Path, *, poll: bool = False) -> AsyncIterator[tuple[FolderWatch, Seen]]:
    seen = Seen()
    status = FolderWatch(root, seen, poll=poll, debounce_ms=20, status=lambda: None)
    task = asyncio.create_task(status.run())
    try:
        await seen.look()  # the first look: from here on nothing is missed
        yield status, seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_new_changed_renamed_and_deleted_files_are_told(tmp_path: Path) -> None:
    async with watched(tmp_path) as (status, seen):
        note = tmp_path / "a.md"
        note.write_text("one", encoding="utf-8")
        await seen.until(note)
        other = tmp_path / "other.tmp"
        other.write_text("two", encoding="utf-8")
        other.replace(note)  # how editors save
        await seen.until(note)
        note.unlink()
        await seen.until(note)
        assert status.mode == "events"
        assert status.problem == ""


async def test_a_directory_that_is_moved_in_is_told(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new/a.md").write_text("one", encoding="utf-8")
    async with watched(root) as (_, seen):
        (tmp_path / "new").rename(root / "new")
        await seen.until(root / "new")


async def test_very_many_changes_at_once_call_for_a_look_at_everything(tmp_path: Path) -> None:
    async with watched(tmp_path) as (_, seen):
        for number in range(watch.MANY_CHANGES + 500):
            (tmp_path / f"{number}.md").touch()
        last = tmp_path / "last.md"
        last.touch()
        await seen.until(last)


async def test_a_folder_that_vanishes_is_waited_for_and_looked_at_when_it_is_back(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    async with watched(root) as (status, seen):
        away = root.rename(tmp_path / "away")
        await seen.look()
        assert "is not there" in status.problem
        away.rename(root)
        await seen.look()
        async with asyncio.timeout(20):
            while status.problem:
                await asyncio.sleep(0.01)
        note = root / "a.md"
        note.write_text("one", encoding="utf-8")
        await seen.until(note)


async def test_polling_looks_at_everything_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)
    async with watched(tmp_path, poll=True) as (status, seen):
        await seen.look()
        await seen.look()
        assert status.mode == "polling"
