"""The cache of query vectors, over the bundled model."""

from collections.abc import Iterator

import numpy as np
import pytest

from khojd.embed.cache import QueryCache
from khojd.embed.onnx import BundledEmbedder
from khojd.errors import ModelError


@pytest.fixture(scope="module")
def embedder() -> Iterator[BundledEmbedder]:
    embedder = BundledEmbedder()
    yield embedder
    embedder.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_repeated_query_is_embedded_once(embedder: BundledEmbedder) -> None:
    cache = QueryCache(embedder, size=10, seconds=60)
    first, again = cache.embed_query("rent"), cache.embed_query("rent")
    assert again is first
    assert (cache.hits, cache.misses) == (1, 1)
    assert np.array_equal(first, embedder.embed_query("rent"))


def test_the_least_recently_used_query_leaves_first(embedder: BundledEmbedder) -> None:
    cache = QueryCache(embedder, size=2, seconds=60)
    for query in ("a", "b", "a", "c", "a", "b"):
        cache.embed_query(query)
    assert len(cache) == 2
    assert (cache.hits, cache.misses) == (2, 4)


def test_an_old_vector_is_not_used(embedder: BundledEmbedder) -> None:
    clock = Clock()
    cache = QueryCache(embedder, size=10, seconds=60, clock=clock)
    cache.embed_query("rent")
    clock.now = 59
    cache.embed_query("rent")
    clock.now = 60
    cache.embed_query("rent")
    assert (cache.hits, cache.misses) == (1, 2)


@pytest.mark.parametrize(("size", "seconds"), [(0, 60), (10, 0)])
def test_a_limit_of_zero_keeps_nothing(embedder: BundledEmbedder, size: int, seconds: float) -> None:
    cache = QueryCache(embedder, size=size, seconds=seconds)
    cache.embed_query("rent")
    cache.embed_query("rent")
    assert (cache.hits, cache.misses) == (0, 2)


def test_a_caller_cannot_change_a_cached_vector(embedder: BundledEmbedder) -> None:
    cache = QueryCache(embedder, size=10, seconds=60)
    with pytest.raises(ValueError, match="read-only"):
        cache.embed_query("rent")[0] = 1


def test_a_failure_is_passed_on_and_not_kept() -> None:
    embedder = BundledEmbedder()
    cache = QueryCache(embedder, size=10, seconds=60)
    embedder.close()
    with pytest.raises(ModelError, match="closed"):
        cache.embed_query("rent")
    assert len(cache) == 0
