"""The words index: what is found, exactness of scores, crashes and damage."""

import random
from collections.abc import Iterator
from itertools import pairwise
from math import log
from pathlib import Path

import pytest

from khojd.errors import IndexCorrupt
from khojd.index import analysis
from khojd.index.rows import WordsRow
from khojd.index.words import Words
from tests.index.makers import copy_of

CHINESE = {
    1: "今天下午我们在公园里看见一只白猫睡在长椅上。",
    2: "数据库的备份每天晚上自动运行,结果发到邮箱。",
    3: "学习做菜的第一步是把刀磨快。",
    4: "火车从北京到上海大约需要五个小时。",
    5: "雨天适合在家里读书喝茶。",
}
JAPANESE = {
    11: "昨日、駅前の喫茶店で友達とコーヒーを飲みました。",
    12: "サーバーの設定を変更したら再起動が必要です。",
    13: "来週の会議の資料を印刷しておいてください。",
    14: "庭に植えたトマトが赤くなってきた。",
    15: "自転車のタイヤの空気が抜けている。",
}


def row(
    entry_id: int, text: str, *, title: str = "", headings: tuple[str, ...] = (), name: str = "", tags: tuple[str, ...] = ()
) -> WordsRow:
    return WordsRow(entry_id, title, headings, text, tags, name)


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Words]:
    words = Words.create(tmp_path / "words")
    yield words
    words.close()


def fill(words: Words, *rows: WordsRow) -> None:
    words.add(rows)
    words.commit()


def ids(found: list[tuple[int, float]]) -> list[int]:
    return [entry_id for entry_id, _ in found]


def test_words_are_found_in_every_field(words: Words) -> None:
    fill(
        words,
        row(1, "apples in the body"),
        row(2, "", title="Apples"),
        row(3, "", headings=("Fruit", "Apple")),
        row(4, "", tags=("apple",)),
        row(5, "", name="garden/apple-trees.org"),
        row(6, "pears"),
    )
    assert set(ids(words.ask("apple").search(10))) == {1, 2, 3, 4, 5}
    assert words.count() == 6


def test_the_better_match_comes_first_and_function_words_do_not_count(words: Words) -> None:
    fill(words, row(1, "What is the what of the is"), row(2, "Rust keeps memory safe"), row(3, "memory of the old days"))
    assert ids(words.ask("what is the memory safety of Rust?").search(10)) == [2, 3]
    assert ids(words.ask("what is the").search(10)) == [1, 3]  # unless there is nothing else


@pytest.mark.parametrize(
    "query", ['title:"x" AND (', "-apple", "body:[a TO z]", "apple~2 ^3 \\", "*", "apple OR", '"', "a:b:c", "\0", "\ud800 apple"]
)
def test_a_query_is_never_syntax(words: Words, query: str) -> None:
    fill(words, row(1, "apple"), row(2, "zebra"))
    found = ids(words.ask(query).search(10))
    assert found == ([1] if "apple" in query else [])


def test_a_query_of_100_kb_is_answered_by_its_rarest_words(words: Words) -> None:
    fill(words, row(1, "needle"), *(row(number, "common words here") for number in range(2, 50)))
    query = "needle " + " ".join(f"unknown{number}" for number in range(9000)) + " common words here"
    assert len(query) > 100_000
    assert ids(words.ask(query).search(1)) == [1]


def test_scores_of_given_entries_are_those_of_the_search(words: Words) -> None:
    chance = random.Random(3)
    vocabulary = [f"word{number}" for number in range(60)]
    fill(words, *(row(number, " ".join(chance.choices(vocabulary, k=chance.randint(1, 60)))) for number in range(1, 400)))
    query = "word1 word2 word3 word3 word59"
    found = dict(words.ask(query).search(400))
    assert words.ask(query).scores(list(found)) == found
    some = dict(list(found.items())[::7])
    assert words.ask(query).scores([*some, 99_999]) == some
    assert words.ask("nothing").scores(list(some)) == {}


def recounted(query: str, texts: dict[int, str]) -> dict[int, float]:
    """Coverage from the texts themselves."""
    having = {number: analysis.terms(text) for number, text in texts.items()}
    asked = set(analysis.terms(query)) - analysis.STOPWORDS
    count = {term: sum(term in terms for terms in having.values()) for term in asked}
    weights: dict[tuple[str, ...], float] = {}
    for term, df in count.items():
        weights[term,] = log(1 + (len(texts) - df + 0.5) / (df + 0.5))
    for one, other in pairwise(analysis.terms(query)):
        if one != other and {one, other} <= asked:
            weights[one, other] = min(weights[one,], weights[other,])
    runs = {number: {*((term,) for term in terms), *pairwise(terms)} for number, terms in having.items()}
    total = sum(weights.values())
    shares = {number: sum(weight for run, weight in weights.items() if run in found) / total for number, found in runs.items()}
    return {number: share for number, share in shares.items() if share}


