"""Collections are read as written, and what is wrong with them is said."""

from pathlib import Path

import pytest

from khojd.errors import ContentError, NotFound
from khojd.evaluate.collection import load_collection


def write(folder: Path, corpus: str, queries: str, qrels: str, qrels_name: str = "qrels.tsv") -> Path:
    (folder / qrels_name).parent.mkdir(exist_ok=True)
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "queries.jsonl").write_text(queries, encoding="utf-8")
    (folder / qrels_name).write_text(qrels, encoding="utf-8")
    return folder


CORPUS = '{"_id": "d1", "title": "One", "text": "first\\u2028line", "metadata": {"x": 1}}\n\n{"_id": "d2", "text": "second"}\n'
QUERIES = '{"_id": "q1", "text": "first?"}\n{"_id": "q2", "text": "nothing?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t0\n"


def test_a_collection_is_read_with_its_own_ids(tmp_path: Path) -> None:
    collection = load_collection(write(tmp_path, CORPUS, QUERIES, QRELS))
    assert [(d.id, d.title, d.text) for d in collection.documents] == [("d1", "One", "first\u2028line"), ("d2", "", "second")]
    assert collection.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 0}}


def test_queries_without_a_relevant_document_are_not_judged(tmp_path: Path) -> None:
    assert [q.id for q in load_collection(write(tmp_path, CORPUS, QUERIES, QRELS)).judged()] == ["q1"]


def test_a_raw_line_separator_inside_a_string_does_not_end_the_line(tmp_path: Path) -> None:
    collection = load_collection(write(tmp_path, '{"_id": "d1", "text": "a\u2028b\u0085c"}\n', QUERIES, QRELS))
    assert collection.documents[0].text == "a\u2028b\u0085c"


def test_judgements_may_lie_in_a_folder_and_have_no_header(tmp_path: Path) -> None:
    assert load_collection(write(tmp_path, CORPUS, QUERIES, "q1\td1\t1\n", "qrels/test.tsv")).qrels == {"q1": {"d1": 1}}


@pytest.mark.parametrize(
    ("corpus", "qrels", "said"),
    [
        ('{"_id": "d1", "text": "a"}\n{"text": "no id"}\n', QRELS, "line 2"),
        ('{"_id": "d1", "text": 5}\n', QRELS, "line 1"),
        (CORPUS, "q1 d1 1\n", "tabs"),
        (CORPUS, "q1\td1\thigh\n", "line 1"),
        (CORPUS + '{"_id": "d1"}\n', QRELS, "twice"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, corpus: str, qrels: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        load_collection(write(tmp_path, corpus, QUERIES, qrels))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not a folder"):
        load_collection(tmp_path / "nowhere")
    with pytest.raises(NotFound, match=r"corpus\.jsonl"):
        load_collection(tmp_path)
