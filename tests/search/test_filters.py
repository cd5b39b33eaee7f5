"""Filters over a real catalog and words index, made from real notes through the registry."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.content.model import ContentSettings
from khojd.content.registry import read
from khojd.index.catalog import Catalog
from khojd.index.catalog_documents import remove_document, set_state, store_document
from khojd.index.catalog_queue import words_pending
from khojd.index.document_rows import rows_of
from khojd.index.rows import FileStat
from khojd.index.words import Words
from khojd.search.filters import resolve
from khojd.search.listing import MANY, newest, seen_entries
from khojd.search.phrases import contains, normalised
from khojd.search.query import parse

TODAY = date(2024, 6, 15)

NOTES = {
    "work/plan.org": """#+TITLE: The Plan
#+FILETAGS: :work:
* TODO [#A] Write the report :report:
DEADLINE: <2024-06-20 Thu>
:PROPERTIES:
:Author: Ada Lovelace
:END:
The ground truth is in the appendix.
* DONE Old thing :old:
CLOSED: [2024-05-02 Thu 10:00]
Ground work. Truth.
* NEXT Call Bob
SCHEDULED: <2024-06-10 Mon>
Ask about groundtruth.
""",
    "journal/2024-06-01.md": "Walked in the rain.\n",
    "journal/2023-12-24.md": "---\ntags: [Family]\n---\nGroßmutter kam. Der ﬁsch war gut, the ground\ntruth too.\n",
    "ideas.md": "# Ideas\nA trip on 2024-05-20, and in May 2024 another. #project/alpha\n",
    "ja.txt": "東京で機械学習の勉強をする。\n",
    "README.md": "# Readme\nNothing here.\n",
}


class Notes:
    """An index over files, asked by query text; entries are named by file and heading."""

    def __init__(self, directory: Path) -> None:
        self.top = directory / "notes"
        self.catalog = Catalog.open(directory / "index")
        self.words = Words.create(directory / "index" / "words")

    def add(self, name: str, text: str, *, overlay: bool = False, mtime: datetime = datetime(2024, 6, 14, 12)) -> None:
        path = str(self.top / name)
        document = read(path, text.encode(), ContentSettings(entry_tokens=32), lambda words: 100)
        stat = FileStat(path, str(self.top), len(text), int(mtime.timestamp()) * 10**9, 1, os.urandom(16), overlay=overlay)
        with self.catalog.transaction() as db:
            store_document(db, stat, rows_of(document))

    def index_words(self) -> None:
        self.words.add(words_pending(self.db, 100_000))
        self.words.commit()

    @property
    def db(self) -> sqlite3.Connection:
        return self.catalog.reader()

    def ids(self, query: str, folders: Sequence[str] = ()) -> set[int] | None:
        return resolve(self.db, self.words, parse(query, today=TODAY).filters, folders=folders)

    def find(self, query: str, folders: Sequence[str] = ()) -> list[str]:
        ids = self.ids(query, folders)
        assert ids is not None
        return self.names(sorted(ids))

    def names(self, ids: Sequence[int]) -> list[str]:
        names = []
        for key in ids:
            path, headings = self.db.execute(
                "SELECT d.path, e.headings FROM entries e JOIN documents d ON d.id = e.document_id WHERE e.id = ?", (key,)
            ).fetchone()
            last = headings.strip("[]").split(",")[-1].strip('"')
            names.append(f"{Path(path).name}{'#' + last if last else ''}")
        return names

    def close(self) -> None:
        self.words.close()
        self.catalog.close()


REPORT, OLD, CALL = "plan.org#Write the report", "plan.org#Old thing", "plan.org#Call Bob"
RAIN, FAMILY, IDEAS, JA, README = "2024-06-01.md", "2023-12-24.md", "ideas.md#Ideas", "ja.txt", "README.md#Readme"
ALL = {REPORT, OLD, CALL, RAIN, FAMILY, IDEAS, JA, README}


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notes]:
    notes = Notes(tmp_path_factory.mktemp("filters"))
    for name, text in NOTES.items():
        notes.add(name, text, mtime=datetime(2024, 6, 15, 0, 0) if name == "ideas.md" else datetime(2024, 6, 14, 23, 59, 59))
    notes.index_words()
    yield notes
    notes.close()


def test_without_filters_nothing_is_restricted(notes: Notes) -> None:
    assert notes.ids("just words") is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tag:work", {REPORT, OLD, CALL}),
        ("tag:project", {IDEAS}),
        ("tag:Project/Alpha", {IDEAS}),
        ("tag:proj", set()),
        ("tag:work tag:old", {OLD}),
        ("tag:old,family", {OLD, FAMILY}),
        ("-tag:work", ALL - {REPORT, OLD, CALL}),
        ("tag:work -tag:old", {REPORT, CALL}),
        ("todo:todo", {REPORT}),
        ("todo:next todo:DONE", {CALL, OLD}),
        ("todo:any", {REPORT, OLD, CALL}),
        ("-todo:any file:plan", set()),
        ("todo:any -todo:done", {REPORT, CALL}),
        ("priority:a", {REPORT}),
        ("todo:any -priority:any", {OLD, CALL}),
        ("prop:author", {REPORT}),
        ('prop:AUTHOR="ada lovelace"', {REPORT}),
        ("prop:author=ada", set()),
        ("tag:work -prop:author", {OLD, CALL}),
        ("type:org", {REPORT, OLD, CALL}),
        ("type:org,text", {REPORT, OLD, CALL, JA}),
        ("-type:md -type:org", {JA}),
        ("lang:ja", {JA}),
        ("-lang:ja tag:family", {FAMILY}),
        ("file:work", {REPORT, OLD, CALL}),
        ("file:journal/*.md", {RAIN, FAMILY}),
        ("file:README", {README}),
        ("file:i:ReAdMe", {README}),
        ("file:ReAdMe", set()),
        ("file:ideas file:ja.txt", {IDEAS, JA}),
        ("-file:journal/ type:md", {IDEAS, README}),
        ("file:100%_sure", set()),
        ("date:2024-06-01", {RAIN}),
        ("date:2023", {FAMILY}),
        ("date:2024-05", {OLD, IDEAS}),
        ("date:2024-05-21", set()),
        ("date:2023 date:2024-06-01", {FAMILY, RAIN}),
        ("date>=2024-05-20 date<2024-06", {IDEAS}),
        ("date>2024-06-01", {REPORT, CALL}),
        ("date>=2024-06-01 date<=2024-06-01", {RAIN}),
        ("date<2023-12-25", {FAMILY}),
        ("date<2024 date>2024", set()),
        ("type:org -date:2024-05", {REPORT, CALL}),
        ("deadline:any", {REPORT}),
        ("todo:any -deadline:any", {OLD, CALL}),
        ('deadline:"next 7 days"', {REPORT}),
        ("scheduled<today", {CALL}),
        ("scheduled:last-week", set()),
        ("scheduled:this-week", {CALL}),
        ("closed:2024-05", {OLD}),
        ("modified:today", {IDEAS}),
        ("modified:yesterday", ALL - {IDEAS}),
        ("-modified:yesterday", {IDEAS}),
        ("modified<2024", set()),
        ("modified>=0001 modified<9999", ALL),
        ('+"ground truth"', {REPORT, FAMILY}),
        ('-"GROUND truth" tag:work', {OLD, CALL}),
        ('+"the plan"', {REPORT, OLD, CALL}),
        ('+"call bob"', {CALL}),
        ('+"fisch"', {FAMILY}),
        ('+"GROSSMUTTER"', {FAMILY}),
        ('+"機械学習"', {JA}),
        ('+"機械" +"勉強"', {JA}),
        ('+"ground truth" tag:family', {FAMILY}),
        ('+"truth ground"', set()),
    ],
)
def test_a_filter_finds_what_it_says(notes: Notes, query: str, found: set[str]) -> None:
    assert set(notes.find(query)) == found


def test_folders_restrict_by_whole_names(notes: Notes) -> None:
    assert set(notes.find("", [str(notes.top / "journal")])) == {RAIN, FAMILY}
    assert notes.find("", [str(notes.top / "jour")]) == []
    assert set(notes.find("type:md", [str(notes.top / "journal") + "/", str(notes.top / "ideas.md")])) == {RAIN, FAMILY, IDEAS}


def test_filters_only_lists_are_newest_first_with_undated_entries_last(notes: Notes) -> None:
    names = notes.names(newest(notes.db, seen_entries(notes.db), 100))
    assert len(names) == len(ALL)
    assert names.index(REPORT) < names.index(CALL) < names.index(RAIN) < names.index(FAMILY)
    assert set(names[-2:]) == {JA, README}
    assert notes.names(newest(notes.db, notes.ids("file:journal/") or set(), 1)) == [RAIN]


def test_long_lists_by_date_are_in_the_same_order_whatever_their_length(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    for number in range(30):
        days = "\n".join(
            f"# Day {day}\n2024-05-{day % 28 + 1:02} {number}\n" if day % 9 else f"# Day {day}\nnone\n" for day in range(80)
        )
        notes.add(f"{number}.md", days, mtime=datetime(2024, 6, 1 + number % 4))
    everything = notes.ids("type:md")
    assert everything is not None
    assert len(everything) == 2400 > MANY
    whole = newest(notes.db, everything, 2400)
    assert sorted(whole) == sorted(everything)
    rows = {
        key: (day, mtime)
        for key, day, mtime in notes.db.execute(
            "SELECT e.id, e.day, d.mtime_ns FROM entries e JOIN documents d ON d.id = e.document_id"
        )
    }
    keys = [(rows[key][0] or 0, rows[key][1]) for key in whole]
    assert keys == sorted(keys, reverse=True)
    for limit in (1, 7, 100, 2200):
        assert newest(notes.db, everything, limit) == whole[:limit]
    few = whole[5:1500:3]
    assert newest(notes.db, set(few), 20) == few[:20]
    notes.close()


def test_positive_conditions_hold_on_one_section_and_negative_ones_on_the_whole_entry(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    text = "* Parent\n** TODO One :red:\n** DONE Two :blue:\n"
    path = str(notes.top / "a.org")
    document = read(path, text.encode(), ContentSettings(), lambda words: len(words.split()))
    assert len(document.entries) == 1
    with notes.catalog.transaction() as db:
        store_document(db, FileStat(path, str(notes.top), hash=b"1"), rows_of(document))
    notes.index_words()
    assert notes.find("todo:TODO tag:red") == ["a.org#Parent"]
    assert notes.find("todo:TODO tag:blue") == []
    assert notes.find("todo:TODO -tag:blue") == []
    assert notes.find("todo:TODO -tag:green") == ["a.org#Parent"]
    notes.close()


def test_a_buffer_stands_in_for_its_file_and_withdrawn_files_are_not_found(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.add("a.md", "# Saved\nold text #one\n")
    notes.add("a.md", "# Typed\nnew text #two\n", overlay=True)
    notes.add("b.md", "# Other\nold text #one\n")
    notes.index_words()
    assert notes.find("file:a.md") == ["a.md#Typed"]
    assert notes.find('+"old text"') == ["b.md#Other"]
    assert notes.find("tag:one,two -file:b.md") == ["a.md#Typed"]
    with notes.catalog.transaction() as db:
        overlay = db.execute("SELECT id FROM documents WHERE overlay = 1").fetchone()[0]
        remove_document(db, overlay)
        set_state(db, FileStat(str(notes.top / "b.md"), str(notes.top)), "failed", "unreadable")
    assert notes.find("tag:one,two") == ["a.md#Saved"]
    assert notes.names(newest(notes.db, seen_entries(notes.db), 10)) == ["a.md#Saved"]
    notes.close()


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("A-B tests", "a-b", True),
        ("the cat sat", "cat", True),
        ("concatenate", "cat", False),
        ("cats", "cat", False),
        ("snake_case", "case", False),
        ("end of\n\n  line", "of line", True),
        ("Ｆｕｌｌ width", "full WIDTH", True),
        ("今日は東京タワー", "東京", True),
        ("naïve", "naive", False),
        ("C++ and C#", "c++", True),
        ("catcat cat", "cat", True),
    ],
)
def test_a_phrase_is_whole_words(text: str, phrase: str, found: bool) -> None:
    assert contains(normalised(text), normalised(phrase)) is found


@settings(deadline=None)
@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1), st.data())
def test_any_run_of_words_of_a_text_is_found_in_it(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert contains(normalised("\n".join(words)), normalised(" ".join(words[start:end])))
