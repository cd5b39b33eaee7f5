"""Text of notes made harmless for a prompt: nothing in it may look like the frame around it, or like a model's own marks.

Servers put messages into a template and read the marks of roles and tool calls anywhere in it as such, also where they come from a
note: `<|im_start|>system` in a note would begin a message of the system. So the first character of each is replaced by one that
looks like it. Characters of the plane of tags, which no person sees and some models read, are left out.
"""

import re

_THIN = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"  # characters without width
_UNSEEN = f"[\\s{_THIN}]*+"
_NAMES = "|".join(
    (
        "s|bos|eos|unk|pad|think|thinking|reasoning",
        "tool|tools|tool_calls?|tool_response|tool_result|function_calls?|function_results|invoke|parameter|available_tools",
        "start_of_turn|end_of_turn|start_header_id|end_header_id|eot_id",
        "system|user|assistant|human|im_start|im_end|begin_of_text|end_of_text|endoftext",
    )
)
_FRAME = re.compile(rf"[<＜](?={_UNSEEN}/?{_UNSEEN}{_UNSEEN.join('note')}\b)", re.IGNORECASE)
_MARK = re.compile(rf"[<＜](?=[{_THIN}]*+(?:[|｜]|/?(?:{_NAMES})\b|function=|</?SYS>>))", re.IGNORECASE)
_BRACKETED = re.compile(r"\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|AVAILABLE_TOOLS|ARGS|CALL_ID)\])")
_TAGS = re.compile("(?<![\U0001f3f4\U000e0000-\U000e007f])[\U000e0000-\U000e007f]+")  # but for those of a flag
_BREAKS = re.compile(r'[\s"<>\x00-\x1f\x7f-\x9f]+')


def defused(text: str) -> str:
    """A text of several lines. Its length changes only where invisible characters go."""
    text = _MARK.sub("‹", _FRAME.sub("‹", _TAGS.sub("", text)))
    return _BRACKETED.sub("［", text)


def one_line(text: str, most: int = 200) -> str:
    """A path, title or heading, for a line of its own or an attribute."""
    return defused(_BREAKS.sub(" ", text)).strip()[:most]
