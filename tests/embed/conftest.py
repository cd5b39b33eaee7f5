"""Tiny models with random weights, saved to disk: the same code paths as real ones, without a download."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from khojd.embed.tokens import MODEL_DIR
from tests.conftest import missing


@pytest.fixture(scope="session")
def needs_extra() -> None:
    if find_spec("sentence_transformers") is None:
        missing("the extra khojd[transformers]")


@pytest.fixture(scope="session")
def tiny_model(needs_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers and 32 dimensions with prompts, laid out as published models are."""
    folder = tmp_path_factory.mktemp("tiny")
    save_bert(folder, labels=0)
    parts = [("", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")]
    files = {
        "modules.json": [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(parts)],
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "passage": "passage: "}},
    }
    (folder / "1_Pooling").mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="session")
def tiny_reranker(needs_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reranker")
    save_bert(folder, labels=1)
    return folder


def save_bert(folder: Path, *, labels: int) -> None:
    """A random BERT with the bundled vocabulary; with labels, as a classifier."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        id2label={index: str(index) for index in range(labels or 2)},
    )
    model = BertForSequenceClassification(config) if labels else BertModel(config)
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(MODEL_DIR / "tokenizer.json"),
        unk_token="[UNK]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        mask_token="[MASK]",
        model_max_length=64,
    )
    tokenizer.save_pretrained(folder)
