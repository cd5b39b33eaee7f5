"""Date expressions: text -> a half-open range of days.

A range has the granularity of the words it is written in: a year, quarter, month, ISO week, calendar week or day. `last 7 days`
and `next 2 weeks` count from today and include it; everything else is a calendar unit: `2 weeks ago` is a week, `3 days ago` a day.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import Literal

from msgspec import Struct

from khojd.content.months import MONTH, MONTHS
from khojd.errors import QueryError

FirstWeekday = Literal["monday", "sunday", "saturday"]
Unit = Literal["day", "week", "month", "quarter", "year"]

ALLOWED = (
    "2024",
    "2024-05",
    "may 2024",
    "2024-Q2",
    "2024-W20",
    "2024-05-01",
    "1.5.2024",
    "1 may 2024",
    "today",
    "yesterday",
    "tomorrow",
    "last/this/next week|month|quarter|year",
    "3 days ago",
    "in 2 weeks",
    "last 7 days",
    "next friday",
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: n for n, word in enumerate(_COUNTED, 1)} | {"a": 1, "an": 1}

MAX_DAY = date.max.toordinal() + 1


class Period(Struct, frozen=True, array_like=True):
    """Days as proleptic Gregorian ordinals, half-open: one day is (d, d + 1)."""

    start: int
    end: int


class _Unknown(Exception):
    """Not a date; the reason, where there is a better one than `unknown`."""


def parse(text: str, *, today: date, first_weekday: FirstWeekday = "monday", day_first: bool = True) -> Period:
    """The days `text` names. `first_weekday` decides where a calendar week starts, `day_first` how 03/04/2024 is read.

    Raises QueryError with `part` (the text) and `allowed` (samples of what is understood).
    """
    reason = ""
    spaced = " ".join(unicodedata.normalize("NFKC", text).casefold().replace("_", " ").split())
    # Without quotes, words can be joined: last-week, 3-days-ago. Numeric forms keep their hyphens.
    joined = re.sub(r"(?<=[0-9a-z])-(?=[a-z])|(?<=[a-z])-(?=[0-9])", " ", spaced)
    if len(spaced) <= 60:
        for candidate in dict.fromkeys((spaced, joined)):
            for pattern, build in _FORMS:
                if found := pattern.fullmatch(candidate):
                    try:
                        return build(found, _Calendar(today, first_weekday, day_first))
                    except (_Unknown, ValueError, OverflowError) as error:
                        reason = reason or str(error)
    shown = text if len(text) <= 60 else text[:60] + "…"
    why = f": {reason}" if reason else ""
    raise QueryError(
        f"“{shown}” is not a date that is understood{why}; write it like {', '.join(ALLOWED)}", part=shown, allowed=list(ALLOWED)
    )


class _Calendar(Struct, frozen=True):
    """Calendar units around a day."""

    today: date
    first_weekday: FirstWeekday
    day_first: bool

    def unit(self, unit: Unit, offset: int) -> Period:
        """The calendar unit `offset` units after the one that holds today."""
        day = self.today.toordinal()
        if unit == "day":
            return _checked(day + offset, day + offset + 1)
        if unit == "week":
            start = day - (self.today.weekday() - WEEKDAYS.index(self.first_weekday)) % 7 + 7 * offset
            return _checked(start, start + 7)
        if unit == "year":
            return year(self.today.year + offset)
        months = {"month": 1, "quarter": 3}[unit]
        first = (self.today.year * 12 + self.today.month - 1) // months * months + offset * months
        return _months(first, months)

    def shifted(self, unit: Unit, count: int) -> int:
        """The day `count` units from today; a day its month does not have becomes the month's last."""
        if unit in ("day", "week"):
            return self.today.toordinal() + count * (7 if unit == "week" else 1)
        index = self.today.year * 12 + self.today.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
        target, month = index // 12, index % 12 + 1
        _check_year(target)
        return date(target, month, min(self.today.day, monthrange(target, month)[1])).toordinal()


def _checked(start: int, end: int) -> Period:
    if start < 1 or end > MAX_DAY:
        raise _Unknown("only the years 1 to 9999 are known")
    return Period(start, end)


def _check_year(number: int) -> None:
    if not 1 <= number <= 9999:
        raise _Unknown("only the years 1 to 9999 are known")


def year(number: int) -> Period:
    """A calendar year."""
    return _months(number * 12, 12)


