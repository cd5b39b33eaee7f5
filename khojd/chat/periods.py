"""Spans of time that a question names in words, as a filter of the query language."""

import re
from datetime import date

from msgspec import Struct

from khojd.config import Config
from khojd.content.dates import find_dates
from khojd.errors import QueryError
from khojd.search import dateexpr

_UNIT = r"(?:days?|weeks?|months?|quarters?|years?)"
_COUNT = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_RELATIVE = re.compile(
    r"\b(?:the day before yesterday|yesterday|today|tomorrow"
    rf"|(?:last|previous|this|next) (?:day|week|month|quarter|year|{_WEEKDAY})"
    rf"|(?:last|past|next) {_COUNT} {_UNIT}|{_COUNT} {_UNIT} ago|in {_COUNT} {_UNIT})\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(in|during|of|from|since|before|after|until) ((?:19|20)\d\d)\b(?![-/.]\d)", re.IGNORECASE)
_AGO = re.compile(r" ago$", re.IGNORECASE)
_COUNTED_FROM = re.compile(
    r"\b(?:days?|weeks?|months?|years?|night|morning|evening|\w{3,6}day)\s+(?:before|after)\s+(?:the\s+)?$", re.IGNORECASE
)
_LIMIT = re.compile(r"\b(since|after|before|until)\s+(?:the\s+)?$", re.IGNORECASE)
_OPERATORS = {"since": ">=", "after": ">", "before": "<", "until": "<="}
# A question for what was written or done in that time, rather than one that only mentions it.
_SURE = re.compile(
    r"\b(?:notes?|entr(?:y|ies)|journal|diary|log|meetings?|appointments?|tasks?|todos?)\b.{0,40}$"
    r"|\b(?:what|which|when|where|who)\b.{0,30}\b(?:did|have|do|was|were|had|am|is|are)\s+(?:i|we)\b"
    r"|\b(?:i|we)\s+(?:wr[oi]te|noted?|did|made|met|learn\w*|read|work\w*)\b",
    re.IGNORECASE | re.DOTALL,
)


class Span(Struct, frozen=True):
    """`sure`: the question asks for what is of that time; else it may only mention it."""

    filter: str
    sure: bool


def named(question: str, config: Config, today: date) -> Span | None:
    """The one span of time that a question names; None for none or several."""
    found = [(match.start(), match.end(), match[0]) for match in _RELATIVE.finditer(question)]
    found += [(match.start(2), match.end(2), match[2]) for match in _YEAR.finditer(question)]
    day_first = config.content.date_order == "day-first"
    for span, ref in find_dates(question, day_first=day_first):
        if not any(start < span.end and span.start < end for start, end, _ in found):
            found.append((span.start, span.end, _written(ref.start, ref.end)))
    if len(found) != 1:
        return None
    start, _, expression = found[0]
    if _COUNTED_FROM.search(question, 0, start):
        return None  # `the week before May 3` is another span
    sure = bool(_SURE.search(question))
    if _AGO.search(expression) and not sure:
        return None  # what happened then may have been written at any time since
    try:
        dateexpr.parse(expression, today=today, first_weekday=config.search.first_weekday, day_first=day_first)
    except QueryError:
        return None
    limit = _LIMIT.search(question, 0, start)
    operator = _OPERATORS[limit[1].lower()] if limit else ":"
    return Span(f'date{operator}"{expression}"', sure)


def _written(start: int, end: int) -> str:
    """Days as an expression: one day, a month, a year or a week."""
    first = date.fromordinal(start)
    if end - start == 1:
        return first.isoformat()
    if end - start == 7:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return first.strftime("%Y-%m") if end - start < 32 else first.strftime("%Y")
