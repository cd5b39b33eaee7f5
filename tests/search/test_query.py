"""Query text to free text and filters. Saturday 2024-06-15 is today."""

import random
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.errors import QueryError
from khojd.search.conditions import DateIs, File, Filter, Phrase, Property, Query, Values
from khojd.search.query import parse
from khojd.search.vocabulary import FILTERS

TODAY = date(2024, 6, 15)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "query.md"


def read(text: str) -> Query:
    return parse(text, today=TODAY)


def only(text: str) -> Filter:
    query = read(text)
    assert query.text == ""
    assert len(query.filters) == 1
    return query.filters[0]


def refused(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "note: buy milk",
        "http://x.y/z?tag=1",
        "https://example.org/file:x",
        "C++ and C#",
        "at 12:30",
        "foo:bar",
        "dates: the fruit",
        "TODO: call",
        "std::tag::value",
        "type::method",
        "data:image/png;base64,xyz",
        "late:5",
        "e-mail -v flag",
        "-word +word",
        "closed > open",
        "x date < y",
        'a 5" disk',
        '"never closed',
        "(tag:x)",
        "date->format()",
        'type="text" lang=en',
        "mañana: 日本語：x",
    ],
)
def test_ordinary_text_is_text(text: str) -> None:
    assert read(text) == Query(text)


def test_a_quoted_string_is_text_whatever_it_holds() -> None:
    assert read('"tag:x" about "date:soon and more"') == Query("tag:x about date:soon and more")
    assert read(r'"say \"tag:x\" twice"') == Query('say "tag:x" twice')


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('+"exact words"', Phrase("exact words")),
        ('-"größere  Übel"', Phrase("größere Übel", negated=True)),
        ('+"say \\"x\\""', Phrase('say "x"')),
        ("file:work", File("work")),
        ('file:"a b/*.org"', File("a b/*.org")),
        ("-file:i:README*", File("README*", ignore_case=True, negated=True)),
        ('file:i:"README"', File("README", ignore_case=True)),
        ("tag:#Project/Khojd", Values("tag", ("project/khojd",))),
        ('tag:b,a,"two words"', Values("tag", ("a", "b", "two words"))),
        ("-tag:old", Values("tag", ("old",), negated=True)),
        ("todo:NEXT,WAITING", Values("todo", ("next", "waiting"))),
        ("todo:any", Values("todo", ("any",))),
        ("priority:A", Values("priority", ("a",))),
        ("priority:12", Values("priority", ("12",))),
        ("type:md,org", Values("type", ("markdown", "org"))),
        ("lang:zh-CN", Values("lang", ("zh",))),
        ("prop:Author", Property("author")),
        ('prop:author="Ada Lovelace"', Property("author", "ada lovelace")),
        ('prop:"reading list=Yes"', Property("reading list", "yes")),
        ("prop:url=http://x.y/?a=b", Property("url", "http://x.y/?a=b")),
        ("-prop:draft=true", Property("draft", "true", negated=True)),
    ],
)
def test_a_filter_is_taken_out_of_the_text(text: str, wanted: Filter) -> None:
    assert only(text) == wanted
    assert read(f"before {text} after") == Query("before after", (wanted,))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("date>=2024-05-01", "2024-05-01", None),
        ("date>2024-05-01", "2024-05-02", None),
        ("date>2024-05", "2024-06-01", None),
        ('date<"2024-05-01"', None, "2024-05-01"),
        ("date<=2024-05", None, "2024-06-01"),
        ("date:2024", "2024-01-01", "2025-01-01"),
        ("dt=2024", "2024-01-01", "2025-01-01"),
        ('date:"last week"', "2024-06-03", "2024-06-10"),
        ("date:last-week", "2024-06-03", "2024-06-10"),
        ("scheduled<=today", None, "2024-06-16"),
        ('deadline:"next 7 days"', "2024-06-15", "2024-06-22"),
        ("closed>yesterday", "2024-06-15", None),
        ("modified>='3 days ago'".replace("'", '"'), "2024-06-12", None),
        ("date:any", None, None),
    ],
)
def test_dates_compare_with_half_open_ranges(text: str, low: str | None, high: str | None) -> None:
    found = only(text)
    assert isinstance(found, DateIs)
    assert found.low == (date.fromisoformat(low).toordinal() if low else None)
    assert found.high == (date.fromisoformat(high).toordinal() if high else None)


