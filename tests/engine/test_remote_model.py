"""The engine with an embedding model on a server, which comes, goes and changes."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from khojd.config import Config, Models, Provider
from khojd.engine import Engine
from khojd.errors import ModelError
from khojd.index import filler
from khojd.search.types import SearchRequest
from tests.engine.conftest import Notes
from tests.llm.embedding_server import EmbeddingServer, held_back
from tests.llm.replay import HANG, Reply, Request, refused_url, stream_reply


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filler, "RETRY_SECONDS", 0.05)


@pytest.fixture
def written(notes: Notes) -> Notes:
    notes.write("a.md", "A heron stands in the pond.\n")
    notes.write("b.md", "The chain slips off the cassette.\n")
    return notes


async def problem(notes: Notes) -> str:
    assert notes.engine is not None
    return (await notes.engine.status()).model_problem


async def nothing_waits(notes: Notes, model: str = "ollama/m-") -> bool:
    assert notes.engine is not None
    status = await notes.engine.status()
    return (
        status.model.startswith(model)
        and status.vectors_pending == 0
        and status.model == status.model_target
        and not status.model_problem
    )


async def idle(engine: Engine) -> bool:
    return not engine.busy


async def test_notes_are_found_by_meaning(written: Notes) -> None:
    async with EmbeddingServer() as server, written.open(server.config(written.config())) as engine:
        await engine.update(embed=True)
        assert (await written.found("bird", mode="semantic"))[0] == "a.md"
        assert (await written.found("bicycle"))[0] == "b.md"
        status = await engine.status()
        assert status.model.startswith("ollama/m-")
        assert (status.model_problem, status.vectors_pending, status.embedded) == ("", 0, 2)


async def test_a_start_without_the_server_answers_by_words_and_goes_on_when_it_is_there(written: Notes) -> None:
    async with EmbeddingServer() as server:
        port, config = server.port, server.config(written.config())
    async with written.open(config) as engine:
        await engine.update(embed=True)
        result = await engine.search(SearchRequest(query="heron"))
        assert [Path(hit.path).name for hit in result.hits] == ["a.md"]
        assert "srv: no connection to http://127.0.0.1" in result.notes[0]
        assert "found by words alone" in result.notes[0]
        assert "srv: no connection" in await problem(written)
        await written.until(lambda: idle(engine))  # between its attempts it may retire
        async with EmbeddingServer(port=port):
            await written.until(lambda: nothing_waits(written))
            assert (await written.found("bird", mode="semantic"))[0] == "a.md"


async def test_a_server_that_goes_away_leaves_the_words_and_comes_back(written: Notes) -> None:
    async with EmbeddingServer() as server:
        port, config = server.port, server.config(written.config(), retries=0)
        async with written.open(config) as engine:
            await engine.update(embed=True)
            await server.stop()
            result = await engine.search(SearchRequest(query="pond"))
            assert [Path(hit.path).name for hit in result.hits] == ["a.md"]
            assert "these hits are found by words alone: srv: " in result.notes[0]
            assert [one for one in (await engine.status()).problems if one.startswith("srv: ")]
            written.write("c.md", "Birds sing.\n")
            await engine.update(embed=True)
            assert "srv: " in await problem(written)
            with pytest.raises(ModelError, match="srv: "):
                await written.found("bird", mode="semantic")
            async with EmbeddingServer(port=port):
                await written.until(lambda: nothing_waits(written))
                assert set((await written.found("bird", mode="semantic"))[:2]) == {"a.md", "c.md"}
                assert not (await engine.status()).problems


async def test_a_note_with_a_text_that_the_server_finds_too_long_is_found_by_meaning_too(written: Notes) -> None:
    async with EmbeddingServer(limit=12) as server, written.open(server.config(written.config())) as engine:
        written.write("long.md", "A sailor repairs the sails of his ship. " * 30)
        await engine.update(embed=True)
        assert (await written.found("ship sails", mode="semantic"))[0] == "long.md"
        assert (await engine.status()).vectors_pending == 0


async def test_another_length_of_vectors_has_all_notes_embedded_anew(written: Notes) -> None:
    async with EmbeddingServer() as server, written.open(server.config(written.config())) as engine:
        await engine.update(embed=True)
        before = (await engine.status()).model
        server.dimensions = 16
        written.write("c.md", "Birds sing.\n")
        await engine.update(embed=True)
        await written.until(lambda: nothing_waits(written))
        assert (await engine.status()).model != before
        assert set((await written.found("bird", mode="semantic"))[:2]) == {"a.md", "c.md"}


async def test_settings_that_do_not_change_the_vectors_embed_nothing_again(written: Notes) -> None:
    async with EmbeddingServer() as server, written.open(server.config(written.config())) as engine:
        await engine.update(embed=True)
        texts = len(server.texts)
        await engine.reconfigure(server.config(written.config(), retries=1, concurrency=1))
        await engine.update(embed=True)
        assert (await written.found("bird", mode="semantic"))[0] == "a.md"
        assert [text for text in server.texts[texts:] if text not in ("dimensions", "bird")] == []
        # A restart, too.
    async with EmbeddingServer(port=server.port) as again, written.open(again.config(written.config())) as engine:
        await engine.update(embed=True)
        assert again.texts == ["dimensions"]


async def test_a_wrong_setting_is_said_and_mended_while_the_daemon_runs(written: Notes) -> None:
    async with EmbeddingServer() as server:
        config = server.config(written.config())
        async with written.open(replace(config, models=Models(embedding="srw/m"))) as engine:
            await engine.update(embed=True)
            assert "no provider 'srw' is configured" in await problem(written)
            assert await written.found("heron") == ["a.md"]
            await engine.reconfigure(replace(config, providers={"srv": Provider(kind="ollama", base_url=refused_url())}))
            await written.until(lambda: _says(written, "no connection"))
            await engine.reconfigure(config)
            await written.until(lambda: nothing_waits(written))
            assert (await written.found("bird", mode="semantic"))[0] == "a.md"


async def _says(notes: Notes, text: str) -> bool:
    return text in await problem(notes)


async def test_from_the_bundled_model_to_a_remote_one_and_back(written: Notes) -> None:
    bundled: Config = written.config()
    async with EmbeddingServer() as server, written.open(bundled) as engine:
        await engine.update(embed=True)
        first = (await engine.status()).model
        await engine.reconfigure(server.config(bundled))
        await written.until(lambda: nothing_waits(written))
        assert (await written.found("bird", mode="semantic"))[0] == "a.md"
        await engine.reconfigure(bundled)
        await written.until(lambda: nothing_waits(written, first))
        assert (await written.found("bird", mode="semantic"))[0] == "a.md"


async def test_a_search_that_is_on_its_way_when_the_model_changes_is_answered_by_the_new_one(written: Notes) -> None:
    held = asyncio.Event()
    bundled: Config = written.config()
    async with EmbeddingServer() as server, written.open(server.config(bundled)) as engine:
        await engine.update(embed=True)
        server.on("POST", "/api/embed", lambda request: held_back(server.embed(request), held))
        before = len(server.requests)
        searching = asyncio.create_task(engine.search(SearchRequest(query="bird", mode="semantic")))
        await server.arrived(before + 1)
        await engine.reconfigure(bundled)
        await written.until(lambda: nothing_waits(written, "all-MiniLM-L6-v2"))
        held.set()
        result = await searching
        assert [Path(hit.path).name for hit in result.hits][:1] == ["a.md"]
        assert not result.notes


async def test_the_former_model_serves_while_the_server_of_the_wanted_one_is_away(written: Notes) -> None:
    bundled: Config = written.config()
    async with EmbeddingServer() as server:
        port, remote = server.port, server.config(bundled)
    async with written.open(bundled) as engine:
        await engine.update(embed=True)
        await engine.reconfigure(remote)
        await written.until(lambda: _says(written, "srv: no connection"))
        written.write("c.md", "A kingfisher dives for fish.\n")
        await engine.update(embed=True)
        assert "c.md" in (await written.found("a bird that eats fish", mode="semantic"))[:2]
        assert "srv: no connection" in await problem(written)
        async with EmbeddingServer(port=port):
            await written.until(lambda: nothing_waits(written))
            assert (await written.found("bird", mode="semantic"))[0] == "a.md"


async def test_a_model_that_is_left_before_its_vectors_are_complete_never_serves(written: Notes) -> None:
    for number in range(80):
        written.write(f"{number}.md", f"Note number {number} is about bridges.\n")
    held = asyncio.Event()

    def embed(request: Request) -> Reply:
        texts = request.json["input"]
        if any(text.startswith("second: ") for text in texts):
            return stream_reply(HANG)
        reply = server.embed(request)
        return reply if texts == ["dimensions"] else held_back(reply, held)

    async with EmbeddingServer() as server, written.open() as engine:
        server.on("POST", "/api/embed", embed)
        await engine.update(embed=True)
        await engine.reconfigure(server.config(written.config(), concurrency=1))
        await server.arrived(3)  # the description, the first vector, the first notes
        first = (await engine.status()).model_target
        assert first.startswith("ollama/m-")
        await engine.reconfigure(server.config(written.config(), prompts=("", "second: ")))
        held.set()
        await written.until(lambda: _target_is(written, "ollama/m-", other=first))
        assert (await engine.status()).model.startswith("all-MiniLM-L6-v2")
        assert "a.md" in (await written.found("a bird in the water", mode="semantic"))[:1]


async def _target_is(notes: Notes, model: str, other: str = "") -> bool:
    assert notes.engine is not None
    target = (await notes.engine.status()).model_target
    return target.startswith(model) and target != other


async def test_the_end_does_not_wait_for_a_server_that_says_nothing(written: Notes) -> None:
    async with EmbeddingServer() as server:
        server.on("POST", "/api/embed", stream_reply(HANG))
        async with written.open(server.config(written.config())) as engine:
            await server.arrived(2)
            assert engine.busy
            async with asyncio.timeout(60):  # its first answer may take 300 seconds
                await engine.close()


async def test_the_vectors_of_an_index_from_before_there_were_remote_models_serve_until_the_new_ones_are_there(
    written: Notes,
) -> None:
    async with written.open() as engine:
        await engine.update(embed=True)
    with closing(sqlite3.connect(written.index_dir / "catalog.db")) as db, db:
        (text,) = db.execute("SELECT value FROM meta WHERE key LIKE 'model_settings.%'").fetchone()
        before = msgspec.json.encode(msgspec.json.decode(text)["embedding"]).decode()
        db.execute("UPDATE meta SET value = ? WHERE key LIKE 'model_settings.%'", (before,))
    async with EmbeddingServer() as server:
        server.on("POST", "/api/embed", server.embed, stream_reply(HANG))  # the first vector comes, no other one
        async with written.open(server.config(written.config())) as engine:
            await server.arrived(3)
            assert (await written.found("a bird in the water", mode="semantic"))[0] == "a.md"
            status = await engine.status()
            assert status.model.startswith("all-MiniLM-L6-v2")
            assert status.model_target.startswith("ollama/m-")
