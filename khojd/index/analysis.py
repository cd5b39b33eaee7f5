"""Text to terms, the same for entries and queries.

Words are folded (NFKC, case, accents) and stemmed by tantivy's English stemmer. Scripts written without spaces become overlapping
pairs of characters; the last character of a run stands alone, too, so that every character begins some term and a query of one
character is a search for terms that begin with it. ASCII text, the most of it, is analysed by tantivy alone.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import tantivy

FINGERPRINT = "3:simple,lowercase,ascii_fold,stemmer-english;nfkc-casefold;bigrams;names,about"
TOKENIZER = "khojd"
REMEMBERED = 40  # characters of a word whose terms are kept
LONGEST = 10_000  # characters of a term: tantivy drops those above 65,530 bytes, so what is longer is cut

# Han, kana, hangul, Thai, Lao, Myanmar, Khmer, Yi, and bopomofo. Half-width forms are folded before.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30ff\u3105-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48f\uac00-\ud7af\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003fffd"
)
_RUN = re.compile(f"[{_UNSPACED}]+")
_SYMBOL = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_JOINERS = "\u00ad\u200c\u200d\ufe0e\ufe0f\ufeff"
_ACCENT = re.compile("[\u0300-\u036f]+")
_LETTERS = re.compile(r"[^\W_]+")
LEAST_BEGINNING = 2  # letters from which on a word may be the beginning of a longer one
# Endings that the English stemmer takes off.
_ENDINGS = """
    ing ings edly ed er ers est es ies ied ier ily ly ness ments ation ations ational ator ators able ably ible ibly ability ibility
    ibilities ity ion ions ioned ioning ional ionally ously ous fulness fully iveness ive ally al ance ances ence ences ization
    isation izing ising ism ist ists
""".split()  # noqa: SIM905
# Function words of English questions, as stemmed.
STOPWORDS = frozenset(
    """
    a about after all am an and any are as at be been before being but by can could did do does doing for from had has have having
    he her here him his how i if in into is it its me my no nor not of off on or our she should so some such than that the their
    them then there these they this those to too us was we were what when where which while who whom whose why will with would you
    your s t
    """.split()  # noqa: SIM905
)


class Token(NamedTuple):
    """A term and the range of the text it stands for, in code points."""

    start: int
    end: int
    term: str


@cache
def analyzer() -> tantivy.TextAnalyzer:
    """Tantivy's part of the analysis; what it is given has gone through `fold`."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("english")):
        builder = builder.filter(step)
    return builder.build()


@cache
def _unstemmed() -> tantivy.TextAnalyzer:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return builder.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold()).build()


def fold(text: str, *, query: bool = False) -> str:
    """The text as tantivy's part takes it. In a query the last character of an unspaced run does not stand alone."""
    if not text.isascii():
        text = unicodedata.normalize(
            "NFC", _ACCENT.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold()))
        )
        # Most texts have a dozen characters beyond ASCII, and most of those are quotes and dashes: ask them before the whole text.
        characters = "".join(character for character in set(text) if character > "\x7f")
        for mark in filter(_mark().match, characters):
            text = text.replace(mark, "")
        for pattern, replacement in ((_SYMBOL, _symbol), (_RUN, _pairs_of_query if query else _pairs)):
            if pattern.search(characters):
                text = pattern.sub(replacement, text)
    if len(text) > LONGEST and any(len(word) > LONGEST for word in text.split()):
        text = _LETTERS.sub(_cut, text)
    return text


class Beginning(NamedTuple):
    """A word of which the beginning is there: words that begin so have the terms `stems`, or terms that begin with `prefix`."""

    term: str  # what the beginning itself is analysed to
    prefix: str
    stems: tuple[str, ...]


def open_end(query: str) -> bool:
    """Whether the query ends in a word of a script with spaces, which may be the beginning of a longer one."""
    return query[-1:] != "" and unicodedata.category(query[-1])[0] in "LMN" and not _RUN.match(query[-1])