@pytest.mark.parametrize("asked", [30, 1500])
def test_coverage_is_the_share_of_the_querys_terms_and_pairs_by_idf(words: Words, asked: int) -> None:
    chance = random.Random(asked)
    vocabulary = [f"word{number}" for number in range(60)]
    lengths = [chance.randint(0, 40) for _ in range(2000)]
    texts = {number: " ".join(chance.choices(vocabulary, range(60, 0, -1), k=length)) for number, length in enumerate(lengths, 1)}
    fill(words, *(row(number, text) for number, text in texts.items()))
    query = "what is the word1 of word1, word2 word3 and word40 in word59 or word4 word5 nowhere"
    expected = recounted(query, texts)
    wanted = chance.sample(list(texts), asked)
    found = words.ask(query).coverage(wanted)
    assert found == pytest.approx({number: expected[number] for number in wanted if number in expected}, rel=1e-5)
    assert set(found) == set(words.ask(query).scores(wanted))


def test_coverage_counts_a_term_once_wherever_and_however_often_it_stands(words: Words) -> None:
    fill(
        words,
        row(1, "apple apple apple"),
        row(2, "nothing", title="Apple"),
        row(3, "", headings=("Apple", "Apple")),
        row(4, "", tags=("apple",)),
        row(5, "", name="apple/apples.org"),
        row(6, "some apples, pears and plums"),
        row(7, "plums"),
    )
    found = words.ask("apples pears").coverage(range(1, 8))
    assert {found[number] for number in (1, 2, 3, 4, 5)} == {found[1]}
    assert 0.0 < found[1] < 0.5 < found[6] == pytest.approx(1.0)
    assert 7 not in found
    assert words.ask("apples").coverage([]) == words.ask("?").coverage([1]) == words.ask("nowhere").coverage([1]) == {}


def test_words_side_by_side_cover_more_of_a_query_than_apart(words: Words) -> None:
    texts = ("coffee black as night", "night, black coffee", "tea", "milk", "black", "coffee")
    fill(words, *(row(number, text) for number, text in enumerate(texts, 1)))
    found = words.ask("black coffee").coverage(range(1, 7))
    assert found[5] == found[6] < found[1] < found[2] == pytest.approx(1.0)
    apart = words.ask("coffee and black").coverage(range(1, 7))
    assert apart[1] == apart[2] == pytest.approx(1.0)


