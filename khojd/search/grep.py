"""A regular expression over files as they are on disk.

The engine is RE2 (PyPI `google-re2`), whose time is linear in the text: no pattern can hang the daemon. Matches stay within a line.
A file is searched as one text with line ends as LF, in UTF-8, so that the engine's speed counts and not Python's loop over lines.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from msgspec import Struct

from khojd.content.decode import decode
from khojd.content.signatures import binary_kind
from khojd.errors import Cancelled, ContentError, QueryError, SkippedContent
from khojd.search.paths import Globs, below
from khojd.search.types import GrepMatch, GrepRequest, GrepResult, Measure, Place, Range

LONGEST_LINE = 2000  # characters of a line that are shown
MOST_CONTEXT = 50
MOST_BYTES = 100_000_000  # of a file: it is held in memory as a whole, several times over
_HEAD = 4096  # bytes that tell most binary files, films among them, before they are read
_MOST_NAMED = 5
_LINES = "(?m)"  # ^ and $ are a line's
_CHECK_EVERY = 256  # matches between looks at the clock


def grep(
    request: GrepRequest,
    files: Iterable[str],
    *,
    measure: Measure,
    cancelled: Callable[[], bool],
    limit_s: float,
    roots: Sequence[str] = (),
) -> GrepResult:
    """Matches of `request.pattern` in `files` (absolute paths), in the order given.

    Globs with `/` are anchored at the folder of `roots` that holds the file; one that starts with `!` leaves files out. An empty
    match counts for a line without another one. Files that cannot be read are named in the notes; what a time limit of `limit_s`
    seconds leaves undone is said there too. Raises QueryError for a wrong pattern or glob, Cancelled.
    """
    if not 0 <= request.context <= MOST_CONTEXT:
        raise QueryError(
            f"context is {request.context}; 0 to {MOST_CONTEXT} lines", part="context", allowed=[f"0 to {MOST_CONTEXT}"]
        )
    search = _compiled(request.pattern, ignore_case=request.ignore_case)
    globs = Globs(request.globs)
    run = _Run(request, search, measure, cancelled, monotonic() + limit_s)
    tops = sorted(roots, key=len, reverse=True)
    for path in files:
        if below(path, request.folders) and globs.matches(path, next((top for top in tops if below(path, (top,))), "")):
            run.file(path)
            if run.truncated:
                break
    notes = run.notes()
    if run.late:
        notes.append(f"stopped after {limit_s:g} seconds, at {run.late}; what follows is not searched: narrow it by globs")
    return GrepResult(tuple(run.matches), run.files, run.truncated, tuple(notes))


class _Line(Struct, frozen=True):
    """A line that matches: its number and the matches as byte ranges within the text."""

    number: int
    start: int
    end: int
    spans: list[tuple[int, int]]


class _Late(Exception):
    """The time is up."""


class _Run:
    def __init__(self, request: GrepRequest, search: Any, measure: Measure, cancelled: Callable[[], bool], deadline: float) -> None:
        self.request = request
        self.search = search
        self.measure = measure
        self.cancelled = cancelled
        self.deadline = deadline
        self.matches: list[GrepMatch] = []
        self.files = 0
        self.truncated = False
        self.late = ""  # the file at which the time was up
        self._problems: list[str] = []
        self._binary = 0

    def file(self, path: str) -> None:
        """Search one file."""
        try:
            self._check()
            text = decode(_bytes(path)).text
            self.files += 1
            # Line ends are LF, CRLF and a lone CR; neither columns nor line numbers change.
            data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "surrogatepass")
            self._text(path, data)
        except SkippedContent:
            self._binary += 1
        except ContentError as error:
            self._problems.append(f"{path}: {error.message}")
        except OSError as error:
            self._problems.append(f"{path}: {error.strerror or error}")
        except _Late:
            self.late, self.truncated = path, True

    def notes(self) -> list[str]:
        """What was left out."""
        notes = [f"not searched: {problem}" for problem in self._problems[:_MOST_NAMED]]
        if len(self._problems) > _MOST_NAMED:
            notes.append(f"not searched: {len(self._problems) - _MOST_NAMED} more files that cannot be read")
        if self._binary:
            notes.append(f"not searched: {self._binary} binary file{'s' if self._binary > 1 else ''}")
        return notes

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled("the search was cancelled")
        if monotonic() > self.deadline:
            raise _Late

    def _text(self, path: str, data: bytes) -> None:
        for line in self._lines(data):
            whole = data[line.start : line.end].decode("utf-8", "surrogatepass")
            before = self._beside(data, line, after=False)
            after = self._beside(data, line, after=True)
            for start, end in line.spans:
                if len(self.matches) >= self.request.limit:
                    self.truncated = True
                    return
                head = data[line.start : start].decode("utf-8", "surrogatepass")
                upto = head + data[start:end].decode("utf-8", "surrogatepass")
                place = Range(Place(line.number, self.measure(head)), Place(line.number, self.measure(upto)))
                shown, left_out = _window(whole, len(head))
                self.matches.append(GrepMatch(path, place, shown, before, after, left_out))

    def _lines(self, data: bytes) -> Iterator[_Line]:
        """Lines with matches. Lines are counted between matches only."""
        number = counted = 0
        current: _Line | None = None
        for seen, match in enumerate(self.search.finditer(data)):
            if seen % _CHECK_EVERY == 0:
                self._check()
            start, end = match.span()
            if start == len(data) and (not data or data.endswith(b"\n")):
                break  # there is no line after the last line end
            if start == end and data[start : start + 1] and data[start] & 0xC0 == 0x80:
                continue  # inside a character
            if current is not None and start <= current.end:
                self._add(current, start, end)
                continue
            if current is not None:
                yield current
            number += data.count(b"\n", counted, start)
            counted = start
            line_end = data.find(b"\n", start)
            current = _Line(number, data.rfind(b"\n", 0, start) + 1, len(data) if line_end < 0 else line_end, [(start, end)])
        if current is not None:
            yield current

    def _add(self, line: _Line, start: int, end: int) -> None:
        """One more match of a line. Empty ones do not count beside others, and no more are kept than can be told."""
        first_start, first_end = line.spans[0]
        if first_start == first_end:
            if start < end:
                line.spans[0] = (start, end)
        elif start < end and len(line.spans) <= self.request.limit:
            line.spans.append((start, end))

    def _beside(self, data: bytes, line: _Line, *, after: bool) -> tuple[str, ...]:
        found: list[str] = []
        at = line.end + 1 if after else line.start - 1
        while len(found) < self.request.context and (at < len(data) if after else at >= 0):
            if after:
                start, end = at, data.find(b"\n", at)
                end = len(data) if end < 0 else end
                at = end + 1
            else:
                start, end = data.rfind(b"\n", 0, at) + 1, at
                at = start - 1
            # A character has at most four bytes; the cut may fall within one.
            found.append(data[start : min(end, start + 4 * LONGEST_LINE)].decode("utf-8", "ignore")[:LONGEST_LINE])
        return tuple(found if after else reversed(found))


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line that is shown, with the match in its first tenth, and how many characters before it are left out."""
    if len(line) <= LONGEST_LINE:
        return line, 0
    start = min(max(0, column - LONGEST_LINE // 10), len(line) - LONGEST_LINE)
    return line[start : start + LONGEST_LINE], start


def _bytes(path: str) -> bytes:
    """A file, if it may be text. Raises SkippedContent, ContentError, OSError."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
        if kind := binary_kind(head):
            raise SkippedContent(f"binary file ({kind})")
        data = head + file.read(MOST_BYTES + 1 - len(head))
    if len(data) > MOST_BYTES:
        raise ContentError(f"it has more than {MOST_BYTES:,} bytes")
    return data


def _compiled(pattern: str, *, ignore_case: bool) -> Any:
    """Raises QueryError with `position`, the code point in `pattern` where it goes wrong, if that is known."""
    import re2  # a native library, loaded when needed

    if not pattern:
        raise QueryError("the pattern is empty", part="", allowed=[])
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.never_nl = True
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(_LINES + pattern, options)
    except UnicodeEncodeError as error:
        position = error.start - len(_LINES)
        said = f"the pattern has a lone surrogate at character {position + 1}"
        raise QueryError(said, part=pattern[:80], position=position, allowed=[]) from error
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise _refused(pattern, said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from error


def _refused(pattern: str, said: str) -> QueryError:
    """RE2 names the part at fault but not its place; Python's own parser, which shares most of the syntax, knows the place."""
    said = said.replace(_LINES, "", 1)  # which nobody has written
    why, _, part = said.partition(": ")
    position: int | None = None
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        position = getattr(error, "pos", None)
    if position is None and part and pattern.count(part) == 1:
        position = pattern.index(part)
    at = "" if position is None else f" at character {position + 1}"
    hint = "; look-around and back-references are not part of the syntax (RE2)" if "(?" in part or "escape" in why else ""
    return QueryError(
        f"the pattern is not a regular expression{at}: {said}{hint}",
        part=part or pattern[:80],
        position=position,
        allowed=["RE2 syntax: https://github.com/google/re2/wiki/Syntax"],
    )
