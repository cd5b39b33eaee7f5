"""Where the text of a stored citation stands now that its note may have changed, or have another name."""

from typing import Literal, NamedTuple

from khojd.chat.model import Citation, text_hash
from khojd.engine import Engine
from khojd.errors import KhojdError
from khojd.search.types import SearchRequest

_WORDS = 12  # of a quote that a note must have to be looked at
_NOTES = 5

Freshness = Literal["fresh", "moved", "stale"]


class Resolved(NamedTuple):
    """`fresh`: at its place. `moved`: elsewhere in the note. `stale`: no longer in it; [start, end) is where it was."""

    state: Freshness
    start: int
    end: int


def resolve(citation: Citation, text: str | None) -> Resolved:
    """Find what `citation` quotes in the note's text of now: at its place by its hash, else where the quote is nearest to it.

    `text` None is a note that is gone. An empty quote is never found.
    """
    start, end, length = citation.start, citation.end, len(text or "")
    stale = Resolved("stale", min(start, length), min(end, length))
    if text is None or not citation.quote or text_hash(citation.quote) != citation.hash:
        return stale
    if text_hash(text[start:end]) == citation.hash:
        return Resolved("fresh", start, end)
    before = text.rfind(citation.quote, 0, start + len(citation.quote))
    after = text.find(citation.quote, start)
    found = [place for place in (before, after) if place >= 0]
    if not found:
        return stale
    nearest = min(found, key=lambda place: abs(place - start))
    return Resolved("moved", nearest, nearest + len(citation.quote))


async def elsewhere(engine: Engine, citation: Citation) -> list[str]:
    """Paths of other notes that may have the quote, because the index finds words of it there; the likeliest first."""
    # Of one line: to the index a heading and what is below it do not stand one after another.
    line = max(citation.quote.splitlines(), key=len, default="")
    words = line.replace("\\", " ").replace('"', " ").split()[:_WORDS]
    if not words:
        return []
    try:
        found = await engine.search(SearchRequest(query=f'+"{" ".join(words)}"', mode="lexical", limit=2 * _NOTES))
    except KhojdError:
        return []  # words that are none to the index
    return [path for path in dict.fromkeys(hit.path for hit in found.hits) if path != citation.path][:_NOTES]