@pytest.mark.parametrize(
    ("text", "part", "says"),
    [
        ("date:soon", "soon", "3 days ago"),
        ("milk date:2024-13", "2024-13", "no month 13"),
        ("date~5", "date~", "date takes"),
        ("date==2024", "date==", "date takes"),
        ("date=>2024", "date=>", "date takes"),
        ("date:last week report", "last week", 'date:"last week"'),
        ("date:'last week'", "last week", 'needs double quotes: date:"last week"'),
        ("deadline<1 april 2024", "1 april 2024", 'deadline<"1 april 2024"'),
        ("date >= 2024-05", "date >= 2024-05", "write date>=2024-05"),
        ('+"never closed', '+"never closed', "no end"),
        ('tag:"never closed', 'tag:"never closed', "no end"),
        ('tag:"x"y', "tag:y", "put a space"),
        ("tag: x", "tag:", "no value"),
        ("file:", "file:", "no value"),
        ("tag:a,,b", "tag:", "no value"),
        ('date:""', "date:", "no value"),
        ("prop:x=", "prop:x=", "write it like"),
        ('prop:x=""', "prop:x=", "no value"),
        ('+"…"', '+"…"', "no word"),
        ("type:pdff", "type:pdff", "markdown"),
        ("lang:english", "lang:english", "two-letter"),
        ("priority:high", "priority:high", "a letter"),
        ("file:[ab", "[ab", "[[]"),
        ("file:{a", "{a", "{"),
        ("tags:x", "tags:", "tag:"),
        ("flie:x", "flie:", "file:"),
        ("Tag:x", "Tag:", "tag:"),
        ("TODO:x", "TODO:", "todo:"),
        ("-deadlin<today", "-deadlin<", "deadline<"),
        ("modifed:today", "modifed:", "modified:"),
        ("language:de", "language:", "lang:"),
        ("modified:any", "any", "2024"),
    ],
)
def test_a_wrong_filter_is_an_error_that_shows_the_part_and_the_way_out(text: str, part: str, says: str) -> None:
    error = refused(text)
    assert error.data["part"] == part
    assert says in error.message
    assert "allowed" in error.data


def test_typographic_quotes_are_quotes() -> None:
    assert read("+“ground truth” -„half truth“ tag:“two words”") == read('+"ground truth" -"half truth" tag:"two words"')
    assert read("“tag:x” a 5″ pipe").text == "tag:x a 5″ pipe"


def test_too_many_filters_and_too_long_values_are_refused() -> None:
    assert "64" in refused(" ".join(f"tag:a{n}" for n in range(65))).message
    assert "64" in refused("tag:" + ",".join(f"a{n}" for n in range(65))).message
    assert "1000" in refused("file:" + "a" * 1001).message


def test_the_same_filter_twice_is_one() -> None:
    assert read('tag:x tag:x tag:"x" dt:2024 date=2024').filters == read("date:2024 tag:x").filters


def test_lone_surrogates_do_not_reach_the_stores() -> None:
    read("a \ud800 b \udc00").text.encode("utf-8")


@pytest.mark.parametrize(
    "piece",
    ['"', '" ', '\\"', "date ", "date >= x ", "tags ", "-", "=:<>", "closed > open ", '"a" ', "foo:", "+", "\\", "日本 "],
)
def test_a_hundred_kilobytes_are_read_in_one_pass(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    try:
        query = read(text)
    except QueryError:
        return
    assert len(query.text) <= len(text)


_NEAR = st.lists(
    st.sampled_from(
        [
            *'+-":=<>~,/\\ \t\n#[]{}*',
            "file",
            "tag:",
            "date",
            "dt<",
            "prop:",
            "todo:",
            '"',
            "last week",
            "2024",
            "i:",
            "any",
            "x",
            "é",
            "日",
        ]
    )
    | st.characters(),
    max_size=30,
).map("".join)


@settings(deadline=None)
@given(_NEAR)
def test_any_text_is_a_query_or_an_error_and_a_query_survives_being_written_out(text: str) -> None:
    try:
        query = read(text)
    except QueryError as error:
        assert isinstance(error.data["part"], str)
        return
    assert read(query.render()) == query


_FILTERS = st.lists(
    st.sampled_from(
        [one.example for one in FILTERS]
        + [
            '-"not this"',
            "-tag:old",
            "-file:drafts/",
            "date<2030",
            "dt>2001-02",
            "-todo:DONE",
            "prop:x",
            '-prop:"y z=1"',
            "closed:any",
        ]
    ),
    min_size=1,
    unique=True,
)


@settings(deadline=None)
@given(_FILTERS, st.integers())
def test_the_order_of_filters_and_where_the_text_stands_do_not_matter(filters: list[str], seed: int) -> None:
    shuffled = [*filters, "milk"]
    random.Random(seed).shuffle(shuffled)
    assert read(" ".join(shuffled)) == read("milk " + " ".join(filters))
    assert read(" ".join(shuffled)).text == "milk"


def test_every_example_of_the_documentation_is_understood() -> None:
    text = DOCS.read_text(encoding="utf-8")
    examples = [line for block in re.findall(r"```query\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]
    assert len(examples) >= 20
    for example in examples:
        read(example)
    wrong = [line for block in re.findall(r"```query-error\n(.*?)```", text, re.DOTALL) for line in block.splitlines() if line]
    assert len(wrong) >= 5
    for example in wrong:
        refused(example)


def test_the_documentation_has_the_whole_table_of_filters() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for one in FILTERS:
        assert f"| {'`' + one.name + '`' if one.name else ''} |" in text
        assert one.what in text
        assert f"`{one.example}`" in text
        read(one.example)
