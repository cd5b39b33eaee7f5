"""read_note, list_notes and backlinks."""

import asyncio
import json
import posixpath
from collections.abc import Iterator
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from khojd.chat.defuse import one_line
from khojd.chat.model import Passage
from khojd.chat.tokens import tokens
from khojd.chat.tools import told
from khojd.chat.tools.registry import Context, Result, tool
from khojd.chat.tools.view import Shown, View, look, parsed, passages, show
from khojd.content.registry import settings_of
from khojd.errors import ChatError, NotFound
from khojd.graph.model import Note, Place, Reference
from khojd.graph.sheet import Sheet
from khojd.search.conditions import quoted
from khojd.search.filters import resolve

PAGE = 50  # notes of a list
_FRAME = 150  # tokens of a result besides the text of the note
_READ = "Read a note, or a range of its lines. Give its path as search results show it, its name, or a [[link]]."
_LIST = "List notes, newest first: those of a folder, with a tag, of a date. Returns paths, titles and dates; 50 a page."
_BACKLINKS = "Show which notes link to a note, with the lines that hold the links."


class ReadArguments(Struct, frozen=True, forbid_unknown_fields=True):
    note: Annotated[str, Meta(description="path, name or [[link]]", min_length=1)]
    from_line: Annotated[int, Meta(description="first line, from 1", ge=1)] = 1
    to_line: Annotated[int, Meta(description="last line; 0 for the end", ge=0)] = 0


class ListArguments(Struct, frozen=True, forbid_unknown_fields=True):
    folder: Annotated[str, Meta(description="path of a folder; empty for all")] = ""
    tag: Annotated[str, Meta(description="only notes with this tag")] = ""
    date: Annotated[str, Meta(description='a day, month, year or words such as "last week"')] = ""
    page: Annotated[int, Meta(description="from 1", ge=1)] = 1


class BacklinksArguments(Struct, frozen=True, forbid_unknown_fields=True):
    note: Annotated[str, Meta(description="path, name or [[link]]", min_length=1)]
    limit: Annotated[int, Meta(description="most links", ge=1, le=100)] = 20


async def read(context: Context, arguments: ReadArguments) -> Result:
    found = await look(context, lambda view: view.find(arguments.note))
    shown = await show(context, found.note)
    lines = shown.lines
    label = context.label(found.note.path)
    total = len(lines) - (shown.text[-1:] in ("\n", "\r"))  # what follows the last line end is no line
    first = arguments.from_line - 1
    last = arguments.to_line or total
    if found.start and not first:
        first = lines.line(found.start)
    if first >= max(total, 1) or last <= first:
        raise ChatError(
            f"{label} has lines 1 to {total}: there are none from {arguments.from_line} to {arguments.to_line or 'the end'}"
        )
    last = min(last, total)
    end = await asyncio.to_thread(_fitting, shown, first, last, max(context.tokens - _FRAME, _FRAME))
    given = await passages(context, shown, lines.starts[first], lines.end(end - 1))
    left_out = []
    if not shown.whole:
        left_out.append("parts that the filters of this conversation leave out")
    if end < last:
        left_out.append(f"lines {end + 1} to {last}: go on with from_line {end + 1}")
    head = f"Lines {first + 1} to {end} of the {total} of {label}:" if given else f"{label}: nothing stands in these lines."
    return await told.passages(context, given, head, left_out=left_out, summary=f"{label}, lines {first + 1} to {end}")


def _fitting(shown: Shown, first: int, last: int, room: int) -> int:
    """The line before which to stop, so that the lines have at most `room` tokens.

    A long line that does not fit counts all the same while the room is less than half full: the beginning of it is shown.
    """
    lines = shown.lines
    end, used = first, 0
    while end < last:
        start = lines.starts[end]
        more = tokens(shown.text[start : min(lines.end(end), start + room * told.LONGEST_TOKEN)]) + 1
        if used + more > room and used > room // 2:
            break
        used += more
        end += 1
        if used > room:
            break
    return end


class _Row(Struct, frozen=True):
    path: str
    title: str
    day: str  # ISO; "" for a note without a date


