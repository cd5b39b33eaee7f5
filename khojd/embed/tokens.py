"""Counting the bundled model's tokens, fast enough for the parsing path.

WordPiece looks at one blank-separated word at a time, so the count of a text is the sum over its words, and natural language
repeats its words: a table of known words answers most of them. Unknown words go to the model's own tokenizer, so counts are exact.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from khojd.errors import ModelError

MODEL_DIR = Path(__file__).parent / "data" / "all-MiniLM-L6-v2"

_LEAST_LEFT = 16  # tokens of a text, below which a vector of it says nothing
_KNOWN_WORDS = 100_000
_LONGEST_KNOWN_WORD = 40
# The blanks at which BERT's normaliser splits. Python's str.split() has more: the control characters (\v, \f, \x1c to \x1f, \x85)
# that BERT deletes, which joins the words around them.
_WORDS = re.compile(r"[^ \t\n\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_ODD_BLANKS = "\x0b\x0c\x1c\x1d\x1e\x1f\x85"
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The bundled model's tokenizer; it neither truncates nor pads."""
    return Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))


def encodable(text: str) -> str:
    """`text` with each lone surrogate, which no tokenizer takes, replaced by U+FFFD, which BERT ignores."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


class _Known(dict[str, int]):
    """Tokens of each word seen so far."""

    def __missing__(self, word: str) -> int:
        count = len(tokenizer().encode(encodable(word), add_special_tokens=False).ids)
        if len(word) <= _LONGEST_KNOWN_WORD:
            if len(self) >= _KNOWN_WORDS:
                self.clear()
            self[word] = count
        return count


_known = _Known()


def count_tokens(text: str) -> int:
    """Exact number of tokens of `text` without special tokens. Thread-safe."""
    words = _WORDS.findall(text) if any(map(text.__contains__, _ODD_BLANKS)) else text.split()
    return sum(map(_known.__getitem__, words))


def default_counter() -> Callable[[str], int]:
    """The bundled model's token counter."""
    return count_tokens


def enough(model: str, left: int) -> int:
    """`left`, the tokens that a model leaves for a text. Raises ModelError when that is too few for any."""
    if left < _LEAST_LEFT:
        raise ModelError(f"the model {model} leaves {left} tokens for a text, which is too few", model=model)
    return left
