"""Globs over paths, as a person means them."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.errors import QueryError
from khojd.search.paths import Glob, Globs, below

TOP = "/home/ada/notes"


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [
        ("work", "work/a.md", True),
        ("jobs", "deep/jobs/a.md", True),
        ("work", "homework.md", True),
        ("work", "homeworks/a.md", False),
        ("notes", "a.md", True),  # the folder's own name
        ("ada", "a.md", False),  # and nothing above it
        ("work", "WORK.md", True),
        ("Work", "work.md", False),
        ("café", "cafe\u0301.md", True),
        ("*.org", "deep/a.org", True),
        ("*.org", "a.org.bak", False),
        ("draft*", "drafts/a.md", True),
        ("a?c", "abc/x", True),
        ("[!a]b", "ab", False),
        ("[a-c]b", "bb", True),
        ("*.{org,md}", "x.md", True),
        ("*.{org,md}", "x.txt", False),
        ("journal/*.md", "journal/a.md", True),
        ("journal/*.md", "old/journal/a.md", False),
        ("journal/*.md", "journal/2024/a.md", False),
        ("journal/**", "journal/2024/a.md", True),
        ("**/journal/*", "old/journal/a.md", True),
        ("**/journal/*", "journal/a.md", True),
        ("journal/2024", "journal/2024/05/a.md", True),
        ("journal/", "journal/a.md", True),
        ("journal/", "journals/a.md", False),
        ("a/**/b/**/c", "a/x/b/b/y/c", True),
        ("./journal/a.md", "journal/a.md", True),
        ("/home/ada/notes/*.md", "a.md", True),
        ("/home/ada/**", "x/a.md", True),
        ("/journal/a.md", "journal/a.md", False),
        ("///home/ada/notes/my%20file.md", "my file.md", True),
    ],
)
def test_a_glob_finds_the_paths_it_describes(glob: str, path: str, found: bool) -> None:
    assert Glob(glob).matches(f"{TOP}/{path}", TOP) is found
    literal = Glob(glob).literal.lower()
    assert not found or literal in f"{TOP}/{path}".lower()


def test_the_home_directory_can_be_written_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert Glob("~/notes/*.md").matches("/home/ada/notes/a.md", TOP)


def test_case_is_ignored_on_demand() -> None:
    assert not Glob("README*").matches(f"{TOP}/readme.md", TOP)
    assert Glob("README*", ignore_case=True).matches(f"{TOP}/readme.md", TOP)


def test_several_globs_are_alternatives_and_an_exclamation_mark_leaves_out() -> None:
    globs = Globs(["*.md", "*.org", "!drafts"])
    assert [path for path in ("a.md", "b.org", "c.txt", "drafts/d.md") if globs.matches(f"{TOP}/{path}", TOP)] == ["a.md", "b.org"]
    assert Globs(["!*.md"]).matches(f"{TOP}/a.org", TOP)


@pytest.mark.parametrize("glob", ["", "/", "[ab", "[]", "[z-a]", "{a", "a}", "{a,{b}}", "a**b/c", "../x", "{a,b}" * 8])
def test_a_malformed_glob_is_an_error_that_shows_it(glob: str) -> None:
    with pytest.raises(QueryError) as caught:
        Glob(glob)
    assert caught.value.data["part"] == glob


def test_many_stars_do_not_explode() -> None:
    assert not Glob("*a" * 300 + "b").matches("/" + "a" * 5000)
    assert not Glob("/" + "**/a/" * 100 + "b").matches("/" + "a/" * 2000)


@settings(deadline=None)
@given(
    st.text(string.ascii_letters + "/*?[]{}!-,.~^é", max_size=20), st.lists(st.text("abA.é-", min_size=1, max_size=5), min_size=1)
)
def test_any_text_is_a_glob_or_an_error_and_the_sieve_lets_every_match_through(text: str, names: list[str]) -> None:
    path = "/" + "/".join(names)
    try:
        glob = Glob(text)
    except QueryError:
        return
    if glob.matches(path):
        assert glob.literal.lower() in path.lower()


def test_below_compares_whole_names() -> None:
    assert below("/a/b/c", ["/a/b"])
    assert below("/a/b", ["/a/b/"])
    assert not below("/a/bc", ["/a/b"])
    assert below("/a", ["/"])
    assert below("/anything", [])
