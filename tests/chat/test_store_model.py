"""Any order of what people do with conversations does what a list in memory does."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from khojd.chat.model import Turn
from khojd.chat.store import Conversations, new_id

WORDS = st.sampled_from(["tea", "Tea", "soup", "STRASSE", "straße", "湯", "roof 5%"])
NUMBERS = st.integers(0, 4)
STATES = st.sampled_from(["complete", "cancelled", "failed", "running"])


class Kept(RuleBasedStateMachine):
    """`lines` has the turns of each conversation, `aside` those that were put aside, `titles` what a person called it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = Path(tempfile.mkdtemp())
        self.store = self.runner.run(Conversations.open(self.directory))
        self.lines: dict[str, list[Turn]] = {}
        self.aside: dict[str, list[Turn]] = {}
        self.titles: dict[str, str] = {}
        self.named: set[str] = set()  # by a person

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        shutil.rmtree(self.directory)

    def chosen(self, number: int) -> str:
        return list(self.lines)[number % len(self.lines)]

    @rule(question=WORDS)
    def begin(self, question: str) -> None:
        one = self.runner.run(self.store.begin(question))
        self.lines[one.id], self.aside[one.id], self.titles[one.id] = [], [], question

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS, question=WORDS, answer=WORDS, state=STATES)
    def ask(self, number: int, question: str, answer: str, state: str) -> None:
        id = self.chosen(number)
        turn = Turn(new_id(), id, question, answer=answer, state=state)  # type: ignore[arg-type]
        self.runner.run(self.store.add(turn))
        self.lines[id].append(turn)
        if id not in self.named:
            self.titles[id] = self.lines[id][0].question

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS, at=NUMBERS, answer=WORDS)
    def answer(self, number: int, at: int, answer: str) -> None:
        id = self.chosen(number)
        for turns in (self.lines[id], self.aside[id]):
            if at < len(turns):
                turns[at] = replace(turns[at], answer=answer, state="complete")
                self.runner.run(self.store.save(turns[at]))

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS, at=NUMBERS)
    def put_aside(self, number: int, at: int) -> None:
        id = self.chosen(number)
        if at < len(self.lines[id]):
            taken = self.runner.run(self.store.put_aside(self.lines[id][at].id))
            assert taken == self.lines[id][at:]
            self.aside[id] += taken
            self.lines[id] = self.lines[id][:at]

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS, at=NUMBERS)
    def fork(self, number: int, at: int) -> None:
        id = self.chosen(number)
        line = [replace(turn, conversation="") for turn in self.lines[id][: at + 1]]
        if at >= len(self.lines[id]) or any(turn.state == "running" for turn in line):
            return
        one = self.runner.run(self.store.fork(self.lines[id][at].id))
        self.lines[one.id] = self.runner.run(self.store.turns(one.id))
        assert [replace(turn, id="", conversation="") for turn in self.lines[one.id]] == [replace(turn, id="") for turn in line]
        self.aside[one.id], self.titles[one.id] = [], self.titles[id]
        if id in self.named:
            self.named.add(one.id)

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS, title=WORDS)
    def rename(self, number: int, title: str) -> None:
        id = self.chosen(number)
        self.runner.run(self.store.rename(id, title))
        self.titles[id] = title
        self.named.add(id)

    @precondition(lambda self: self.lines)
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        id = self.chosen(number)
        self.runner.run(self.store.delete(id))
        del self.lines[id], self.aside[id], self.titles[id]

    @rule()
    def restart(self) -> None:
        self.runner.run(self.store.close())
        self.store = self.runner.run(Conversations.open(self.directory))
        for turns in (*self.lines.values(), *self.aside.values()):
            for at, turn in enumerate(turns):
                if turn.state == "running":
                    turns[at] = self.runner.run(self.store.turn(turn.id))
                    assert (turns[at].state, turns[at].answer) == ("failed", turn.answer)

    @rule(word=WORDS)
    def search(self, word: str) -> None:
        found = {one.id for one in self.runner.run(self.store.list(word))}
        wanted = word.casefold().split()
        expected = set()
        for id, turns in self.lines.items():
            text = [self.titles[id], *(text for turn in turns for text in (turn.question, turn.answer))]
            if all(any(each in one.casefold() for one in text) for each in wanted):
                expected.add(id)
        assert found == expected

    @invariant()
    def the_same_is_kept(self) -> None:
        listed = {one.id: one for one in self.runner.run(self.store.list())}
        assert set(listed) == set(self.lines)
        for id, turns in self.lines.items():
            assert listed[id].turns == len(turns)
            assert listed[id].title == self.titles[id]
            assert self.runner.run(self.store.turns(id)) == turns
            assert sorted(self.runner.run(self.store.turns(id, aside=True)), key=lambda turn: turn.id) == sorted(
                self.aside[id], key=lambda turn: turn.id
            )


TestKept = Kept.TestCase
TestKept.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
