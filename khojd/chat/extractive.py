"""Answers without a model: the sentences of the best passages that have most of the question's words, quoted and cited."""

import asyncio
import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from khojd.chat import claims
from khojd.chat.model import Citation, Passage, text_hash
from khojd.chat.record import Record
from khojd.content.boundaries import cut_before, sentences
from khojd.content.lines import LineIndex

NO_MODEL = "this needs a chat model, and none is configured; `khojd models` says how to"
SHOWN = 5  # passages quoted; /search shows all
MOST_QUOTED = 300  # characters of each
_ENOUGH = 80  # characters; a quote that long ends with its line
_INTRO = "No chat model is configured. These passages of your notes fit best, word for word:"
_HEADING = re.compile(r"(?:[ \t]*(?:#{1,6}|\*+)[ \t][^\r\n]*(?:\r\n?|\n)\s*)+")


async def answer(
    record: Record, passages: Sequence[Passage], question: str, label: Callable[[str], str], *, listing: bool = False
) -> None:
    """Say the best passages, each with where it stands, its best sentences and its number; with `listing` all of them, alone."""
    asked = claims.terms(question)
    length = 0

    def say(text: str) -> None:
        nonlocal length
        record.text(text)
        length += len(text)

    if not listing:
        record.turn = replace(record.turn, extractive=True)
        say(_INTRO)
    numbered = record.number(passages if listing else passages[:SHOWN])
    quotes = await asyncio.to_thread(lambda: [_quote(passage, asked) for passage in numbered])
    for passage, (start, end) in zip(numbered, quotes, strict=True):
        quote = passage.text[start:end]
        where = " › ".join(filter(None, (passage.title or label(passage.path), *passage.headings)))
        quoted = "\n".join(f"> {line}".rstrip() for line in quote.splitlines())
        gap = "\n\n" if length else ""
        say(f"{gap}**{_escaped(where)}**{f', {passage.date}' if passage.date else ''}\n{quoted} ")
        at = length
        say(f"[{passage.number}]")
        record.cite(
            Citation(
                number=passage.number,
                at=at,
                path=passage.path,
                start=passage.start + start,
                end=passage.start + end,
                line=passage.line + LineIndex(passage.text).line(start),
                quote=quote,
                hash=text_hash(quote),
                title=passage.title,
                headings=passage.headings,
            )
        )


def _quote(passage: Passage, asked: frozenset[str]) -> tuple[int, int]:
    """The sentences with most of the question's words, and what follows them as far as there is room; whole sentences.

    A heading alone says nothing: what stands below it comes with it, or, where that has the words, instead of it.
    """
    text = passage.text
    first = _HEADING.match(text)
    start, end = claims.Evidence(text).quote(asked)
    if (start, end) == (0, len(text)) or (first and end <= first.end()):
        start = first.end() if first and first.end() < len(text) else 0
        end = start
    for edge, _ in [*sentences(text, start, len(text)), (len(text), 0)]:
        if edge - start > MOST_QUOTED or (end - start >= _ENOUGH and "\n" in text[end - 1 : end]) or _HEADING.match(text, end):
            break
        end = max(end, edge)
    if end <= start:
        end = cut_before(text, start, min(start + MOST_QUOTED, len(text)))[0]
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return start, start + len(text[start:end].rstrip())


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("\n", " ")
