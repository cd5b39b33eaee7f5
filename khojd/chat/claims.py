"""What an answer claims before a marker, and where a passage says so: by the words that both have.

Words are those of the search index (stems without function words, pairs of characters where there are no spaces). Of
questions and their passages in six judged collections 0 to 6 % are called weak, of questions and random passages 78 to 91 %.
"""

import re
from functools import cache

from khojd.content import boundaries, language
from khojd.content.lines import LineIndex
from khojd.index import analysis

LOOK_BACK = 600  # characters before a marker
_MARKER = re.compile(r"\[\^?\d+\]")
_ENDS = " \t\n\r.!?…。！？｡．:;,，、；：*_)\"'”’»」』）"
_MOST = 3  # sentences of a quote
_FEW = 0.15  # share of a claim's terms; fewer make a citation weak
_GAIN = 0.25  # share of its sentence's weight that a neighbour must add to be quoted too
# Lines that go on with the sentence of the line before: no list item, heading, table, quote, block or blank line.
_GOES_ON = re.compile(r"[ \t]*(?![-*+#|>:\s]|\d+[.)]|\[[ xX]\]|`{3}|~{3})")


def terms(text: str) -> frozenset[str]:
    """The key terms of a text."""
    return _without_letters(analysis.terms(_MARKER.sub(" ", text))) - analysis.STOPWORDS


def claim(before: str) -> frozenset[str]:
    """The key terms of what stands right before a marker: of the sentence, or of its part since the marker before.

    A sentence that says next to nothing ("Yes.") is taken with the one before it.
    """
    text = before[-LOOK_BACK:]
    while (stripped := _without_marker(text.rstrip(_ENDS))) != text:
        text = stripped
    found: frozenset[str] = frozenset()
    starts = [start for start, _ in boundaries.sentences(text, 0, len(text))]
    for start in starts[:-3:-1]:
        sentence = text[start:]
        part = sentence[max((marker.end() for marker in _MARKER.finditer(sentence)), default=0) :]
        found = terms(part)
        if len(found) < 2:
            found = terms(sentence)
        if len(found) >= 2:
            break
    return found


def _without_marker(text: str) -> str:
    start = text.rfind("[") if text.endswith("]") else -1
    return text[:start] if start >= 0 and _MARKER.fullmatch(text, start) else text


class Evidence:
    """A passage's sentences and their terms."""

    def __init__(self, text: str) -> None:
        self.lines = LineIndex(text)
        self._text = text
        self._spans = sentence_spans(text)
        self._grammar = _grammar(language.detect(text))
        self._terms = [found - self._grammar for found in _terms_of([text[start:end] for start, end in self._spans])]
        self._counts: dict[str, int] = {}
        for found in self._terms:
            for term in found:
                self._counts[term] = self._counts.get(term, 0) + 1
        self._unspaced = any(map(analysis.unspaced, self._counts))

    def weak(self, claimed: frozenset[str]) -> bool:
        """Whether the passage has too few of the claim's terms: none, or hardly any."""
        claimed -= self._grammar
        if any(map(analysis.unspaced, claimed)) != self._unspaced:
            return False  # another script: words tell nothing
        return bool(claimed) and len(claimed & self._counts.keys()) <= _FEW * len(claimed)

    def quote(self, claimed: frozenset[str]) -> tuple[int, int]:
        """The range of the sentences that share most with the claim, rare terms counting more; of all where none does."""
        shared = [claimed & found for found in self._terms]
        weights = [self._weight(found) for found in shared]
        best = max(range(len(weights)), key=weights.__getitem__, default=-1)
        if best < 0 or not weights[best]:
            return 0, len(self._text)
        first = last = best
        covered = set(shared[best])
        while last - first + 1 < _MOST:
            beside = [index for index in (first - 1, last + 1) if 0 <= index < len(shared)]
            gains = {index: self._weight(shared[index] - covered) for index in beside}
            index = max(gains, key=gains.__getitem__, default=-1)
            if index < 0 or gains[index] < _GAIN * self._weight(covered):
                break
            covered |= shared[index]
            first, last = min(first, index), max(last, index)
        return self._spans[first][0], self._spans[last][1]

    def _weight(self, found: frozenset[str] | set[str]) -> float:
        return sum(1 / self._counts[term] for term in found)


def _terms_of(sentences: list[str]) -> list[frozenset[str]]:
    """The terms of each. All are folded at once, as that costs more for each of many short texts."""
    lines = analysis.fold("\n".join(sentence.replace("\n", " ") for sentence in sentences)).split("\n")
    analyzer = analysis.analyzer()
    return [_without_letters(analyzer.analyze(line)) for line in lines][: len(sentences)]


def _without_letters(found: list[str]) -> frozenset[str]:
    """Single letters of an alphabet number things, or are words like `y` and `à`."""
    return frozenset(term for term in found if len(term) > 1 or not "a" <= term <= "z")


@cache
def _grammar(code: str) -> frozenset[str]:
    """The terms of a language that say nothing of what a text is about."""
    return analysis.STOPWORDS | frozenset(analysis.terms(" ".join(language.function_words(code))))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Sentences without the space around them. One that goes on in the next line is whole."""
    cuts = boundaries.sentences(text, 0, len(text))
    starts = [
        start
        for start, strength in cuts
        if strength != boundaries.LINE or not _GOES_ON.match(text, start) or _blank_before(text, start) or _ended(text, start)
    ]
    spans = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        stripped = text[start:end].rstrip()
        lead = len(stripped) - len(stripped.lstrip())
        if stripped:
            spans.append((start + lead, start + len(stripped)))
    return spans


def _blank_before(text: str, start: int) -> bool:
    before = text[max(0, start - 200) : start]
    return len(LineIndex(before[len(before.rstrip()) :])) > 2


def _ended(text: str, start: int) -> bool:
    """Whether the line before ends a sentence, or is a heading."""
    before = text[max(0, start - 400) : start].rstrip()
    line = re.split(r"[\r\n]", before)[-1]
    return before.endswith((".", "!", "?", "…", ":", "。", "！", "？")) or line.startswith(("#", "*", "|"))
