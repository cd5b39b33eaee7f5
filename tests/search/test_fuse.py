"""The fusion of the two lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.search.features import flatness
from khojd.search.fuse import MEANING_ALONE, WORDS_ALONE, Weights, fuse, reciprocal_ranks, weigh

SCORES = st.dictionaries(st.integers(1, 30), st.floats(0.1, 40.0), max_size=20)
COSINES = st.dictionaries(st.integers(1, 30), st.floats(-0.2, 1.0), max_size=20)
SHARES = st.dictionaries(st.integers(1, 30), st.floats(0.0, 1.0), max_size=20)
WEIGHTS = st.tuples(*[st.floats(0.01, 1.0)] * 3).map(lambda parts: Weights(*(part / sum(parts) for part in parts)))


def test_meaning_counts_more_where_the_words_do_not_tell_entries_apart() -> None:
    peaked = weigh([20.0, 9.0, *[2.0] * 98], [0.5] * 100)
    flat = weigh([20.0] * 100, [0.5] * 100)
    assert peaked.cosine < flat.cosine < 1.0
    assert peaked.bm25 > flat.bm25 > 0.0
    assert peaked.coverage > flat.coverage > 0.0


def test_an_empty_list_has_no_say() -> None:
    assert weigh([], [0.4]) == MEANING_ALONE
    assert weigh([3.0], []) == WORDS_ALONE


def test_the_score_is_a_weighted_mean_of_cosine_bm25_over_its_maximum_and_coverage() -> None:
    scores = fuse({1: 10.0, 2: 5.0}, {1: 0.4, 2: 0.8, 3: 0.6}, {1: 0.2, 2: 1.0}, Weights(0.5, 0.2, 0.3))
    assert scores == pytest.approx({1: 0.2 + 0.2 + 0.06, 2: 0.4 + 0.1 + 0.3, 3: 0.3})


def test_an_entry_without_a_vector_is_ranked_by_its_words_among_the_others() -> None:
    scores = fuse({1: 10.0, 2: 9.0, 3: 1.0}, {1: 0.5, 3: 0.5}, {}, Weights(0.7, 0.3, 0.0))
    assert scores[1] > scores[2] > scores[3]


def test_flatness_looks_at_the_fiftieth_entry_and_words_of_few_entries_are_not_flat() -> None:
    assert flatness([10.0, *[4.0] * 49, *[1.0] * 50]) == pytest.approx(0.4)
    assert flatness([8.0, 2.0]) == 0.0
    assert flatness([8.0]) == 0.0


def test_reciprocal_ranks_by_hand() -> None:
    assert reciprocal_ranks([[1, 2], [2, 3]]) == pytest.approx({1: 1 / 61, 2: 1 / 62 + 1 / 61, 3: 1 / 62})


@given(SCORES, COSINES, SHARES, WEIGHTS)
def test_every_candidate_gets_a_score_and_more_of_anything_never_lowers_it(
    bm25: dict[int, float], cosines: dict[int, float], coverage: dict[int, float], weights: Weights
) -> None:
    scores = fuse(bm25, cosines, coverage, weights)
    assert set(scores) == {*bm25, *cosines}
    assert all(-0.2 <= score <= 1.0 + 1e-9 for score in scores.values())
    for one in scores:
        fuller = fuse(bm25, cosines, {**coverage, one: 1.0}, weights)
        assert fuller[one] >= scores[one] - 1e-12
    for one, cosine in cosines.items():
        nearer = fuse(bm25, {**cosines, one: min(1.0, cosine + 0.1)}, coverage, weights)
        assert nearer[one] >= scores[one] - 1e-12


@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=200))
def test_the_weights_are_always_proper_and_add_up_to_one(bm25: list[float]) -> None:
    weights = weigh(sorted(bm25, reverse=True), [0.5])
    assert all(0.0 < weight < 1.0 for weight in weights)
    assert sum(weights) == pytest.approx(1.0)
