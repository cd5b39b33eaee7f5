"""What language a text is in: by its script, and for Latin letters by function words. No model, no dictionary.

Only the beginning is looked at, and an unsure guess is no guess: the answer chooses how words are stemmed, where none is better
than wrong.
"""

import re
from collections import Counter

SAMPLE = 3_000  # code points looked at
_MIN_WORDS = 3  # function words that must be there
_LEAD = 1.25  # how much more than the next language's

_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "dutch":
    "nl", "nederlands": "nl", "swedish": "sv", "svenska": "sv", "danish": "da", "dansk": "da",
    "norwegian": "no", "norsk": "no", "finnish": "fi", "suomi": "fi", "polish": "pl", "polski": "pl",
    "russian": "ru", "русский": "ru", "japanese": "ja", "日本語": "ja", "chinese": "zh", "中文": "zh",
    "korean": "ko",
}  # fmt: skip
_CODE = re.compile(r"([a-z]{2})(?:[-_.@].*)?$")

# Words that carry grammar and little else, the most frequent ones first. No single letters: they number lists and name variables.
_FUNCTION_WORDS = {
    "en": "the of and to in is that it for was on are with as be this have from or by not but at what which you can if we",
    "de": "der die und das ist nicht ein eine zu den mit von im sich auf für dem des auch es wird werden oder aber wie nach wir",
    "fr": "le la les et des est un une du que qui dans pour pas sur au avec ce il plus par sont je nous vous mais ou cette être",
    "es": "el la los las de que en un una es por con para del se no como más su al lo pero este esta son muy ya hay yo",
    "it": "il lo la gli le di che un una per con non del della si sono nel anche come più ma dei alla questo questa ho delle",
    "pt": "os as um uma de que do da em para com não por mais dos das no na se como mas ao foi são este esta você",
    "nl": "de het een en van is dat niet op te zijn met voor die in aan er ook als maar om wordt naar bij ik je deze dit wij",
    "sv": "och att det en som är på för av med den till inte har ett jag om vi men så var kan från ska eller också när",
    "da": "og at det en som er på for af med den til ikke har et jeg om vi men så var kan fra skal eller også når der",
    "no": "og at det en som er på for av med den til ikke har et jeg om vi men så var kan fra skal eller også når ble",
    "fi": "ja on ei se että oli ovat mutta kun niin myös hän tai jos mitä tämä minä ole sen siitä kuin joka vain nyt",
    "pl": "nie na się do że jest to jak po ale od za przez tym są dla czy tak już być może jego który oraz",
    "cs": "se na je že do jako ale by pro to si jsou tak při od které ze nebo bylo který jeho také",
    "hu": "az és hogy nem is egy ez volt van de csak meg már mint ha vagy még el ki azt mert kell lehet",
    "ro": "și de la în cu pe că este nu un din se sunt mai pentru care ca sau dar fi au prin după fost",
    "tr": "ve bir bu da de için ile çok olarak daha gibi olan ne var ama ben kadar sonra değil mi her ya en",
    "id": "yang dan di dengan untuk tidak ini dari dalam akan pada juga ke itu adalah saya ada atau oleh bisa sudah kami",
    "vi": "và của là có không được cho một trong những các người này đã với khi để từ như đến ra về tôi cũng",
    "ca": "el la els les de que en un una és per amb no del al més com però aquest aquesta són hi han dels",
}  # fmt: skip
_LANGUAGES = tuple(_FUNCTION_WORDS)
_SHARED: dict[str, list[int]] = {}
for _number, _words in enumerate(_FUNCTION_WORDS.values()):
    for _word in _words.split():
        _SHARED.setdefault(_word, []).append(_number)

_WORD = re.compile(r"[^\W\d_]+")
# Letters of scripts other than Latin; a Han, kana, Hangul or Thai letter says as much as several of an alphabet.
_SCRIPTS: tuple[tuple[str, re.Pattern[str], int], ...] = tuple(
    (name, re.compile(f"[{ranges}]"), weight)
    for name, ranges, weight in (
        ("kana", "\u3041-\u309f\u30a0-\u30ff\uff66-\uff9f", 3),
        ("han", "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f", 3),
        ("ko", "\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f", 3),
        ("cyrillic", "\u0400-\u052f", 1),
        ("arabic", "\u0600-\u06ff\u0750-\u077f", 1),
        ("el", "\u0370-\u03ff\u1f00-\u1fff", 1),
        ("he", "\u0590-\u05ff", 1),
        ("th", "\u0e01-\u0e5b", 1),
        ("hi", "\u0900-\u097f", 1),
        ("bn", "\u0980-\u09ff", 1),
        ("pa", "\u0a00-\u0a7f", 1),
        ("gu", "\u0a80-\u0aff", 1),
        ("ta", "\u0b80-\u0bff", 1),
        ("te", "\u0c00-\u0c7f", 1),
        ("kn", "\u0c80-\u0cff", 1),
        ("ml", "\u0d00-\u0d7f", 1),
        ("si", "\u0d80-\u0dff", 1),
        ("lo", "\u0e80-\u0eff", 1),
        ("my", "\u1000-\u109f", 1),
        ("ka", "\u10a0-\u10ff", 1),
        ("am", "\u1200-\u139f", 1),
        ("km", "\u1780-\u17ff", 1),
        ("hy", "\u0530-\u058f", 1),
    )
)
_OTHER_LETTER = re.compile("[\u0370-\u1fff\u3041-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]")


