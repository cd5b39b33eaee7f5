"""Which scripts a model has learnt."""

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from khojd.embed.onnx import BundledEmbedder
from khojd.embed.scripts import learnt, share

LATIN = frozenset({"LATIN"})
CYRILLIC = frozenset({"CYRILLIC"})
LETTERS = [chr(code) for code in range(0x250) if unicodedata.name(chr(code), "").startswith("LATIN")]


@pytest.fixture(scope="module")
def bundled() -> Iterator[BundledEmbedder]:
    made = BundledEmbedder()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("how to fix a bike", 1.0),
        ("Größe, señor, İstanbul, tiếng Việt, ﬁne", 1.0),
        ("42 + 7 = ?", 1.0),
        ("", 1.0),
        ("NF-κB and Δ9-THC at 5 µm", 1.0),
        ("поиск файлов", 0.0),
        ("αναζήτηση", 0.0),
        ("파일 검색", 0.0),
        ("茶", 0.0),
        ("ラーメン", 0.0),
        ("配置 ssh", 0.6),
    ],
)
def test_the_bundled_model_reads_latin_letters(bundled: BundledEmbedder, text: str, expected: float) -> None:
    assert bundled.reads(text) == pytest.approx(expected)


@given(st.text(st.sampled_from([*LETTERS, *" 0123456789.,-'\u0301"])))
def test_every_text_in_latin_letters_is_read_whole(text: str) -> None:
    assert share(text, LATIN) == 1.0


@given(st.text(max_size=500))
def test_letters_that_are_read_never_lower_the_share(text: str) -> None:
    before = share(text, LATIN)
    assert 0.0 <= before <= share(f"{text} name", LATIN) <= 1.0
    assert share(text, None) == 1.0


def test_a_script_of_many_tokens_is_learnt_and_one_of_single_letters_is_not() -> None:
    russian = [f"##{chr(0x430 + n % 32)}{n}" for n in range(1500)]
    assert learnt([*russian, *map(chr, range(0x4E00, 0x4F00)), "[UNK]"]) == CYRILLIC
    assert share("поиск", learnt(russian)) == 1.0
    pieces = [f"\u2581{chr(0x430 + n % 32)}{n}" for n in range(1500)]
    assert learnt(pieces) == CYRILLIC


def test_a_vocabulary_for_many_languages_reads_them_all() -> None:
    tokens = [f"t{n}" for n in range(100_001)]
    assert learnt(tokens) is None
    assert learnt(tokens[:5000]) == LATIN


def test_tokens_of_bytes_are_read_as_the_letters_they_stand_for() -> None:
    chinese = [chr(0x4E00 + number) + chr(0x4E01 + number) for number in range(2000)]
    tokens = [token for word in chinese for token, _ in ByteLevel(add_prefix_space=True).pre_tokenize_str(word)]
    assert tokens[0].startswith("\u0120")
    assert learnt(tokens) == frozenset({"CJK"})


def test_a_vocabulary_of_single_characters_tells_nothing() -> None:
    assert learnt([chr(code) for code in range(256)]) is None
