"""Date expressions as a person writes them. Saturday 2024-06-15 is today throughout."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.errors import QueryError
from khojd.search.dateexpr import MAX_DAY, FirstWeekday, Period, parse

TODAY = date(2024, 6, 15)


def days(text: str, *, first_weekday: FirstWeekday = "monday", day_first: bool = True, today: date = TODAY) -> tuple[str, str]:
    """First and last day, ISO."""
    period = parse(text, today=today, first_weekday=first_weekday, day_first=day_first)
    return date.fromordinal(period.start).isoformat(), date.fromordinal(period.end - 1).isoformat()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-05", "2024-05-01", "2024-05-31"),
        ("2024/05", "2024-05-01", "2024-05-31"),
        ("05.2024", "2024-05-01", "2024-05-31"),
        ("may 2024", "2024-05-01", "2024-05-31"),
        ("May, 2024", "2024-05-01", "2024-05-31"),
        ("Mai 2024", "2024-05-01", "2024-05-31"),
        ("sept 2024", "2024-09-01", "2024-09-30"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-W20", "2024-05-13", "2024-05-19"),
        ("2020-w53", "2020-12-28", "2021-01-03"),
        ("2024-W20-3", "2024-05-15", "2024-05-15"),
        ("2024-Q2", "2024-04-01", "2024-06-30"),
        ("Q4 2024", "2024-10-01", "2024-12-31"),
        ("2024-05-01", "2024-05-01", "2024-05-01"),
        ("2024/5/1", "2024-05-01", "2024-05-01"),
        ("20240501", "2024-05-01", "2024-05-01"),
        ("1.5.2024", "2024-05-01", "2024-05-01"),
        ("1 April 1984", "1984-04-01", "1984-04-01"),
        ("April 1, 1984", "1984-04-01", "1984-04-01"),
        ("1st of april 1984", "1984-04-01", "1984-04-01"),
        ("1. März 1984", "1984-03-01", "1984-03-01"),
        ("２０２４-０５", "2024-05-01", "2024-05-31"),
        ("today", "2024-06-15", "2024-06-15"),
        ("Yesterday", "2024-06-14", "2024-06-14"),
        ("tomorrow", "2024-06-16", "2024-06-16"),
        ("this week", "2024-06-10", "2024-06-16"),
        ("last week", "2024-06-03", "2024-06-09"),
        ("next week", "2024-06-17", "2024-06-23"),
        ("last month", "2024-05-01", "2024-05-31"),
        ("next month", "2024-07-01", "2024-07-31"),
        ("last quarter", "2024-01-01", "2024-03-31"),
        ("this quarter", "2024-04-01", "2024-06-30"),
        ("this year", "2024-01-01", "2024-12-31"),
        ("last year", "2023-01-01", "2023-12-31"),
        ("3 days ago", "2024-06-12", "2024-06-12"),
        ("3-days-ago", "2024-06-12", "2024-06-12"),
        ("two weeks ago", "2024-05-27", "2024-06-02"),
        ("a month ago", "2024-05-01", "2024-05-31"),
        ("18 months ago", "2022-12-01", "2022-12-31"),
        ("in 2 weeks", "2024-06-24", "2024-06-30"),
        ("in 1 day", "2024-06-16", "2024-06-16"),
        ("last 7 days", "2024-06-09", "2024-06-15"),
        ("past 2 months", "2024-04-16", "2024-06-15"),
        ("next 7 days", "2024-06-15", "2024-06-21"),
        ("friday", "2024-06-14", "2024-06-14"),
        ("next friday", "2024-06-21", "2024-06-21"),
        ("last friday", "2024-06-14", "2024-06-14"),
        ("next saturday", "2024-06-22", "2024-06-22"),
        ("last saturday", "2024-06-08", "2024-06-08"),
        ("this sunday", "2024-06-16", "2024-06-16"),
        ("last_week", "2024-06-03", "2024-06-09"),
    ],
)
def test_an_expression_means_the_days_of_its_granularity(text: str, first: str, last: str) -> None:
    assert days(text) == (first, last)


def test_the_first_day_of_the_week_moves_calendar_weeks_and_no_iso_weeks() -> None:
    assert days("last week", first_weekday="sunday") == ("2024-06-02", "2024-06-08")
    assert days("this week", first_weekday="saturday") == ("2024-06-15", "2024-06-21")
    assert days("sunday", first_weekday="sunday") == ("2024-06-09", "2024-06-09")
    assert days("2024-W20", first_weekday="sunday") == ("2024-05-13", "2024-05-19")


def test_slashes_are_read_in_the_configured_order() -> None:
    assert days("03/04/2024") == ("2024-04-03", "2024-04-03")
    assert days("03/04/2024", day_first=False) == ("2024-03-04", "2024-03-04")


def test_months_before_the_end_of_a_long_month_end_on_their_last_day() -> None:
    assert days("last 1 month", today=date(2024, 3, 31)) == ("2024-03-01", "2024-03-31")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "last",
        "soon",
        "5",
        "2024-13",
        "2023-02-29",
        "31.4.2024",
        "2023-W53",
        "13/13/2024",
        "0000",
        "10000 years ago",
        "9999 years ago",
        "in 99999 months",
        "last 0 days",
        "0 days",
        "2024-05-01T10:00",
        "may",
        "friday 2024",
        "x" * 5000,
    ],
)
def test_what_is_no_date_is_an_error_that_shows_it_and_what_is_allowed(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, today=TODAY)
    assert caught.value.data["part"].startswith(text[:40])
    assert "last week" not in caught.value.data["part"]
    assert "2024-05" in caught.value.data["allowed"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2024-W53", "2024 has no week 53, its last one is 52"),
        ("2020-W54", "2020 has no week 54, its last one is 53"),
        ("2024-13", "there is no month 13"),
        ("2023-02-29", "2023-02 has no day 29"),
    ],
)
def test_what_the_calendar_does_not_have_is_said(text: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        parse(text, today=TODAY)


def test_the_last_year_has_an_end() -> None:
    assert parse("9999", today=TODAY) == Period(date(9999, 1, 1).toordinal(), MAX_DAY)
    assert parse("9999-12-31", today=TODAY).end == MAX_DAY


@settings(deadline=None)
@given(st.dates())
def test_every_day_is_understood_in_every_notation(day: date) -> None:
    wanted = Period(day.toordinal(), day.toordinal() + 1)
    year, month, number = f"{day.year:04}", day.month, day.day
    iso = day.isocalendar()
    texts = [
        day.isoformat(),
        f"{number}.{month}.{year}",
        f"{year}/{month}/{number}",
        f"{number} {day:%B} {year}",
        f"{day:%b} {number}, {year}",
    ]
    if 1 <= iso.year <= 9999:
        texts.append(f"{iso.year:04}-W{iso.week:02}-{iso.weekday}")
    for text in texts:
        assert parse(text, today=TODAY) == wanted


@settings(deadline=None)
@given(st.dates(), st.sampled_from(["week", "month", "quarter", "year"]), st.sampled_from(["monday", "sunday", "saturday"]))
def test_last_this_and_next_follow_each_other_without_gaps(today: date, unit: str, first: FirstWeekday) -> None:
    try:
        last, this, after = (parse(f"{which} {unit}", today=today, first_weekday=first) for which in ("last", "this", "next"))
    except QueryError:
        assert today.year in (1, 9998, 9999)  # the calendar ends here
        return
    assert last.end == this.start <= today.toordinal() < this.end == after.start
    assert last == parse(f"1 {unit} ago", today=today, first_weekday=first)
    assert after == parse(f"in a {unit}", today=today, first_weekday=first)


@settings(deadline=None)
@given(st.text(max_size=80), st.dates())
def test_any_text_is_a_period_or_an_error(text: str, today: date) -> None:
    try:
        period = parse(text, today=today)
    except QueryError:
        return
    assert 1 <= period.start < period.end <= MAX_DAY
