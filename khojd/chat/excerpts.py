"""The sentences of passages that come closest to a question: by words, and by meaning where a model is open."""

import re
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from khojd.chat import claims
from khojd.chat.model import Passage

Nearness = Callable[[str, Sequence[str]], Awaitable[list[float] | None]]  # cosines of texts to a question; None without a model

LONGEST = 300  # characters of an excerpt
_ENOUGH = 80  # characters; an excerpt that long ends with its line
_COMPARED = 80  # sentences whose meaning is looked at
_WORDS = 0.05  # weight of the words beside the meaning
_FAR = 0.5  # share of the best passage's score; passages below that are left out
_STARS = re.compile(r"\*+[ \t]+(?P<words>[^\r\n]*)")
_HASHES = re.compile(r"#{1,6}[ \t]+(?P<words>[^\r\n]*)")
_NEW_LINE = re.compile(r"\s*?\n\s*?(?:\n|[ \t]*(?:[-*+#|>]|\d+[.)])\s)")  # a blank line, or one that begins something
# What stands in Org's notes for programs: planning, drawers and clocks, settings.
_META = re.compile(r"[ \t]*(?::[\w@#%+-]+:|(?:SCHEDULED|DEADLINE|CLOSED|CLOCK):|#\+\w+:)")
_RULE = re.compile(r"\|[-+|: ]+\|?$")  # of a table


class Excerpt(Struct, frozen=True):
    """A range of a passage's text."""

    passage: Passage
    start: int
    end: int


class _Sentence(Struct, frozen=True):
    place: int  # of its passage
    start: int
    end: int
    text: str
    heading: str
    words: float = 0.0  # 0 to 1: how many of the question's words it has, rare ones counting more


async def excerpts(passages: Sequence[Passage], question: str, near: Nearness, *, most: int = 0) -> list[Excerpt]:
    """The best of each passage; with `most` of that many: what the person named first, then what is closest to the question, and
    none that is far from it. Without a model, and without `most`, they come as they are given."""
    found = _compared(_weighed(passages, claims.terms(question)))
    scores: list[float] | None = None
    if found and (cosines := await near(question, [text for one in found for text in (one.text, f"{one.heading}: {one.text}")])):
        # Alone it says what it says, below its heading what it is about.
        scores = [
            (alone + below) / 2 + _WORDS * one.words for one, alone, below in zip(found, cosines[::2], cosines[1::2], strict=True)
        ]
    best: dict[int, tuple[float, _Sentence]] = {}
    for one, score in zip(found, scores or [one.words for one in found], strict=True):
        if one.place not in best or score > best[one.place][0]:
            best[one.place] = score, one
    order = list(range(len(passages)))
    if most and scores is not None:
        named = [place for place in order if passages[place].origin != "search"]
        others = sorted((place for place in best if place not in named), key=lambda place: -best[place][0])
        order = named + [place for place in others if best[place][0] >= _FAR * best[others[0]][0]]
    chosen = [(passages[place], best[place][1].start if place in best else 0) for place in order[: most or None]]
    return [Excerpt(passage, *_range(passage, start)) for passage, start in chosen]


def _weighed(passages: Sequence[Passage], asked: frozenset[str]) -> list[_Sentence]:
    """The sentences of passages in their order, without headings and what is for programs."""
    found: list[_Sentence] = []
    shared: list[frozenset[str]] = []
    for place, passage in enumerate(passages):
        heading = passage.headings[-1] if passage.headings else passage.title
        for start, end in claims.sentence_spans(passage.text):
            text = passage.text[start:end]
            begins = not passage.text[:start].rpartition("\n")[2].strip()
            if begins and (named := _heading(passage).match(text)):
                heading = named["words"]
            elif not (begins and (_META.match(text) or _RULE.match(text))):
                found.append(_Sentence(place, start, end, text[:LONGEST], heading))
                shared.append(asked & claims.terms(f"{heading}\n{text}"))
    counts = {term: sum(term in terms for terms in shared) for term in asked}
    weights = [sum(1 / counts[term] for term in terms) for terms in shared]
    most = max(weights, default=0.0) or 1.0
    return [
        _Sentence(one.place, one.start, one.end, one.text, one.heading, weight / most)
        for one, weight in zip(found, weights, strict=True)
    ]


def _compared(found: list[_Sentence]) -> list[_Sentence]:
    """As many as can be compared in a moment: of each passage those with most of the question's words."""
    if len(found) <= _COMPARED:
        return found
    share = max(_COMPARED // (found[-1].place + 1), 1)
    kept: dict[int, list[_Sentence]] = {}
    for one in sorted(found, key=lambda one: -one.words):
        if len(known := kept.setdefault(one.place, [])) < share:
            known.append(one)
    return sorted((one for known in kept.values() for one in known), key=lambda one: (one.place, one.start))


def _range(passage: Passage, start: int) -> tuple[int, int]:
    """A sentence and what follows it as far as there is room: whole sentences, not beyond what begins anew. Its paragraph is not
    cut at its beginning where all of it has room."""
    text, spans = passage.text, claims.sentence_spans(passage.text)
    at = next((index for index, span in enumerate(spans) if span[0] >= start), None)
    if at is None:
        return start, start
    first = last = at
    while first and not (_NEW_LINE.match(text, spans[first - 1][1]) or _ends(passage, spans[first - 1][0])):
        first -= 1
    while last + 1 < len(spans) and not (_NEW_LINE.match(text, spans[last][1]) or _ends(passage, spans[last + 1][0])):
        last += 1
    if spans[last][1] - spans[first][0] > LONGEST:
        first = last = at
    start, end = spans[first][0], spans[last][1]
    for next_start, next_end in spans[last + 1 :]:
        beyond = next_end - start > LONGEST or (end - start >= _ENOUGH and _NEW_LINE.match(text, end))
        if beyond or _ends(passage, next_start):
            break
        end = next_end
    return start, end


def _ends(passage: Passage, at: int) -> bool:
    """Whether a heading, or what is for programs, begins at a sentence."""
    return bool(_heading(passage).match(passage.text, at) or _META.match(passage.text, at))


def _heading(passage: Passage) -> re.Pattern[str]:
    """Stars begin a heading in Org, and an item of a list elsewhere."""
    return _STARS if passage.path.endswith(".org") else _HASHES
