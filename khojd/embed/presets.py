"""Embedding models that have a name of their own in the configuration.

Dimensions, tokens and prompts are those of the models' cards.
"""

from msgspec import Struct

BUNDLED = "bundled"


class Preset(Struct, frozen=True):
    """`model` is a Hugging Face name, or `bundled`."""

    model: str
    dimensions: int
    max_tokens: int  # special tokens included
    batch_size: int  # texts of full length in a batch on a CPU
    query_prompt: str = ""
    passage_prompt: str = ""


PRESETS: dict[str, Preset] = {
    # The same model as sentence-transformers/all-MiniLM-L6-v2, without its download and several times as fast.
    "fast": Preset(BUNDLED, dimensions=384, max_tokens=256, batch_size=4),
    "balanced": Preset("sentence-transformers/all-mpnet-base-v2", dimensions=768, max_tokens=384, batch_size=4),
    "high-quality": Preset(
        "BAAI/bge-large-en-v1.5",
        dimensions=1024,
        max_tokens=512,
        batch_size=2,
        query_prompt="Represent this sentence for searching relevant passages: ",
    ),
    "multilingual": Preset(
        "sentence-transformers/paraphrase-multilingual-mpnet-base-v2", dimensions=768, max_tokens=128, batch_size=8
    ),
}
