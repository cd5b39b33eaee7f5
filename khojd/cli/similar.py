"""`khojd similar`."""

import os
import re
from typing import Annotated

import typer

from khojd.cli import output
from khojd.cli.connection import absolute, connect, folders
from khojd.cli.empty import why_nothing
from khojd.cli.failure import Exit
from khojd.cli.search import Folder, Json
from khojd.errors import NotFound, QueryError

_LINES = re.compile(r"(?P<path>.+?):(?P<first>\d+)(?:-(?P<last>\d+))?")


def similar(
    place: Annotated[
        str | None,
        typer.Argument(metavar="[PATH[:LINE[-LINE]]]", help="A note, a line of it, or a range of lines.", show_default=False),
    ] = None,
    *,
    text: Annotated[str, typer.Option(metavar="TEXT", help="More like this text, instead of a note.")] = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=200, help="Number of hits, 1 to 200.")] = 10,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Find notes like a note, a part of one, or a text.

    The place itself is never among the hits.
    """
    from khojd.cli.hits import show
    from khojd.server.types import Position, Range, SearchResult, SimilarParams

    if (place is None) == (not text):
        raise QueryError("give either a note, as PATH or PATH:LINE, or --text TEXT")
    path, first, last = _parsed(place) if place is not None else ("", None, None)
    params = SimilarParams(
        text=text,
        path=path,
        position=Position(line=first, character=0) if first is not None and last is None else None,
        range=Range(start=Position(line=first, character=0), end=Position(line=last + 1, character=0))
        if first is not None and last is not None
        else None,
        limit=limit,
        folders=folders(folder),
    )
    with connect() as client:
        result = client.call("khoj/similar", params, SearchResult)
        why = "" if result.hits else why_nothing(client, params.folders)
    if as_json:
        output.json(result)
    else:
        show(result)
    if why:
        if not as_json:
            output.say(why)
        raise typer.Exit(Exit.NOTHING)


def _parsed(place: str) -> tuple[str, int | None, int | None]:
    """Absolute path, first and last line (from 0). Raises NotFound, QueryError."""
    path = absolute(place)
    found = None if os.path.exists(path) else _LINES.fullmatch(place)  # noqa: PTH110
    if found is None:
        return _existing(path), None, None
    first, last = int(found["first"]), int(found["last"]) if found["last"] else None
    if first < 1 or (last is not None and last < first):
        raise QueryError(f"{place}: lines are counted from 1, and a range is FIRST-LAST", part=place)
    return _existing(absolute(found["path"])), first - 1, last - 1 if last is not None else None


def _existing(path: str) -> str:
    if not os.path.isfile(path):  # noqa: PTH113
        what = "is a folder; name a note in it" if os.path.isdir(path) else "does not exist"  # noqa: PTH112
        raise NotFound(f"{path} {what}", path=path)
    return path
