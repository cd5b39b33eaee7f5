"""Tiny models with random weights, saved to disk: the same code paths as real ones, without a download."""

from pathlib import Path

import pytest

from khojd.embed.tokens import MODEL_DIR
from tests.conftest import missing

try:
    import sentence_transformers  # noqa: F401

    HAS_EXTRA = True
except ImportError:
    HAS_EXTRA = False


@pytest.fixture(scope="session")
def needs_extra() -> None:
    if not HAS_EXTRA:
        missing("the extra khojd[transformers]")


@pytest.fixture(scope="session")
def tiny_model(needs_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers and 32 dimensions with prompts, saved by sentence-transformers."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    encoder = tmp_path_factory.mktemp("encoder")
    save_bert(encoder, labels=0)
    transformer = Transformer(str(encoder), max_seq_length=64)
    pooling = Pooling(32)
    model = SentenceTransformer(modules=[transformer, pooling], device="cpu", prompts={"query": "query: ", "passage": "passage: "})
    folder = tmp_path_factory.mktemp("tiny")
    model.save(str(folder))
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
