"""Tool calls written as text: by models that know no other way, and through servers that do not read them out of the answer.

The protocol asks for one JSON object {"tool": …, "arguments": …} at the end of a message. Also read are the marks that models are
trained on (`<tool_call>` of Hermes and Qwen, `[TOOL_CALLS]` of Mistral, `<|python_tag|>` and `<function=…>` of Llama), for
llama-cpp-python and its like return them as they are. What is quoted is no call: in a line that starts with `>`, a code span,
indented code, a code block of another language, an Org block, within quotation marks; nor is what stands word for word in the notes
that the model was given.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from khojd.llm.model import Tool, ToolCall

LONGEST = 200_000  # characters of a call
_LANGUAGES = frozenset({"", "json", "tool", "tool_call", "tool_code", "tool-call"})
_MARKS = ("<tool_call>", "<|tool_call|>", "<function_call>", "<|python_tag|>", "[TOOL_CALLS]")
_FUNCTION = "<function="
_NAMES = ("tool", "tool_name", "name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_KEYS = frozenset({*_NAMES, *_ARGUMENTS, "id", "type"})
_SPECIAL = re.compile(r"[\n`~{<\[]")
_FENCE = re.compile(r"[\n`~]")
_KEY = re.compile(r'\{\s*(?:"([^"\\\n]{0,30})"\s*:|(\}))')
_KEY_BEGUN = re.compile(r'\{\s*(?:"[^"\\\n]{0,30}(?:"\s*)?)?')
_IN_OBJECT = re.compile(r'["{}]')
_IN_STRING = re.compile(r'["\\]')
_TAG = re.compile(r"<function=([\w.-]{1,64})>\s*")
_TAG_BEGUN = re.compile(r"<function=[\w.-]{0,64}")
_NAMED = re.compile(r'"(?:tool|tool_name|name)"\s*:\s*"([\w.-]{1,64})"')
_BLOCK = re.compile(r"\s*#\+(begin|end)_", re.IGNORECASE)
_DEFUSED = str.maketrans("‹［", "<[")
_HEAD = 40  # characters of a line that tell what it is
_PIECE = 512  # characters that are looked at at a time

_INSTRUCTIONS = """\
You can use tools. To use one, end your message with exactly one JSON object in this form, and write nothing after it:

```json
{{"tool": "NAME", "arguments": {{…}}}}
```

The next message brings the result. Use one tool at a time. When you know enough, answer in plain text without such an object.

