"""`khojd grep`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from khojd.cli import output
from khojd.cli.connection import connect, folders
from khojd.cli.empty import why_nothing
from khojd.cli.failure import Exit
from khojd.cli.search import Folder, Json

if TYPE_CHECKING:
    from khojd.server.types import GrepMatch


def grep(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="A regular expression (RE2 syntax).")],
    globs: Annotated[
        list[str] | None, typer.Argument(metavar="[GLOB]...", help="Only files that match one of these.", show_default=False)
    ] = None,
    *,
    ignore_case: Annotated[bool, typer.Option("-i", "--ignore-case", help="Take capitals and small letters for the same.")] = False,
    context: Annotated[int, typer.Option("-C", "--context", min=0, max=50, help="Lines shown before and after a match.")] = 0,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=10_000, help="Most matches shown.")] = 200,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Find lines that match a regular expression.

    The notes are read as they are on disk; the time it takes is in proportion to their size, whatever the pattern.
    """
    from khojd.server.types import GrepParams, GrepResult

    params = GrepParams(
        pattern=pattern, globs=tuple(globs or ()), ignore_case=ignore_case, context=context, limit=limit, folders=folders(folder)
    )
    with connect() as client:
        result = client.call("khoj/grep", params, GrepResult)
        why = ""
        if not result.matches:
            why = f"no match in {output.count(result.files, 'file')}" if result.files else why_nothing(client, params.folders)
    if as_json:
        output.json(result)
    else:
        _show(result.matches, grouped=context > 0)
        for note in result.notes:
            output.say(f"note: {note}")
        if result.truncated and len(result.matches) >= limit:  # else the time was up, as a note says
            output.say(f"note: there are more matches than {limit}; ask for more with -n")
    if why:
        if not as_json:
            output.say(why)
        raise typer.Exit(Exit.NOTHING)


def _show(matches: "tuple[GrepMatch, ...]", *, grouped: bool) -> None:
    """`path:line: text`, as grep has it; lines around a match have a `-` instead. Each line is printed once."""
    style = output.Style()
    files: dict[str, dict[int, _Line]] = {}
    for match in matches:
        lines = files.setdefault(match.path, {})
        span = match.location.range
        here = span.start.line
        for number, text in enumerate((*match.before, match.line, *match.after), start=here - len(match.before)):
            line = lines.setdefault(number, _Line(text))
            if number == here:
                line.spans.append((span.start.character, span.end.character))
    separate = False
    for path, lines in files.items():
        before = -2
        for number in sorted(lines):
            if grouped and separate and number != before + 1:
                print(style("--", "dim"))
            separate, before = True, number
            mark = ":" if lines[number].spans else "-"
            place = (style(output.shown(path), "magenta"), style(str(number + 1), "green"))
            print(style(mark, "dim").join((*place, f" {lines[number].painted(style)}")).rstrip())
    sys.stdout.flush()


class _Line:
    """A line of a file, with the ranges of it that matched."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: list[tuple[int, int]] = []

    def painted(self, style: output.Style) -> str:
        # Of a very long line only a part comes, and where the match stands in it is not told.
        if not all(start <= end <= len(self.text) for start, end in self.spans):
            return output.harmless(self.text)
        pieces, at = [], 0
        for start, end in sorted(self.spans):
            pieces += [output.harmless(self.text[at:start]), style(output.harmless(self.text[start:end]), "bold", "red")]
            at = end
        return "".join(pieces) + output.harmless(self.text[at:])
