"""Which texts go through a model together."""

from collections.abc import Sequence


def pack(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Group texts of the given lengths (tokens) into batches, as indices into `lengths`, shortest texts first.

    The texts of a batch are of similar length and, padded to the longest of them, have at most `budget` tokens together; a text
    that is longer than the budget is a batch of its own.
    """
    batches: list[list[int]] = []
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[index] * (len(batch) + 1) > budget:
            batches.append(batch)
            batch = []
        batch.append(index)
    if batch:
        batches.append(batch)
    return batches
