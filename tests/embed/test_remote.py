"""Remote embedding models, asked over HTTP."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import numpy as np
import pytest
from msgspec.structs import replace

from khojd.config import Config, Embedding, Models, ModelSettings, Provider
from khojd.content import chunk
from khojd.embed import remote
from khojd.embed.factory import Choice, open_embedder
from khojd.embed.protocol import Embedder
from khojd.embed.tokens import count_tokens
from khojd.errors import ConfigError, ModelError
from khojd.llm import line
from tests.llm.embedding_server import EmbeddingServer, held_back
from tests.llm.replay import HANG, Reply, Request, json_reply, refused_url, stream_reply, text_reply


async def opened(config: Config) -> Embedder:
    """Off the loop, which the server is on."""
    embedder = await asyncio.to_thread(open_embedder, Choice.of(config))
    assert embedder is not None
    return embedder


@asynccontextmanager
async def serving(*, prompts: tuple[str, str] = ("", ""), **how: Any) -> AsyncIterator[tuple[EmbeddingServer, Embedder]]:
    async with EmbeddingServer() as server:
        embedder = await opened(server.config(Config(), prompts=prompts, **how))
        try:
            yield server, embedder
        finally:
            await asyncio.to_thread(embedder.close)


async def passages(embedder: Embedder, texts: Sequence[str]) -> np.ndarray[Any, Any]:
    return await asyncio.to_thread(embedder.embed_passages, texts)


async def query(embedder: Embedder, text: str) -> np.ndarray[Any, Any]:
    return await asyncio.to_thread(embedder.embed_query, text)


async def test_vectors_come_normalised_and_in_the_order_of_their_texts() -> None:
    async with serving() as (server, embedder):
        texts = [f"text number {number}" for number in range(75)]
        vectors = await passages(embedder, texts)
        assert vectors.shape == (75, 32)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(75), abs=1e-5)
        wanted = np.array([server.vector(text) for text in texts])
        assert vectors == pytest.approx(wanted / np.linalg.norm(wanted, axis=1, keepdims=True), abs=1e-5)
        assert await query(embedder, texts[7]) == pytest.approx(vectors[7], abs=1e-5)
        assert (embedder.dimensions, embedder.reads("Ж")) == (32, 1.0)
        assert (await passages(embedder, [])).shape == (0, 32)


async def test_prompts_stand_before_the_texts() -> None:
    async with serving(prompts=("query: ", "passage: ")) as (server, embedder):
        await passages(embedder, ["one"])
        await query(embedder, "two")
        assert server.texts[-2:] == ["passage: one", "query: two"]


async def test_blank_texts_and_halves_of_surrogate_pairs_are_embedded_too() -> None:
    async with serving() as (server, embedder):
        assert (await passages(embedder, ["", "  \n", "a\ud83d b"])).shape == (3, 32)
        assert all(text.strip() for text in server.texts)
        assert server.texts[-1] == "a\ufffd b"


async def test_the_identity_changes_with_what_changes_the_vectors_and_with_nothing_else() -> None:
    async def identity(server: EmbeddingServer, **how: Any) -> str:
        embedder = await opened(server.config(Config(), **how))
        await asyncio.to_thread(embedder.close)
        return embedder.id

    async with EmbeddingServer() as server, EmbeddingServer() as elsewhere:
        first = await identity(server)
        assert first.startswith("ollama/m-")
        renamed = replace(
            server.config(Config()),
            models=Models(embedding="other/m"),
            providers={"other": Provider(kind="ollama", base_url=server.url)},
        )
        other = await opened(renamed)
        await asyncio.to_thread(other.close)
        assert other.id == first
        assert await identity(server, retries=7, concurrency=1, prompts=("query: ", "")) == first
        others = [await identity(elsewhere), await identity(server, prompts=("", "passage: "))]
        server.dimensions = 16
        assert len({first, *others, await identity(server)}) == 4


async def test_as_many_requests_at_a_time_as_the_settings_allow_over_connections_that_stay_open() -> None:
    async with serving(concurrency=2) as (server, embedder):
        most, open_ = 0, 0

        class Held(asyncio.Event):
            async def wait(self) -> Literal[True]:
                nonlocal open_
                await super().wait()
                open_ -= 1  # before the answer is sent: the next request may come with its last byte
                return True

        held = Held()

        def hold(request: Request) -> Reply:
            nonlocal most, open_
            open_ += 1
            most = max(most, open_)
            return held_back(server.embed(request), held)

        server.on("POST", "/api/embed", hold)
        before = len(server.requests)
        running = asyncio.create_task(passages(embedder, [f"text {number}" for number in range(200)]))
        await server.arrived(before + 2)
        held.set()
        assert (await running).shape == (200, 32)
        assert most == 2
        assert len(server.requests) - before == 7
        assert server.accepted <= 3


@pytest.mark.parametrize(
    "failure",
    [
        text_reply('{"error":"slow down"}', 429, kind="application/json", headers=[("Retry-After", "0.01")]),
        text_reply('{"error":"server busy, please try again"}', 503, kind="application/json"),
        text_reply("oops", 500),
    ],
    ids=["429", "503", "500"],
)
async def test_a_server_that_asks_for_patience_is_asked_again(failure: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FIRST_WAIT", 0.01)
    async with serving(retries=2) as (server, embedder):
        server.on("POST", "/api/embed", failure, failure, server.embed)
        assert (await passages(embedder, ["a text"])).shape == (1, 32)
        server.on("POST", "/api/embed", failure)
        before = len(server.requests)
        with pytest.raises(ModelError, match=r"srv: ") as caught:
            await passages(embedder, ["a text"])
        assert len(server.requests) - before == 3
        assert caught.value.data["provider"] == "srv"
        with pytest.raises(ModelError):  # someone waits for a query
            await query(embedder, "a query")
        assert len(server.requests) - before == 4


async def test_nobody_waits_for_hours() -> None:
    async with serving() as (server, embedder):
        server.on(
            "POST", "/api/embed", text_reply('{"error":"quota"}', 429, kind="application/json", headers=[("Retry-After", "3600")])
        )
        before = len(server.requests)
        with pytest.raises(ModelError, match="too many requests"):
            await passages(embedder, ["a text"])
        assert len(server.requests) - before == 1


async def test_a_text_that_is_too_long_is_embedded_in_parts_and_nothing_of_it_is_lost() -> None:
    async with serving() as (server, embedder):
        server.limit = 20
        words = [f"w{number}" for number in range(150)]
        texts = ["before it", " ".join(words), "after it"]
        vectors = await passages(embedder, texts)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
        parts = [text for text in server.texts if text.startswith("w")]
        assert sorted(" ".join(parts).split()) == sorted(words)
        whole = np.array(server.vector(texts[1]))
        assert vectors[1] @ (whole / np.linalg.norm(whole)) > 0.9
        assert vectors[0] == pytest.approx(await query(embedder, "before it"), abs=1e-5)
        assert vectors[2] == pytest.approx(await query(embedder, "after it"), abs=1e-5)
        assert (await query(embedder, " ".join(words))).shape == (32,)


async def test_a_server_that_takes_no_text_at_all_is_an_error_and_no_endless_loop() -> None:
    async with serving() as (server, embedder):
        server.limit = 0
        with pytest.raises(ModelError, match="longer than the model"):
            await passages(embedder, ["some words " * 40])


async def test_no_server() -> None:
    config = Config(
        embedding=Embedding(model="remote"),
        models=Models(embedding="srv/m"),
        providers={"srv": Provider(kind="ollama", base_url=refused_url())},
    )
    with pytest.raises(ModelError, match=r"srv: no connection to http://127\.0\.0\.1") as caught:
        await opened(config)
    assert caught.value.data["provider"] == "srv"


async def test_no_such_model_on_the_server() -> None:
    async with EmbeddingServer() as server:
        with pytest.raises(ModelError, match='there is no model "x"'):
            await opened(replace(server.config(Config()), models=Models(embedding="srv/x")))


async def test_a_silent_server_holds_a_query_up_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "AWAY_SECONDS", 600.0)
    async with serving() as (server, embedder):
        server.on("POST", "/api/embed", stream_reply(HANG))
        with monkeypatch.context() as impatient:
            impatient.setattr(remote, "QUERY_SECONDS", 0.1)
            with pytest.raises(ModelError, match=r"srv: no answer from m within 0\.1 seconds"):
                await query(embedder, "a query")
        server.on("POST", "/api/embed", server.embed)
        with pytest.raises(ModelError, match="no answer"):
            await query(embedder, "another one")
        assert "another one" not in server.texts
        await passages(embedder, ["it is back"])
        assert (await query(embedder, "a query")).shape == (32,)


async def test_closing_ends_what_waits_for_the_server() -> None:
    async with serving() as (server, embedder):
        server.on("POST", "/api/embed", stream_reply(HANG))
        before = len(server.requests)
        waiting = asyncio.create_task(passages(embedder, ["a text"]))
        request = await server.arrived(before + 1)
        await asyncio.to_thread(embedder.close)
        with pytest.raises(ModelError, match="khojd is ending"):
            await waiting
        async with asyncio.timeout(60):
            await request.left.wait()
        with pytest.raises(ModelError, match="was closed"):
            await query(embedder, "a query")
    assert not [thread for thread in threading.enumerate() if thread.name == "khojd-line"]


async def test_another_length_of_vectors_is_noticed() -> None:
    async with serving() as (server, embedder):
        server.dimensions = 8
        with pytest.raises(ModelError, match="now gives vectors of 8 dimensions instead of 32") as caught:
            await passages(embedder, ["a text"])
        assert caught.value.data["changed"]
        with pytest.raises(ModelError, match="8 dimensions"):
            await query(embedder, "a query")


async def test_answers_that_are_no_vectors_are_errors() -> None:
    async with serving() as (server, embedder):
        for reply in (
            json_reply({"embeddings": [[1.0], [2.0]]}),
            json_reply({"vectors": []}),
            text_reply("<html>hello</html>", kind="text/html"),
        ):
            server.on("POST", "/api/embed", reply)
            with pytest.raises(ModelError, match="srv: "):
                await passages(embedder, ["a text"])


async def test_a_remote_model_gives_no_vectors_of_tokens() -> None:
    async with serving() as (_, embedder):
        with pytest.raises(ModelError, match="no vector per token"):
            embedder.token_vectors(["text"])


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (Models(), r"models\.embedding is empty; name a model as provider/model"),
        (Models(embedding="olama/nomic"), r"models\.embedding: .*no provider 'olama' is configured.*ollama"),
        (Models(embedding="ollama"), r"models\.embedding: .*provider/model"),
    ],
)
def test_a_setting_that_cannot_be_meant(models: Models, message: str) -> None:
    config = Config(embedding=Embedding(model="remote"), models=models, providers={"ollama": Provider()})
    with pytest.raises(ConfigError, match=message):
        open_embedder(Choice.of(config))


async def test_chunks_never_exceed_what_the_model_takes() -> None:
    async with serving() as (_, embedder):
        text = "Meetings, minutes (2024-03-01) und Straßenbahnhaltestellen; 会議は金曜日です。 " * 80
        spans = chunk.split(text, prefix="A heading", count=embedder.count, max_tokens=embedder.max_tokens)
        compiled = [chunk.compiled("A heading", text[span.start : span.end]) for span in spans]
        assert len(compiled) > 3
        # The model of the test has the tokenizer of most embedding models that run locally.
        assert all(count_tokens(text) <= embedder.max_tokens <= 512 for text in compiled)


async def test_the_configuration_knows_a_models_context_better() -> None:
    async with serving(models={"m": ModelSettings(context=100)}) as (_, embedder):
        assert embedder.max_tokens == 92
    with pytest.raises(ModelError, match="leaves 12 tokens for a text"):
        async with serving(models={"m": ModelSettings(context=20)}):
            pass
