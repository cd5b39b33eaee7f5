"""The fusion of the two lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.search.background import Background
from khojd.search.features import flatness
from khojd.search.fuse import HALF, MEANING_ALONE, NATS, WORDS_ALONE, Weights, fuse, reciprocal_ranks, weigh

SCORES = st.dictionaries(st.integers(1, 30), st.floats(0.1, 40.0), max_size=20)
COSINES = st.dictionaries(st.integers(1, 30), st.floats(-0.2, 1.0), max_size=20)
SHARES = st.dictionaries(st.integers(1, 30), st.floats(0.0, 1.0), max_size=20)
BACKGROUNDS = st.builds(Background, st.floats(-0.1, 0.8), st.floats(0.02, 0.3))
PARTS = st.tuples(*[st.floats(0.01, 1.0)] * 3)
WEIGHTS = st.builds(
    lambda parts, background: Weights(parts[0] / sum(parts), parts[1] / sum(parts), parts[2] / sum(parts), background),
    PARTS,
    BACKGROUNDS,
)
USUAL = Background(0.1, 0.1)


def test_meaning_counts_more_where_the_words_do_not_tell_entries_apart() -> None:
    peaked = weigh([20.0, 9.0, *[2.0] * 98], [0.5] * 100, USUAL)
    flat = weigh([20.0] * 100, [0.5] * 100, USUAL)
    assert peaked.cosine < flat.cosine < 1.0
    assert peaked.bm25 > flat.bm25 > 0.0
    assert peaked.coverage > flat.coverage > 0.0


def test_an_empty_list_has_no_say() -> None:
    assert weigh([], [0.4], USUAL) == MEANING_ALONE
    assert weigh([3.0], [], USUAL) == WORDS_ALONE


def test_the_evidence_is_a_weighted_mean_of_surprise_bm25_over_its_maximum_and_coverage() -> None:
    weights = Weights(0.5, 0.2, 0.3, USUAL)
    scores = fuse({1: 10.0, 2: 5.0}, {1: 0.4, 2: 0.8, 3: 0.6}, {1: 0.2, 2: 1.0}, weights)
    near = {cosine: USUAL.surprise(cosine) / NATS for cosine in (0.4, 0.8, 0.6)}
    evidence = {1: 0.5 * near[0.4] + 0.2 + 0.06, 2: 0.5 * near[0.8] + 0.1 + 0.3, 3: 0.5 * near[0.6]}
    assert scores == pytest.approx({one: value / (value + HALF) for one, value in evidence.items()})


def test_one_list_alone_keeps_its_own_scores() -> None:
    assert fuse({}, {1: 0.4, 2: -0.1}, {}, MEANING_ALONE) == {1: 0.4, 2: -0.1}
    assert fuse({1: 10.0, 2: 5.0}, {}, {}, WORDS_ALONE) == {1: 1.0, 2: 0.5}


def test_an_entry_far_nearer_than_notes_are_by_chance_wins_over_words() -> None:
    words, meaning = {1: 10.0}, {1: 0.3, 2: 0.6}
    coverage = {1: 0.5}
    usual = fuse(words, meaning, coverage, weigh([10.0], [0.6, 0.3], Background(0.2, 0.15)))
    rare = fuse(words, meaning, coverage, weigh([10.0], [0.6, 0.3], Background(0.0, 0.06)))
    assert usual[1] > usual[2]
    assert rare[2] > rare[1]


def test_an_entry_without_a_vector_is_ranked_by_its_words_among_the_others() -> None:
    scores = fuse({1: 10.0, 2: 9.0, 3: 1.0}, {1: 0.5, 3: 0.5}, {}, Weights(0.7, 0.3, 0.0, USUAL))
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
    assert all(0.0 <= score < 1.0 for score in scores.values())
    for one in scores:
        fuller = fuse(bm25, cosines, {**coverage, one: 1.0}, weights)
        assert fuller[one] >= scores[one] - 1e-12
    for one, cosine in cosines.items():
        nearer = fuse(bm25, {**cosines, one: min(1.0, cosine + 0.1)}, coverage, weights)
        assert nearer[one] >= scores[one] - 1e-12


@given(COSINES.filter(bool), SCORES, st.one_of(WEIGHTS, st.just(MEANING_ALONE)), st.floats(-0.2, 1.0))
def test_a_score_moved_by_another_cosine_is_the_score_of_that_cosine(
    cosines: dict[int, float], bm25: dict[int, float], weights: Weights, after: float
) -> None:
    one, before = next(iter(cosines.items()))
    moved = weights.moved(fuse(bm25, cosines, {}, weights)[one], before, after)
    assert moved == pytest.approx(fuse(bm25, {**cosines, one: after}, {}, weights)[one], rel=1e-4, abs=1e-6)


@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=200))
def test_the_weights_are_always_proper_and_add_up_to_one(bm25: list[float]) -> None:
    cosine, words, coverage, background = weigh(sorted(bm25, reverse=True), [0.5], USUAL)
    assert all(0.0 < weight < 1.0 for weight in (cosine, words, coverage))
    assert cosine + words + coverage == pytest.approx(1.0)
    assert background == USUAL


@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=200), st.floats(0.0, 1.0))
def test_the_cosine_counts_by_the_share_of_the_query_that_the_model_reads(bm25: list[float], reads: float) -> None:
    bm25.sort(reverse=True)
    whole, part = weigh(bm25, [0.5], USUAL), weigh(bm25, [0.5], USUAL, reads)
    assert sum(part[:3]) == pytest.approx(1.0)
    assert part.cosine <= whole.cosine
    assert part.bm25 * whole.coverage == pytest.approx(part.coverage * whole.bm25)
    assert weigh(bm25, [0.5], USUAL, 1.0) == whole
    assert weigh(bm25, [0.5], USUAL, 0.0).cosine == 0.0