def beginning(query: str) -> Beginning | None:
    """The last word of a query as the beginning of a longer one; None when it is complete.

    Complete is what a blank or a sign follows, what is one letter long, or longer than words are, and what is of a script without
    spaces, whose characters are looked up in pairs.
    """
    if not open_end(query):
        return None
    last = query.rsplit(None, 1)[-1]
    if _RUN.search(folded := fold(last)):
        return None
    words = _unstemmed().analyze(folded)
    if not words or not LEAST_BEGINNING <= len(words[-1]) <= REMEMBERED:
        return None
    prefix = words[-1]
    # Letters of an ending are part of no stem: what may become gardening is looked up as garden.
    begun = [prefix + ending[n:] for ending in _ENDINGS for n in range(1, len(ending)) if prefix.endswith(ending[:n])]
    if prefix[-1] == prefix[-2]:  # of a letter that is doubled before an ending: plann
        begun.append(prefix + "ing")
    stems = dict.fromkeys(stem for word in begun for stem in word_terms(word))
    whole = tuple(stem for stem in stems if stem not in STOPWORDS and not stem.startswith(prefix))
    return Beginning(terms(last)[-1], prefix, whole)


def terms(query: str) -> list[str]:
    """The terms of a query in order, with repetitions."""
    found: list[str] = analyzer().analyze(fold(query, query=True))
    return found


def tokens(text: str) -> Iterator[Token]:
    """The terms of a text with their ranges, for highlights. A run of unspaced characters gives one token for each pair."""
    words = [(match.start(), match.end()) for match in _word().finditer(text)]
    for start, end in words:
        word = text[start:end]
        if not word.isascii() and _RUN.search(word):
            yield from _run_tokens(word, start)
        else:
            for term in word_terms(word):
                yield Token(start, end, term)


def word_terms(word: str) -> Sequence[str]:
    """The terms of a word of a script that is written with spaces."""
    return _terms_of(word) if len(word) <= REMEMBERED else analyzer().analyze(fold(word))


@lru_cache(maxsize=50_000)
def _terms_of(word: str) -> tuple[str, ...]:
    return tuple(analyzer().analyze(fold(word)))


def unspaced(term: str) -> bool:
    """Whether the term is of a script written without spaces."""
    return _RUN.match(term) is not None


def _run_tokens(word: str, offset: int) -> Iterator[Token]:
    place = 0
    for match in _RUN.finditer(word):
        if place < match.start():
            for term in analyzer().analyze(fold(word[place : match.start()])):
                yield Token(offset + place, offset + match.start(), term)
        for start in range(match.start(), match.end()):
            end = min(start + 2, match.end())
            for term in analyzer().analyze(fold(word[start:end], query=True)):
                yield Token(offset + start, offset + end, term)
        place = match.end()
    if place < len(word):
        for term in analyzer().analyze(fold(word[place:])):
            yield Token(offset + place, offset + len(word), term)


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    return " " + " ".join([run[i : i + 2] for i in range(len(run))]) + " "


def _pairs_of_query(match: re.Match[str]) -> str:
    run = match[0]
    return " " + " ".join([run[i : i + 2] for i in range(max(1, len(run) - 1))]) + " "


def _symbol(match: re.Match[str]) -> str:
    # tantivy drops symbols; as words they can be found
    return f" u{ord(match[0]):x} "


def _cut(match: re.Match[str]) -> str:
    word = match[0]
    return " ".join(word[i : i + LONGEST] for i in range(0, len(word), LONGEST))


@cache
def _mark() -> re.Pattern[str]:
    """Marks that tantivy's tokenizer would take for the end of a word, vowel points, joiners, and surrogates."""
    splits = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).build()
    marks = "".join(mark for mark in _marks() if len(splits.analyze(f"a{mark}a")) > 1)
    return re.compile(f"[{marks}\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670{_JOINERS}\ud800-\udfff]+")


@cache
def _word() -> re.Pattern[str]:
    return re.compile(f"{_SYMBOL.pattern}|[^\\W_](?:[^\\W_]|[{_marks()}{_JOINERS}])*")


@cache
def _marks() -> str:
    # No script has marks beyond the first two planes.
    return "".join(chr(code) for code in range(0x20000) if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me"))
