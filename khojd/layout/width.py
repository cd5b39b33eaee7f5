"""How many columns of a terminal, or of an editor with a fixed-width font, a text takes."""

import unicodedata
from functools import cache

_EMOJI_STYLE = "\ufe0f"  # variation selector 16: what stands before it is shown as an emoji, in two columns
_JOINER = "\u200d"
_SOFT_HYPHEN = "\u00ad"
_FLAG = range(0x1F1E6, 0x1F200)  # two regional indicators make one flag of two columns
_SKIN = range(0x1F3FB, 0x1F400)
_JAMO = range(0x1160, 0x1200)  # vowels and final consonants are drawn into the syllable's first letter


def width(text: str) -> int:
    """Columns: East Asian wide characters and emoji take two, what combines with the character before takes none."""
    if text.isascii():
        return len(text)
    total = last = 0
    before = ""
    for char in text:
        if char == _EMOJI_STYLE:
            own = 1 if last == 1 else 0
        elif last and before and (before == _JOINER or ord(char) in _SKIN) and _columns(char) == 2:
            own = 0  # one emoji with the one before
        else:
            own = _columns(char)
        total += own
        last = own or last
        before = char
    return total


@cache
def _columns(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    code = ord(char)
    if code in _FLAG:
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf") and char != _SOFT_HYPHEN:
        return 0
    return 0 if code in _JAMO else 1
