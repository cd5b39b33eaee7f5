"""What is searched for: the question in the light of the conversation, as queries of khojd's query language, by rules.

Filters that a person writes in a question hold. What only looks like one (`date: what does it mean?`) is text.
"""

import re
from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from khojd.chat import commands, periods
from khojd.chat.model import Turn
from khojd.config import Config
from khojd.errors import ChatError, QueryError
from khojd.index import analysis
from khojd.search import query as language
from khojd.search.conditions import Query

LONGEST = 1000  # characters of a query: of a pasted text its ends are enough
SELECTED = 300  # characters of a selection that are searched for
CARRIED = 8  # words of the question before that are carried over
_CODE = re.compile(r"`[^`\n]+`")
_WORD = re.compile(r'(?:[^\s"]|"(?:[^"\\\n]|\\.)*")+|\S')
_SIGNS = re.compile(r'[:<>=~"\\]+|(?<!\S)[+-]+')
_EDGES = "?!.,;)"
_PLAIN = re.compile(r"[\w'’-]+")
# Words that point at what was said before, and beginnings of questions that go on from the one before.
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|hers?|this|that|these|those|then|ones|same|former|latter|"
    r"er|sie|ihn|ihm|ihr|ihre|ihnen|dies\w*|dazu|davon|damit|dort|dann|elle|elles|ça|cela|ello|ellos|eso|esto)\b",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"(?:and|or|but|also|so|why|how come|what about|how about|what else|who else|anything else|more|tell me more|go on"
    r"|und|oder|aber|warum|wieso|et|mais|pourquoi|y|pero|por qué)\b",
    re.IGNORECASE,
)
_SHORT = 6  # key terms; a longer question says by itself what it is about


class Plan(Struct, frozen=True):
    """`queries` hold no filter that the person wrote: those are in `filters`, and hold for each. `notice` is for people.

    follows: the question needs what was said before to be understood. wider: without the span of time that was read into the
    question; asked for where nothing is found within.
    """

    queries: tuple[str, ...]
    filters: str = ""
    notice: str = ""
    follows: bool = False
    wider: str = ""


def parse(text: str, config: Config, today: date) -> Query:
    """`text` as the search reads it. Raises QueryError."""
    day_first = config.content.date_order == "day-first"
    return language.parse(text, today=today, first_weekday=config.search.first_weekday, day_first=day_first)


def check(filters: str, config: Config) -> None:
    """Raise QueryError where `filters` are none."""
    found = parse(filters, config, date.today())
    if found.text:
        part = found.text[:60]
        raise QueryError(f"“{part}” is no filter; write filters like tag:work", part=part, allowed=["tag:work", 'file:"journal/*"'])


def plan(question: str, history: Sequence[Turn], config: Config, today: date, *, selected: str = "") -> Plan:
    """The queries for a question: itself; with the key words of the one before where it leans on that; once more within the
    span of time that it names, or only there where the span is surely meant so.

    A question about `selected` text (`explain this`) is searched for with its beginning.
    """
    text, filters = split(question, config, today)
    if not text:
        return Plan(("",) if filters else (), filters)
    if selected and leans(text):
        return Plan((f"{text} {safe(selected[:SELECTED], config, today)}",), filters)
    follows = bool(history) and leans(text)
    if follows and (carried := _carried(text, history, config, today)):
        text = f"{text} {carried}"
    text = shortened(text)
    span = None if filters else periods.named(question, config, today)
    if span is None:
        return Plan((text,), filters, follows=follows)
    dated = f"{text} {span.filter}"
    if span.sure:
        return Plan((dated,), filters, follows=follows, wider=text)
    return Plan((text, dated), filters, follows=follows)


def split(question: str, config: Config, today: date) -> tuple[str, str]:
    """The text of a question, safe to search for, and the filters in it. What stands in `code` is text."""
    words: list[str] = []
    filters: list[str] = []
    code = [found.span() for found in _CODE.finditer(question)]
    for found in _WORD.finditer(question):
        inside = any(start <= found.start() < end for start, end in code)
        one = None if inside else as_filter(found[0], config, today)
        if one is None:
            words.append(found[0])
        else:
            filters.append(one)
    return safe(" ".join(words), config, today), " ".join(filters)


def as_filter(word: str, config: Config, today: date) -> str | None:
    """A word as a filter, without the marks that end a sentence; None where it is none."""
    if not any(sign in word for sign in ':<>="'):
        return None
    bare = word.lstrip("(").rstrip(_EDGES)
    try:
        found = parse(bare, config, today)
    except QueryError:
        return None
    return bare if len(found.filters) == 1 and not found.text else None


def safe(text: str, config: Config, today: date) -> str:
    """Text that the search reads as words alone: what could be taken for a filter loses its signs."""
    try:
        found = parse(text, config, today)
    except QueryError:
        pass
    else:
        if not found.filters:
            return text
    return " ".join(_SIGNS.sub(" ", text).split())


def shortened(text: str) -> str:
    """A long text's beginning and end, where what is asked mostly stands."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half].rsplit(maxsplit=1)[0]} {text[-half:].split(maxsplit=1)[-1]}"


def leans(text: str) -> bool:
    """Whether a question can only be understood with the one before."""
    terms = [term for term in analysis.terms(text) if term not in analysis.STOPWORDS]
    return len(terms) <= _SHORT and bool(_POINTING.search(text) or _GOING_ON.match(text))


def _carried(text: str, history: Sequence[Turn], config: Config, today: date) -> str:
    """The key words of the last question that stood on its own, and of those since."""
    known = set(analysis.terms(text))
    found: list[str] = []
    for turn in reversed(history[-4:]):
        try:
            before, _ = split(commands.split(turn.question)[1], config, today)
        except ChatError:
            continue
        words = []
        for word in _PLAIN.findall(before):
            terms = [term for term in analysis.terms(word) if term not in analysis.STOPWORDS]
            if terms and not known.issuperset(terms):
                known.update(terms)
                words.append(word)
        found = words + found
        if not leans(before):
            break
    return " ".join(found[:CARRIED])
