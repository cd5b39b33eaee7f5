"""Conversations on a disk that is full or may not be written. Run by test_store.py in a mount namespace of its own:

python -m tests.chat.scarce SCENARIO DIRECTORY
"""

import asyncio
import sys
from pathlib import Path

import pytest

from khojd.chat.model import Turn
from khojd.chat.store import Conversations, new_id
from khojd.errors import NotFound, StorageFull
from tests.faults.scarce import fill, mount

LONG = "An osprey dives. " * 100_000


def turn(conversation: str, answer: str) -> Turn:
    return Turn(new_id(), conversation, "why?", answer=answer, state="complete")


async def made(base: Path) -> str:
    """A small disk, with one conversation that was cut off; its id."""
    mount(base, "-t", "tmpfs", "-o", "size=4m", "tmpfs")
    store = await Conversations.open(base)
    one = await store.begin("why?")
    await store.add(Turn(new_id(), one.id, "why?", answer="because"))
    await store.close()
    return one.id


async def full(base: Path) -> None:
    """The disk fills up while khojd runs, and then has room again."""
    id = await made(base)
    store = await Conversations.open(base)
    fill(base)
    with pytest.raises(StorageFull, match="full"):
        for _ in range(20):
            await store.add(turn(id, LONG))
    before = len(await store.turns(id))
    with pytest.raises(StorageFull):
        await store.add(turn(id, LONG))
    assert len(await store.turns(id)) == before
    assert (await store.turns(id))[0].answer == "because"
    (base / "ballast").unlink()
    await store.add(turn(id, "room"))
    assert (await store.turns(id))[-1].answer == "room"
    await store.close()


async def full_from_the_start(base: Path) -> None:
    """The disk is full when khojd starts, and has room later."""
    id = await made(base)
    fill(base)
    store = await Conversations.open(base)
    assert "cannot be written" in store.problem
    (cut,) = await store.turns(id)
    assert (cut.answer, cut.state) == ("because", "failed")
    with pytest.raises(StorageFull):
        await store.begin("more?")
    assert len(await store.list("because")) == 1
    (base / "ballast").unlink()
    more = await store.begin("more?")
    assert store.problem == ""
    assert [one.id for one in await store.list()] == [more.id, id]
    await store.close()


async def read_only(base: Path) -> None:
    """The disk is mounted read-only."""
    id = await made(base)
    mount(base, "-o", "remount,ro")
    store = await Conversations.open(base)
    assert "read-only" in store.problem
    (cut,) = await store.turns(id)
    assert (cut.answer, cut.state) == ("because", "failed")
    for write in (store.begin("x"), store.delete(id), store.rename(id, "x"), store.fork(cut.id), store.put_aside(cut.id)):
        with pytest.raises(StorageFull, match="read-only"):
            await write
    assert [one.title for one in await store.list()] == ["why?"]
    mount(base, "-o", "remount,rw")
    await store.rename(id, "now")
    assert (await store.get(id)).title == "now"
    await store.close()


async def read_only_and_empty(base: Path) -> None:
    """Nothing was ever kept, and nothing can be."""
    mount(base, "-t", "tmpfs", "-o", "ro", "tmpfs")
    store = await Conversations.open(base)
    assert "read-only" in store.problem
    assert await store.list() == []
    with pytest.raises(NotFound):
        await store.turns("0" * 16)
    with pytest.raises(StorageFull, match="read-only"):
        await store.begin("x")
    await store.close()


if __name__ == "__main__":
    scenarios = (full, full_from_the_start, read_only, read_only_and_empty)
    asyncio.run({scenario.__name__: scenario for scenario in scenarios}[sys.argv[1]](Path(sys.argv[2])))
