"""grep over real files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khojd.errors import Cancelled, QueryError
from khojd.search.grep import LONGEST_LINE, MOST_BYTES, grep
from khojd.search.types import GrepRequest, GrepResult, Measure, Place, Range


def never() -> bool:
    return False


def run(
    top: Path, request: GrepRequest, *, measure: Measure = len, cancelled: Callable[[], bool] = never, limit_s: float = 30.0
) -> GrepResult:
    files = sorted(str(path) for path in top.rglob("*") if path.is_file() or path.is_symlink())
    return grep(request, files, measure=measure, cancelled=cancelled, limit_s=limit_s, roots=[str(top)])


def places(result: GrepResult) -> list[tuple[int, int, int]]:
    """Line, start column, end column of each match."""
    assert all(match.range.start.line == match.range.end.line for match in result.matches)
    return [(match.range.start.line, match.range.start.column, match.range.end.column) for match in result.matches]


def test_matches_have_exact_ranges_lines_and_context(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one\ntwo cat, cat\nthree\nfour\nfive cat")
    result = run(tmp_path, GrepRequest(r"c[aä]t\b", context=1))
    assert places(result) == [(1, 4, 7), (1, 9, 12), (4, 5, 8)]
    first, _, last = result.matches
    assert (first.line, first.before, first.after) == ("two cat, cat", ("one",), ("three",))
    assert (last.line, last.before, last.after) == ("five cat", ("four",), ())
    assert (result.files, result.truncated, result.notes) == (1, False, ())


def test_columns_are_counted_by_the_callers_measure(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("😀ä 日本cat😀\n")
    assert places(run(tmp_path, GrepRequest("cat😀"))) == [(0, 5, 9)]
    utf16 = run(tmp_path, GrepRequest("cat😀"), measure=lambda text: len(text.encode("utf-16-le")) // 2)
    assert places(utf16) == [(0, 6, 11)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_and_belongs_to_no_line(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.txt").write_bytes(end.join(["one", "", "two", ""]).encode())
    assert places(run(tmp_path, GrepRequest("^two$"))) == [(2, 0, 3)]
    assert places(run(tmp_path, GrepRequest("^$"))) == [(1, 0, 0)]
    assert places(run(tmp_path, GrepRequest(r"e\s*t"))) == []
    assert places(run(tmp_path, GrepRequest(r"[^x]+"))) == [(0, 0, 3), (2, 0, 3)]
    assert [match.line for match in run(tmp_path, GrepRequest("two")).matches] == ["two"]


def test_other_encodings_are_read_and_ranges_are_in_characters(tmp_path: Path) -> None:
    (tmp_path / "bom.txt").write_bytes("\ufeffcat".encode())
    (tmp_path / "wide.txt").write_text("ä cat", encoding="utf-16")
    result = run(tmp_path, GrepRequest("cat"))
    assert places(result) == [(0, 0, 3), (0, 2, 5)]


def test_case_is_ignored_on_demand_also_beyond_ascii(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ÄRGER\n")
    assert run(tmp_path, GrepRequest("ärger")).matches == ()
    assert places(run(tmp_path, GrepRequest("ärger", ignore_case=True))) == [(0, 0, 5)]


def test_globs_and_folders_choose_the_files(tmp_path: Path) -> None:
    for name in ("a.md", "b.org", "sub/c.md", "sub/drafts/d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    def names(**choice: tuple[str, ...]) -> list[str]:
        request = GrepRequest("x", globs=choice.get("globs", ()), folders=choice.get("folders", ()))
        return [str(Path(match.path).relative_to(tmp_path)) for match in run(tmp_path, request).matches]

    assert names(globs=("*.md", "!drafts")) == ["a.md", "sub/c.md"]
    assert names(globs=("sub/*.md",)) == ["sub/c.md"]
    assert names(folders=(str(tmp_path / "sub"),)) == ["sub/c.md", "sub/drafts/d.md"]
    with pytest.raises(QueryError):
        names(globs=("[a",))


def test_more_matches_than_the_limit_are_cut_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x x x\nx")
    assert run(tmp_path, GrepRequest("x", limit=4)).truncated is False
    cut = run(tmp_path, GrepRequest("x", limit=3))
    assert (len(cut.matches), cut.truncated) == (3, True)


def test_an_empty_match_counts_once_for_a_line_without_another(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("äab\n\nccc\n")
    assert places(run(tmp_path, GrepRequest("b*"))) == [(0, 2, 3), (1, 0, 0), (2, 0, 0)]


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("a(b", 1),
        ("a[b", 1),
        ("ab)", 2),
        ("*a", 0),
        ("a**", 2),
        (r"x(?=y)", 1),
        (r"(a)\1", 3),
        ("a{2,1}", None),
        ("x\ud800", 1),
        ("", None),
    ],
)
def test_a_wrong_pattern_is_an_error_with_its_place(tmp_path: Path, pattern: str, position: int | None) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(QueryError) as caught:
        run(tmp_path, GrepRequest(pattern))
    if position is not None:
        assert caught.value.data["position"] == position
        assert f"character {position + 1}" in caught.value.message


def test_what_is_wrong_with_a_pattern_is_told_of_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(QueryError) as caught:
        run(tmp_path, GrepRequest("(a"))
    assert caught.value.message == "the pattern is not a regular expression at character 1: missing ): (a"
    assert caught.value.data["part"] == "(a"
    with pytest.raises(QueryError, match="look-around"):
        run(tmp_path, GrepRequest("a(?=b)"))


def test_catastrophic_patterns_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 50_000 + "!\n")
    result = run(tmp_path, GrepRequest(r"^(a+)+$"))
    assert (result.matches, result.truncated, result.notes) == ((), False, ())


def test_a_search_that_runs_out_of_time_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    result = run(tmp_path, GrepRequest("x"), limit_s=-1)
    assert result.truncated
    assert f"stopped after -1 seconds, at {tmp_path / 'a.txt'}" in result.notes[0]


def test_a_search_can_be_cancelled_within_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 5000)
    calls = iter([False, False, True])
    with pytest.raises(Cancelled):
        run(tmp_path, GrepRequest("y?", limit=200), cancelled=lambda: next(calls))


def test_long_lines_are_shown_around_the_match(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("é" * 100_000 + "cat" + "ü" * 100_000 + "\nnext\n")
    (match,) = run(tmp_path, GrepRequest("cat", context=1)).matches
    assert match.range == Range(Place(0, 100_000), Place(0, 100_003))
    assert len(match.line) == LONGEST_LINE
    start = match.range.start.column - match.line_offset
    assert match.line[start : start + 3] == "cat"
    assert match.after == ("next",)
    (below,) = run(tmp_path, GrepRequest("next", context=1)).matches
    assert below.before == ("é" * LONGEST_LINE,)


def test_files_that_cannot_be_searched_are_named(tmp_path: Path) -> None:
    (tmp_path / "bin.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "ok.txt").write_text("x")
    result = run(tmp_path, GrepRequest("x"))
    assert [Path(match.path).name for match in result.matches] == ["ok.txt"]
    assert result.files == 1
    assert any("gone.txt" in note for note in result.notes)
    assert any("1 binary file" in note for note in result.notes)


@pytest.mark.parametrize("head", [b"cat\n", b"\x89PNG\r\n\x1a\n"])
def test_huge_files_are_not_held_in_memory(tmp_path: Path, head: bytes) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write(head)
        file.truncate(MOST_BYTES * 40)  # it has holes and takes no room
    (tmp_path / "ok.txt").write_text("cat")
    result = run(tmp_path, GrepRequest("cat"))
    assert [Path(match.path).name for match in result.matches] == ["ok.txt"]
    assert "not searched: " in result.notes[0]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.text(st.sampled_from("ab\n\r é😀\t")), word=st.text("abé😀", min_size=1, max_size=2))
def test_ranges_cut_the_match_out_of_the_file(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    result = run(tmp_path, GrepRequest(word))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [lines[line][start:end] for line, start, end in places(result)] == [word] * len(result.matches)
    assert len(result.matches) == sum(line.count(word) for line in lines)
