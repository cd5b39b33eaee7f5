"""Columns that a text takes on a screen."""

import pytest

from khojd.layout.width import width


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("tea", 3),
        ("café", 4),
        ("cafe\u0301", 4),
        ("日本", 4),
        ("ﾊﾝ", 2),
        ("ＡＢ", 4),
        ("🍵", 2),
        ("❤\ufe0f", 2),
        ("👍🏽", 2),
        ("👩\u200d💻", 2),
        ("🇯🇵", 2),
        ("a\u200bb", 2),
        ("\u1112\u1161\u11ab", 2),
        ("\ufe0fa", 1),
        ("שלום", 4),
    ],
)
def test_a_text_takes_as_many_columns_as_a_terminal_gives_it(text: str, columns: int) -> None:
    assert width(text) == columns
