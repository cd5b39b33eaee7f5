"""Profiles bend the ranked list."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pytest

from khojd.config import BUILT_IN_PROFILES, Profile, Search
from khojd.embed.protocol import Vectors
from khojd.errors import QueryError
from khojd.search.tuning import Candidate, profile, tune

TODAY = date(2026, 3, 2)


def candidate(entry_id: int, score: float, **about: object) -> Candidate:
    values: dict[str, object] = {"path": f"/{entry_id:03}.md", "position": 0, "format": "markdown", "day": None, "modified": 0.0}
    return Candidate(entry_id, score, **{**values, **about})  # type: ignore[arg-type]


def no_vectors(ids: Sequence[int]) -> Mapping[int, Vectors]:
    return {}


def order(found: Sequence[Candidate], wanted: Profile, limit: int = 10) -> list[int]:
    return [one.entry_id for one in tune(found, wanted, limit=limit, today=TODAY, vectors=no_vectors)]


def test_equal_scores_stand_in_the_order_of_path_and_position() -> None:
    found = [candidate(1, 0.5, path="/b"), candidate(2, 0.5, path="/a", position=2), candidate(3, 0.5, path="/a", position=1)]
    assert order(found, Profile()) == [3, 2, 1]


def test_weights_apply_per_type() -> None:
    found = [candidate(1, 0.5, format="text"), candidate(2, 0.45, format="org")]
    assert order(found, Profile(weights={"org": 1.2})) == [2, 1]


def test_a_minimum_score_leaves_out_what_is_below() -> None:
    assert order([candidate(1, 0.5), candidate(2, 0.2)], Profile(min_score=0.3)) == [1]


def test_per_file_keeps_the_best_of_each_file() -> None:
    found = [candidate(1, 0.9, path="/a"), candidate(2, 0.8, path="/a", position=1), candidate(3, 0.1, path="/b")]
    assert order(found, Profile(per_file=1)) == [1, 3]


def test_recency_halves_its_share_after_the_half_life_and_no_future_date_gains() -> None:
    today = TODAY.toordinal()
    found = [candidate(1, 0.8, day=today - 30), candidate(2, 0.8, day=today), candidate(3, 0.8, day=today + 300)]
    tuned = tune(found, Profile(recency=0.5, half_life_days=30.0), limit=10, today=TODAY, vectors=no_vectors)
    assert {one.entry_id: one.score for one in tuned} == pytest.approx({1: 0.8 * 0.75, 2: 0.8, 3: 0.8})


def test_without_a_date_the_files_time_counts() -> None:
    found = [candidate(1, 0.8, modified=0.0), candidate(2, 0.7, modified=1_772_000_000.0)]
    assert order(found, Profile(recency=0.9, half_life_days=30.0)) == [2, 1]


def test_diversity_puts_something_else_before_more_of_the_same() -> None:
    same, other = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    vectors = {1: same, 2: same, 3: other}
    found = [candidate(1, 0.9), candidate(2, 0.89), candidate(3, 0.8)]
    tuned = tune(found, Profile(diversity=0.5), limit=3, today=TODAY, vectors=lambda ids: {one: vectors[one] for one in ids})
    assert [one.entry_id for one in tuned] == [1, 3, 2]


def test_diversity_drops_nothing() -> None:
    found = [candidate(number, 1.0 - number / 1000) for number in range(300)]
    assert sorted(order(found, Profile(diversity=0.5), limit=200)) == list(range(200))


def test_the_configured_profile_is_used_when_none_is_named() -> None:
    assert profile("", Search(profile="broad")) == BUILT_IN_PROFILES["broad"]


def test_a_profile_of_the_users_stands_before_the_built_in_one() -> None:
    own = Profile(half_life_days=7.0)
    assert profile("recent", Search(profiles={"recent": own})) == own


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(QueryError, match="mine"):
        profile("nope", Search(profiles={"mine": Profile()}))


def test_a_file_time_of_a_far_century_breaks_no_search() -> None:
    recent = Profile(recency=0.5, half_life_days=30.0)
    found = [candidate(1, 0.5, modified=9e11), candidate(2, 0.5, modified=-9e11), candidate(3, 0.5, modified=0.0)]
    assert order(found, recent)[0] == 1
