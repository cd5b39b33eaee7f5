"""Batches of texts of similar length."""

from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.embed.batch import pack


@settings(deadline=None)
@given(st.lists(st.integers(0, 600)), st.integers(1, 2000))
def test_every_text_is_in_one_batch_and_no_batch_is_over_its_budget(lengths: list[int], budget: int) -> None:
    batches = pack(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget for batch in batches)


@settings(deadline=None)
@given(st.lists(st.integers(1, 600)), st.integers(1, 2000))
def test_lengths_grow_from_batch_to_batch(lengths: list[int], budget: int) -> None:
    ordered = [lengths[index] for batch in pack(lengths, budget) for index in batch]
    assert ordered == sorted(lengths)


def test_short_texts_share_a_batch() -> None:
    assert pack([3, 500, 4, 5], 100) == [[0, 2, 3], [1]]