The tools:
{tools}"""


def instructions(tools: Sequence[Tool]) -> str:
    """What a model is told that cannot be offered tools in another way."""
    return _INSTRUCTIONS.format(tools="\n".join(_described(tool) for tool in tools))


def _described(tool: Tool) -> str:
    lines = [f"- {tool.name}: {tool.description}"]
    required = tool.parameters.get("required", ())
    for name, schema in tool.parameters.get("properties", {}).items():
        kind = " or ".join(map(json.dumps, schema["enum"])) if "enum" in schema else str(schema.get("type", "any"))
        need = ", required" if name in required else ""
        about = f": {schema['description']}" if "description" in schema else ""
        lines.append(f'    "{name}" ({kind}{need}){about}')
    return "\n".join(lines)


class _Verdict(Struct, frozen=True):
    """On what is held back: a call, no call (`size` characters of it are text), or not known yet."""

    kind: Literal["call", "text", "wait"]
    size: int = 0
    fence: str = ""  # the code block that begins with this text


_WAIT = _Verdict("wait")


class Watcher:
    """Reads an answer as it comes, and holds back only what may be the beginning of a call.

    names: of the tools that there are. quoted: whether a text stands in what the model was given. What `feed` and `finish` return
    is, joined, the whole answer, or all of it before the call. Work per character is constant.
    """

    def __init__(self, names: Collection[str], quoted: Callable[[str], bool] = lambda text: False) -> None:
        self.call: ToolCall | None = None  # once it is known; what follows it is not looked at
        self._names = names
        self._quoted = quoted
        self._held = ""
        self._scan: _Object | None = None
        self._head = ""  # of the line that is being read
        self._last = "\n"
        self._ticks = 0  # of the code span that is open
        self._fence = ""  # of the code block that is open
        self._block = False  # an Org block is open

    def feed(self, text: str) -> str:
        """What of the text so far is surely no call."""
        said = []
        for at in range(0, len(text), _PIECE):
            if self.call is None:
                self._held += text[at : at + _PIECE]
                said.append(self._run(last=False))
        return "".join(said)

    def finish(self) -> str:
        """The rest; the text has ended."""
        return "" if self.call is not None else self._run(last=True)

    # Inside

    def _run(self, *, last: bool) -> str:
        said: list[str] = []
        while self._held and self.call is None:
            found = (_FENCE if self._fence else _SPECIAL).search(self._held) if self._scan is None else None
            if self._scan is None and (found is None or found.start()):
                said.append(self._pass(found.start() if found else len(self._held)))
                continue
            verdict = self._judge(last=last)
            if verdict.kind == "wait":
                break
            if verdict.kind == "text":
                self._scan = None
                said.append(self._pass(verdict.size))
                self._fence = verdict.fence or self._fence
        return "".join(said)

    def _pass(self, size: int) -> str:
        """Let this much go as text."""
        text, self._held = self._held[:size], self._held[size:]
        line = text.rfind("\n")
        if line >= 0:
            for head in [self._head + text[:_HEAD], *text.split("\n")[1:-1]] if "#+" in self._head + text else ():
                if block := _BLOCK.match(head):
                    self._block = block[1].lower() == "begin"
            self._head, self._ticks = text[line + 1 : line + 1 + _HEAD], 0
        elif len(self._head) < _HEAD:
            self._head = (self._head + text)[:_HEAD]
        self._last = text[-1]
        return text

    def _judge(self, *, last: bool) -> _Verdict:
        """On the special character that the held text begins with."""
        held = self._held
        if held[0] == "\n":
            return _Verdict("text", 1)
        if held[0] in "`~":
            return self._ticked(last=last)
        if self._scan is None and self._is_quoted():
            return _Verdict("text", 1)
        return self._called(0, last=last)

    def _is_quoted(self) -> bool:
        head = self._head.lstrip()
        indented = not head and ("\t" in self._head or len(self._head) >= 4)
        return bool(self._ticks) or self._block or indented or head.startswith(">") or self._last in "\"'“‘«`"

    def _ticked(self, *, last: bool) -> _Verdict:
        """A code span, or the beginning or end of a code block."""
        held = self._held
        mark = held[0]
        count = len(held) - len(held.lstrip(mark))
        if count == len(held) and not last:
            return _WAIT
        starts = not self._head.strip() and len(self._head) < 4
        if self._fence:
            closes = (
                starts
                and mark * count >= self._fence
                and mark == self._fence[0]
                and held[count : count + 1] in ("", "\n", " ", "\r")
            )
            if closes:
                self._fence = ""
            return _Verdict("text", count)
        if starts and count >= 3:
            return self._fenced(mark * count, last=last)
        if mark == "`":
            self._ticks = 0 if self._ticks == count else self._ticks or count
        return _Verdict("text", count)

    def _fenced(self, fence: str, *, last: bool) -> _Verdict:
        """A code block that begins: of a call when nothing but an object follows its first line."""
        held = self._held
        line = held.find("\n")
        most = len(fence) + _HEAD
        if line < 0 and len(held) <= most and not last:
            return _WAIT
        if not 0 <= line <= most:
            return _Verdict("text", min(len(held), most), fence)
        language = held[len(fence) : line].strip().lower()
        if language not in _LANGUAGES or self._block:
            return _Verdict("text", line + 1, fence)
        at = line + 1
        if self._scan is None:
            at = _after_space(held, at)
            if at == len(held) and not last:
                return _WAIT
            if held[at : at + 1] not in ("{", "<", "["):
                return _Verdict("text", line + 1, fence)
        verdict = self._called(at, last=last)
        return verdict if verdict.kind != "text" else _Verdict("text", max(verdict.size, line + 1), fence)

    def _called(self, at: int, *, last: bool) -> _Verdict:
        """An object, perhaps after a mark, that begins at `at`."""
        held = self._held
        if self._scan is None:
            marked, name = False, ""
            if held[at] in "<[":
                begun = _marked(held, at)
                if begun is None:
                    return _Verdict("text", at + 1)
                if begun[0] < 0:
                    return _WAIT if not last else _Verdict("text", at + 1)
                marked, (start, name) = True, begun
                if start == len(held):
                    return _WAIT if not last else _Verdict("text", len(held))
                if held[start] != "{":
                    return _Verdict("text", start)
                at = start
            key = _KEY.match(held, at)
            if key is None:
                whole = _KEY_BEGUN.fullmatch(held, at)
                return _WAIT if whole and not last else _Verdict("text", at + 1)
            if not name and key[1] not in _KEYS:
                return _Verdict("text", at + 1)
            self._scan = _Object(at, marked=marked, name=name)
        scan = self._scan
        end = scan.end(held)
        if end is None and not last and len(held) <= LONGEST:
            return _WAIT
        raw = held[scan.start : len(held) if end is None else end]
        call = read(raw, self._names, marked=scan.marked, name=scan.name)
        if call is None or self._quoted(held[: scan.start] + raw if scan.name else raw):
            return _Verdict("text", len(held) if end is None else end)
        self.call = call
        return _Verdict("call")


class _Object:
    """Finds the end of a JSON object that comes in pieces."""

    def __init__(self, start: int, *, marked: bool, name: str) -> None:
        self.start = start
        self.marked = marked
        self.name = name
        self._at = start
        self._depth = 0
        self._in_string = False

    def end(self, text: str) -> int | None:
        while True:
            found = (_IN_STRING if self._in_string else _IN_OBJECT).search(text, self._at)
            if found is None:
                self._at = max(self._at, len(text))
                return None
            sign = found[0]
            if sign == "\\":
                if found.end() == len(text):
                    self._at = found.start()
                    return None
                self._at = found.end() + 1
                continue
            self._at = found.end()
            if sign == '"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if sign == "{" else -1
                if not self._depth:
                    return self._at


def read(text: str, names: Collection[str], *, marked: bool = False, name: str = "") -> ToolCall | None:
    """The call that an object says, None for any other object; without arguments for one that is broken.

    marked: it stands where only calls do. name: of the tool, where the mark says it and the object holds the arguments alone.
    """
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        named = _NAMED.search(text)
        meant = name or (named[1] if named else "")
        return ToolCall("", meant, None, text) if meant and (marked or meant in names) else None
    if not isinstance(value, dict):
        return None
    if name:
        return ToolCall("", name, value, text)
    if isinstance(value.get("function"), dict):
        value = value["function"]
    key = next((key for key in _NAMES if isinstance(value.get(key), str)), None)
    if key is None:
        return None
    called = str(value[key])
    given = next((value[one] for one in _ARGUMENTS if one in value), None)
    if given is None:
        if called not in names:
            return None
        given = {one: value[one] for one in value if one not in (key, "id", "type")}
    elif not marked and called not in names and key not in ("tool", "tool_name"):
        return None
    return ToolCall("", called, _object(given), text)


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _marked(text: str, at: int) -> tuple[int, str] | None:
    """Where the object after a mark begins, and the tool's name if the mark has it; -1 when more must come; None for no mark."""
    for mark in _MARKS:
        if text.startswith(mark, at):
            start = _after_space(text, at + len(mark))
            return (_after_space(text, start + 1) if text[start : start + 1] == "[" else start), ""
        if mark.startswith(text[at : at + len(mark)]):
            return -1, ""
    if tag := _TAG.match(text, at):
        return tag.end(), tag[1]
    begun = text[at : at + len(_FUNCTION)]
    if begun == _FUNCTION:
        return (-1, "") if _TAG_BEGUN.fullmatch(text, at) else None
    if _FUNCTION.startswith(begun):
        return -1, ""
    return None


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def stands_in(texts: Iterable[str]) -> Callable[[str], bool]:
    """Whether a text stands in one of `texts`, white space and what defuses marks (khojd/chat/defuse.py) aside."""
    known = [_bare(text) for text in texts]
    return lambda text: any(_bare(text) in one for one in known)


def _bare(text: str) -> str:
    return "".join(text.split()).translate(_DEFUSED)
