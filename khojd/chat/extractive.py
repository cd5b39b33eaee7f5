"""Answers without a model: the sentences of the best passages that have most of the question's words, quoted and cited."""

from collections.abc import Callable, Sequence
from itertools import takewhile

from khojd.chat import claims
from khojd.chat.model import Citation, Passage, text_hash
from khojd.chat.record import Record

NO_MODEL = "this needs a chat model, and none is configured; `khojd models` says how to"
SHOWN = 5  # passages quoted; /search shows all
_INTRO = "No chat model is configured. These passages of your notes fit best, word for word:"


def answer(
    record: Record, passages: Sequence[Passage], question: str, label: Callable[[str], str], *, listing: bool = False
) -> None:
    """Say the best passages, each with where it stands, its best sentences and its number."""
    asked = claims.terms(question)
    shown = passages if listing else passages[:SHOWN]
    if not listing:
        record.text(f"{_INTRO}\n\n")
    length = 0 if listing else len(_INTRO) + 2
    for last, passage in zip((*([False] * (len(shown) - 1)), True), record.number(shown), strict=True):
        start, end = _quote(passage, asked)
        quote = passage.text[start:end]
        where = " › ".join(filter(None, (passage.title or label(passage.path), *passage.headings)))
        quoted = "\n".join(f"> {line}".rstrip() for line in quote.splitlines())
        block = f"**{_escaped(where)}**{f', {passage.date}' if passage.date else ''}\n{quoted} "
        marker = f"[{passage.number}]"
        record.text(block + marker)
        record.cite(
            Citation(
                number=passage.number,
                at=length + len(block),
                path=passage.path,
                start=passage.start + start,
                end=passage.start + end,
                line=passage.line + claims.Evidence(passage.text).lines.line(start),
                quote=quote,
                hash=text_hash(quote),
                title=passage.title,
                headings=passage.headings,
            )
        )
        length += len(block) + len(marker)
        if not last:
            record.text("\n\n")
            length += 2


def _quote(passage: Passage, asked: frozenset[str]) -> tuple[int, int]:
    """The sentences with most of the question's words, whole lines at their start; a passage without any, its beginning."""
    evidence = claims.Evidence(passage.text)
    start, end = evidence.quote(asked)
    if (start, end) == (0, len(passage.text)) and end > 400:
        end = passage.text.rfind(" ", 200, 400)
        end = end if end > 0 else 400
    blanks = sum(1 for _ in takewhile(str.isspace, passage.text[start:end]))
    return start + blanks, start + len(passage.text[start:end].rstrip())


def _escaped(text: str) -> str:
    return text.replace("*", "\\*").replace("\n", " ")