@pytest.mark.parametrize("number", [1, 5, 24, 25, 60, 120])
def test_each_word_of_a_query_counts_however_many_there_are(words: Words, number: int) -> None:
    asked = [f"word{place}" for place in range(number)]
    texts = {1: asked, 2: asked[: number // 2], 3: asked[-1:], 4: [*asked[::3], "other"], 5: ["other"]}
    fill(words, *(row(entry_id, " ".join(text)) for entry_id, text in texts.items()))
    query = words.ask(" ".join(asked))
    having = {word: sum(word in text for text in texts.values()) for word in asked}
    idf = {word: log(1 + (len(texts) - df + 0.5) / (df + 0.5)) for word, df in having.items()}
    shares = {entry_id: sum(idf[word] for word in asked if word in text) / sum(idf.values()) for entry_id, text in texts.items()}
    assert query.coverage(list(texts), pairs=False) == pytest.approx({one: share for one, share in shares.items() if share})
    assert query.scores(list(texts)) == pytest.approx(dict(query.search(10)))
    assert ids(query.search(10, {2, 4})) == [one for one in ids(query.search(10)) if one in (2, 4)]


def test_a_query_is_answered_from_the_state_in_which_it_was_asked(words: Words) -> None:
    fill(words, row(1, "apple pie"), row(2, "apple"))
    asked = words.ask("apple pie")
    before = asked.search(10)
    words.delete([1])
    fill(words, row(3, "apple pie"))
    assert asked.search(10) == before
    assert set(asked.coverage([1, 2, 3])) == {1, 2}
    assert set(ids(words.ask("apple pie").search(10))) == {2, 3}


def test_coverage_of_text_without_spaces(words: Words) -> None:
    fill(words, *(row(number, text) for number, text in {**CHINESE, **JAPANESE}.items()))
    everything = [*CHINESE, *JAPANESE]
    assert set(words.ask("茶").coverage(everything)) == {5, 11}
    assert words.ask("龍").coverage(everything) == {}
    pairs = words.ask("白猫睡在长椅上").coverage(everything)
    assert max(pairs, key=lambda one: pairs[one]) == 1
    assert pairs[1] == pytest.approx(1.0)


@pytest.mark.parametrize("size", [1, 30, 1500])
def test_a_search_within_a_set_is_the_search_without_the_rest(words: Words, size: int) -> None:
    chance = random.Random(size)
    vocabulary = [f"word{number}" for number in range(60)]
    fill(words, *(row(number, " ".join(chance.choices(vocabulary, k=chance.randint(1, 60)))) for number in range(1, 2000)))
    within = set(chance.sample(range(1, 2000), size))
    expected = {entry_id: score for entry_id, score in words.ask("word1 word2").search(5000) if entry_id in within}
    assert dict(words.ask("word1 word2").search(5000, within)) == expected
    best = sorted(expected.values(), reverse=True)[:10]
    assert [score for _, score in words.ask("word1 word2").search(10, within)] == best
    assert words.ask("word1").search(10, set()) == []


def test_chinese_and_japanese_are_found_by_words_without_spaces(words: Words) -> None:
    fill(words, *(row(number, text) for number, text in {**CHINESE, **JAPANESE}.items()))
    expected = {"白猫在哪里睡觉": 1, "数据库备份": 2, "学做菜": 3, "北京到上海的火车": 4, "读书": 5}
    expected |= {"喫茶店のコーヒー": 11, "サーバー再起動": 12, "会議資料": 13, "トマト": 14, "自転車の空気": 15}
    for query, entry_id in expected.items():
        assert ids(words.ask(query).search(1)) == [entry_id], query


@pytest.mark.parametrize(("query", "found"), [("猫", {1}), ("茶", {5, 11}), ("庭", {14}), ("上", {1, 2, 4}), ("龍", set())])
def test_a_single_character_is_found_anywhere_in_a_run(words: Words, query: str, found: set[int]) -> None:
    fill(words, *(row(number, text) for number, text in {**CHINESE, **JAPANESE}.items()))
    assert set(ids(words.ask(query).search(10))) == found
    assert words.phrase(query) == found


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("quick brown", {1}),
        ("brown quick", set()),
        ("Quick", {1, 2}),
        ("東京の猫", {3}),
        ("Pythonで", {4}),
        ("Pythonで書", {4}),
        ("犬と cat", {5}),
        ("!?", {1, 2, 3, 4, 5, 6}),
        ("deep heading", {6}),
    ],
)
def test_a_phrase_gives_every_entry_that_has_it(words: Words, phrase: str, found: set[int]) -> None:
    fill(
        words,
        row(1, "a quick brown fox"),
        row(2, "brown is quick"),
        row(3, "ここは東京の猫です"),
        row(4, "Pythonで書く"),
        row(5, "小犬と cat"),
        row(6, "", headings=("Deep heading",)),
    )
    assert words.phrase(phrase) == found


def test_deleted_entries_are_gone_and_changes_wait_for_the_commit(words: Words) -> None:
    fill(words, row(1, "apple"), row(2, "apple"))
    words.delete([1, 77])
    words.add([row(3, "apple")])
    assert set(ids(words.ask("apple").search(10))) == {1, 2}
    words.commit()
    assert set(ids(words.ask("apple").search(10))) == {2, 3}
    words.delete([2])
    words.add([row(2, "pear")])  # an entry written again
    words.commit()
    assert ids(words.ask("pear").search(10)) == [2]
    assert words.count() == 2


def test_a_very_long_word_is_not_lost(words: Words) -> None:
    fill(words, row(1, "x" * 300_000))
    assert ids(words.ask("x" * 300_000).search(1)) == [1]


def test_a_copy_taken_at_each_step_opens_at_the_last_commit(tmp_path: Path, words: Words) -> None:
    """What `kill -9` leaves behind."""
    fill(words, row(1, "apple"))
    words.add([row(2, "apple")])
    copy_of(words.directory, tmp_path / "added")
    words.commit()
    copy_of(words.directory, tmp_path / "committed")
    words.delete([1])
    copy_of(words.directory, tmp_path / "deleted")
    for name, expected in (("added", {1}), ("committed", {1, 2}), ("deleted", {1, 2})):
        copy = Words.open(tmp_path / name)
        assert set(ids(copy.ask("apple").search(10))) == expected
        fill(copy, row(9, "apple"))  # and can be written again
        assert set(ids(copy.ask("apple").search(10))) == {*expected, 9}
        copy.close()


