import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd.content.language import SAMPLE, detect, normalize

SENTENCES = {
    "en": "The cat is in the garden and that is where it will be for the rest of this day",
    "de": "Das ist ein Haus und wir sind heute nicht in der Stadt",
    "fr": "Le chat est dans la maison et il ne sort pas avec nous",
    "es": "El niño está en la casa y no quiere salir por la noche",
    "it": "Il gatto è nella casa e non vuole uscire con il cane",
    "pt": "O gato não está em casa e não quer sair com os cães",
    "nl": "De kat is niet in het huis en wil niet naar buiten",
    "sv": "Katten är inte i huset och vill inte gå ut med hunden för det regnar",
    "da": "Katten er ikke i huset og vil ikke gå ud af huset med hunden",
    "no": "Katten er ikke i huset og vil ikke gå ut av huset med hunden",
    "fi": "Kissa ei ole talossa ja se on ulkona mutta sataa",
    "pl": "Kot nie jest w domu i nie chce wyjść na dwór z psem",
    "ja": "今日は東京へ行く",
    "zh": "今天我去北京",
    "ko": "오늘은 서울에 갔습니다",
    "th": "วันนี้ฉันไปตลาด",
    "ru": "Сегодня я иду в магазин, это недалеко",
    "uk": "Сьогодні я йду в магазин і їстиму",
    "el": "Σήμερα πήγα στην αγορά",
    "ar": "اليوم ذهبت إلى السوق",
    "he": "היום הלכתי לשוק",
    "hi": "आज मैं बाज़ार गया",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_enough(code: str) -> None:
    assert detect(SENTENCES[code]) == code


@pytest.mark.parametrize("text", ["", "x = 1", "git commit -m", "2024-05-01", "lorem ipsum", "* TODO Kaffee"])
def test_an_unsure_guess_is_no_guess(text: str) -> None:
    assert detect(text) == ""


def test_japanese_with_english_terms_is_japanese() -> None:
    assert detect("Python の asyncio で server を作る方法を学んだ。") == "ja"


def test_one_foreign_word_does_not_change_the_language() -> None:
    assert detect(SENTENCES["en"] + " 東京") == "en"


def test_only_the_beginning_is_looked_at() -> None:
    assert detect(" " * SAMPLE + SENTENCES["de"]) == ""


@pytest.mark.parametrize(
    ("name", "code"), [("en-US", "en"), ("de_DE.UTF-8", "de"), ("English", "en"), (" ja ", "ja"), ("klingon", ""), ("", "")]
)
def test_languages_named_in_metadata_become_codes(name: str, code: str) -> None:
    assert normalize(name) == code


@given(st.text(max_size=200))
def test_any_text_has_a_code_or_none(text: str) -> None:
    code = detect(text)
    assert code == "" or (len(code) == 2 and code.isalpha())