def detect(text: str) -> str:
    """ISO 639-1 code of the language most of `text` is in, "" when unsure."""
    sample = text[:SAMPLE]
    if not sample.isascii() and _OTHER_LETTER.search(sample) and (code := _by_script(sample)):
        return code
    return _by_words(sample)


def function_words(code: str) -> list[str]:
    """The most frequent words of a language that carry grammar and little else; none where they are not known."""
    return _FUNCTION_WORDS.get(code, "").split()


def normalize(name: str) -> str:
    """ISO 639-1 code of a language as people write it in metadata (`en-US`, `de_DE`, `English`), "" when it is none."""
    folded = name.strip().strip("\"'").lower()
    if match := _CODE.match(folded):
        return match[1]
    return _NAMES.get(folded, "")


def _by_script(sample: str) -> str:
    weights = {name: weight * len(pattern.findall(sample)) for name, pattern, weight in _SCRIPTS}
    total = sum(weights.values())
    latin = sum(1 for character in sample if character.isascii() and character.isalpha())
    if total < 0.3 * (total + latin):
        return ""
    if weights["kana"] and weights["kana"] >= 0.05 * (weights["kana"] + weights["han"]):
        weights["ja"] = weights["kana"] + weights["han"]
    weights["zh"] = weights.pop("han")
    del weights["kana"]
    best = max(weights, key=lambda name: weights[name])
    if weights[best] < 0.6 * total:
        return ""
    if best == "cyrillic":
        return _cyrillic(sample)
    return _arabic(sample) if best == "arabic" else best


def _cyrillic(sample: str) -> str:
    letters = Counter(sample.lower())
    if letters["і"] + letters["ї"] + letters["є"] > letters["ы"] + letters["э"]:
        return "uk"
    if letters["ј"] + letters["љ"] + letters["њ"] + letters["ћ"] > 0:
        return "sr"
    return "bg" if letters["ъ"] > 2 * (letters["ы"] + letters["э"]) else "ru"


def _arabic(sample: str) -> str:
    letters = Counter(sample)
    if letters["ٹ"] + letters["ڈ"] + letters["ے"] > 0:
        return "ur"
    return "fa" if letters["پ"] + letters["چ"] + letters["گ"] + letters["ی"] > letters["ي"] + letters["ة"] else "ar"


def _by_words(sample: str) -> str:
    words = _WORD.findall(sample.lower())
    scores = [0.0] * len(_LANGUAGES)
    hits = 0
    for word, count in Counter(words).items():
        languages = _SHARED.get(word)
        if languages is None:
            continue
        hits += count
        # A word repeated all over a text (a keyword in code) is no more evidence than a few of it.
        weight = min(count, 8) / len(languages) ** 0.5
        for language in languages:
            scores[language] += weight
    best = max(range(len(scores)), key=scores.__getitem__)
    second = max((score for language, score in enumerate(scores) if language != best), default=0.0)
    if hits < _MIN_WORDS or hits < 0.05 * len(words) or scores[best] < _LEAD * second:
        return _close_pair(best, sample) if hits >= _MIN_WORDS and hits >= 0.05 * len(words) else ""
    return _LANGUAGES[best]


def _close_pair(best: int, sample: str) -> str:
    """Danish and Norwegian share nearly all their function words; spelling tells them apart."""
    if _LANGUAGES[best] not in ("da", "no"):
        return ""
    danish = len(re.findall(r"\b(?:af|mig|dig|sig|hvad|nogle|efter)\b|\w(?:tion|hed)\b", sample))
    norwegian = len(re.findall(r"\b(?:av|meg|deg|seg|hva|noen|etter)\b|\w(?:sjon|het)\b", sample))
    return "" if danish == norwegian else "da" if danish > norwegian else "no"