def test_a_missing_index_is_made_by_create(tmp_path: Path) -> None:
    with pytest.raises(IndexCorrupt, match="words"):
        Words.open(tmp_path / "words")
    Words.create(tmp_path / "words").close()
    assert Words.open(tmp_path / "words").count() == 0


TYPED = """
    gardening libraries happiness organization mapping stories possibility conditional administrator flexibility committed
    relational Zürich naïveté programming 2024 Überraschung ёлка
""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", TYPED)
def test_a_word_is_found_from_its_second_letter_on(words: Words, word: str) -> None:
    fill(words, row(1, f"Notes of {word} and more."), row(2, "Something else entirely, no quiz."))
    for letters in range(2, len(word) + 1):
        assert ids(words.ask(word[:letters]).search(5)) == [1], word[:letters]
        assert words.ask(word[:letters]).coverage([1, 2]) == {1: 1.0}, word[:letters]


def test_what_is_a_word_by_itself_stands_for_itself_alone(words: Words) -> None:
    fill(words, row(1, "a car"), row(2, "some carbon"), row(3, "", name="carp"))
    assert ids(words.ask("car").search(5)) == [1]
    assert words.ask("car").beginning is None
    assert sorted(ids(words.ask("carb").search(5))) == [2]
    assert ids(words.ask("carp").search(5)) == [3]


def test_words_half_typed_that_are_gone_are_no_words(words: Words) -> None:
    whole = ("gardening", "programming", "administrator")
    fill(words, *(row(number, word) for number, word in enumerate(whole, 1)))
    typed = [(number, word[:letters]) for number, word in enumerate(whole, 1) for letters in range(2, 8)]
    for draft, (number, text) in enumerate(typed, 100):  # as an editor's text comes, entry after entry
        fill(words, row(draft, text), *(row(1000 * draft + other, "and other notes") for other in range(9)))
        words.delete([draft])
        words.commit()
        # What is removed is in the index until tantivy merges, at a time of its own.
        assert ids(words.ask(text).search(5)) == [number]


@pytest.mark.timeout(20)  # it would take minutes if each letter of a long word were a place to look from
@pytest.mark.parametrize("query", ["x" * 300_000 + " gard", "x" * 300_000, "gard " * 60_000 + "gard", "-" * 300_000 + "gard"])
def test_a_query_of_any_length_is_looked_at_once(words: Words, query: str) -> None:
    fill(words, row(1, "gardening"))
    assert ids(words.ask(query).search(5)) == ([1] if query.endswith("gard") else [])


def test_only_the_last_word_is_taken_for_a_beginning(words: Words) -> None:
    fill(words, row(1, "garden path"), row(2, "path"))
    assert ids(words.ask("path gard").search(5)) == [1, 2]
    assert words.ask("gard path").scores([1, 2]) == words.ask("path").scores([1, 2])
    assert ids(words.ask("gard?").search(5)) == []


@pytest.mark.parametrize("damage", ["meta.json", "khojd.json", ".term", ".idx", ".store", ".fast", ".pos", ".fieldnorm"])
@pytest.mark.parametrize("how", ["removed", "truncated", "garbage"])
def test_a_damaged_index_is_said_and_created_anew(tmp_path: Path, words: Words, damage: str, how: str) -> None:
    fill(words, *(row(number, f"apple number{number}") for number in range(1, 200)))
    words.close()
    copy = tmp_path / "copy"
    copy_of(words.directory, copy)
    for item in copy.iterdir():
        if item.name.endswith(damage) and not item.name.startswith("."):
            if how == "removed":
                item.unlink()
            else:
                item.write_bytes(
                    item.read_bytes()[: item.stat().st_size // 2] if how == "truncated" else b"\xff" * item.stat().st_size
                )
    with pytest.raises(IndexCorrupt):
        Words.open(copy)
    again = Words.create(copy)
    assert again.count() == 0
    again.close()


def test_an_index_of_another_analysis_is_outdated_but_answers(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(words, row(1, "apple"))
    assert not Words.open(words.directory).outdated
    monkeypatch.setattr(analysis, "FINGERPRINT", "another")
    later = Words.open(words.directory)
    assert later.outdated
    assert ids(later.ask("apple").search(1)) == [1]
