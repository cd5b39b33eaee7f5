"""What a conversation is called until someone names it, and what may be a title at all."""

import re
import unicodedata

AUTOMATIC = 60  # characters, about
LONGEST = 200

_COMMAND = re.compile(r"\A\s*/(?P<name>[a-z]+)(?=\s|\Z)")
_LINK = re.compile(r"\[\[(?P<target>[^\[\]\n]+)\](?:\[(?P<label>[^\[\]\n]+)\])?\]")
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]*)"|(?P<name>[^\s"]+))')
_WORD = re.compile(r"\w+")
_EDGES = " \t.,;:–—-"

# What a model writes around or in place of a title.
_MOST_WORDS = 12
_SHOWN_AS = " \t\"'*_`#“”„«»‹›「」『』.…"
_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning)>.*?</\1>|\A.*?</(?:think|thinking|thought|reasoning)>", re.DOTALL)
_LABEL = re.compile(r"\A\W*(?:(?:conversation |chat )?title|titel|titre|título|titolo)\W*:\s*", re.IGNORECASE)
_ITEM = re.compile(r"\A\s*(?:[-+•]|\*(?!\*)|\d{1,2}[.)])\s+")
_MARKER = re.compile(r"\s*(?:\[\^?\d+\]|【\d+】)")
_MARKUP = re.compile(r"</?[a-z|!][^>]*>?|<\||\|>|\[/?INST\]|```|\*\*|\\[a-z]+\{|[{}]|\]\(|\bhttps?://", re.IGNORECASE)
_TALK = re.compile(
    r"\A\W*(?:(?:i['’]?m |i am )?(?:so )?sorry\b|i (?:can(?:no|['’])t|am (?:unable|not able)|do not|don['’]t|will not|won['’]t)\b"
    r"|unfortunately\b|as an? (?:ai|language model|assistant)\b|(?:sure|certainly|of course|okay|ok|absolutely)\b\s*[,!.:]"
    r"|here(?:['’]s| is| are)\b|the title\b|a title\b|let me\b|let['’]s\b|(?:question|answer|person|user|assistant|system)\s*:"
    r"|es tut mir leid\b|ich kann\b|leider\b|als ki\b|hier ist\b|je (?:suis désolé|ne peux)|désolé\b|lo siento\b|no puedo\b"
    r"|mi dispiace\b)",
    re.IGNORECASE,
)


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


def from_model(said: str, instructions: str, answer: str = "") -> str:
    """The title in what a model said that was asked for one by `instructions`; "" where it said anything else.

    No title is: nothing, what is marked up or unfinished, a long sentence, the same again and again, a refusal or other talk, the
    instructions, and the beginning of the `answer` that was to be titled.
    """
    lines = [line for line in map(_one_line, _THOUGHTS.sub("", said).splitlines()) if line.strip(_SHOWN_AS)]
    if len(lines) > 1 and lines[0].endswith(":"):  # Sure! Here is a title:
        del lines[0]
    bare = _LABEL.sub("", _ITEM.sub("", _MARKER.sub("", lines[0]))).strip(_SHOWN_AS) if lines else ""
    words = bare.casefold().split()
    wrong = (
        not any(map(str.isalnum, bare))
        or len(words) > _MOST_WORDS
        or len(bare) > 2 * AUTOMATIC
        or _MARKUP.search(bare)
        or _TALK.match(bare)
        or _repeats(words)
        or _stands_in(words, instructions, 3)
        or (len(words) > 4 and " ".join(_MARKER.sub("", answer).casefold().split()).startswith(" ".join(words)))
    )
    return "" if wrong else shortened(bare)


def _repeats(words: list[str]) -> bool:
    """Whether most of it is said before, or a sign is written again and again."""
    return len(set(words)) * 2 <= len(words) > 3 or re.search(r"(.{1,4}?)\1{4}", " ".join(words)) is not None


def _stands_in(words: list[str], text: str, least: int) -> bool:
    """Whether so many words that follow one another do so in a text, too."""
    own, other = (_WORD.findall(each.casefold()) for each in (" ".join(words), text))
    runs = {tuple(other[at : at + least]) for at in range(len(other) - least + 1)}
    return any(tuple(own[at : at + least]) in runs for at in range(len(own) - least + 1))


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
