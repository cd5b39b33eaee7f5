"""Models of sentence-transformers, with a tiny one saved on the disk."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from khojd.embed.protocol import Embedder
from khojd.errors import ModelError

TEXTS = ["A kitten sleeps in the sun.", "rent", "猫が日向で寝ている。", "", "note " * 40, "\ud800"]


@pytest.fixture(scope="module")
def embedder(tiny_model: Path) -> Embedder:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(str(tiny_model), device="cpu", batch_size=1)


def reference(tiny_model: Path, text: str) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    vector: np.ndarray = SentenceTransformer(str(tiny_model), device="cpu").encode(text, prompt="", normalize_embeddings=True)
    return vector


def test_vectors_are_those_of_the_model_in_the_order_of_the_texts(embedder: Embedder, tiny_model: Path) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions) == (6, 32)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS[:3], vectors, strict=False):
        assert np.allclose(reference(tiny_model, f"passage: {text}"), vector, atol=1e-5)
    assert embedder.embed_passages([]).shape == (0, 32)


def test_queries_carry_the_models_query_prompt(embedder: Embedder, tiny_model: Path) -> None:
    assert np.allclose(embedder.embed_query("rent"), reference(tiny_model, "query: rent"), atol=1e-5)


def test_configured_prompts_replace_the_models_own(tiny_model: Path) -> None:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(str(tiny_model), device="cpu", query_prompt="ask: ", passage_prompt="note: ")
    assert np.allclose(embedder.embed_query("rent"), reference(tiny_model, "ask: rent"), atol=1e-5)
    assert np.allclose(embedder.embed_passages(["rent"])[0], reference(tiny_model, "note: rent"), atol=1e-5)


def test_a_text_of_exactly_the_limit_is_taken_whole_with_its_prompt(embedder: Embedder) -> None:
    assert embedder.max_tokens == 64 - 2 - embedder.count("passage: ")
    full = "note " * (embedder.max_tokens - 1)
    assert embedder.count(full + "rent") == embedder.max_tokens
    one, other = embedder.embed_passages([full + "rent", full + "kitten"])
    assert not np.allclose(one, other, atol=1e-6)


def test_a_models_vocabulary_tells_what_it_reads(embedder: Embedder) -> None:
    assert embedder.reads("rent") == 1.0
    assert embedder.reads("猫が日向で寝ている。") == 0.0


def test_counting_a_text_over_the_models_length_gives_no_warning(embedder: Embedder) -> None:
    assert embedder.count("note " * 5000) == 5000


def test_a_text_has_one_normalised_vector_per_token(embedder: Embedder) -> None:
    for text, vectors in zip(TEXTS[:4], embedder.token_vectors(TEXTS[:4]), strict=True):
        assert vectors.shape == (embedder.count(text), 32)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_id_changes_with_the_passage_prompt_and_with_the_weights_only(tiny_model: Path, tmp_path: Path) -> None:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    def id_(folder: Path, passage_prompt: str = "", query_prompt: str = "") -> str:
        embedder = SentenceTransformerEmbedder(str(folder), device="cpu", passage_prompt=passage_prompt, query_prompt=query_prompt)
        return embedder.id.removeprefix(str(folder))

    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    assert id_(copy) == id_(tiny_model) == id_(copy, query_prompt="ask: ")
    assert id_(copy) != id_(copy, passage_prompt="note: ")
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-40_000:] = bytes(40_000)
    before = id_(copy)
    weights.write_bytes(data)
    assert id_(copy) != before


def test_a_closed_embedder_says_so(tiny_model: Path) -> None:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    embedder = SentenceTransformerEmbedder(str(tiny_model), device="cpu")
    embedder.close()
    with pytest.raises(ModelError, match="was closed"):
        embedder.embed_query("rent")


def test_a_device_that_is_not_there_is_refused(tiny_model: Path) -> None:
    import torch

    from khojd.embed.transformers import SentenceTransformerEmbedder

    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(ModelError, match=f"'{absent}', but torch finds no such device"):
        SentenceTransformerEmbedder(str(tiny_model), device=absent)


def test_damaged_weights_are_an_error_that_names_the_folder(tiny_model: Path, tmp_path: Path) -> None:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    folder = tmp_path / "damaged"
    shutil.copytree(tiny_model, folder)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"damaged: the model .* cannot be loaded"):
        SentenceTransformerEmbedder(str(folder), device="cpu")


def test_a_model_that_leaves_no_room_for_text_is_refused(tiny_model: Path) -> None:
    from khojd.embed.transformers import SentenceTransformerEmbedder

    with pytest.raises(ModelError, match="too few"):
        SentenceTransformerEmbedder(str(tiny_model), device="cpu", passage_prompt="note " * 50)


def test_without_the_extra_the_error_says_how_to_install_it() -> None:
    # A process of its own, in which the package cannot be imported.
    code = (
        "import sys, json; sys.modules['sentence_transformers'] = None\n"
        "from khojd.embed.factory import open_embedder\n"
        "from khojd.config import Embedding\n"
        "from khojd.errors import ModelError\n"
        "try: open_embedder(Embedding(model='balanced'))\n"
        "except ModelError as error: print(json.dumps([error.message, error.data]))\n"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    message, data = json.loads(output)
    assert "pip install 'khojd[transformers]'" in message
    assert data["kind"] == "model"
    assert data["model"] == "sentence-transformers/all-mpnet-base-v2"


def test_telemetry_is_off_once_a_model_is_loaded(embedder: Embedder) -> None:
    from huggingface_hub import constants

    assert constants.HF_HUB_DISABLE_TELEMETRY
