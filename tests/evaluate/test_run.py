"""Evaluation through the real stores."""

import json
from pathlib import Path

import pytest

from khojd.config import Config
from khojd.errors import NotFound
from khojd.evaluate.run import evaluate, write_run
from tests.search.notes import Concepts

DOCUMENTS = {
    "d/1": ("Cats", "A kitten sleeps."),
    "d/2": ("", "tag:work The engine of the car."),
    "d/3": ("", "# not a heading\nnothing of interest"),
}
QUERIES = {"q1": "feline", "q2": "engine tag:work", "q3": "unjudged"}
QRELS = {"q1": "d/1", "q2": "d/2"}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    lines = [json.dumps({"_id": name, "title": title, "text": text}) for name, (title, text) in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    queries = [json.dumps({"_id": name, "text": text}) for name, text in QUERIES.items()]
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"{query}\t{document}\t1\n" for query, document in QRELS.items()), encoding="utf-8")
    return folder


def test_every_mode_is_measured_and_run_files_have_the_collections_ids(collection: Path, tmp_path: Path) -> None:
    model = Concepts({"kitten": "cat", "feline": "cat", "engine": "car"})
    result = evaluate(collection, model, Config(), runs=tmp_path / "runs")
    assert (result.documents, result.queries) == (3, 2)
    scores = {row.mode: row.scores for row in result.results}
    assert scores["lexical"].recall == 0.5  # "feline" is in no text; the filter-like query is taken as words
    assert scores["semantic"].ndcg == scores["hybrid"].ndcg == scores["reranked"].ndcg == 1.0
    lines = (tmp_path / "runs" / "small.hybrid.trec").read_text().splitlines()
    assert lines[0].split()[:4] == ["q1", "Q0", "d/1", "1"]
    assert {line.split()[0] for line in lines} == {"q1", "q2"}


def test_words_can_be_measured_without_a_model(collection: Path) -> None:
    result = evaluate(collection, None, Config(), modes=("lexical",))
    assert [row.mode for row in result.results] == ["lexical"]


def test_scores_in_a_run_file_fall_with_the_rank(tmp_path: Path) -> None:
    write_run(tmp_path / "x.trec", {"q": [("a", 0.5), ("b", 0.5), ("c", 0.7)]}, "tag")
    scores = [float(line.split()[4]) for line in (tmp_path / "x.trec").read_text().splitlines()]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_a_folder_that_is_no_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        evaluate(tmp_path / "nowhere", None, Config())
