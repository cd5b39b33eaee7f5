"""The markers of an answer, as it comes, made into citations whose quotes stand in the passages that the model was given."""

from collections.abc import Sequence
from typing import Literal

from khojd.chat import claims
from khojd.chat.markers import Marker, Recogniser
from khojd.chat.model import Citation, Citing, Passage, TextPart, text_hash
from khojd.llm import model as llm

Style = Literal["inline", "footnote", "none"]
_CLOSING = frozenset(".,;:!?)]}»”’\"'…。，、；：！？）」』】")


class Citer:
    """Takes an answer in pieces and gives text parts and citations.

    Markers are written [1] (`inline`), [^1] (`footnote`) or left out (`none`), one for each number. A number that was never
    given is taken out of the text and counted in `removed`. A citation follows the text part that ends with its marker; its quote
    is the sentences of the passage that share most with the claim before the marker, or the whole passage where none does, and it
    is weak where the passage has (nearly) none of the claim's key terms.
    """

    def __init__(self, passages: Sequence[Passage], *, style: Style = "inline", check: bool = True) -> None:
        self.citations: list[Citation] = []
        self.removed = 0
        self._style = style
        self._check = check
        self._given: dict[int, Passage] = {}
        self._evidence: dict[int, claims.Evidence] = {}
        self._recogniser = Recogniser()
        self._written: list[str] = []
        self._length = 0
        self._tail = ""  # of the text
        self._part: list[str] = []  # of the text, not given out yet
        self._dropped: str | None = None  # the space before a marker that was taken out, until text follows
        self._marked = False  # the text ends with a marker
        self._claimed: frozenset[str] = frozenset()  # before that marker
        self._quotes: dict[tuple[int, int, int], tuple[str, str]] = {}  # with their hashes: a passage is cited again and again
        self._waiting: list[llm.Cited] = []  # until code ends
        self.add(passages)

    @property
    def text(self) -> str:
        """The answer so far, without what is held back."""
        if len(self._written) > 1:
            self._written = ["".join(self._written)]
        return self._written[0] if self._written else ""

    def add(self, passages: Sequence[Passage]) -> None:
        """Passages that may be cited from now on, by their numbers."""
        for passage in passages:
            if self._given.get(passage.number) != passage:
                self._evidence.pop(passage.number, None)
                self._quotes = {place: quote for place, quote in self._quotes.items() if place[0] != passage.number}
            self._given[passage.number] = passage

    def feed(self, text: str) -> list[TextPart | Citing]:
        """The next piece of the answer as a model wrote it."""
        out = self._take(self._recogniser.feed(text))
        if self._waiting and not self._recogniser.in_code:
            out += self._native()
        return out

    def cited(self, event: llm.Cited) -> list[TextPart | Citing]:
        """A citation that the provider found by itself; its marker is put at the end of the text, or behind code."""
        self._waiting.append(event)
        return [] if self._recogniser.in_code else [*self._take(self._recogniser.finish()), *self._native()]

    def finish(self) -> list[TextPart | Citing]:
        """What was held back, at the end of the answer."""
        return [*self._take(self._recogniser.finish()), *self._native()]

    def references(self) -> tuple[Passage, ...]:
        """The passages that are cited, by number."""
        return tuple(self._given[number] for number in sorted({citation.number for citation in self.citations}))

    # Inside

    def _take(self, found: list[str | Marker]) -> list[TextPart | Citing]:
        out: list[TextPart | Citing] = []
        for one in found:
            if isinstance(one, str):
                self._say(one)
            else:
                self._mark(one, out)
        self._give(out)
        return out

    def _native(self) -> list[TextPart | Citing]:
        out: list[TextPart | Citing] = []
        for event in self._waiting:
            again = self._marked and self.citations and self.citations[-1].number == event.number
            if event.number not in self._given:
                self.removed += 1
            elif not again:
                self._cite(event.number, "", out, quote=event.quote)
        self._waiting = []
        self._give(out)
        return out

    def _mark(self, marker: Marker, out: list[TextPart | Citing]) -> None:
        given = [number for number in marker.numbers if number in self._given]
        if marker.double and len(given) < len(marker.numbers):
            self._say(marker.space + marker.text)  # a link to a note
            return
        self.removed += len(marker.numbers) - len(given)
        if not given:
            self._drop(marker.space)
        for index, number in enumerate(given):
            self._cite(number, "" if index else marker.space, out)

    def _cite(self, number: int, space: str, out: list[TextPart | Citing], quote: str = "") -> None:
        if not self._marked:
            self._claimed = claims.claim(self._tail)
        if self._style == "none":
            self._drop(space)
            at = self._length
        else:
            marker = f"[^{number}]" if self._style == "footnote" else f"[{number}]"
            self._say(space + marker)
            at = self._length - len(marker)
        self._marked = True
        self._give(out)
        citation = self._citation(number, at, self._claimed, quote)
        self.citations.append(citation)
        out.append(Citing(citation))

    def _citation(self, number: int, at: int, claimed: frozenset[str], quote: str) -> Citation:
        passage = self._given[number]
        evidence = self._evidence.get(number)
        if evidence is None:
            evidence = self._evidence[number] = claims.Evidence(passage.text)
        start = passage.text.find(quote) if quote else -1
        start, end = (start, start + len(quote)) if start >= 0 else evidence.quote(claimed)
        place = number, start, end
        if place not in self._quotes:
            self._quotes[place] = passage.text[start:end], text_hash(passage.text[start:end])
        text, hash = self._quotes[place]
        return Citation(
            number=number,
            at=at,
            path=passage.path,
            start=passage.start + start,
            end=passage.start + end,
            line=passage.line + evidence.lines.line(start),
            quote=text,
            hash=hash,
            title=passage.title,
            headings=passage.headings,
            weak=self._check and evidence.weak(claimed),
        )

    def _drop(self, space: str) -> None:
        """Take a marker out, with the space before it where nothing but a closing mark or another space follows."""
        if self._dropped is None:
            self._dropped = space

    def _say(self, text: str) -> None:
        if self._dropped is not None:
            space, self._dropped = self._dropped, None
            if space and not (text[0].isspace() or text[0] in _CLOSING):
                text = space + text
            elif not space and text[0] == " " and (not self._tail or self._tail[-1].isspace()):
                text = text[1:]
        elif self._marked and text.startswith("(") and self._style == "inline":
            text = " " + text  # else the marker would be the text of a link
        if text:
            self._marked = False
            self._part.append(text)
            self._length += len(text)
            self._tail = (self._tail + text)[-claims.LOOK_BACK :]

    def _give(self, out: list[TextPart | Citing]) -> None:
        if self._part:
            text = "".join(self._part)
            self._part = []
            self._written.append(text)
            out.append(TextPart(text))
