"""What khojd does with an index on a disk that is full or may not be written. Run by test_disk.py in a mount namespace of its own:

python -m tests.faults.scarce SCENARIO DIRECTORY
"""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from khojd.errors import StorageFull
from khojd.sources.buffers import viewer
from tests.engine.conftest import Notes

QUESTION = "a bird by the water"


async def full(base: Path) -> None:
    """A disk that fills up while khojd runs, is still full at the next start, and then has room again."""
    notes = await indexed(base)
    async with notes.open() as engine:
        await engine.update(embed=True)
        fill(notes.index_dir)
        for number in range(20):
            notes.write(f"more/{number}.md", f"# Osprey {number}\n" + "An osprey dives. " * 3000)
        with pytest.raises(StorageFull, match="full"):
            await engine.update(embed=True)
        assert await notes.found("heron", mode="lexical") == ["a.md"]
        assert await notes.found(QUESTION, mode="semantic") == ["a.md"]
    async with notes.open() as engine:
        await notes.until(lambda: stopped(notes))
        status = await engine.status()
        assert any("full" in problem for problem in status.problems)
        assert "full" in status.model_problem
        assert await notes.found("heron") == ["a.md"]
        assert await notes.found(QUESTION, mode="semantic") == ["a.md"]
        await notes.until(lambda: idle(notes))  # it may retire
        (notes.index_dir / "ballast").unlink()
        await engine.update(embed=True)
        status = await engine.status()
        assert (status.indexed, status.vectors_pending, status.problems, status.model_problem) == (21, 0, (), ""), status
        assert (await notes.found(QUESTION, mode="semantic"))[0] == "a.md"
        assert len(await notes.found("osprey", limit=100, mode="lexical")) == 20


async def full_while_typing(base: Path) -> None:
    """Text that is typed while the disk is full is said to be missing, and is found when there is room again."""
    notes = await indexed(base)
    path = str(notes.root / "a.md")
    async with notes.open() as engine:
        await engine.update(embed=True)
        fill(notes.index_dir)
        viewer.set("editor")
        engine.open_buffer("editor", path, "An osprey dives. " * 10_000, 1)
        await notes.until(lambda: said(notes, path))
        (problem,) = (problem for problem in (await engine.status()).problems if path in problem)
        assert "is tried again" in problem
        assert "full" in problem or "No space" in problem, problem
        assert await notes.found("heron", mode="lexical") == ["a.md"]
        await notes.until(lambda: idle(notes))  # it may retire
        (notes.index_dir / "ballast").unlink()
        await notes.until(lambda: over(notes, path))
        (hit,) = await notes.hits("osprey", mode="lexical")
        assert hit.unsaved
        assert await notes.found("heron", mode="lexical") == []


async def said(notes: Notes, path: str) -> bool:
    """Whether the status has a problem with this file."""
    assert notes.engine is not None
    return any(path in problem for problem in (await notes.engine.status()).problems)


async def idle(notes: Notes) -> bool:
    assert notes.engine is not None
    return not notes.engine.busy


async def over(notes: Notes, path: str) -> bool:
    return not await said(notes, path)


async def read_only(base: Path) -> None:
    """A disk that is mounted read-only, after a clean end of khojd."""
    notes = await indexed(base)
    async with notes.open() as engine:
        await engine.update(embed=True)
    mount(notes.index_dir, "-o", "remount,ro")
    notes.write("b.md", "An osprey dives.\n")
    async with notes.open() as engine:
        await notes.until(lambda: stopped(notes))
        with pytest.raises(StorageFull, match="read-only"):
            await engine.update()
        status = await engine.status()
        assert any("read-only" in problem for problem in status.problems)
        assert await notes.found("heron", mode="lexical") == ["a.md"]
        assert await notes.found("heron") == ["a.md"]
        assert await notes.found(QUESTION, mode="semantic") == ["a.md"]
        assert await notes.found(QUESTION) == ["a.md"]
        assert status.model
        # A hit whose file was changed since is an answer, too.
        notes.write("a.md", "Changed: a heron stands in the pond.\n")
        assert await notes.found("heron", mode="lexical") == ["a.md"]
    mount(notes.index_dir, "-o", "remount,rw")
    async with notes.open() as engine:
        await engine.update(embed=True)
        assert await notes.found("osprey", mode="lexical") == ["b.md"]


async def read_only_and_empty(base: Path) -> None:
    """Where no index can be made, khojd says so and where."""
    notes = Notes(base)
    notes.index_dir.mkdir()
    mount(notes.index_dir, "-t", "tmpfs", "-o", "ro", "tmpfs")
    with pytest.raises(StorageFull, match=str(notes.index_dir)):
        async with notes.open():
            pass


async def indexed(base: Path) -> Notes:
    """A note, and a small disk for its index."""
    notes = Notes(base)
    notes.index_dir.mkdir()
    mount(notes.index_dir, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    notes.write("a.md", "A heron stands in the pond.\n")
    return notes


async def stopped(notes: Notes) -> bool:
    """Whether the trouble has been met, by the folder's first look and by the model."""
    assert notes.engine is not None
    status = await notes.engine.status()
    return bool(status.problems and status.model_problem)


def mount(place: Path, *options: str) -> None:
    subprocess.run(["mount", *options, str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with pytest.raises(OSError, match="No space left"), (disk / "ballast").open("ab", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


SCENARIOS = {scenario.__name__: scenario for scenario in (full, full_while_typing, read_only, read_only_and_empty)}

if __name__ == "__main__":
    asyncio.run(SCENARIOS[sys.argv[1]](Path(sys.argv[2])))
