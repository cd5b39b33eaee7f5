"""`khojd chat`: without a model, with one that streams, and as a talk on a terminal."""

import codecs
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.khojd import Khojd
from tests.cli.served import Served, served
from tests.llm.replay import HANG, Reply, Request, json_reply, sse, stream_reply, text_reply

PIECES = ("The pads **squ", "eal** [", "1], so replace them [", "7].")


def delta(text: str) -> dict[str, object]:
    return {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}


STOP = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def answer(request: Request) -> Reply:
    asked = request.json["messages"][-1]["content"]
    if "for ever" in asked:
        return stream_reply(sse(delta("On and on"), end=b""), HANG)
    if "refuse" in asked:
        return text_reply("out of memory", 500)
    return stream_reply(*(sse(delta(piece), end=b"") for piece in PIECES), sse(STOP))


@pytest.fixture(scope="module")
def model() -> Iterator[Served]:
    with served() as made:
        made.replay.on("POST", "/v1/chat/completions", answer)
        made.replay.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]}))
        yield made


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, model: Served) -> Iterator[Khojd]:
    """Someone with a note and a chat model."""
    run = Khojd(tmp_path_factory.mktemp("chat"))
    run.write("bike.md", "# Brakes\n\nThe pads squeal. They are worn.\n")
    run.config.write_text(
        f'[[folders]]\npath = "{run.notes}"\n[embedding]\nmodel = "off"\n[chat]\nrewrite = false\ntitles = false\n'
        f'[providers.tiny]\nbase_url = "{model.replay.url}"\nretries = 0\n[models]\nchat = ["tiny/tiny"]\n',
        encoding="utf-8",
    )
    run("index")
    yield run
    run("stop", "--force", status=None)


# --- without a model -------------------------------------------------------------------------------------------------------------


def test_without_a_model_the_best_passages_are_quoted_with_their_sources(khojd: Khojd) -> None:
    result = khojd("chat", "Why", "do", "the", "pads", "squeal?")
    assert "> The pads squeal." in result.stdout
    assert re.search(r"^\[1\] notes/bike\.md:\d+  The bike › Brakes$", result.stdout, re.MULTILINE)
    assert "no chat model is configured (`khojd models` says how)" in result.stderr


def test_a_question_may_come_from_a_pipe(khojd: Khojd) -> None:
    command = khojd.command("chat", "--json")
    ran = subprocess.run(
        command, input="Why do the pads squeal?\n", env=khojd.environment, capture_output=True, text=True, check=True
    )
    assert '"extractive": true' in ran.stdout


