"""What a conversation is called until someone names it, and what may be a title at all."""

import re
import unicodedata

AUTOMATIC = 60  # characters, about
LONGEST = 200

_COMMAND = re.compile(r"\A\s*/(?P<name>[a-z]+)(?=\s|\Z)")
_LINK = re.compile(r"\[\[(?P<target>[^\[\]\n]+)\](?:\[(?P<label>[^\[\]\n]+)\])?\]")
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]*)"|(?P<name>[^\s"]+))')
_EDGES = " \t.,;:–—-"


def from_question(question: str) -> str:
    """A title of the first line of a question, without its slash command and mentions unless there is nothing else."""
    command = _COMMAND.match(question)
    text = question[command.end() :] if command else question
    bare = _first_line(_MENTION.sub(" ", _LINK.sub(" ", text)))
    if bare.strip(_EDGES):
        return shortened(bare.lstrip(_EDGES))
    named = _first_line(_MENTION.sub(lambda found: found["quoted"] or found["name"] or "", _LINK.sub(_label, text)))
    what = command["name"].capitalize() if command else ""
    return shortened(f"{what} {named}".strip()) or "Untitled"


def tidy(title: str) -> str:
    """A title that someone gives, on one line, without control characters, at most 200 characters long."""
    return _one_line(title)[:LONGEST].rstrip()


def shortened(text: str, longest: int = AUTOMATIC) -> str:
    """`text` cut at the end of a word where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    cut = text[:longest]
    if not text[longest].isspace():
        word = cut.rfind(" ")
        if word >= longest // 2:
            cut = cut[:word]
        else:
            # Without spaces: at least no letter is parted from its marks.
            while cut and (unicodedata.combining(text[len(cut)]) or text[len(cut)] in "\u200d\ufe0f" or cut[-1] == "\u200d"):
                cut = cut[:-1]
    return cut.rstrip(_EDGES) + "…"


def _label(found: re.Match[str]) -> str:
    return found["label"] or found["target"].rpartition("|")[2]


def _first_line(text: str) -> str:
    return next(filter(None, map(_one_line, text.splitlines())), "")


def _one_line(text: str) -> str:
    harmless = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp", "Cs") else one for one in text)
    return " ".join(harmless.split())
