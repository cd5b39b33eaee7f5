"""Bounds on token counts, against the bundled model's tokenizer."""

import pytest

from khojd.embed.tokens import count_tokens
from khojd.llm.estimate import least, least_of, most, most_of
from khojd.llm.model import Image, Message, Source, Tool

TEXTS = {
    "english": "The quick brown fox jumps over the lazy dog, and then it writes down what it has seen in 2024.\n" * 5,
    "code": "def close(self) -> None:\n    return self.values[index + 1] or {}\n" * 5,
    "japanese": "会議は金曜日に行われます。場所はまだ決まっていません。" * 5,
    "russian": "Встреча состоится в пятницу, место пока неизвестно. " * 5,
    "french": "L'été dernier, nous avons déménagé près de la forêt où naît la rivière. " * 5,
    "numbers": "a1b2c3d4 2024-03-01T12:45:09Z 0.123456 " * 5,
    "url": "https://example.com/a/b-c/d_e?f=g&h=i#j " * 5,
    "nothing": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_count_lies_between_the_bounds(text: str) -> None:
    count = count_tokens(text)
    assert least(text) <= count <= most(text)
    assert most(text) <= max(3 * count, 10)  # a bound that is too loose would waste the model's context


def test_a_prompt_counts_all_that_is_sent() -> None:
    message = Message("user", "one two three")
    bare = most_of([message])
    assert least_of([message, message]) == 6
    assert most_of([message, message]) == 2 * bare
    assert most_of([message], [Tool("search", "search notes", {"type": "object"})]) > bare
    assert most_of([Message("user", "one two three", images=(Image(b"", "image/png"),))]) > bare + 500
    assert most_of([Message("user", "one two three", sources=(Source(1, "a.md", "A", "four five"),))]) > bare
