"""Answers without a model: the sentences of the best passages that come closest to the question, quoted and cited."""

from collections.abc import Callable, Sequence

from msgspec.structs import astuple, replace

from khojd.chat.excerpts import Nearness, excerpts
from khojd.chat.model import Citation, Passage, text_hash
from khojd.chat.record import Record
from khojd.content.lines import LineIndex

NO_MODEL = "this needs a chat model, and none is configured; `khojd models` says how to"
SHOWN = 5  # passages quoted; /search shows all
_INTRO = "No chat model is configured. These passages of your notes fit best, word for word:"


async def answer(
    record: Record,
    passages: Sequence[Passage],
    question: str,
    label: Callable[[str], str],
    near: Nearness,
    *,
    listing: bool = False,
) -> None:
    """Say the best passages, each with where it stands, its best sentences and its number; with `listing` all of them, alone."""
    length = 0

    def say(text: str) -> None:
        nonlocal length
        record.text(text)
        length += len(text)

    if not listing:
        record.turn = replace(record.turn, extractive=True)
        say(_INTRO)
    chosen = await excerpts(passages, question, near, most=0 if listing else SHOWN)
    numbered = record.number(one.passage for one in chosen)
    for passage, (_, start, end) in zip(numbered, map(astuple, chosen), strict=True):
        quote = passage.text[start:end]
        where = " › ".join(dict.fromkeys((passage.title or label(passage.path), *passage.headings)))
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


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("\n", " ")
