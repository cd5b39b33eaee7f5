"""`khojd search`, `similar` and `grep` against a daemon."""

import json
import re

import pytest

from tests.cli.khojd import Khojd


def test_a_hit_shows_place_heading_path_score_and_snippet(khojd: Khojd) -> None:
    out = khojd("search", "-n", "1", "squealing brakes").stdout
    head, *snippet = out.splitlines()
    assert re.fullmatch(r"notes/bike\.md:\d+  The bike › Brakes  .*#howto  \d\.\d{3}", head)
    assert any("The pads squeal." in line and line.startswith("    ") for line in snippet)


def test_the_place_of_a_hit_is_where_its_text_stands(khojd: Khojd) -> None:
    hit = khojd.json("search", "invoice")["hits"][0]
    line = hit["location"]["range"]["start"]["line"]
    assert hit["path"] == str(khojd.notes / "work.org")
    text = (khojd.notes / "work.org").read_text(encoding="utf-8").splitlines()
    assert hit["snippet"].splitlines()[0].strip() in text[line]
    assert (hit["todo"], hit["priority"], hit["tags"]) == ("TODO", "A", ["money"])


def test_paths_are_absolute_outside_of_the_current_directory(khojd: Khojd) -> None:
    out = khojd("search", "onions", cwd=khojd.home / "run").stdout
    assert out.startswith(f"{khojd.notes}/deep/soup.txt:")


def test_json_is_one_object_with_nothing_else_on_stdout(khojd: Khojd) -> None:
    found = khojd.json("search", "-n", "2", "--explain", "onions in butter")
    assert set(found) == {"phase", "hits", "count", "tookMs", "notes"}
    first = found["hits"][0]
    assert first["path"].endswith("soup.txt")
    assert first["explanation"]["lexicalRank"] == 1
    starts = [first["snippet"][start:end].lower() for start, end in first["highlights"]]
    assert "butter" in starts


@pytest.mark.parametrize("command", [("search", "onions"), ("similar", "--text", "onions"), ("grep", "onions")])
def test_of_a_folder_that_is_not_indexed_json_is_the_error_alone(khojd: Khojd, command: tuple[str, ...]) -> None:
    error = khojd.json(*command, "--folder", "run", status=2)["error"]
    assert error["message"].endswith(f"add it with `khojd index --add {khojd.home / 'run'}`")


def test_a_query_may_be_given_as_several_words(khojd: Khojd) -> None:
    assert khojd.json("search", "soften", "in", "butter")["hits"] == khojd.json("search", "soften in butter")["hits"]


def test_filters_and_exact_words_narrow(khojd: Khojd) -> None:
    paths = [hit["path"] for hit in khojd.json("search", 'todo:TODO deadline:2026-06 +"for may"')["hits"]]
    assert paths == [str(khojd.notes / "work.org")]


def test_a_query_that_starts_with_a_minus_follows_two_dashes(khojd: Khojd) -> None:
    assert "0.000" not in khojd("search", "--", "-type:org").stdout, "a list has no scores"
    found = json.loads(khojd("search", "--json", "--", "-type:org").stdout)
    paths = {hit["path"].rpartition("/")[2] for hit in found["hits"]}
    assert "bike.md" in paths
    assert "work.org" not in paths


def test_words_in_unspaced_scripts_are_found_and_shown(khojd: Khojd) -> None:
    out = khojd("search", "--mode", "lexical", "露天風呂").stdout
    assert "notes/温泉.md:" in out
    assert "露天風呂からは紅葉の谷が見える。" in out


def test_explain_shows_rank_and_score_of_each_ranker(khojd: Khojd) -> None:
    out = khojd("search", "--explain", "soften onions").stdout
    assert re.search(
        r"words \d+\.\d+ \(rank 1\); meaning -?\d\.\d+ \(rank \d+\); coverage \d\.\d+; weight of meaning \d\.\d+; fused \d", out
    )