def _months(first: int, count: int) -> Period:
    """`count` months from month number `first`, which is year * 12 + month - 1."""
    _check_year(first // 12)
    end = first + count
    last = MAX_DAY if end // 12 > 9999 else date(end // 12, end % 12 + 1, 1).toordinal()
    return Period(date(first // 12, first % 12 + 1, 1).toordinal(), last)


def _day(number: int, month: int, day: int) -> Period:
    _check_year(number)
    if not 1 <= month <= 12:
        raise _Unknown(f"there is no month {month}")
    if not 1 <= day <= monthrange(number, month)[1]:
        raise _Unknown(f"{number:04}-{month:02} has no day {day}")
    start = date(number, month, day).toordinal()
    return Period(start, start + 1)


def _month(number: int, month: int) -> Period:
    if not 1 <= month <= 12:
        raise _Unknown(f"there is no month {month}")
    return _months(number * 12 + month - 1, 1)


def _iso_week(number: int, week: int, day: str | None) -> Period:
    last = date(number, 12, 28).isocalendar().week if 1 <= number <= 9999 else 53
    if not 1 <= week <= last:
        raise _Unknown(f"{number:04} has no week {week}, its last one is {last}")
    if day is not None:
        start = date.fromisocalendar(number, week, int(day)).toordinal()
        return Period(start, start + 1)
    start = date.fromisocalendar(number, week, 1).toordinal()
    return _checked(start, start + 7)


def _slashed(found: re.Match[str], calendar: _Calendar) -> Period:
    first, second, number = (int(group) for group in found.groups())
    return _day(number, second, first) if calendar.day_first else _day(number, first, second)


def _count(word: str) -> int:
    return _NUMBERS[word] if word in _NUMBERS else int(word)


def _unit_of(word: str) -> Unit:
    units: dict[str, Unit] = {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year"}
    return units[word]


def _relative(found: re.Match[str], calendar: _Calendar) -> Period:
    which = {"last": -1, "previous": -1, "this": 0, "current": 0, "next": 1}[found[1]]
    return calendar.unit(_unit_of(found[2]), which)


def _rolling(found: re.Match[str], calendar: _Calendar) -> Period:
    count, unit = _count(found[2]), _unit_of(found[3])
    if count < 1:
        raise _Unknown("the number must be at least 1")
    day = calendar.today.toordinal()
    if found[1] == "next":
        return _checked(day, calendar.shifted(unit, count))
    return _checked(calendar.shifted(unit, -count) + 1, day + 1)


def _weekday(found: re.Match[str], calendar: _Calendar) -> Period:
    wanted = next(n for n, name in enumerate(WEEKDAYS) if name.startswith(found[2][:3]))
    day, ahead = calendar.today.toordinal(), (wanted - calendar.today.weekday()) % 7
    if found[1] == "next":
        start = day + (ahead or 7)
    elif found[1] in ("last", "previous"):
        start = day + ahead - 7
    else:
        week = calendar.unit("week", 0)
        start = week.start + (wanted - WEEKDAYS.index(calendar.first_weekday)) % 7
    return _checked(start, start + 1)


_Y = r"([0-9]{4})"
_D = r"([0-9]{1,2})"
_NAME = "(" + MONTH + r")\.?"
_N = r"([0-9]{1,5}|" + "|".join(_NUMBERS) + ")"
_UNIT = r"(day|week|month|quarter|year)"
_FRIDAY = "(" + "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS) + "|tues|thur|thurs)"
_DAYS = {"the day before yesterday": -2, "yesterday": -1, "today": 0, "now": 0, "tomorrow": 1, "the day after tomorrow": 2}

_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Calendar], Period]], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (_Y, lambda m, c: year(int(m[1]))),
        (_Y + r"[-/.]" + _D, lambda m, c: _month(int(m[1]), int(m[2]))),
        (_D + r"[./]" + _Y, lambda m, c: _month(int(m[2]), int(m[1]))),
        (_Y + r"([-/.])" + _D + r"\2" + _D, lambda m, c: _day(int(m[1]), int(m[3]), int(m[4]))),
        (_Y + r"([0-9]{2})([0-9]{2})", lambda m, c: _day(int(m[1]), int(m[2]), int(m[3]))),
        (_Y + r"[- ]?w([0-9]{1,2})(?:-([1-7]))?", lambda m, c: _iso_week(int(m[1]), int(m[2]), m[3])),
        (_Y + r"[- ]?q([1-4])", lambda m, c: _months(int(m[1]) * 12 + 3 * (int(m[2]) - 1), 3)),
        (r"q([1-4])[- /]?" + _Y, lambda m, c: _months(int(m[2]) * 12 + 3 * (int(m[1]) - 1), 3)),
        (_D + r"\. ?" + _D + r"\. ?" + _Y, lambda m, c: _day(int(m[3]), int(m[2]), int(m[1]))),
        (_D + r"/" + _D + r"/" + _Y, _slashed),
        (_NAME + r",? " + _Y, lambda m, c: _month(int(m[2]), MONTHS[m[1]])),
        (_Y + r" " + _NAME, lambda m, c: _month(int(m[1]), MONTHS[m[2]])),
        (
            _D + r"(?:st|nd|rd|th|\.)? (?:of )?" + _NAME + r",? " + _Y,
            lambda m, c: _day(int(m[3]), MONTHS[m[2]], int(m[1])),
        ),
        (_NAME + r" " + _D + r"(?:st|nd|rd|th)?,? " + _Y, lambda m, c: _day(int(m[3]), MONTHS[m[1]], int(m[2]))),
        (_Y + r" " + _NAME + r" " + _D, lambda m, c: _day(int(m[1]), MONTHS[m[2]], int(m[3]))),
        ("(" + "|".join(_DAYS) + ")", lambda m, c: c.unit("day", _DAYS[m[1]])),
        (r"(last|previous|this|current|next) " + _UNIT, _relative),
        (r"(?:the )?(last|past|next) " + _N + r" " + _UNIT + "s?", _rolling),
        (_N + r" " + _UNIT + r"s? ago", lambda m, c: c.unit(_unit_of(m[2]), -_count(m[1]))),
        (r"in " + _N + r" " + _UNIT + "s?", lambda m, c: c.unit(_unit_of(m[2]), _count(m[1]))),
        (r"(?:(last|previous|this|next) )?" + _FRIDAY, _weekday),
    )
)
