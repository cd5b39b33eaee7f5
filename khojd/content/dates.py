"""Dates written in text, in file names and in metadata.

Nearly all text holds no date, so the search starts at four-digit years, which one fast expression finds; only around them is
anything looked at more closely. A date without its year is none, and so are day and month with a two-digit year (`10.04.24` may be
a version).
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from khojd.content.model import DateRef, Span
from khojd.content.months import MONTH, MONTHS

_YEAR = re.compile(r"[12][0-9]{3}(?![0-9])")
_BEFORE = 48  # code points looked at before a year: "the 1st of September of the year" and the like are shorter

# What may follow a year. The separators are equal on both sides, and no further number of the same kind follows.
_AFTER_YEAR = re.compile(
    r"""(?:
      ([-/.])([0-9]{1,2})\1([0-9]{1,2})(?![0-9]|\1[0-9])      # 2024-05-01, 2024/5/1
    | -W([0-9]{2})(?![0-9])                                   # 2024-W20
    | -([0-9]{2})(?![\w]|[-/.][0-9])                          # 2024-05
    | \ ?年\ ?([0-9]{1,2})\ ?月(?:\ ?([0-9]{1,2})\ ?日)?       # 2024年5月1日
    | \ ?년\ ?([0-9]{1,2})\ ?월(?:\ ?([0-9]{1,2})\ ?일)?       # 2024년 5월 1일
    )""",
    re.VERBOSE,
)
_NUMBERS_BEFORE = re.compile(r"(?<![0-9])(?<![0-9][-./])([0-9]{1,2})([-./])\ ?([0-9]{1,2})\2\ ?$")
_NAMES_BEFORE = re.compile(
    rf"""(?<!\w)(?:
      ([0-9]{{1,2}})(?:st|nd|rd|th|er|re|e|º|ª|\.)?(?:\s{{1,2}}|-)(?:of\s{{1,2}}|de\s{{1,2}}|d')?(?:the\s)?   # 1st of
      ({MONTH})\b\.?,?(?:\s{{1,2}}|-)(?:de\s{{1,2}}|del\s{{1,2}})?                                         # April,
    | ({MONTH})\b\.?\s{{1,2}}([0-9]{{1,2}})(?:st|nd|rd|th)?,?\s{{1,2}}                                      # April 1st,
    | ({MONTH})\b\.?,?\s{{1,2}}(?:of\s|de\s|del\s)?                                                        # May
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_NAME_HINT = re.compile(
    r"([^\W\d_]+)[.,]*(?:[\s-]{1,3}[0-9]{1,2}(?:st|nd|rd|th)?,?)?(?:[\s-]{1,3}(?:of|de|del))?[\s-]{1,3}$", re.IGNORECASE
)
_HINT = 28  # code points it needs

_STEM_WEEK = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})-?[Ww]([0-9]{2})(?![0-9])")
_STEM_DAY = re.compile(r"(?<![0-9])([0-9]{4})([-_.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_STEM_COMPACT = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:T?(?:[0-9]{4}|[0-9]{6}))?(?![0-9])")
_STEM_MONTH = re.compile(r"(?<![0-9])(?<![0-9][-_.])((?:19|20)[0-9]{2})[-_.]([0-9]{2})(?![0-9]|[-_.][0-9])")

_META_DAY = re.compile(r"\s*[\[<\"']?([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})(?![0-9])")
_META_EPOCH = re.compile(r"\s*([0-9]{13}|[0-9]{10})\s*$")


def find_dates(text: str, *, day_first: bool) -> list[tuple[Span, DateRef]]:
    """Dates of `text` in the order they stand, each with its range; their kind is "text".

    Days, months (`May 2024`, `2024-05`) and ISO weeks become half-open ranges of days. `day_first` decides `03/04/2024`; where only
    one order gives a date, that one is taken. Version numbers, addresses and impossible dates are none.
    """
    found = []
    for match in _YEAR.finditer(text):
        start, end = match.span()
        if start and text[start - 1].isdigit():
            continue
        item = _year_first(text, start, end) or _year_last(text, start, end, day_first)
        if item is not None:
            found.append(item)
    return found


def filename_date(stem: str) -> DateRef | None:
    """The date in a file's name without its extension, as daily, weekly and monthly notes and time-stamped names have it."""
    for candidate in _stem_candidates(stem):
        if candidate is not None:
            return DateRef("filename", *candidate)
    for _, ref in find_dates(stem.replace("_", " "), day_first=True):
        return DateRef("filename", ref.start, ref.end)
    return None


