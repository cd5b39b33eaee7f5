"""An answer on a terminal, as it comes: text on stdout, what is done for it on stderr, its sources at the end."""

import re
import sys
import textwrap
from collections.abc import Sequence

from khojd.cli import output
from khojd.cli.markdown import Painter, link
from khojd.server.types_chat import (
    ChatCitation,
    ChatReferences,
    ChatResult,
    ChatStarted,
    ChatStep,
    ChatText,
    ChatThinking,
    Citation,
    Part,
    Reference,
    Step,
)

_MARKER = re.compile(r"\[\^?\d+\]\Z")
_LONGEST_STEP = 200
_SHOWN_STEPS = ("model", "queries", "tool", "notice")  # those that a person wants to see


class Answer:
    """Prints the parts of one answer to `question`. `thinking` shows what a model thinks, too."""

    def __init__(self, question: str = "", *, thinking: bool = False) -> None:
        self._question = question
        self._style = output.Style()
        self._aside = output.Style(sys.stderr)
        self._painter = Painter(on=self._style.on)
        self._thinking = thinking
        self._thought = False
        self._marker = ""  # at the end of the text so far: its citation comes next
        self._references: Sequence[Reference] = ()
        self._weak: set[int] = set()
        self._sound: set[int] = set()
        self._states: dict[int, str] = {}
        self._line_begins = True
        self.conversation = ""
        self.turn = ""

    def __call__(self, part: Part) -> None:
        """Show a part of the stream."""
        if isinstance(part, ChatText):
            self._text(part.text)
        elif isinstance(part, ChatCitation):
            self._cite(part.citation)
        elif isinstance(part, ChatStarted):
            self.conversation, self.turn = part.conversation, part.turn
        elif isinstance(part, ChatReferences):
            self._references = part.references
        elif isinstance(part, ChatThinking) and self._thinking:
            self._thought = True
            self._tell(self._aside(output.harmless(part.text), "dim"), end="")
        elif isinstance(part, ChatStep) and part.step.kind in _SHOWN_STEPS and not self._known(part.step):
            self._release()
            self._break()
            name = "note: " if part.step.kind == "notice" else ""
            text = part.step.text if name else textwrap.shorten(part.step.text, _LONGEST_STEP, placeholder=" …")
            self._tell(self._aside(output.harmless(f"{name}{text}"), "yellow" if name else "dim"))

    def end(self, result: ChatResult) -> None:
        """Show what follows the answer: why it broke off, its sources, what it took."""
        self._release()
        self._out(self._painter.finish())
        if not self._line_begins:
            self._out("\n")
        if result.state in ("failed", "cancelled"):
            self._tell(self._aside(f"{result.state}: {output.harmless(result.reason)}", "red"))
        if self._references:
            self._out("\n" + "\n".join(map(self._source, self._references)) + "\n")
        self._tell(self._aside(_foot(result), "dim"))

    # --- text ---------------------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        if self._thought:
            self._thought = False
            self._tell("\n")
        self._release()
        found = _MARKER.search(text)
        if found:
            self._marker, text = found[0], text[: found.start()]
        self._out(self._painter.feed(text))

    def _cite(self, citation: Citation) -> None:
        marker, self._marker = self._marker, ""
        number = citation.number
        (self._weak if citation.weak else self._sound).add(number)
        self._states[number] = citation.state
        if not self._style.on or not marker:
            self._out(self._painter.feed(marker))
            return
        self._out(self._painter.feed("") + link(self._style(marker, "cyan"), _uri(citation.location.uri, citation)))

    def _release(self) -> None:
        """The marker that waits has no citation."""
        if self._marker:
            self._out(self._painter.feed(self._marker))
            self._marker = ""

    def _source(self, reference: Reference) -> str:
        line = reference.location.range.start.line + 1
        place = f"{output.shown(reference.path)}:{line}"
        if self._style.on:
            place = link(self._style(place, "magenta"), _uri(reference.location.uri, reference))
        path = [reference.title, *reference.headings] if reference.title not in reference.headings[:1] else reference.headings
        name = " › ".join(output.harmless(part) for part in path if part)
        marks = []
        if reference.number in self._weak - self._sound:
            marks.append("weak: it has few of the claim's words")
        if self._states.get(reference.number) == "stale":
            marks.append("the note has changed")
        remark = self._style(f"  ({'; '.join(marks)})", "yellow") if marks else ""
        return f"{self._style(f'[{reference.number}]', 'cyan')} {place}  {self._style(name, 'bold')}{remark}"

    def _known(self, step: Step) -> bool:
        """Whether a step only says what was just typed."""
        return step.kind == "queries" and self._question.strip().endswith(step.text)

    def _break(self) -> None:
        """End a line of the answer on the terminal, before something else is said there."""
        if not self._line_begins and sys.stdout.isatty() and sys.stderr.isatty():
            self._out("\n")

    def _out(self, text: str) -> None:
        if text:
            self._line_begins = text.endswith("\n")
            sys.stdout.write(text)
            sys.stdout.flush()

    def _tell(self, text: str, end: str = "\n") -> None:
        sys.stdout.flush()
        sys.stderr.write(text + end)
        sys.stderr.flush()


def _uri(uri: str, where: Citation | Reference) -> str:
    return f"{uri}#{where.location.range.start.line + 1}"


def _foot(result: ChatResult) -> str:
    usage = result.usage
    if result.extractive:
        who = "no chat model is configured (`khojd models` says how): these are the best passages, quoted"
    else:
        who = f"{result.provider}/{result.model}" if result.model else ""
    parts = [who, f"{usage.total_seconds:.1f} s"]
    if usage.first_token_seconds > 0 and result.model:
        parts.append(f"first token after {usage.first_token_seconds:.1f} s")
    if usage.main_answer_tokens >= 0 and result.model:
        parts.append(f"{max(usage.main_prompt_tokens, 0):,} + {usage.main_answer_tokens:,} tokens")
    if (others := usage.requests - usage.main_requests) > 0:
        more = (
            max(usage.prompt_tokens, 0) - max(usage.main_prompt_tokens, 0),
            max(usage.answer_tokens, 0) - max(usage.main_answer_tokens, 0),
        )
        parts.append(f"{output.count(others, 'other request')}: {more[0]:,} + {more[1]:,} tokens")
    if usage.tokens_per_second > 0:
        parts.append(f"{usage.tokens_per_second:.0f} tokens/s")
    if usage.cost > 0:
        parts.append(f"cost {usage.cost:.4f}")
    if result.removed:
        parts.append(output.count(result.removed, "marker") + " without a source removed")
    return " · ".join(part for part in parts if part)
