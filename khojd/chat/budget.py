"""What of history and passages goes into a prompt. The question is never cut; what is left out is said."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from khojd.chat.model import Passage, Turn
from khojd.chat.tokens import of_messages, tokens
from khojd.content.boundaries import cut_before
from khojd.llm.model import Message

MOST_PROMPT = 32_000  # tokens: what goes into a prompt however long the model's context is
HISTORY = 0.4  # share of what is left beside the question that earlier turns may take while there are passages
_LEAST = 120  # tokens: a passage is not cut to less
_FRAME = 45  # tokens around a passage


class Room(Struct, frozen=True):
    """Tokens of the model's own counting. `prompt` is what a prompt may have, `context` what is asked of the server."""

    prompt: int
    context: int
    answer: int


class Packed(Struct, frozen=True):
    """What goes into a prompt: `passages` in order without numbers, `turns` oldest first; `left_out` says what does not."""

    passages: tuple[Passage, ...]
    turns: tuple[Turn, ...]
    left_out: tuple[str, ...] = ()


def room(context: int, unknown: int, answer: int) -> Room:
    """How long a prompt may be. `context` 0 is not known: then the prompt may have `unknown` tokens."""
    if not context:
        return Room(unknown, 0, answer)
    answer = min(answer, max(context // 4, 128))
    return Room(min(context - answer, MOST_PROMPT), context, answer)


def asked_context(needed: int, room: Room) -> int:
    """The context to ask a server for: a power of two that holds prompt and answer, so that it is seldom changed."""
    if not room.context:
        return 0
    size = 4096
    while size < needed + room.answer:
        size *= 2
    return min(size, room.context)


def fit(
    fixed: Sequence[Message],
    history: Sequence[Turn],
    passages: Sequence[Passage],
    size: int,
    *,
    told: Callable[[Turn], Sequence[Message]],
) -> Packed:
    """The passages, best first, and the newest turns that fit into `size` guessed tokens beside the `fixed` messages.

    `history` is oldest first; `told` says how a turn is put into messages. A turn or passage that does not fit is left out, but the
    first passage and the newest turn are shortened.
    """
    left = size - of_messages(fixed)
    costs = [of_messages(told(turn)) for turn in history]
    share = left * HISTORY if passages else left
    turns = _newest(history, costs, int(share), told)
    left -= sum(of_messages(told(turn)) for turn in turns)
    chosen, spent = _best(passages, left)
    left -= spent
    if len(turns) < len(history) and len(chosen) == len(passages):
        # What passages do not need is for older turns.
        spent = sum(of_messages(told(turn)) for turn in turns)
        turns = _newest(history, costs, left + spent, told)
    return Packed(tuple(chosen), tuple(turns), _said(passages, chosen, history, turns))


def _newest(history: Sequence[Turn], costs: Sequence[int], left: int, told: Callable[[Turn], Sequence[Message]]) -> list[Turn]:
    found: list[Turn] = []
    for turn, cost in zip(reversed(history), reversed(costs), strict=True):
        if cost > left:
            if not found and (short := _shortened(turn, left, told)) is not None:
                found.append(short)
            break
        found.append(turn)
        left -= cost
    return found[::-1]


def _shortened(turn: Turn, left: int, told: Callable[[Turn], Sequence[Message]]) -> Turn | None:
    """The newest turn with the beginning of its answer alone: better than nothing for who asks `and then?`."""
    bare = of_messages(told(replace(turn, answer="")))
    spare = left - bare - 20
    if spare < _LEAST:
        return None
    return replace(turn, answer=cut(turn.answer, spare) + " […]")


def _best(passages: Sequence[Passage], left: int) -> tuple[list[Passage], int]:
    found: list[Passage] = []
    spent = 0
    for passage in passages:
        cost = cost_of(passage)
        if cost > left - spent:
            spare = left - spent - _FRAME
            if found or spare < _LEAST:
                continue  # a shorter one may fit
            passage = shortened(passage, spare)  # noqa: PLW2901
            cost = cost_of(passage)
        found.append(passage)
        spent += cost
    return found, spent


def cost_of(passage: Passage) -> int:
    """Tokens of a passage in a prompt."""
    return _FRAME + tokens(passage.text) + tokens(f"{passage.path} {passage.title} {' '.join(passage.headings)}")


def shortened(passage: Passage, size: int) -> Passage:
    """The beginning of a passage, of at most `size` tokens."""
    end = passage.start + len(cut(passage.text, size))
    return replace(passage, end=end, text=passage.text[: end - passage.start])


def cut(text: str, size: int) -> str:
    """The beginning of a text, of at most `size` tokens, cut between words."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) <= size else (low, middle - 1)
    if low == len(text):
        return text
    at = cut_before(text, max(low - 80, 0), low)[0] if low else 0
    return text[: at if tokens(text[:at]) <= size else low]


def _said(
    passages: Sequence[Passage], chosen: Sequence[Passage], history: Sequence[Turn], turns: Sequence[Turn]
) -> tuple[str, ...]:
    said = []
    if lost := len(passages) - len(chosen):
        said.append(f"{lost} of {len(passages)} passages found did not fit into the model's context and {_were(lost)} left out")
    if chosen and chosen[0].text != passages[0].text and (chosen[0].path, chosen[0].start) == (passages[0].path, passages[0].start):
        said.append("the first passage was shortened to fit into the model's context")
    if lost := len(history) - len(turns):
        said.append(
            f"{lost} earlier {'turn' if lost == 1 else 'turns'} of this conversation did not fit and {_were(lost)} left out"
        )
    return tuple(said)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
