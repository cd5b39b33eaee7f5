"""The bundled model."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from khojd.embed.onnx import BundledEmbedder
from khojd.embed.tokens import MODEL_DIR
from khojd.errors import ModelError

TEXTS = [
    "A kitten sleeps in the sun.",
    "Ein Kätzchen schläft in der Sonne.",
    "The landlord raised the rent again.",
    "x = sorted(rows, key=len)",
    "猫が日向で寝ている。",
    "🙂",
]


@pytest.fixture(scope="module")
def embedder() -> Iterator[BundledEmbedder]:
    embedder = BundledEmbedder()
    yield embedder
    embedder.close()


def test_the_files_are_those_that_model_json_names() -> None:
    about = json.loads((MODEL_DIR / "model.json").read_text())
    assert about["weights_sha256"] == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    for name, sha256 in about["sha256"].items():
        assert hashlib.sha256((MODEL_DIR / name).read_bytes()).hexdigest() == sha256


def test_vectors_have_length_one_and_stand_in_the_order_of_the_texts(embedder: BundledEmbedder) -> None:
    texts = [text * repeat for repeat in (40, 1, 7) for text in TEXTS]
    vectors = embedder.embed_passages(texts)
    assert vectors.shape == (len(texts), embedder.dimensions) == (18, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_vector_depends_on_its_text_alone(embedder: BundledEmbedder) -> None:
    texts = [text * repeat for repeat in (40, 1, 7) for text in TEXTS]
    for text, vector in zip(texts, embedder.embed_passages(texts), strict=True):
        assert np.array_equal(embedder.embed_query(text), vector)
        assert np.array_equal(embedder.embed_passages([text])[0], vector)


def test_texts_of_like_meaning_are_near(embedder: BundledEmbedder) -> None:
    kitten, rent, cat = embedder.embed_passages(
        ["A kitten sleeps in the sun.", "The rent was raised.", "A young cat naps outside."]
    )
    assert kitten @ cat > 0.5
    assert kitten @ rent < 0.2


def test_no_texts_give_no_vectors(embedder: BundledEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)
    assert embedder.token_vectors([]) == []


def test_empty_and_odd_texts_have_vectors(embedder: BundledEmbedder) -> None:
    vectors = embedder.embed_passages(["", " ", "\x00", "\ud800", "\ufffd", "[SEP]", "x" * 300_000])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_of_exactly_the_limit_is_taken_whole(embedder: BundledEmbedder) -> None:
    full = "note " * (embedder.max_tokens - 1)
    assert embedder.count(full + "passport") == embedder.max_tokens == 254
    one, other = embedder.embed_passages([full + "passport", full + "kitten"])
    assert not np.allclose(one, other)


def test_a_query_over_the_limit_is_its_beginning(embedder: BundledEmbedder) -> None:
    full = "note " * embedder.max_tokens
    assert np.array_equal(embedder.embed_query(full), embedder.embed_query(full + "passport kitten"))


def test_a_text_has_one_normalised_vector_per_token(embedder: BundledEmbedder) -> None:
    texts = [*TEXTS, "", "word " * 120]
    found = embedder.token_vectors(texts)
    for text, vectors in zip(texts, found, strict=True):
        assert vectors.shape == (embedder.count(text), 384)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_queries_from_several_threads_get_the_answers_of_one(embedder: BundledEmbedder) -> None:
    expected = [embedder.embed_query(text) for text in TEXTS]
    found: list[bool] = []

    def ask() -> None:
        for text, vector in zip(TEXTS * 5, expected * 5, strict=True):
            found.append(np.array_equal(embedder.embed_query(text), vector))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    embedder.embed_passages(TEXTS * 20)
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert all(found)


def test_a_closed_embedder_says_so() -> None:
    embedder = BundledEmbedder(threads=1)
    embedder.close()
    with pytest.raises(ModelError, match="was closed"):
        embedder.embed_query("rent")
    with pytest.raises(ModelError, match="was closed"):
        embedder.embed_passages(["rent"])


def test_a_damaged_or_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.json: .*reinstall khojd"):
        BundledEmbedder(model_dir=tmp_path)
    shutil.copy(MODEL_DIR / "model.json", tmp_path)
    (tmp_path / "model.onnx").write_bytes((MODEL_DIR / "model.onnx").read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"model\.onnx: .*reinstall khojd"):
        BundledEmbedder(model_dir=tmp_path)
