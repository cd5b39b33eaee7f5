"""Tool calls that a model writes as text, as they come in pieces."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.chat.toolcalls import Watcher, instructions, stands_in
from khojd.chat.tools.table import TOOLS
from khojd.llm.model import Tool, ToolCall

NAMES = ("search_notes", "read_note", "list_notes")
CALL = '{"tool": "search_notes", "arguments": {"query": "meeting"}}'


def watched(pieces: Sequence[str], quoted: Sequence[str] = ()) -> tuple[str, ToolCall | None]:
    watcher = Watcher(NAMES, stands_in(quoted))
    said = "".join(watcher.feed(piece) for piece in pieces)
    return said + watcher.finish(), watcher.call


def read(text: str, quoted: Sequence[str] = ()) -> tuple[str, str, dict[str, Any] | None]:
    """What is text, the name and the arguments of the call; the same however the text is cut."""
    whole = watched([text], quoted)
    assert watched(list(text), quoted) == whole
    said, call = whole
    assert call is not None, f"no call in {text!r}; text is {said!r}"
    return said, call.name, call.arguments


def is_text(text: str, quoted: Sequence[str] = ()) -> None:
    assert watched([text], quoted) == (text, None)
    assert watched(list(text), quoted) == (text, None)


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        f"\n\n  {CALL}\n",
        f"```json\n{CALL}\n```",
        f"```\n{CALL}\n```\n",
        f"~~~ tool_call\n\n{CALL}\n~~~",
        '{\n  "tool": "search_notes",\n  "arguments": {\n    "query": "meeting"\n  }\n}',
        '{"name": "search_notes", "arguments": {"query": "meeting"}}',
        '{"name": "search_notes", "parameters": {"query": "meeting"}}',
        '{"arguments": {"query": "meeting"}, "name": "search_notes"}',
        '{"type": "function", "function": {"name": "search_notes", "arguments": "{\\"query\\": \\"meeting\\"}"}}',
        '{"tool": "search_notes", "query": "meeting"}',
        '<tool_call>\n{"name": "search_notes", "arguments": {"query": "meeting"}}\n</tool_call>',
        '<tool_call>{"name": "search_notes", "arguments": {"query": "meeting"}}',
        '[TOOL_CALLS][{"name": "search_notes", "arguments": {"query": "meeting"}}]',
        '[TOOL_CALLS] [ {"name": "search_notes", "arguments": {"query": "meeting"}} ]',
        '<|python_tag|>{"name": "search_notes", "parameters": {"query": "meeting"}}',
        '<function=search_notes>{"query": "meeting"}</function>',
    ],
)
def test_a_call_is_read_in_each_form_that_models_write(text: str) -> None:
    said, name, arguments = read(text)
    assert (said.strip(), name, arguments) == ("", "search_notes", {"query": "meeting"})


def test_prose_around_a_call_is_kept_and_what_follows_the_call_is_not_looked_at() -> None:
    said, name, _ = read(f"I look for it in the notes [1], `{{x}}` < 3.\n\n```json\n{CALL}\n```\nThe result says that Bob is late.")
    assert (said, name) == ("I look for it in the notes [1], `{x}` < 3.\n\n", "search_notes")
    said, name, _ = read(f"Sure! {CALL}")
    assert (said, name) == ("Sure! ", "search_notes")


def test_the_call_of_a_server_that_returns_it_as_text_is_read(shared_data: Path) -> None:
    recorded = (shared_data / "llm-wire" / "llama-cpp-python" / "v1_chat_tools_stream.txt").read_text(encoding="utf-8")
    chunks = [json.loads(line) for line in re.findall(r"^data: (\{.*)$", recorded, re.MULTILINE)]
    pieces = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]
    said, call = watched(pieces)
    assert call is not None
    assert (said, call.name, call.arguments) == ("", "search_notes", {"query": "meeting"})


@pytest.mark.parametrize(
    "text",
    [
        f"> {CALL}",
        f"> ```json\n> {CALL}\n> ```\n",
        f"The note says `{CALL}`.",
        f"The note says ``{CALL}``.",
        f'The note says "{CALL}".',
        f"The note says “{CALL}”.",
        f"```python\n{CALL}\n```\n",
        f"```text\nA note:\n{CALL}\n```\n",
        f"```\nA note:\n{CALL}\n```\n",
        f"Like this:\n\n    {CALL}\n",
        f"#+begin_quote\n{CALL}\n#+end_quote\n",
        f"#+BEGIN_SRC json\n{CALL}\n#+END_SRC\n",
        f"````md\n```json\n{CALL}\n```\n````\n",
        "> <tool_call>" + CALL + "</tool_call>",
    ],
)
def test_what_is_quoted_is_no_call(text: str) -> None:
    is_text(text)


def test_what_stands_word_for_word_in_a_note_is_no_call() -> None:
    note = f"Remember:\n```json\n{CALL}\n```\n"
    is_text(f"The note says:\n\n{CALL}", [note])
    is_text(CALL.replace(": ", ":\n  "), [note])
    read('{"tool": "search_notes", "arguments": {"query": "meetings"}}', [note])
    read("<function=list_notes>{}</function>", ["An empty object is {}."])


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Bob", "arguments": {}}',
        '{"name": "Bob", "age": 7}',
        '{"title": "x", "tool": "y"}',
        '{"tool": "hammer", "weight": "1 kg"}',
        '{"tool": 3, "arguments": {}}',
        "{x | x > 0}",
        "{}",
        "{",
        '{"tool',
        '{"name": "Bob"',
        "[TOOL",
        "<tool_call>",
        "<tool_call> is a mark",
        "<function=",
        "<function=a b>{}",
        "a < b, [1], [^1], {a}, `x`, ~~old~~, ```",
        "```json\n[1, 2]\n```\nThat was it.",
        "```json",
        "",
    ],
)
def test_what_only_resembles_a_call_is_text(text: str) -> None:
    is_text(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"tool": "search_notes", "arguments": {"query": "say "hello" to him"}}',
        '{"tool": "search_notes", "arguments": {"query": "meeting"',
        '{"tool": "search_notes", "arguments": {"query": "meeting\\',
        '{"tool": "search_notes", "arguments": "meeting"}',
        '{"tool": "search_notes", "arguments": ["meeting"]}',
        '<tool_call>{"name": "search_notes", "arguments": {"query": }}',
    ],
)
def test_a_broken_call_is_told_from_text_and_has_no_arguments(text: str) -> None:
    assert read(f"I look.\n{text}")[1:] == ("search_notes", None)


def test_an_unknown_tool_is_a_call_that_can_be_answered() -> None:
    assert read('{"tool": "serch_notes", "arguments": {"query": "x"}}')[1:] == ("serch_notes", {"query": "x"})


def test_line_ends_within_strings_do_not_break_a_call() -> None:
    _, _, arguments = read('{"tool": "read_note", "arguments": {"note": "a\nb {} \\" }"}}')
    assert arguments == {"note": 'a\nb {} " }'}


def test_text_that_surely_is_no_call_is_not_held_back() -> None:
    watcher = Watcher(NAMES)
    assert watcher.feed("According to note [1") == "According to note [1"
    assert watcher.feed('] {"a": ') == '] {"a": '
    assert watcher.feed("{") == ""
    assert watcher.feed('"tool"') == ""
    assert watcher.feed(': 3, "x": 4} and on') == '{"tool": 3, "x": 4} and on'


def test_long_answers_and_long_calls_are_read_in_pieces_and_at_once() -> None:
    prose = 'See {"name": "x"} in `code` and <b>, [1].\n' * 20_000
    assert watched([prose]) == (prose, None)
    text = 'word \\" {{ ' * 10_000
    call = json.dumps({"tool": "read_note", "arguments": {"note": text}})
    assert read(call)[2] == {"note": text}


fragments = st.sampled_from(
    [
        *(
            "{",
            "}",
            '"',
            "\\",
            "`",
            "```",
            "```json\n",
            "~~~",
            "\n",
            "> ",
            "    ",
            "[",
            "]",
            "<",
            ":",
            " ",
            "é",
            "\r\n",
            "#+begin_quote\n",
        ),
        *('"tool"', '"name"', '"arguments"', "search_notes", "<tool_call>", "[TOOL_CALLS]", "<function=", "text", CALL),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(fragments, max_size=25), st.data())
def test_whatever_is_cut_anywhere_reads_the_same_and_nothing_of_the_text_is_lost(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    said, call = watched([text])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert watched(pieces) == (said, call)
    if call is None:
        assert said == text
    else:
        assert text.startswith(said)
        assert call.text in text[len(said) :]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), values, max_size=4),
    st.sampled_from([None, 2]),
    st.sampled_from(["{}", "```json\n{}\n```", "<tool_call>\n{}\n</tool_call>"]),
    st.text(alphabet=st.characters(exclude_characters="`~{<[\"'“‘«>#", codec="utf-8"), max_size=60),
)
def test_any_arguments_come_through(arguments: dict[str, Any], indent: int | None, form: str, prose: str) -> None:
    call = json.dumps({"tool": "read_note", "arguments": arguments}, ensure_ascii=False, indent=indent)
    said, name, given_back = read(f"{prose}\n\n{form.replace('{}', call)}")
    assert (said.strip(), name, given_back) == (prose.strip(), "read_note", arguments)


def test_the_instructions_name_every_tool_and_argument() -> None:
    tools: list[Tool] = [tool.spec for tool in TOOLS]
    text = instructions(tools)
    for tool in tools:
        assert f"- {tool.name}: {tool.description}" in text
        assert all(f'"{name}" (' in text for name in tool.parameters["properties"])
    assert '"query" (string, required)' in text
    assert '"append" or "create" or "replace", required' in text
