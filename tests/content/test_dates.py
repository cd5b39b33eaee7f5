from calendar import month_name
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.dates import filename_date, find_dates, parse_day


def found(text: str, *, day_first: bool = True) -> list[tuple[str, str, int]]:
    """Written form, first day, number of days."""
    return [
        (text[span.start : span.end], date.fromordinal(ref.start).isoformat(), ref.end - ref.start)
        for span, ref in find_dates(text, day_first=day_first)
    ]


@pytest.mark.parametrize(
    ("text", "written", "day"),
    [
        ("on 2024-05-01 we", "2024-05-01", "2024-05-01"),
        ("at 2024-05-01T10:00:00Z", "2024-05-01", "2024-05-01"),
        ("2024/5/1", "2024/5/1", "2024-05-01"),
        ("2024.05.01", "2024.05.01", "2024-05-01"),
        ("am 1.4.2024, abends", "1.4.2024", "2024-04-01"),
        ("01-04-2024.", "01-04-2024", "2024-04-01"),
        ("1 April 1984", "1 April 1984", "1984-04-01"),
        ("April 1, 1984", "April 1, 1984", "1984-04-01"),
        ("Sept. 3rd, 2001", "Sept. 3rd, 2001", "2001-09-03"),
        ("the 1st of April 1984", "1st of April 1984", "1984-04-01"),
        ("April 1,\n1984", "April 1,\n1984", "1984-04-01"),
        ("12-Apr-1999", "12-Apr-1999", "1999-04-12"),
        ("am 3. März 2024", "3. März 2024", "2024-03-03"),
        ("le 1er avril 1984", "1er avril 1984", "1984-04-01"),
        ("14 de julio de 1999", "14 de julio de 1999", "1999-07-14"),
        ("il 2 giugno 1946", "2 giugno 1946", "1946-06-02"),
        ("1º de maio de 2020", "1º de maio de 2020", "2020-05-01"),
        ("17 maart 2010", "17 maart 2010", "2010-03-17"),
        ("会議は2024年5月1日です", "2024年5月1日", "2024-05-01"),
        ("2024년 5월 1일", "2024년 5월 1일", "2024-05-01"),
        ("see example.com/2024/05/01/post", "2024/05/01", "2024-05-01"),
    ],
)
def test_a_day_is_found_however_it_is_written(text: str, written: str, day: str) -> None:
    assert found(text) == [(written, day, 1)]


@pytest.mark.parametrize(
    ("text", "written", "day", "days"),
    [
        ("in May 2024 we", "May 2024", "2024-05-01", 31),
        ("in February of 2024", "February of 2024", "2024-02-01", 29),
        ("im Dezember 1999", "Dezember 1999", "1999-12-01", 31),
        ("2024-05", "2024-05", "2024-05-01", 31),
        ("2024年5月", "2024年5月", "2024-05-01", 31),
        ("sprint 2024-W20", "2024-W20", "2024-05-13", 7),
    ],
)
def test_months_and_weeks_are_ranges(text: str, written: str, day: str, days: int) -> None:
    assert found(text) == [(written, day, days)]


def test_the_order_of_day_and_month_is_a_setting_where_both_are_possible() -> None:
    assert found("03/04/2024") == [("03/04/2024", "2024-04-03", 1)]
    assert found("03/04/2024", day_first=False) == [("03/04/2024", "2024-03-04", 1)]
    assert found("25/12/2024", day_first=False) == [("25/12/2024", "2024-12-25", 1)]
    assert found("12/25/2024") == [("12/25/2024", "2024-12-25", 1)]
    assert found("3.4.2024", day_first=False) == [("3.4.2024", "2024-04-03", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30",
        "2024-13-01",
        "31 April 2001",
        "13/13/2024",
        "12.25.2024",
        "version 1.2.3",
        "Python 3.11.2024.1",
        "192.168.1.2024",
        "1.2.2003.4",
        "2024-05-01-1234",
        "12024-05-01",
        "555-2024-05",
        "+49 30 12345 2024",
        "in 2024 there were 1999 of them",
        "the data set 2020",
        "dismay 2024",
        "10.04.24",
        "id 20240501",
        "²2024-05-01",
    ],
)
def test_what_only_looks_like_a_date_is_none(text: str) -> None:
    assert found(text) == []


def test_dates_stand_in_the_order_of_the_text() -> None:
    text = "From 2024-05-01 to 3 May 2024, then 2024-06..2024-07-02."
    assert [day for _, day, _ in found(text)] == ["2024-05-01", "2024-05-03", "2024-06-01", "2024-07-02"]


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_every_day_is_found_in_iso_and_in_words(day: date) -> None:
    ordinal = day.toordinal()
    named = f"{day.day} {month_name[day.month]} {day.year:04}"
    for text in (f"x {day.isoformat()} y", f"x {named} y", f"({day.day}.{day.month}.{day.year:04})"):
        assert [(ref.start, ref.end) for _, ref in find_dates(text, day_first=True)] == [(ordinal, ordinal + 1)]


@given(st.text(alphabet="0123456789-/. WMay年月日\n²٣", max_size=60))
def test_any_jumble_of_digits_gives_ranges_within_the_text(text: str) -> None:
    for span, ref in find_dates(text, day_first=True):
        assert 0 <= span.start < span.end <= len(text)
        assert 1 <= ref.start < ref.end


@pytest.mark.parametrize(
    ("stem", "day", "days"),
    [
        ("2024-05-01", "2024-05-01", 1),
        ("2024_05_01", "2024-05-01", 1),
        ("20240501", "2024-05-01", 1),
        ("20240501103000-meeting_notes", "2024-05-01", 1),
        ("202405011030", "2024-05-01", 1),
        ("2024-W20", "2024-05-13", 7),
        ("2024-05", "2024-05-01", 31),
        ("daily.journal.2024.05.01", "2024-05-01", 1),
        ("2024-05-01 Meeting", "2024-05-01", 1),
        ("Meeting 2024-05-01 notes", "2024-05-01", 1),
        ("May 1st, 2024", "2024-05-01", 1),
        ("2024年5月1日", "2024-05-01", 1),
    ],
)
def test_names_of_daily_weekly_and_monthly_notes_are_dates(stem: str, day: str, days: int) -> None:
    ref = filename_date(stem)
    assert ref is not None
    assert (ref.kind, date.fromordinal(ref.start).isoformat(), ref.end - ref.start) == ("filename", day, days)


@pytest.mark.parametrize("stem", ["notes", "report-1234", "12345678", "v1.2.3", "2024-13-40", "20241340", "iso-8601", "9999-W52"])
def test_other_names_have_no_date(stem: str) -> None:
    assert filename_date(stem) is None


def test_the_day_of_a_metadata_value() -> None:
    may = date(2024, 5, 1)
    for value in (
        "2024-05-01",
        "2024-05-01T10:00:00Z",
        "2024/05/01",
        "20240501",
        "[2024-05-01 Wed]",
        "'2024-05-01'",
        " 2024-05-01 10:00",
    ):
        assert parse_day(value) == may
    assert parse_day("1714557600000") == may
    assert parse_day("1714557600") == may
    for value in ("", "soon", "2024-02-31", "2024", "12345"):
        assert parse_day(value) is None


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)))
def test_every_iso_day_is_a_metadata_day(day: date) -> None:
    assert parse_day(day.isoformat()) == day
    assert filename_date((date(2000, 1, 1) + timedelta(days=day.toordinal() % 9000)).isoformat()) is not None
