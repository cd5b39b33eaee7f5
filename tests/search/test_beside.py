"""A search whose parts run at the same time answers as one whose parts run one after the other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from khojd.embed.protocol import Vectors
from khojd.errors import ModelError
from khojd.search.retrieve import Retriever
from khojd.search.similar import similar
from khojd.search.types import SearchRequest, SearchResult, SimilarRequest
from tests.search.notes import TODAY, Concepts, Notes

WORDS = ("cat", "kitten", "car", "engine", "tea", "coffee", "river", "stone", "lamp", "letter")
QUERIES = ("kitten on a stone", "tea", "letter lamp engine", 'coffee -"tea"', "car file:1", "nothing of this", "???")


class Broken(Concepts):
    """A model that cannot embed a query."""

    def embed_query(self, text: str) -> Vectors:
        raise ModelError("the model is broken", model="concepts")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def retrievers(notes: Notes, threads: ThreadPoolExecutor) -> tuple[Retriever, Retriever]:
    alone = notes.retriever()
    return alone, Retriever(alone.catalog, alone.words, alone.vectors, alone.queries, alone.config, executor=threads)


def untimed(result: SearchResult) -> tuple[object, ...]:
    return result.phase, result.hits, result.notes


def test_the_answers_are_the_same(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    notes = Notes(tmp_path, Concepts({"cat": "cat", "kitten": "cat", "car": "car", "engine": "car", "tea": "drink"}))
    notes.write(
        {
            f"{number}.md": f"# Note {number}\n"
            + " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 4 + number % 5))
            for number in range(300)
        }
    )
    one, other = retrievers(notes, threads)
    for query in QUERIES:
        for mode in ("hybrid", "lexical", "semantic"):
            for phases in (False, True):
                request = SearchRequest(query, mode=mode, limit=20, explain=True)
                alone = [untimed(result) for result in one.search(request, today=TODAY, phases=phases)]
                assert alone == [untimed(result) for result in other.search(request, today=TODAY, phases=phases)]
    asked = SimilarRequest(text="the engine of a car by the river")
    assert similar(one, asked).hits == similar(other, asked).hits
    notes.close()


def test_a_model_that_fails_beside_is_answered_by_words_or_said(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    notes = Notes(tmp_path, Broken({"cat": "cat"}))
    notes.write({"a.txt": "The cat sat."})
    for retriever in retrievers(notes, threads):
        *_, last = retriever.search(SearchRequest("cat"), today=TODAY)
        assert [Path(hit.path).name for hit in last.hits] == ["a.txt"]
        assert last.notes == ("these hits are found by words alone: the model is broken",)
        with pytest.raises(ModelError, match="broken"):
            list(retriever.search(SearchRequest("cat", mode="semantic"), today=TODAY))
    notes.close()
