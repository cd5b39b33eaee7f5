"""Reading notes for a session without holding up the loop."""

import asyncio
from pathlib import Path

from khojd.content import decode
from khojd.content.model import ContentSettings
from khojd.errors import ContentError, NotFound, SkippedContent
from khojd.graph.sheet import Sheet
from khojd.index.reader import content_hash

LONG = 20_000  # characters from which a text is parsed in a thread: some 5 ms of work, and as much again for its marks


async def work_out(sheet: Sheet, reading: asyncio.Lock, *, marks: bool) -> None:
    """Parse an open document, once; a long one in a thread, one of them at a time."""
    if len(sheet.text) < LONG:
        _read(sheet, marks=marks)
        return
    async with reading:
        if not _is_read(sheet, marks=marks):
            await asyncio.to_thread(_read, sheet, marks=marks)


async def from_disk(path: str, settings: ContentSettings, *, marks: bool) -> Sheet:
    """The file as the index reads it. Raises NotFound, which names it."""
    return await asyncio.to_thread(_from_disk, path, settings, marks=marks)


def _from_disk(path: str, settings: ContentSettings, *, marks: bool) -> Sheet:
    sheet = unread(path, settings)
    _read(sheet, marks=marks)
    return sheet


def unread(path: str, settings: ContentSettings) -> Sheet:
    """The file as it is on disk, not parsed yet; for a thread. Raises NotFound, which names it."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(settings.max_file_bytes + 1)
    except OSError as error:
        raise NotFound(f"{path} is neither open nor can it be read: {(error.strerror or str(error)).lower()}", path=path) from None
    if len(data) > settings.max_file_bytes:
        raise NotFound(f"{path} is larger than content.max_file_bytes ({settings.max_file_bytes} bytes)", path=path)
    try:
        return Sheet(path, decode.decode(data).text, settings, digest=content_hash(data))
    except (SkippedContent, ContentError) as error:
        raise NotFound(f"{path} cannot be read as a note: {error.message}", path=path) from None


def _is_read(sheet: Sheet, *, marks: bool) -> bool:
    return "parsed" in sheet.__dict__ and (not marks or "marks" in sheet.__dict__)


def _read(sheet: Sheet, *, marks: bool) -> None:
    _ = sheet.lines, sheet.parsed
    if marks:
        _ = sheet.marks
