"""Notes made up for the benchmarks: English-like prose whose words follow Zipf's law, the same for the same seed."""

import math
import random
from itertools import accumulate, product
from pathlib import Path

_LISTS = [
    " ".join(line for line in part.splitlines() if not line.startswith("#")).split()
    for part in Path(__file__).with_name("words.txt").read_text(encoding="ascii").split("\n\n")
]
_FUNCTION, _STEMS = _LISTS
_PREFIXES = ("", "re", "un", "over", "out")
_SUFFIXES = ("", "s", "ing", "ed", "er", "less", "able", "ness", "ly")
_SHARE_OF_FUNCTION_WORDS = 0.42
_SECTION_WORDS = (90, 210)


def _vocabulary() -> list[str]:
    """The order decides how common a word is. No seed of a Prose changes it: queries of one must have the words of another."""
    words = [prefix + stem + suffix for prefix, stem, suffix in product(_PREFIXES, _STEMS, _SUFFIXES)]
    random.Random(0).shuffle(words)
    return words


def _zipf(number: int) -> list[float]:
    """Cumulative weights by rank, with Mandelbrot's offset."""
    return list(accumulate(1 / (rank + 2.7) for rank in range(number)))


_VOCABULARY = _vocabulary()
_CONTENT, _COMMON = _zipf(len(_VOCABULARY)), _zipf(len(_FUNCTION))


class Prose:
    """A source of made-up text. Sizes are in characters unless they say words."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.vocabulary, self._content, self._function = _VOCABULARY, _CONTENT, _COMMON

    def words(self, number: int) -> list[str]:
        """Running words, function words among them."""
        common = self.random.choices(_FUNCTION, cum_weights=self._function, k=number)
        content = self.random.choices(self.vocabulary, cum_weights=self._content, k=number)
        draw = self.random.random
        return [a if draw() < _SHARE_OF_FUNCTION_WORDS else b for a, b in zip(common, content, strict=True)]

    def paragraph(self, number: int) -> str:
        """Sentences with `number` words in all, on one line."""
        words = self.words(number)
        sentences: list[str] = []
        while words:
            length = self.random.randint(6, 22)
            sentence, words = words[:length], words[length:]
            sentences.append(" ".join([sentence[0].capitalize(), *sentence[1:]]) + ".")
        return " ".join(sentences)

    def heading(self) -> str:
        """Two to five words."""
        return " ".join(self.random.choices(self.vocabulary, cum_weights=self._content, k=self.random.randint(2, 5))).capitalize()

    def query(self) -> str:
        """Two to eight words as a person would ask for them, mostly content words."""
        number = self.random.randint(2, 8)
        words = self.random.choices(self.vocabulary, cum_weights=self._content, k=number)
        return " ".join(self.random.choice(_FUNCTION) if self.random.random() < 0.2 else word for word in words)

    def note(self, size: int, *, org: bool = False) -> str:
        """A note of about `size` characters: metadata, headings on two levels, paragraphs."""
        mark = "*" if org else "#"
        title = self.heading()
        parts = [
            f"#+title: {title}\n#+filetags: :{self._tag()}:\n" if org else f"---\ntitle: {title}\ntags: [{self._tag()}]\n---\n"
        ]
        length = len(parts[0])
        number = 0
        while length < size:
            part = self.paragraph(min(self.random.randint(20, 90), max(3, (size - length) // 7))) + "\n"
            if number % 3 == 1:
                part = f"{mark * (1 if number % 2 else 2)} {self.heading()}\n\n{part}"
            parts.append(part)
            length += len(part) + 1
            number += 1
        return "\n".join(parts)

    def sections(self, number: int) -> str:
        """A Markdown note whose heading and `number` (at least 3) sections are an entry each, too long to stay together."""
        parts = [f"# {self.heading()}\n\n{self.paragraph(30)}\n"]
        for _ in range(number):
            half = self.random.randint(*_SECTION_WORDS) // 2
            parts.append(f"## {self.heading()}\n\n{self.paragraph(half)}\n\n{self.paragraph(half)}\n")
        return "\n".join(parts)

    def size(self, median: float, sigma: float, most: int) -> int:
        """A file size drawn from a log-normal distribution, as sizes of notes are."""
        return max(40, min(most, int(self.random.lognormvariate(math.log(median), sigma))))

    def _tag(self) -> str:
        return self.random.choice(self.vocabulary)
