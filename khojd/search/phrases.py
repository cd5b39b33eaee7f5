"""Exact words in a text: in any case, any whitespace, compatibility forms alike (NFKC), whole words where a script has them."""

import re
import unicodedata

# Scripts written without spaces: a phrase may begin or end inside a run of them.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


def normalised(text: str) -> str:
    """`text` as phrases are compared."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.lower().split())


def contains(text: str, phrase: str) -> bool:
    """Whether `phrase` stands in `text` as whole words; both are `normalised`."""
    at = text.find(phrase)
    while at >= 0:
        if not _inside_word(text, at) and not _inside_word(text, at + len(phrase)):
            return True
        at = text.find(phrase, at + 1)
    return False


def _inside_word(text: str, at: int) -> bool:
    """Whether a word goes on across the place before text[at]."""
    if at <= 0 or at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.combining(after):
        return before != " "  # a mark by itself goes on no word
    if _UNSPACED.match(before) or _UNSPACED.match(after):
        return False
    return _wordlike(before) and _wordlike(after)


def _wordlike(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.combining(char) != 0
