"""What an exported conversation consists of, whatever it is written in."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from khojd.chat import titles
from khojd.chat.model import Citation, Turn

HEADING = 100  # characters of a question that stand in its heading
QUOTE = 300

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BREAKS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")


class Marker(Struct, frozen=True):
    """A citation's marker in an answer."""

    citation: Citation
    written: str  # [1] or [^1]

    @property
    def footnote(self) -> bool:
        return self.written.startswith("[^")


class Source(Struct, frozen=True):
    """What stands behind one number of an answer."""

    number: int
    path: str
    line: int  # 0-based, of the first citation
    name: str  # title and headings
    quotes: tuple[str, ...]  # on one line each
    stale: bool  # a quoted text is no longer in the note


def tidy(text: str) -> str:
    """`text` with one kind of line end and without control characters."""
    text = _BREAKS.sub("\n", text)
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs"))


def one_line(text: str, longest: int = 10_000) -> str:
    return titles.shortened(" ".join(tidy(text).split()), longest)


def asked(question: str) -> tuple[str, str]:
    """The heading of a question, and the question where the heading does not hold all of it."""
    text = tidy(question).strip()
    heading = one_line(text.partition("\n")[0], HEADING) or "…"
    return heading, "" if heading == text else text


def when(turn: Turn) -> str:
    """Day and time as Org writes them, without brackets."""
    moment = datetime.fromtimestamp(turn.created).astimezone()
    return f"{moment:%Y-%m-%d} {_DAYS[moment.weekday()]} {moment:%H:%M}"


def state(turn: Turn) -> str:
    """What is wrong with an answer, or that no model wrote it."""
    found = []
    if turn.state != "complete":
        found.append(turn.state + (f": {one_line(turn.reason)}" if turn.reason else ""))
    if turn.extractive:
        found.append("quoted from the notes, without a model")
    return "; ".join(found)


def model(turn: Turn) -> str:
    return one_line("/".join(filter(None, (turn.provider, turn.model))))


def pieces(turn: Turn) -> Iterator[str | Marker]:
    """The answer, cut at the markers of its citations. Text is not yet tidy: offsets count in it as it is."""
    at = 0
    for citation in sorted(turn.citations, key=lambda one: one.at):
        for written in (f"[{citation.number}]", f"[^{citation.number}]"):
            if citation.at >= at and turn.answer.startswith(written, citation.at):
                yield turn.answer[at : citation.at]
                yield Marker(citation, written)
                at = citation.at + len(written)
                break
    yield turn.answer[at:]


def sources(turn: Turn, stale: Collection[Citation]) -> list[Source]:
    """By number."""
    grouped: dict[int, list[Citation]] = {}
    for citation in turn.citations:
        grouped.setdefault(citation.number, []).append(citation)
    return [
        Source(
            number,
            found[0].path,
            found[0].line,
            one_line(" › ".join(filter(None, (found[0].title, *found[0].headings)))) or one_line(found[0].path.rpartition("/")[2]),
            tuple(dict.fromkeys(one_line(one.quote, QUOTE) for one in found)),
            any(one in stale for one in found),
        )
        for number, found in sorted(grouped.items())
    ]


def footnotes(found: Iterable[str | Marker]) -> bool:
    """Whether an answer cites by footnotes."""
    return any(isinstance(piece, Marker) and piece.footnote for piece in found)


def quoted(source: Source, escaped: Callable[[str], str]) -> str:
    """What stands behind the link to a source: its quotes, and that it has changed."""
    quotes = " … ".join(f"“{escaped(quote)}”" for quote in source.quotes if quote)
    return f"{': ' if quotes else ''}{quotes}{' (the note has changed since)' if source.stale else ''}"
