"""From the configuration to an embedder."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from khojd.config import Embedding
from khojd.embed.factory import open_embedder
from khojd.embed.presets import PRESETS
from khojd.errors import ConfigError, ModelError


@pytest.mark.parametrize("model", ["bundled", "fast"])
def test_the_bundled_model_needs_nothing_else(model: str) -> None:
    embedder = open_embedder(Embedding(model=model))
    assert embedder is not None
    assert embedder.id.startswith("all-MiniLM-L6-v2-int8-")
    assert (embedder.dimensions, embedder.max_tokens) == (PRESETS["fast"].dimensions, PRESETS["fast"].max_tokens - 2)
    assert embedder.embed_query("rent").shape == (384,)
    embedder.close()


def test_off_gives_no_embedder() -> None:
    assert open_embedder(Embedding(model="off")) is None


@pytest.mark.parametrize(
    ("model", "closest"),
    [
        ("bundeld", "bundled"),
        ("Balanced", "balanced"),
        ("high quality", "high-quality"),
        ("multi-lingual", "multilingual"),
        ("none", ""),
        ("", ""),
        ("all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"),
    ],
)
def test_a_misspelt_model_is_an_error_that_names_the_closest(model: str, closest: str) -> None:
    with pytest.raises(ConfigError, match=r"embedding\.model: ") as caught:
        open_embedder(Embedding(model=model))
    assert caught.value.data["value"] == model
    assert caught.value.data["closest"] == closest
    assert set(PRESETS) | {"bundled", "remote", "off"} == set(caught.value.data["allowed"])


@pytest.mark.parametrize(("key", "value"), [("device", "cuda"), ("query_prompt", "query: "), ("passage_prompt", "passage: ")])
def test_a_setting_that_the_bundled_model_cannot_follow_is_an_error(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"embedding.{key} is '{value}'"):
        open_embedder(msgspec.convert({key: value}, Embedding))


def test_a_folder_is_loaded_by_sentence_transformers(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = open_embedder(Embedding(model=str(tiny_model), device="cpu"))
    assert embedder is not None
    assert embedder.dimensions == 32
    monkeypatch.chdir(tiny_model.parent)
    relative = open_embedder(Embedding(model=tiny_model.name, device="cpu"))
    assert relative is not None
    assert relative.dimensions == 32


def test_a_preset_that_cannot_be_had_says_what_to_do(needs_extra: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"BAAI/bge-large-en-v1\.5 is not on this machine .* Put its files"):
        open_embedder(Embedding(model="high-quality"))


def test_the_bundled_model_never_imports_torch() -> None:
    code = (
        "import sys\n"
        "from khojd.config import Embedding\n"
        "from khojd.embed.factory import open_embedder\n"
        "light = set(sys.modules)\n"
        "open_embedder(Embedding()).embed_passages(['rent'])\n"
        "print(*light & {'onnxruntime', 'tokenizers', 'torch', 'sentence_transformers', 'transformers', 'huggingface_hub'})\n"
        "print(*set(sys.modules) & {'torch', 'sentence_transformers', 'transformers', 'huggingface_hub'})\n"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output == "\n\n"
