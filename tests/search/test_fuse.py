"""The fusion of the two lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.search.features import flatness
from khojd.search.fuse import fuse, reciprocal_ranks, semantic_weight

SCORES = st.dictionaries(st.integers(1, 30), st.floats(0.1, 40.0), max_size=20)
COSINES = st.dictionaries(st.integers(1, 30), st.floats(-0.2, 1.0), max_size=20)


def test_meaning_counts_more_where_the_words_do_not_tell_entries_apart() -> None:
    peaked = [20.0, 9.0, *[2.0] * 98]
    flat = [20.0] * 100
    cosines = [0.5] * 100
    assert 0.5 < semantic_weight(peaked, cosines) < semantic_weight(flat, cosines) < 1.0


def test_an_empty_list_has_no_say() -> None:
    assert semantic_weight([], [0.4]) == 1.0
    assert semantic_weight([3.0], []) == 0.0


def test_the_score_is_a_convex_combination_of_cosine_and_bm25_over_its_maximum() -> None:
    scores = fuse({1: 10.0, 2: 5.0}, {1: 0.4, 2: 0.8, 3: 0.6}, 0.75)
    assert scores == pytest.approx({1: 0.75 * 0.4 + 0.25, 2: 0.75 * 0.8 + 0.125, 3: 0.75 * 0.6})


def test_an_entry_without_a_vector_is_ranked_by_its_words_among_the_others() -> None:
    scores = fuse({1: 10.0, 2: 9.0, 3: 1.0}, {1: 0.5, 3: 0.5}, 0.7)
    assert scores[1] > scores[2] > scores[3]


def test_flatness_looks_at_the_fiftieth_entry_and_words_of_few_entries_are_not_flat() -> None:
    assert flatness([10.0, *[4.0] * 49, *[1.0] * 50]) == pytest.approx(0.4)
    assert flatness([8.0, 2.0]) == 0.0
    assert flatness([8.0]) == 0.0


def test_reciprocal_ranks_by_hand() -> None:
    assert reciprocal_ranks([[1, 2], [2, 3]]) == pytest.approx({1: 1 / 61, 2: 1 / 62 + 1 / 61, 3: 1 / 62})


@given(SCORES, COSINES, st.floats(0.0, 1.0))
def test_every_candidate_gets_a_score_and_more_of_either_never_lowers_it(
    bm25: dict[int, float], cosines: dict[int, float], weight: float
) -> None:
    scores = fuse(bm25, cosines, weight)
    assert set(scores) == {*bm25, *cosines}
    for one, cosine in cosines.items():
        nearer = fuse(bm25, {**cosines, one: min(1.0, cosine + 0.1)}, weight)
        assert nearer[one] >= scores[one] - 1e-12


@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=200))
def test_the_weight_is_always_a_proper_weight(bm25: list[float]) -> None:
    assert 0.0 < semantic_weight(sorted(bm25, reverse=True), [0.5]) < 1.0
