"""Re-ranking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.search.rerank import MaxSim, blend
from tests.search.notes import Concepts

NUMBERS = st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(-5.0, 5.0)), min_size=1, max_size=20)


def test_each_word_of_the_query_counts_its_best_match_in_the_passage() -> None:
    scorer = MaxSim(Concepts({"cat": "cat", "kitten": "cat", "car": "car"}))
    both, one, none = scorer.score("cat car", ["a kitten in a car", "a kitten", "plain"])
    assert both == pytest.approx(1.0, abs=0.01)
    assert both > one > none


def test_a_passage_seen_before_scores_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Concepts({"cat": "cat"})
    scorer = MaxSim(model, kept=1)
    texts = ["cat one", "cat two", "three"]
    assert scorer.score("cat", texts) == scorer.score("cat", texts)
    assert scorer.score("cat", texts[::-1]) == scorer.score("cat", texts)[::-1]


def test_the_blend_stays_within_the_scores_it_replaces() -> None:
    assert blend([0.9, 0.8, 0.7], [0.1, 0.2, 0.3]) == pytest.approx([0.8, 0.8, 0.8])
    assert blend([0.9, 0.5], [1.0, 0.0]) == pytest.approx([0.9, 0.5])
    assert blend([], []) == []


@given(NUMBERS)
def test_no_blended_score_leaves_the_range(pairs: list[tuple[float, float]]) -> None:
    scores = [a for a, _ in pairs]
    blended = blend(scores, [b for _, b in pairs])
    assert all(min(scores) - 1e-9 <= value <= max(scores) + 1e-9 for value in blended)
