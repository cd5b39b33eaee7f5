"""search_notes and grep_notes."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from khojd.chat.model import Passage
from khojd.chat.tools import told
from khojd.chat.tools.registry import Context, Result, tool
from khojd.chat.tools.view import Shown, View, look, passages, show
from khojd.content.lines import LineIndex
from khojd.errors import NotFound
from khojd.graph.model import Note
from khojd.search.grep import LONGEST_LINE
from khojd.search.grep import grep as search_lines
from khojd.search.types import GrepMatch, GrepRequest, GrepResult

GREP_SECONDS = 15.0
MOST_FILES = 20  # with matches, that are shown

_SEARCH = """\
Search the notes by words and meaning. The query may hold filters: tag:name, -tag:name, file:part-of-path, date:2024-05, \
date>=2024-01-01, date:"last week", todo:any, type:org, +"exact words". Returns passages with numbers to cite."""
_GREP = "Find lines of the notes, as they are on disk, that match a regular expression (RE2): exact names, numbers, spellings."


class SearchArguments(Struct, frozen=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(description="words or a question, and filters", min_length=1, max_length=2000)]
    limit: Annotated[int, Meta(description="most passages, 8 if not given", ge=1, le=30)] = 8


class GrepArguments(Struct, frozen=True, forbid_unknown_fields=True):
    pattern: Annotated[str, Meta(description="regular expression", min_length=1, max_length=500)]
    file: Annotated[str, Meta(description="glob of files, e.g. *.org or journal/**")] = ""
    case_sensitive: Annotated[bool, Meta(description="whether letters' case counts")] = False
    context_lines: Annotated[int, Meta(description="lines around each match", ge=0, le=10)] = 1
    limit: Annotated[int, Meta(description="most matches", ge=1, le=100)] = 20


async def search(context: Context, arguments: SearchArguments) -> Result:
    found = await context.library.find(
        [arguments.query], within=context.filters, folders=context.folders, limit=arguments.limit, sheets=context.sheets
    )
    paths = {one.path for one in found.passages}
    inside = await look(context, lambda view: {path for path in paths if view.is_inside(path)})
    kept = [replace(one, origin="tool") for one in found.passages if one.path in inside]
    notes = list(found.notes)
    if lost := len(found.passages) - len(kept):
        notes.append(f"{told.several(lost, 'passage')} of files outside of the folders, to which symbolic links lead")
    head = f"{told.several(len(kept), 'passage')}, best first:" if kept else "Nothing is found. Try other words, or fewer filters."
    return await told.passages(context, kept, head, left_out=notes)


async def grep(context: Context, arguments: GrepArguments) -> Result:
    def candidates(view: View) -> tuple[dict[str, Note], tuple[str, ...]]:
        return {note.path: note for note in view.notes()}, view.graph.notes.roots

    notes, roots = await look(context, candidates)
    request = GrepRequest(
        arguments.pattern, (arguments.file,) if arguments.file else (), not arguments.case_sensitive, limit=arguments.limit
    )

    def work() -> GrepResult:
        stopped = context.stop.is_set
        return search_lines(request, notes, measure=len, cancelled=stopped, limit_s=GREP_SECONDS, roots=roots)

    result = await asyncio.to_thread(work)
    by_file: dict[str, list[GrepMatch]] = {}
    for match in result.matches:
        by_file.setdefault(match.path, []).append(match)
    found: list[Passage] = []
    changed = 0
    for path in list(by_file)[:MOST_FILES]:
        try:
            shown = await show(context, notes[path])
        except NotFound:
            changed += len(by_file[path])
            continue
        ranges, lost = await asyncio.to_thread(_ranges, shown, by_file[path], arguments.context_lines)
        changed += lost
        for start, end in ranges:
            found += await passages(context, shown, start, end)
    left_out = list(result.notes)
    if changed:
        left_out.append(f"{told.several(changed, 'matching line')} that an editor has changed since")
    if len(by_file) > MOST_FILES:
        left_out.append(f"matches of {len(by_file) - MOST_FILES} more files: narrow it with file")
    if result.truncated:
        left_out.append(f"there are more than {arguments.limit} matches: narrow the pattern, or raise limit")
    head = f"{told.counted(found)} hold lines that match:" if found else f"No line matches in {told.several(result.files, 'note')}."
    return await told.passages(context, found, head, left_out=left_out)


def _ranges(shown: Shown, matches: Sequence[GrepMatch], around: int) -> tuple[list[tuple[int, int]], int]:
    """The ranges of the lines with matches that may be shown, neighbours joined, and how many lines are there no longer."""
    lines = shown.lines
    found: list[tuple[int, int]] = []
    lost = 0
    for match in matches:
        line = _line(shown.text, lines, match)
        if line is None:
            lost += 1
            continue
        if not shown.allows(lines.starts[line], lines.end(line)):
            continue
        start, end = lines.starts[max(line - around, 0)], lines.end(min(line + around, len(lines) - 1))
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found, lost


def _line(text: str, lines: LineIndex, match: GrepMatch) -> int | None:
    """The line of a match in the text as the editor shows it: at its place, else the only one that reads the same."""
    line = match.range.start.line
    if match.line_offset or len(match.line) >= LONGEST_LINE:
        return line if line < len(lines) and match.line in text[lines.starts[line] : lines.end(line)] else None
    if line < len(lines) and text[lines.starts[line] : lines.end(line)] == match.line:
        return line
    same = [at for at in range(len(lines)) if text[lines.starts[at] : lines.end(at)] == match.line]
    return same[0] if len(same) == 1 else None


SEARCH = tool("search_notes", _SEARCH, SearchArguments, search)
GREP = tool("grep_notes", _GREP, GrepArguments, grep)
