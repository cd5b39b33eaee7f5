"""Re-ranking by a cross-encoder, with a tiny one saved on the disk."""

from pathlib import Path

import pytest

from khojd.errors import ModelError


def test_each_text_gets_a_score_between_0_and_1_in_the_order_given(tiny_reranker: Path) -> None:
    from khojd.embed.crossencoder import CrossEncoderScorer

    scorer = CrossEncoderScorer(str(tiny_reranker), device="cpu")
    texts = ["The rent was raised.", "kitten", "long " * 200, "", "\ud800"]
    scores = scorer.score("rent", texts)
    assert len(scores) == 5
    assert all(0 < score < 1 for score in scores)
    assert len(set(scores)) > 1
    assert scorer.score("rent", texts[::-1]) == pytest.approx(scores[::-1], abs=1e-5)
    assert scorer.score("rent", []) == []
    scorer.close()
    with pytest.raises(ModelError, match="was closed"):
        scorer.score("rent", texts)


def test_a_classifier_of_several_labels_is_no_reranker(needs_extra: None, tmp_path: Path) -> None:
    from khojd.embed.crossencoder import CrossEncoderScorer
    from tests.embed.conftest import save_bert

    save_bert(tmp_path, labels=3)
    with pytest.raises(ModelError, match="3 labels"):
        CrossEncoderScorer(str(tmp_path), device="cpu")