def test_found_words_are_painted_where_colours_are_asked_for(khojd: Khojd) -> None:
    assert "\x1b[" not in khojd("search", "squeal").stdout
    painted = khojd("search", "squeal", FORCE_COLOR="1").stdout
    assert "\x1b[1;31msqueal\x1b[0m" in painted
    assert "\x1b[" not in khojd("search", "squeal", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_name_with_a_line_break_stands_on_one_line(khojd: Khojd) -> None:
    note = khojd.write("two\nlines.md", "Beware of scorpions.\n")
    try:
        khojd("index")
        for command in ("search", "grep"):
            assert khojd(command, "scorpions").stdout.startswith("notes/two\ufffdlines.md:1")
    finally:
        note.unlink()
        khojd("index")


def test_a_note_cannot_steer_the_terminal(khojd: Khojd) -> None:
    out = khojd("search", "tarantulas").stdout
    assert "tarantulas" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\x1b" not in khojd("grep", "tarantulas").stdout


def test_an_encoding_that_lacks_a_character_is_no_error(khojd: Khojd) -> None:
    assert "notes/" in khojd("search", "露天風呂", PYTHONIOENCODING="ascii").stdout


def test_nothing_found_ends_with_1_and_says_where_was_looked(khojd: Khojd) -> None:
    result = khojd("search", "--mode", "lexical", "xylophonist", status=1)
    assert result.stdout == ""
    assert result.stderr == "nothing found in 5 files\n"
    assert khojd.json("search", "--mode", "lexical", "xylophonist", status=1)["hits"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", "date:soon"], "“soon” is not a date"),
        (["search", "tags:work"], "tag:"),
        (["search", "x", "--profile", "prcise"], "profile 'prcise'"),
        (["search", "x", "--folder", "missing"], "missing does not exist"),
        (["search", "x", "--folder", "config.toml"], "config.toml is not a folder"),
        (["similar"], "give either a note"),
        (["similar", "notes/bike.md", "--text", "x"], "give either a note"),
        (["similar", "notes/missing.md"], "notes/missing.md does not exist"),
        (["similar", "notes"], "notes is a folder"),
        (["similar", "notes/bike.md:0"], "lines are counted from 1"),
        (["similar", "notes/bike.md:9-4"], "a range is FIRST-LAST"),
        (["grep", "(unclosed"], "regular expression"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_status_2(khojd: Khojd, arguments: list[str], said: str) -> None:
    assert said in khojd.refused(*arguments)


def test_an_indexed_folder_is_told_from_one_that_is_not(khojd: Khojd) -> None:
    assert khojd.json("search", "onions", "--folder", "notes/deep")["hits"]
    assert "is in none of the indexed folders" in khojd.refused("search", "onions", "--folder", "run")


def test_an_error_with_json_is_an_object_on_stdout(khojd: Khojd) -> None:
    error = khojd.json("search", "date:soon", status=2)["error"]
    assert (error["code"], error["data"]["kind"], error["data"]["part"]) == (-32011, "query", "soon")


@pytest.mark.parametrize("arguments", [["search"], ["search", "x", "-n", "0"], ["search", "x", "--mode", "odd"], ["frobnicate"]])
def test_a_wrong_option_is_explained_with_the_usage(khojd: Khojd, arguments: list[str]) -> None:
    result = khojd(*arguments, status=2)
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: khojd")
    assert "Error: " in result.stderr


def test_similar_finds_other_places_and_never_its_own(khojd: Khojd) -> None:
    hits = khojd.json("similar", "notes/bike.md:6")["hits"]
    assert hits
    assert not any(hit["path"].endswith("bike.md") and hit["location"]["range"]["start"]["line"] == 5 for hit in hits)
    assert khojd.json("similar", "--text", "cooking vegetables", "-n", "1")["hits"][0]["path"].endswith("soup.txt")


def test_similar_takes_a_range_of_lines_and_a_name_with_a_colon(khojd: Khojd) -> None:
    assert khojd.json("similar", "notes/bike.md:6-8")["hits"]
    odd = khojd.home / "odd:12"
    odd.write_text("Onions, softened.\n", encoding="utf-8")
    # It is taken for a file, and then is in none of the folders.
    assert "odd:12" in khojd.refused("similar", "odd:12")


def test_grep_prints_each_line_once_with_its_surroundings(khojd: Khojd) -> None:
    out = khojd("grep", "-C", "1", "soup|soften", "deep/**").stdout
    assert out.splitlines() == [
        "notes/deep/soup.txt:1: Onion soup",
        "notes/deep/soup.txt-2-",
        "notes/deep/soup.txt:3: Slice the onions and let them soften in butter.",
    ]


def test_grep_paints_what_matched_and_may_ignore_case(khojd: Khojd) -> None:
    assert "no match in 5 files" in khojd("grep", "ONION", status=1).stderr
    out = khojd("grep", "-i", "ONION", FORCE_COLOR="1").stdout
    assert "\x1b[1;31mOnion\x1b[0m soup" in out
    assert "Slice the \x1b[1;31monion\x1b[0ms" in out


def test_grep_says_that_there_is_more(khojd: Khojd) -> None:
    result = khojd("grep", "-n", "1", "-i", "onion")
    assert len(result.stdout.splitlines()) == 1
    assert "more matches" in result.stderr
    assert khojd.json("grep", "-n", "1", "-i", "onion")["truncated"] is True


@pytest.mark.parametrize("arguments", [("-tag:howto",), ("-tag:howto", "--mode", "lexical"), ("-n", "5", "-tag:howto")])
def test_a_filter_that_begins_with_a_minus_is_no_option(khojd: Khojd, arguments: tuple[str, ...]) -> None:
    shown = khojd("search", *arguments).stdout
    assert "work.org" in shown
    assert "bike.md" not in shown


def test_exact_words_that_begin_with_a_minus_may_follow_others(khojd: Khojd) -> None:
    assert "bike.md" in khojd("search", "--mode", "lexical", "pads squeal").stdout
    assert "bike.md" not in khojd("search", "--mode", "lexical", "pads squeal", '-"pads squeal"', status=None).stdout


def test_what_reads_as_no_filter_is_still_a_wrong_option(khojd: Khojd) -> None:
    assert "No such option: -x" in khojd("search", "-x", "tea", status=2).stderr
