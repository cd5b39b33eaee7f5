"""Which scripts a model has learnt, told by its vocabulary, and how much of a text is in them.

A tokenizer is trained on what the model is trained on: a script that the model met in many words has many tokens. Of the 30,522
tokens of all-MiniLM, and of the many English models that share BERT's vocabulary, 26,658 are Latin, and no other script has more
than 488, nearly all of them single letters. Such a model gives words of another script a vector, but one that says little.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Set
from functools import lru_cache
from itertools import groupby

from tokenizers import decoders

LEAST_TOKENS = 1_000  # of a script that was learnt
MANY_LANGUAGES = 100_000  # tokens above which a vocabulary is one for many languages
_MARKS = "#\u2581 \ufffd"  # of WordPiece, in the middle of a word; of SentencePiece, at its beginning; a part of a letter's bytes
_BYTES = "\u0120"  # the blank before a word, where tokens are bytes written as letters (GPT-2)
LOOKED_AT = 1_000  # characters of a text; of a longer one its beginning


def learnt(vocabulary: Collection[str]) -> frozenset[str] | None:
    """The scripts that a model with these tokens has learnt, by their names in Unicode; None for all.

    A vocabulary for many languages shares its tokens among so many scripts that small ones have few: it counts as one for all. So
    does one that tells nothing, as a model's that reads single bytes or characters.
    """
    if len(vocabulary) > MANY_LANGUAGES:
        return None
    if sum(token.startswith(_BYTES) for token in vocabulary) > len(vocabulary) / 10:
        decode = decoders.ByteLevel().decode
        vocabulary = [decode([token]) for token in vocabulary]
    counts: Counter[str] = Counter()
    for first, count in Counter(token.lstrip(_MARKS)[:1] for token in vocabulary).items():
        counts[_script(first)] += count
    return frozenset(name for name, count in counts.items() if name and count >= LEAST_TOKENS) or None


def share(text: str, scripts: Set[str] | None) -> float:
    """Share of the letters of `text` that are of these scripts, 0 to 1; 1 for a text without letters, and for None.

    A Greek letter that stands alone is a symbol of science and does not count.
    """
    text = text[:LOOKED_AT]
    if scripts is None or (text.isascii() and "LATIN" in scripts):
        return 1.0
    letters = of_scripts = 0
    for name, run in groupby(map(_script, unicodedata.normalize("NFKC", text))):
        count = sum(1 for _ in run)
        if name and not (name == "GREEK" and count == 1):
            letters += count
            if name in scripts:
                of_scripts += count
    return of_scripts / letters if letters else 1.0


@lru_cache(maxsize=20_000)
def _script(character: str) -> str:
    """The first word of a letter's name, which is its script's; "" for no letter, and for one that modifies those of any script."""
    if not character or unicodedata.category(character) not in ("Lu", "Ll", "Lt", "Lo"):
        return ""
    return unicodedata.name(character, "").partition(" ")[0]
