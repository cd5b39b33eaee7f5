"""Reading notes for a session without holding up the loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from khojd.content.model import ContentSettings
from khojd.graph import sheet as sheets
from khojd.graph.sheet import Sheet
from khojd.graph.stop import Stop

T = TypeVar("T")

LONG = 20_000  # characters from which a text is parsed in a thread: some 5 ms of work, and as much again for its marks


async def work_out(sheet: Sheet, reading: asyncio.Lock, *, marks: bool) -> None:
    """Parse an open document, once; a long one in a thread, one of them at a time."""
    if len(sheet.text) < LONG:
        _read(sheet, marks=marks)
        return
    async with reading:
        if not _is_read(sheet, marks=marks):
            await asyncio.to_thread(_read, sheet, marks=marks)


async def on_thread(work: Callable[[Stop], T]) -> T:
    """The result of `work` on a thread; it checks the stop it is given between its steps, and ends when who asked is cancelled."""
    stop = Stop()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()


async def go_through(sheet: Sheet, work: Callable[[], T]) -> T:
    """The result of `work`, which takes its time from the length of the note: of a long one it is done in a thread."""
    return work() if len(sheet.text) < LONG else await asyncio.to_thread(work)


async def from_disk(path: str, settings: ContentSettings, *, marks: bool) -> Sheet:
    """The file as the index reads it. Raises NotFound, which names it."""
    return await asyncio.to_thread(_from_disk, path, settings, marks=marks)


def _from_disk(path: str, settings: ContentSettings, *, marks: bool) -> Sheet:
    sheet = sheets.from_disk(path, settings)
    _read(sheet, marks=marks)
    return sheet


def _is_read(sheet: Sheet, *, marks: bool) -> bool:
    return sheet.is_parsed and (not marks or sheet.has_marks)


def _read(sheet: Sheet, *, marks: bool) -> None:
    _ = sheet.lines, sheet.parsed
    if marks:
        _ = sheet.marks
