"""Mentions that are no links: a note's name, title or alias in the text of other notes."""

import re
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

import msgspec

from khojd.content import names
from khojd.content.markdown_marks import code_spans
from khojd.content.model import Link, Segment
from khojd.content.segments import file_offset
from khojd.graph.model import Mention, Note
from khojd.graph.notes import Notes
from khojd.graph.stop import Stop
from khojd.index import catalog_graph

SHORTEST = 3  # characters of a name that is looked for
MOST_ENTRIES = 2_000  # that are read for one name
COMMON = (
    0.02  # share of all entries above which a name of one word is a word like others: `Index`, `Tea` in a diary of a tea drinker
)
SELDOM = 25  # entries that are too few for that, in however small a folder

Phrase = Callable[[str], set[int]]  # a superset of the entries that hold a phrase, as `Words.phrase` gives it

_segments = msgspec.msgpack.Decoder(tuple[Segment, ...])


def find(db: sqlite3.Connection, notes: Notes, note: Note, phrase: Phrase, stop: Stop, *, limit: int = 200) -> list[Mention]:
    """At most `limit` mentions of `note` in notes that do not link there, in the order of paths and of the text.

    Names shorter than `SHORTEST`, names of nothing but digits and punctuation (days), and common words are not looked for.
    """
    found: dict[tuple[str, int], Mention] = {}
    known: dict[int, tuple[Note | None, tuple[Link, ...]]] = {}  # a note of many entries is looked up once
    for name in wanted(notes.names_of(note).values()):
        holding = phrase(name)
        if _is_common(db, name, len(holding)):
            continue
        pattern = matcher(name)
        for source_id, text, segments in _entries(db, holding, note.id):
            stop.check()
            code = Code(text)
            for match in pattern.finditer(text):
                if source_id not in known:
                    known[source_id] = notes.by_id(source_id), catalog_graph.links_of(db, source_id)[0]
                source, links = known[source_id]
                if source is None:
                    break
                if code.holds(match.start()):
                    continue
                start, end = file_offset(segments, match.start()), file_offset(segments, match.end() - 1) + 1
                if not inside_link(links, start, end):
                    found.setdefault((source.path, start), Mention(source, start, end, name))
        if len(found) >= limit:
            break
    return [found[key] for key in sorted(found)[:limit]]


def wanted(written: Iterable[str]) -> Iterator[str]:
    """Those of a note's names that are looked for in text."""
    seen = set()
    for name in written:
        folded = names.fold(name)
        if len(folded) >= SHORTEST and any(char.isalpha() for char in folded) and folded not in seen:
            seen.add(folded)
            yield name


def _is_common(db: sqlite3.Connection, name: str, entries: int) -> bool:
    """Whether a name is a single word that stands in so many entries that most of them mean something else."""
    if entries <= SELDOM or len(name.split()) > 1:
        return False
    (total,) = db.execute("SELECT count(*) FROM entries").fetchone()
    return bool(entries > COMMON * total)


def matcher(name: str) -> re.Pattern[str]:
    """A pattern for whole words of a name, in any case and any white space."""
    words = r"\s+".join(re.escape(word) for word in name.split())
    before = r"(?<![\w#/])" if _spaced(name[:1]) else ""
    after = r"(?!\w)" if _spaced(name[-1:]) else ""
    return re.compile(before + words + after, re.IGNORECASE)


def inside_link(links: tuple[Link, ...], start: int, end: int) -> bool:
    """Whether a range touches a link; `links` are in file order."""
    index = bisect_right(links, start, key=lambda link: link.start)
    return any(link.start < end and start < link.end for link in links[max(index - 2, 0) : index + 1])


class Code:
    """The code between backticks in the lines of a text; each line is read once where places are asked for in their order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start, self._end = 0, -1  # of the line that was read last
        self._spans: list[tuple[int, int]] = []

    def holds(self, at: int) -> bool:
        """Whether backticks of its line enclose the place."""
        if not self._start <= at <= self._end:
            self._read(at)
        index = bisect_right(self._spans, at - self._start, key=lambda span: span[0]) - 1
        return index >= 0 and at - self._start < self._spans[index][1]

    def _read(self, at: int) -> None:
        text = self._text
        self._start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
        self._end = min((found for found in (text.find("\n", at), text.find("\r", at)) if found >= 0), default=len(text))
        line = text[self._start : self._end]
        self._spans = code_spans(line) if "`" in line else []


def _entries(db: sqlite3.Connection, ids: set[int], but: int) -> Iterator[tuple[int, str, tuple[Segment, ...]]]:
    chosen = sorted(ids)[:MOST_ENTRIES]
    for start in range(0, len(chosen), 500):
        part = chosen[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = db.execute(
            "SELECT e.document_id, e.text, e.segments FROM entries e JOIN seen d ON d.id = e.document_id"
            f" WHERE e.id IN ({marks}) AND d.id <> ? ORDER BY e.id",
            (*part, but),
        )
        for document_id, text, segments in rows:
            yield document_id, text, _segments.decode(segments)


def _spaced(char: str) -> bool:
    """Whether words of this character's script are parted by spaces."""
    return (char.isalnum() or char == "_") and not (
        "\u0e00" <= char <= "\u109f" or "\u2e80" <= char <= "\ud7ff" or char >= "\U00020000"
    )
