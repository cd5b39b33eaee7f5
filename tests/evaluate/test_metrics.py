"""Metrics against values worked out by hand from their definitions."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.evaluate.metrics import mrr, ndcg, recall, score_run


def test_ndcg_uses_the_grade_itself_as_gain() -> None:
    # Gains 3, 2, 3, 0, 1, 2: the example of Järvelin and Kekäläinen's measure with linear gain.
    grades = {"a": 3, "b": 2, "c": 3, "d": 0, "e": 1, "f": 2}
    dcg = 3 / log2(2) + 2 / log2(3) + 3 / log2(4) + 0 + 1 / log2(6) + 2 / log2(7)
    ideal = 3 / log2(2) + 3 / log2(3) + 2 / log2(4) + 2 / log2(5) + 1 / log2(6)
    assert dcg == pytest.approx(6.861126688593502)
    assert ndcg(["a", "b", "c", "d", "e", "f"], grades) == pytest.approx(dcg / ideal)
    assert dcg / ideal == pytest.approx(0.9608081943360617)  # an exponential gain would give 0.9488


def test_ndcg_divides_by_the_best_list_of_k_not_by_what_was_retrieved() -> None:
    grades = {f"r{i}": 1 for i in range(20)}
    assert ndcg([f"r{i}" for i in range(10)], grades) == pytest.approx(1.0)
    assert ndcg(["r0"], grades, k=2) == pytest.approx(1 / (1 + 1 / log2(3)))


def test_documents_without_a_judgement_count_as_not_relevant() -> None:
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(1 / log2(3))
    assert ndcg(["x", "a"], {"a": 1, "x": -1}) == pytest.approx(1 / log2(3))


def test_nothing_after_the_cut_counts() -> None:
    ranked = [f"x{i}" for i in range(10)] + ["a"]
    assert ndcg(ranked, {"a": 1}) == recall(ranked, {"a": 1}) == mrr(ranked, {"a": 1}) == 0.0


def test_recall_is_a_share_of_all_relevant_documents() -> None:
    assert recall(["a", "x", "b"], {"a": 1, "b": 2, "c": 1, "d": 0}) == pytest.approx(2 / 3)


def test_reciprocal_rank_looks_at_the_first_relevant_document() -> None:
    assert mrr(["x", "y", "a", "b"], {"a": 1, "b": 2}) == pytest.approx(1 / 3)


def test_a_query_without_an_answer_lowers_the_mean_and_one_without_judgements_does_not() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 0}}
    scores = score_run({"q1": ["a"], "q3": ["c"]}, qrels)
    assert (scores.ndcg, scores.recall, scores.mrr) == (0.5, 0.5, 0.5)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3), min_size=1).filter(lambda grades: any(grades.values())),
    st.permutations("abcdefgh"),
)
def test_no_order_beats_the_order_by_grade(grades: dict[str, int], ranked: list[str]) -> None:
    best = sorted(grades, key=lambda document: -grades[document])
    assert ndcg(best, grades) == pytest.approx(1.0)
    assert 0.0 <= ndcg(ranked, grades) <= 1.0 + 1e-12
