"""What real servers sent for the same requests, replayed: the answers come out alike, wherever the bytes are cut."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from khojd.errors import ProviderReason
from khojd.llm.failure import Origin
from khojd.llm.model import Used
from khojd.llm.providers.openai_stream import Answer
from tests.llm.openai_client import CHAT, SEARCH, Taken, asked, question, served
from tests.llm.replay import Reply, transcript

TEXT = "According to note [1], the meeting is on Friday. Café 🙂"
THOUGHT = "The user asks about something"
UNKNOWN = Used()


@dataclass
class Said:
    thinks: bool
    used: Used  # by the whole answer
    used_tools: Used


SERVERS = {
    "llama-server": Said(True, Used(17, 28, 16), UNKNOWN),
    "llama-cpp-python": Said(False, UNKNOWN, UNKNOWN),  # no usage in streams; a tool call comes as text
    "transformers": Said(False, Used(16, 22), Used(284, 8)),
    "vllm": Said(False, Used(16, 22), UNKNOWN),
    "litellm": Said(True, Used(17, 28, 16), UNKNOWN),
    "ollama": Said(True, Used(17, 28), UNKNOWN),
}
STREAMS = ("v1_chat_stream_usage", "v1_chat_tools_stream", "v1_chat_length")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def check(server: str, stream: str, taken: Taken) -> None:
    said = SERVERS[server]
    assert taken.error is None
    assert taken.ended is not None
    assert taken.ended.message.text == taken.text
    if stream == "v1_chat_stream_usage":
        assert (taken.text, taken.ended.reason) == (TEXT, "stop")
        assert taken.thinking == (THOUGHT if said.thinks else "")
        assert (taken.used or UNKNOWN) == said.used
    elif stream == "v1_chat_length":
        assert (taken.text + taken.thinking, taken.ended.reason) in (("The user asks", "length"), ("According to note", "length"))
    elif server == "llama-cpp-python":
        assert taken.text.startswith("<tool_call>")
        assert taken.called == []
    else:
        assert (taken.text, taken.ended.reason) == ("", "tools")
        assert [(event.call.name, event.call.arguments) for event in taken.called] == [("search_notes", {"query": "meeting"})]
        assert taken.ended.message.tool_calls == tuple(event.call for event in taken.called)
        assert taken.called[0].call.id
        assert (taken.used or UNKNOWN) == said.used_tools


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("cuts", ["whole", "in bits"])
async def test_a_stream_is_understood(shared_data: Path, server: str, stream: str, cuts: str) -> None:
    path = shared_data / "llm-wire" / server / f"{stream}.txt"
    byte_by_byte = server == "llama-server" or path.stat().st_size < 2500
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(path, every=0 if cuts == "whole" else 1 if byte_by_byte else 5))
        taken = await asked(client, question(tools=(SEARCH,)))
    check(server, stream, taken)


async def test_a_server_that_does_not_stream_is_understood(shared_data: Path, server: str) -> None:
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(shared_data / "llm-wire" / server / "v1_chat.txt", every=50))
        taken = await asked(client)
    assert (taken.error, taken.text) == (None, TEXT)
    assert taken.thinking == (THOUGHT if SERVERS[server].thinks else "")
    assert taken.ended is not None
    assert taken.ended.reason == "stop"
    assert taken.used is not None
    assert taken.used.completion > 20


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("llama-server", "model"),
        ("transformers", "server"),  # it says "Internal Server Error", in plain text
        ("litellm", "model"),
        ("vllm", "model"),
        ("ollama", "model"),
    ],
)
async def test_an_unknown_model_is_refused_with_those_that_there_are(shared_data: Path, server: str, reason: str) -> None:
    wire = shared_data / "llm-wire" / server
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(wire / "v1_chat_unknown_model.txt"))
        replay.on("GET", "/v1/models", transcript(wire / "v1_models.txt"))
        error = (await asked(client, model="tiny-caned")).error
    assert error is not None
    assert error.reason == reason
    if reason == "model":
        assert 'there is no model "tiny-caned"' in error.message
        assert "tiny-canned" in error.data["known"] or "tiny-canned:latest" in error.data["known"]


@pytest.mark.parametrize("named", ["tiny-caned", "no-such-model"])
async def test_an_unknown_model_that_the_server_would_answer_for_is_found_out_by_its_list(shared_data: Path, named: str) -> None:
    wire = shared_data / "llm-wire" / "llama-cpp-python"
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(wire / "v1_chat_unknown_model.txt"))
        replay.on("GET", "/v1/models", transcript(wire / "v1_models.txt"))
        assert (await asked(client, model=named)).text == "According to note"
        with pytest.raises(Exception, match=f'no model "{named}".* it has: tiny-canned, tiny-embed'):
            await client.info(named)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("llama-server", "request"),
        ("llama-cpp-python", "server"),
        ("transformers", "server"),
        ("litellm", "request"),
        ("vllm", "request"),
        ("ollama", "request"),
    ],
)
async def test_a_refused_request_is_told_with_the_servers_words(shared_data: Path, server: str, reason: ProviderReason) -> None:
    recorded = transcript(shared_data / "llm-wire" / server / "v1_chat_bad_body.txt")
    async with served() as (replay, client):
        replay.on("POST", CHAT, recorded)
        error = (await asked(client)).error
    assert error is not None
    assert (error.reason, error.data["status"]) == (reason, recorded.status)
    assert error.message.startswith("work: ")
    assert "'input': 'x'" not in error.message, "what was sent is not shown"


async def test_models_are_listed(shared_data: Path, server: str) -> None:
    async with served() as (replay, client):
        replay.on("GET", "/v1/models", transcript(shared_data / "llm-wire" / server / "v1_models.txt"))
        found = {info.name.split("/")[-1].split("@")[0].removesuffix(":latest"): info for info in await client.models()}
    assert "tools" in found["tiny-canned"].capabilities
    if "tiny-embed" in found:
        assert found["tiny-embed"].capabilities == {"embedding"}
    if "tiny-rerank" in found:
        assert found["tiny-rerank"].capabilities == {"rerank"}
    if server == "vllm":
        assert found["tiny-canned"].context == 2048
        assert "count" in found["tiny-canned"].capabilities
    if server == "litellm":
        assert (found["mock-claude"].context, found["mock-claude"].max_output) == (200_000, 64_000)


@pytest.mark.parametrize("server", ["llama-server", "llama-cpp-python", "litellm", "ollama"])
async def test_vectors_come_in_the_order_of_the_texts(shared_data: Path, server: str) -> None:
    async with served() as (replay, client):
        replay.on("POST", "/v1/embeddings", transcript(shared_data / "llm-wire" / server / "v1_embeddings.txt", every=100))
        vectors = await client.embed("tiny-embed", ["the meeting is on friday", "apple"])
    assert vectors.shape == (2, 64)
    assert vectors.dtype == "float32"
    assert (vectors[0] != vectors[1]).any()
    assert vectors[0][0] / vectors[0][1] == pytest.approx(0.41, abs=0.01)


@pytest.mark.parametrize("every", [0, 1])
async def test_an_answer_whose_server_is_killed_keeps_its_text_and_is_an_error(shared_data: Path, every: int) -> None:
    killed = shared_data / "llm-wire" / "llama-server" / "midstream_kill_router_v1_chat_completions.txt"
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(killed, every=every))
        taken = await asked(client)
    assert taken.text
    assert taken.ended is None
    assert taken.error is not None
    assert taken.error.reason == "cut"
    assert "proxy error: Failed to read connection" in taken.error.message


@pytest.mark.parametrize("name", ["midstream_kill_router", "midstream_kill_single"])
async def test_a_server_killed_too_late_is_no_error(shared_data: Path, name: str) -> None:
    async with served() as (replay, client):
        replay.on("POST", CHAT, transcript(shared_data / "llm-wire" / "llama-server" / f"{name}.txt", every=500))
        taken = await asked(client)
    assert taken.error is None
    assert taken.ended is not None


def body_of(reply: Reply) -> bytes:
    return b"".join(step for step in reply.body if isinstance(step, bytes))


def test_a_stream_that_ends_early_anywhere_is_an_error_or_whole(shared_data: Path) -> None:
    """Wherever the connection ends: what came is a beginning of the answer, and only a whole answer counts as one."""
    body = body_of(transcript(shared_data / "llm-wire" / "ollama" / "v1_chat_stream_usage.txt"))
    finished = body.index(b"}", body.index(b'"finish_reason":"stop"'))
    for position in range(len(body)):
        answer, taken = Answer(Origin("work")), Taken()
        taken.add(answer.feed(body[:position]))
        taken.add(answer.finish(200, {}))
        assert position <= finished + 3 if answer.failed else position > finished
        assert TEXT.startswith(taken.text)
        assert (taken.ended is not None) <= (taken.text == TEXT)
