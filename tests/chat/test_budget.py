"""What goes into a prompt: never more than fits, the question whole, the newest turns and the best passages first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from khojd.chat import budget, prompt
from khojd.chat.model import Passage, Turn
from khojd.chat.tokens import Scale, of_messages, tokens
from khojd.llm.model import Message


def passage(number: int, text: str) -> Passage:
    return Passage(f"/notes/{number}.md", 0, len(text), 0, text)


def turn(number: int, answer: str) -> Turn:
    return Turn(str(number), "c", f"Question {number}?", answer=answer, state="complete")


def messages(packed: budget.Packed, fixed: list[Message]) -> list[Message]:
    """The prompt as it is put together."""
    question = prompt.asked("Why?", packed.passages, lambda path: path)
    return [fixed[0], *(one for each in packed.turns for one in prompt.told(each)), question]


words = st.lists(st.sampled_from(["tea", "Wasser", "緑茶は七十度", "steeped", "x" * 30, "\n\n", "4711", "🙂"]), max_size=120).map(
    " ".join
)
FIXED = [Message("system", "Be brief."), Message("user", "Why?")]


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=8), st.lists(words, max_size=8), st.integers(0, 3000))
def test_what_is_packed_fits_and_nothing_is_lost_unsaid(answers: list[str], texts: list[str], size: int) -> None:
    history = [turn(number, answer) for number, answer in enumerate(answers)]
    passages = [passage(number, text) for number, text in enumerate(texts) if text]
    packed = budget.fit(FIXED, history, passages, size, told=prompt.told)
    if packed.passages or packed.turns:
        assert of_messages(messages(packed, FIXED)) <= size
    kept = [one.id for one in packed.turns]
    assert kept == [one.id for one in history][len(history) - len(kept) :]  # the newest, in their order
    assert [one.path for one in packed.passages] == [one.path for one in passages if one.path in {p.path for p in packed.passages}]
    for one in packed.passages:
        whole = passages[[each.path for each in passages].index(one.path)]
        assert whole.text[one.start : one.end] == one.text
    said = " ".join(packed.left_out)
    assert ("passages found" in said) == (len(packed.passages) < len(passages))
    assert ("earlier turn" in said) == (len(packed.turns) < len(history))


def test_all_goes_in_where_there_is_room() -> None:
    history = [turn(number, "Yes.") for number in range(5)]
    passages = [passage(number, "Tea. " * 50) for number in range(5)]
    packed = budget.fit(FIXED, history, passages, 100_000, told=prompt.told)
    assert packed == budget.Packed(tuple(passages), tuple(history))


def test_passages_that_need_no_room_leave_it_to_older_turns() -> None:
    history = [turn(number, "Yes and no. " * 20) for number in range(20)]
    few = budget.fit(FIXED, history, [passage(0, "Tea.")], 1500, told=prompt.told)
    many = budget.fit(FIXED, history, [passage(n, "Tea and cakes. " * 60) for n in range(20)], 1500, told=prompt.told)
    assert len(few.turns) > len(many.turns) > 0
    assert many.passages


def test_the_first_passage_is_shortened_rather_than_left_out() -> None:
    packed = budget.fit(FIXED, [], [passage(0, "Tea and cakes. " * 1000)], 800, told=prompt.told)
    assert len(packed.passages) == 1
    assert 0 < len(packed.passages[0].text) < 5000
    assert any("shortened" in one for one in packed.left_out)


def test_the_newest_turn_is_shortened_rather_than_left_out() -> None:
    packed = budget.fit(FIXED, [turn(0, "x y. " * 5000)], [], 1000, told=prompt.told)
    assert len(packed.turns) == 1
    assert packed.turns[0].answer.endswith("[…]")


def test_a_context_of_the_server_is_asked_for_in_steps() -> None:
    room = budget.room(32_768, 4096, 1024)
    assert room.prompt == 32_768 - 1024
    assert budget.asked_context(900, room) == 4096
    assert budget.asked_context(4000, room) == 8192
    assert budget.asked_context(31_700, room) == 32_768
    assert budget.asked_context(900, budget.room(0, 4096, 1024)) == 0
    assert budget.room(0, 4096, 1024).prompt == 4096
    assert budget.room(2048, 4096, 1024).prompt == 1536


def test_what_servers_count_scales_the_guess() -> None:
    scale = Scale()
    assert scale.of("a/b") == 1.0
    scale.saw("a/b", 1000, 700)
    assert 0.7 <= scale.of("a/b") < 0.8
    scale.saw("a/b", 10, 500)  # nothing but the template
    assert scale.of("a/b") < 0.8
    scale.over("a/b")
    assert scale.of("a/b") > 1.0
    assert scale.of("a/c") == 1.0


def test_texts_are_not_guessed_too_short() -> None:
    # Counts by cl100k, o200k and Llama 3, the most of them.
    for text, most in (
        ("Wir haben beschlossen, die Wohnungseigentümerversammlung auf den übernächsten Donnerstag zu verschieben.", 30),
        ("我们决定把业主大会推迟到下周，因为管理员生病了。", 29),
        ("管理人が病気になったため、総会を来週に延期することにしました。", 35),
        ("QmFzZTY0IGVuY29kaW5nIGlzIGEgd2F5IHRvIHJlcHJlc2VudCBiaW5hcnkgZGF0YQ==", 45),
        ("Мы решили перенести собрание собственников на следующую неделю.", 30),
    ):
        assert 0.9 * most <= tokens(text), text
