"""How many tokens a prompt has: a safe guess, made better by what servers count."""

import re
from collections.abc import Iterable

from khojd.llm.model import Message, Tool

MESSAGE = 10  # tokens of the marks that a chat template puts around a message
IMAGE = 1600  # tokens of an image in most models
_SHORT = 6  # letters: a word up to this is one token, mostly
_LETTERS_PER_TOKEN = 4  # of a longer one; English needs more than five, German compounds three to four
_JUMBLED = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")  # keys, images in text: tokenizers know no parts of it
_JUMBLED_PER_TOKEN = 1.2
_PIECES = re.compile(r"[A-Za-z]+|[0-9]|[^\w\s]|_+|\n[ \t]*|[ \t]{2,}")
_LATIN = re.compile(r"[\u0080-\u024f]")
_SPELT = re.compile(r"[\u0370-\u1fff]")  # Greek, Cyrillic, Arabic, Indic, Thai: some two letters to a token
_OTHER = re.compile(r"[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]")  # Han, kana, Hangul
_RARE = re.compile(r"[\U00010000-\U0010ffff]")
_WEIGHTS = ((_LATIN, 1.0), (_SPELT, 0.75), (_OTHER, 1.15), (_RARE, 2.0))
_SMOOTHING = 0.5  # share of the newest observation
_BOUNDS = (0.5, 5.0)


def tokens(text: str) -> int:
    """Tokens of `text`: seldom fewer than any common tokenizer makes of it, and for English about a quarter more."""
    count = _plain(text) + sum(_excess(found) for found in _JUMBLED.findall(text))
    if text.isascii():
        return count
    return count + round(sum(len(pattern.findall(text)) * weight for pattern, weight in _WEIGHTS))


def _plain(text: str) -> int:
    pieces = _PIECES.findall(text)
    return sum(1 if len(one) <= _SHORT or not one[0].isalpha() else -(-len(one) // _LETTERS_PER_TOKEN) for one in pieces)


def _excess(run: str) -> int:
    """Tokens of a long run without spaces beyond those of its pieces, where capitals and digits are mixed as in no language."""
    mixed = sum(one.isupper() or one.isdigit() for one in run)
    if not 0.15 < mixed / len(run) < 0.85:
        return 0
    return max(int(len(run) / _JUMBLED_PER_TOKEN) - _plain(run), 0)


def of_messages(messages: Iterable[Message], tools: Iterable[Tool] = ()) -> int:
    """Tokens of a prompt."""
    said = sum(MESSAGE + tokens(_written(message)) + IMAGE * len(message.images) for message in messages)
    return said + sum(MESSAGE + tokens(f"{tool.name} {tool.description} {tool.parameters}") for tool in tools)


def _written(message: Message) -> str:
    sources = [f"{source.title} {source.source}\n{source.text}" for source in message.sources]
    calls = [f"{call.name} {call.arguments}" for call in message.tool_calls]
    return "\n".join([message.text, *sources, *calls])


class Scale:
    """Per model, how its tokens relate to the guessed ones. Kept for the life of the process."""

    def __init__(self) -> None:
        self._ratios: dict[str, float] = {}

    def of(self, model: str) -> float:
        """The model's tokens per guessed token, with a margin once it is known; 1 before."""
        known = self._ratios.get(model)
        return 1.0 if known is None else known * 1.05

    def saw(self, model: str, guessed: int, counted: int) -> None:
        """A server counted the tokens of a prompt."""
        if guessed < 100 or counted <= 0:
            return  # of a short one the template is most
        ratio = min(max(counted / guessed, _BOUNDS[0]), _BOUNDS[1])
        known = self._ratios.get(model)
        self._ratios[model] = ratio if known is None else known + _SMOOTHING * (ratio - known)

    def over(self, model: str) -> None:
        """A server refused a prompt as too long that was guessed to fit."""
        self._ratios[model] = min(self._ratios.get(model, 1.0) * 1.5, _BOUNDS[1])
