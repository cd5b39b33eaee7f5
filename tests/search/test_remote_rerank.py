"""Re-ranking by a model on a server, through the engine."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from khojd.config import Config, Embedding, Models, Provider, Search
from khojd.engine import Engine
from khojd.llm import line
from khojd.search import remote_rerank
from khojd.search.types import SearchRequest, SearchResult
from tests.engine.conftest import Notes
from tests.llm.embedding_server import EmbeddingServer
from tests.llm.replay import HANG, Reply, json_reply, stream_reply, text_reply

FEW = "A bicycle stands in the yard.\n"
MANY = "Many a bicycle, one bicycle after another, every bicycle.\n"


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    made = Notes(tmp_path)
    made.write("few.md", FEW)
    made.write("many.md", MANY)
    made.write("none.md", "A heron stands in the pond.\n")
    return made


def configured(notes: Notes, url: str, **provider: Any) -> Config:
    return replace(
        notes.config(),
        embedding=Embedding(model="off"),
        search=Search(rerank="remote"),
        models=Models(rerank="ranker/some/model"),
        providers={"ranker": Provider(preset="llama-cpp", base_url=f"{url}/v1", **provider)},
    )


async def search(engine: Engine, query: str = "bicycle", **options: Any) -> SearchResult:
    await engine.update()
    return await engine.search(SearchRequest(query=query, explain=True, **options))


def names(result: SearchResult) -> list[str]:
    return [Path(hit.path).name for hit in result.hits]


def scores(result: SearchResult) -> dict[str, float | None]:
    return {Path(hit.path).name: hit.explanation.rerank_score for hit in result.hits if hit.explanation}


async def test_the_servers_scores_order_the_list(notes: Notes) -> None:
    async with EmbeddingServer() as server, notes.open(configured(notes, server.url)) as engine:
        result = await search(engine)
        assert result.phase == "reranked"
        assert scores(result) == {"many.md": -2.0, "few.md": -4.0}
        assert names(result)[0] == "many.md"
        asked = server.requests[-1].json
        assert (asked["model"], asked["query"]) == ("some/model", "bicycle")
        assert sorted(text.strip() for text in asked["documents"]) == sorted([FEW.strip(), MANY.strip()])
        assert not [note for note in result.notes if "re-ranked" in note]


async def test_it_can_be_left_out_of_one_search(notes: Notes) -> None:
    async with EmbeddingServer() as server, notes.open(configured(notes, server.url)) as engine:
        assert (await search(engine, rerank=False)).phase == "words"
        assert not server.requests


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (text_reply("oops", 500), "ranker: "),
        (json_reply({"error": {"message": "invalid api key", "code": 401}}, 401), "key"),
        (json_reply({"results": [{"index": 0, "relevance_score": 1.0}]}), "did not score every text"),
        (text_reply("<html>hello</html>", kind="text/html"), "web page"),
        (
            json_reply(
                {"error": {"code": 501, "message": "This server does not support reranking. Start it with `--reranking`"}}, 501
            ),
            "--reranking",
        ),
    ],
    ids=["500", "401", "too few", "html", "501"],
)
async def test_a_failure_leaves_the_list_as_it_was_and_says_so(notes: Notes, reply: Reply, said: str) -> None:
    async with EmbeddingServer() as server, notes.open(configured(notes, server.url, retries=0)) as engine:
        plain = await search(engine, rerank=False)
        server.on("POST", "/v1/rerank", reply)
        result = await search(engine)
        assert names(result) == names(plain)
        (note,) = [note for note in result.notes if note.startswith("not re-ranked: ")]
        assert said in note


async def test_a_server_that_is_away_or_silent_and_comes_back(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "AWAY_SECONDS", 0.0)
    async with EmbeddingServer() as server:
        port, config = server.port, configured(notes, server.url)
        async with notes.open(config) as engine:
            server.on("POST", "/v1/rerank", stream_reply(HANG))
            with monkeypatch.context() as impatient:
                impatient.setattr(remote_rerank, "SECONDS", 0.1)
                assert "no answer from some/model within 0.1 seconds" in _note(await search(engine))
            await server.stop()
            result = await search(engine)
            assert sorted(names(result)) == ["few.md", "many.md"]
            assert "ranker: no connection to" in _note(result)
            async with EmbeddingServer(port=port):
                assert scores(await search(engine)) == {"many.md": -2.0, "few.md": -4.0}


def _note(result: SearchResult) -> str:
    (note,) = [note for note in result.notes if note.startswith("not re-ranked: ")]
    return note


async def test_texts_that_are_too_long_are_ranked_by_their_beginnings(notes: Notes) -> None:
    notes.write("long.md", "The bicycle and its parts, a bicycle book. " + "Nothing more is said of it. " * 200)
    async with EmbeddingServer(limit=100) as server, notes.open(configured(notes, server.url)) as engine:
        found = scores(await search(engine))
        assert found["long.md"] == -3.0
        server.limit = 0
        assert "not re-ranked: ranker: " in _note(await search(engine))


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (Models(), "models.rerank is empty"),
        (Models(rerank="rankr/m"), "models.rerank: model 'rankr/m': no provider 'rankr' is configured"),
    ],
)
async def test_a_wrong_setting_is_a_note_too_and_can_be_mended(notes: Notes, models: Models, said: str) -> None:
    async with EmbeddingServer() as server:
        config = configured(notes, server.url)
        async with notes.open(replace(config, models=models)) as engine:
            result = await search(engine)
            assert len(result.hits) == 2
            assert said in _note(result)
            await engine.reconfigure(config)
            assert (await search(engine)).phase == "reranked"
            assert scores(await search(engine)) == {"many.md": -2.0, "few.md": -4.0}


async def test_the_end_does_not_wait_for_a_silent_server(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_rerank, "SECONDS", 600.0)
    async with EmbeddingServer() as server, notes.open(configured(notes, server.url)) as engine:
        server.on("POST", "/v1/rerank", stream_reply(HANG))
        await engine.update()
        running = asyncio.create_task(engine.search(SearchRequest(query="bicycle")))
        await server.arrived()
        async with asyncio.timeout(60):
            await engine.close()
        assert "khojd is ending" in _note(await running)