def test_a_pipe_without_a_question_is_refused(khojd: Khojd) -> None:
    ran = subprocess.run(khojd.command("chat"), input=" \n", env=khojd.environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "a question is needed" in ran.stderr


def test_a_query_that_is_the_question_is_not_shown_again(khojd: Khojd) -> None:
    assert "squeal" not in khojd("chat", "Why do the pads squeal?").stderr


def test_wrong_options_are_refused_in_one_line(khojd: Khojd) -> None:
    assert "there is no persona 'pirat'" in khojd.refused("chat", "--persona", "pirat", "tea")
    assert "there is no command /serch; did you mean /search?" in khojd.refused("chat", "/serch tea")
    assert "no conversation" in khojd.refused("chat", "-c", "ffffffffffffffff", "tea")
    assert "does not exist" in khojd.refused("chat", "--folder", "/nowhere/at/all", "tea")
    assert "date" in khojd.refused("chat", "--filter", 'date:"the day after never"', "tea")


# --- with one --------------------------------------------------------------------------------------------------------------------


def test_an_answer_is_shown_with_its_sources_and_what_it_took(person: Khojd) -> None:
    result = person("chat", "What squeals?")
    assert result.stdout.startswith("The pads **squeal** [1], so replace them.\n")
    assert "[1] notes/bike.md:1  Brakes" in result.stdout
    assert "tiny/tiny (on this machine)" in result.stderr
    assert "1 marker without a source removed" in result.stderr


def test_with_colours_marks_become_colours_and_sources_can_be_clicked(person: Khojd) -> None:
    shown = person("chat", "What squeals?", FORCE_COLOR="1").stdout
    assert "\x1b[1msqueal" in shown
    uri = (person.notes / "bike.md").as_uri()
    # The marker leads to the quote, the list to the passage.
    assert re.search(rf"\x1b\]8;;{re.escape(uri)}#\d+\x1b\\\x1b\[36m\[1\]", shown)
    assert f"\x1b]8;;{uri}#1\x1b\\" in shown.rpartition("so replace them")[2]


def test_a_conversation_goes_on(person: Khojd, model: Served) -> None:
    first = person.json("chat", "What squeals?")
    again = person.json("chat", "--last", "And why?")
    assert again["conversation"] == first["conversation"]
    sent = model.replay.requests[-1].json["messages"]
    assert any(message["role"] == "assistant" and "squeal" in message["content"] for message in sent)


def test_the_prompt_is_shown_and_nothing_is_sent(person: Khojd, model: Served) -> None:
    before, kept = len(model.replay.requests), person.json("conversations")
    shown = person("chat", "--show-prompt", "What squeals?").stdout
    assert shown.startswith("=== ")
    assert "(on this machine), for the answer" in shown
    assert "--- system" in shown
    assert "The pads squeal." in shown
    assert not [one for one in model.replay.requests[before:] if one.method == "POST"]
    assert person.json("conversations") == kept
    (request, *_) = person.json("chat", "--show-prompt", "/research What squeals?")
    assert "further request" in request["open"]
    assert request["tools"] or "search_notes" in request["messages"][0]["text"]


def test_a_server_that_fails_is_told_of(person: Khojd) -> None:
    result = person("chat", "Please refuse.", status=4)
    assert "out of memory" in result.stderr
    assert result.stdout == ""


def test_an_answer_is_stopped_by_control_c(person: Khojd, model: Served) -> None:
    def asked() -> Request | None:
        return next((one for one in model.replay.requests if b"talk for ever" in one.body), None)

    result = person.interrupted("chat", "Please talk for ever.", when=lambda: asked() is not None)
    assert result.returncode == 130
    request = asked()
    assert request is not None
    model.run(request.left.wait())
    listed = person.json("conversations", "for", "ever")["conversations"]
    turns = person.json("conversations", "show", listed[0]["id"])["turns"]
    assert turns[0]["state"] == "cancelled"


def test_a_proposed_change_is_made_after_a_yes_and_only_then(proposer: Khojd) -> None:
    note = proposer.notes / "bike.md"
    before = note.read_text("utf-8")
    shown = proposer("chat", "/research Please mend my note.")
    assert "Proposed: change bike.md: new ones  notes/bike.md\n" in shown.stdout
    assert "tiny/tiny" in shown.stdout, "where it comes from is said"
    assert "-The pads squeal." in shown.stdout
    assert "+The pads are silent." in shown.stdout
    assert "not changed" in shown.stderr
    assert note.read_text("utf-8") == before
    for said, after in (("n", before), ("y", before.replace("The pads squeal.", "The pads are silent."))):
        talk = Talk(proposer, "chat", "/research Please mend my note.")
        try:
            talk.says("Make this change? [y/N] ")
            talk.type(f"{said}\n")
            assert talk.process.wait(60) == 0
        finally:
            talk.close()
        assert note.read_text("utf-8") == after


@pytest.fixture
def proposer(tmp_path: Path) -> Iterator[Khojd]:
    """Someone whose model proposes a change to a note as soon as it has tools."""
    call = {"action": "replace", "note": "bike.md", "old": "The pads squeal.", "new": "The pads are silent.", "why": "new ones"}

    def answer(request: Request) -> Reply:
        if any(message["role"] == "tool" for message in request.json["messages"]) or not request.json.get("tools"):
            return stream_reply(sse(delta("Look at the change."), STOP))
        function = {"name": "propose_edit", "arguments": json.dumps(call)}
        calls = [{"index": 0, "id": "c1", "type": "function", "function": function}]
        called = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"tool_calls": calls}}]}
        end = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
        return stream_reply(sse(called, end))

    with served() as model:
        model.replay.on("POST", "/v1/chat/completions", answer)
        model.replay.on("GET", "/v1/models", json_reply({"object": "list", "data": [{"id": "tiny", "object": "model"}]}))
        run = Khojd(tmp_path)
        run.write("bike.md", "# Brakes\n\nThe pads squeal. They are worn.\n")
        run.config.write_text(
            f'[[folders]]\npath = "{run.notes}"\n[embedding]\nmodel = "off"\n[chat]\nrewrite = false\ntitles = false\n'
            f'[providers.tiny]\nbase_url = "{model.replay.url}"\n[models]\nchat = ["tiny/tiny"]\n'
            "[providers.tiny.models.tiny]\ncontext = 16384\n",
            encoding="utf-8",
        )
        run("index")
        yield run
        run("stop", "--force", status=None)


# --- a talk ----------------------------------------------------------------------------------------------------------------------


class Talk:
    """A command on a terminal of its own."""

    def __init__(self, person: Khojd, *arguments: str) -> None:
        self._own, theirs = pty.openpty()
        self.heard = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.process = subprocess.Popen(
            person.command(*arguments),
            env={**person.environment, "TERM": "xterm"},
            cwd=person.home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def says(self, text: str) -> str:
        """Wait until `text` is shown; what was shown up to there."""
        deadline = time.monotonic() + 60
        while text not in self.heard:
            assert time.monotonic() < deadline, self.heard
            if select.select([self._own], [], [], 1.0)[0]:
                self.heard += self._decoder.decode(os.read(self._own, 65536))
        before, _, self.heard = self.heard.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._own)


@pytest.fixture
def talk(person: Khojd) -> Iterator[Talk]:
    begun = Talk(person, "chat")
    yield begun
    begun.close()


def test_a_talk_answers_stops_goes_on_and_ends(talk: Talk, model: Served) -> None:
    talk.says("› ")
    talk.type("What squeals?\n")
    assert "squeal" in talk.says("› ")
    talk.type("Please talk for ever.\n")
    talk.says("On and on")
    talk.process.send_signal(signal.SIGINT)  # what a terminal makes of Control-C
    talk.says("stopped")
    talk.says("› ")
    talk.type("/serch it\n")
    talk.says("did you mean /search?")
    talk.says("› ")
    talk.type("And why?\n")
    shown = re.sub(r"\x1b\[\d*m", "", talk.says("› "))
    assert re.search(r"replace them\.? *\r\nnote: ", shown), "what is said aside begins a line of its own"
    before = [message["content"] for message in model.replay.requests[-1].json["messages"]]
    talk.type("/retry\n")
    assert "squeal" in talk.says("› ")
    again = [message["content"] for message in model.replay.requests[-1].json["messages"]]
    assert again == before, "it takes the place of the answer before"
    talk.type("/quit\n")
    assert talk.process.wait(60) == 0
    sent = [message["content"] for message in model.replay.requests[-1].json["messages"]]
    assert any("What squeals?" in one for one in sent), "the conversation went on after the answer that was stopped"