def parse_day(text: str) -> date | None:
    """The day of a metadata value: an ISO-like date, with or without a time, or milliseconds or seconds since the epoch (UTC)."""
    if match := _META_DAY.match(text):
        return _day(int(match[1]), int(match[3]), int(match[4]))
    if match := _META_EPOCH.match(text):
        seconds = int(match[1]) / (1000 if len(match[1]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC).date()
    return None


def _year_first(text: str, start: int, end: int) -> tuple[Span, DateRef] | None:
    match = _AFTER_YEAR.match(text, end)
    if match is None or (start >= 2 and text[start - 1] in "-./" and text[start - 2].isdigit()):
        return None
    year = int(text[start:end])
    _, month, day, week, only_month, han_month, han_day, hangul_month, hangul_day = match.groups()
    days: tuple[int, int] | None
    if month:
        days = _day_range(year, int(month), int(day))
    elif week:
        days = _week_range(year, int(week))
    elif only_month:
        days = _month_range(year, int(only_month))
    else:
        month, day = han_month or hangul_month, han_day or hangul_day
        days = _day_range(year, int(month), int(day)) if day else _month_range(year, int(month))
    return (Span(start, match.end()), DateRef("text", *days)) if days else None


def _year_last(text: str, start: int, end: int, day_first: bool) -> tuple[Span, DateRef] | None:
    year = int(text[start:end])
    last = text[start - 1 : start]
    if last in ("-", ".", "/") and _NUMBERS_BEFORE.search(text, max(start - 8, 0), start):
        if text[end : end + 1] == last and text[end + 1 : end + 2].isdigit():
            return None
        return _numbers_before(text, start, end, day_first)
    if not last or not (last.isspace() or last == "-"):
        return None
    low = max(start - _BEFORE, 0)
    window = text[low:start]
    # Cheaper than the expression that follows, which most years in prose ("in 2024", "of 1999") would be tried against in vain.
    hint = _NAME_HINT.search(window, max(start - low - _HINT, 0))
    if hint is None or hint[1].lower() not in MONTHS:
        return None
    match = _NAMES_BEFORE.search(window)
    if match is None:
        return None
    day, month_after, month_before, day_after, month_alone = match.groups()
    name = month_after or month_before or month_alone
    month = MONTHS[name.lower()]
    if month_alone:
        days = _month_range(year, month)
    else:
        days = _day_range(year, month, int(day or day_after))
    return (Span(low + match.start(), end), DateRef("text", *days)) if days else None


def _numbers_before(text: str, start: int, end: int, day_first: bool) -> tuple[Span, DateRef] | None:
    match = _NUMBERS_BEFORE.search(text, max(start - 8, 0), start)
    if match is None:
        return None
    first, separator, second = int(match[1]), match[2], int(match[3])
    year = int(text[start:end])
    orders = [(second, first), (first, second)]  # (month, day)
    if separator == ".":
        orders = orders[:1]  # dots are only written day first
    elif not day_first:
        orders.reverse()
    for month, day in orders:
        if days := _day_range(year, month, day):
            return Span(match.start(), end), DateRef("text", *days)
    return None


def _stem_candidates(stem: str) -> Iterator[tuple[int, int] | None]:
    if match := _STEM_DAY.search(stem):
        yield _day_range(int(match[1]), int(match[3]), int(match[4]))
    if match := _STEM_COMPACT.search(stem):
        yield _day_range(int(match[1]), int(match[2]), int(match[3]))
    if match := _STEM_WEEK.search(stem):
        yield _week_range(int(match[1]), int(match[2]))
    if match := _STEM_MONTH.search(stem):
        yield _month_range(int(match[1]), int(match[2]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day_range(year: int, month: int, day: int) -> tuple[int, int] | None:
    found = _day(year, month, day)
    return (found.toordinal(), found.toordinal() + 1) if found else None


def _month_range(year: int, month: int) -> tuple[int, int] | None:
    first = _day(year, month, 1)
    following = _day(year + month // 12, month % 12 + 1, 1)
    return (first.toordinal(), following.toordinal()) if first and following else None


def _week_range(year: int, week: int) -> tuple[int, int] | None:
    try:
        monday = date.fromisocalendar(year, week, 1).toordinal()
    except ValueError:
        return None
    return monday, monday + 7