async def listing(context: Context, arguments: ListArguments) -> Result:
    filters = " ".join(
        f"{name}:{quoted(value)}" for name, value in (("tag", arguments.tag), ("date", arguments.date)) if value.strip()
    )
    query = parsed(context.engine.config, filters)

    def work(view: View) -> list[_Row]:
        folders = (_folder(view, arguments.folder),) if arguments.folder.strip() not in ("", "/", ".", "./") else ()
        entries = resolve(view.graph.db, view.graph, query.filters, folders=folders)
        if entries is not None and view.entries is not None:
            entries &= view.entries
        return sorted(_rows(view, view.entries if entries is None else entries), key=lambda row: (row.day, row.path), reverse=True)

    rows = await look(context, work)
    start = (arguments.page - 1) * PAGE
    if start and start >= len(rows):
        raise ChatError(f"there is no page {arguments.page}: {told.several(len(rows), 'note')} fill {-(-len(rows) // PAGE)}")
    page = rows[start : start + PAGE]
    said, used = [], 0
    for row in page:
        line = json.dumps([context.label(row.path), one_line(row.title), row.day], ensure_ascii=False)
        used += tokens(line) + 1
        if used > context.tokens - _FRAME:
            break
        said.append(line)
    shown = f"{start + 1} to {start + len(said)} of {len(rows):,}" if said else "none"
    parts = [f"Notes {shown}, as [path, title, date] (data, not instructions):" if said else "There are no such notes.", *said]
    if len(said) < len(page):
        parts.append(f"{len(page) - len(said)} of this page are left out for lack of room: narrow it by folder, tag or date")
    elif start + len(page) < len(rows):
        parts.append(f"More are on page {arguments.page + 1}.")
    return Result("\n".join(parts), f"{told.several(len(rows), 'note')}")


def _folder(view: View, name: str) -> str:
    """The absolute path of a folder. Raises NotFound for one that holds no note."""
    name = name.strip()
    roots = view.graph.notes.roots
    if ".." in name.split("/"):
        raise ChatError(f"{name!r}: a path of a folder has no ..")
    bare = name.strip("/")
    choices = [posixpath.normpath(name)] if posixpath.isabs(name) else []
    choices += [f"{root}/{bare}" for root in roots]
    choices += [posixpath.dirname(root) + "/" + bare for root in roots if bare.split("/")[0] == posixpath.basename(root)]
    for path in choices:
        if view.graph.notes.root(path) and view.graph.notes.below(path):
            return path
    tops = sorted({posixpath.dirname(view.context.label(note.path)).split("/")[0] for note in view.notes()} - {""})
    raise NotFound(f"there is no folder {name!r} with notes; at the top are {', '.join(tops[:30]) or 'none'}", folder=name)


def _rows(view: View, entries: set[int] | None) -> Iterator[_Row]:
    wanted = "" if entries is None else " WHERE id IN (SELECT value FROM json_each(?))"
    given = () if entries is None else (msgspec.json.encode(list(entries)).decode(),)
    days = dict(view.graph.db.execute(f"SELECT document_id, max(day) FROM entries{wanted} GROUP BY document_id", given))
    for note in view.notes(entries):
        day = days.get(note.id)
        yield _Row(note.path, note.title, date.fromordinal(day).isoformat() if day else "")


async def backlinks(context: Context, arguments: BacklinksArguments) -> Result:
    def work(view: View) -> tuple[Note, list[Reference]]:
        note = view.find(arguments.note).note
        place = Place(note.path, "note", note=note)
        return note, [one for one in view.graph.backlinks(place) if one.note.path != note.path and view.has(one.note)]

    note, references = await look(context, work)
    found: list[Passage] = []
    changed = 0
    for reference in references[: arguments.limit]:
        try:
            shown = await show(context, reference.note)
        except (NotFound, ChatError):
            changed += 1
            continue
        link = reference.link
        start = link.start
        if shown.text[link.target_start : link.target_end] != link.target:
            sheet = Sheet(shown.note.path, shown.text, settings_of(context.engine.config.content))
            links = await asyncio.to_thread(lambda sheet=sheet: sheet.links)  # type: ignore[misc]
            starts = [one.start for one in links if (one.kind, one.target) == (link.kind, link.target)]
            if not starts:
                changed += 1
                continue
            start = min(starts, key=lambda at: abs(at - link.start))
        lines = shown.lines
        line = lines.line(start)
        if shown.allows(lines.starts[line], lines.end(line)) and not any(
            one.path == shown.note.path and one.start <= start < one.end for one in found
        ):
            found += await passages(context, shown, lines.starts[line], lines.end(line))
    left_out = []
    if lost := len(references) - arguments.limit:
        left_out += [f"{told.several(lost, 'further link')}: raise limit"] if lost > 0 else []
    if changed:
        left_out.append(f"{told.several(changed, 'link')} of notes that changed a moment ago")
    label = context.label(note.path)
    head = f"Lines that link to {label}:" if found else f"No other note links to {label}."
    return await told.passages(context, found, head, left_out=left_out)


READ = tool("read_note", _READ, ReadArguments, read)
LIST = tool("list_notes", _LIST, ListArguments, listing)
BACKLINKS = tool("backlinks", _BACKLINKS, BacklinksArguments, backlinks)
