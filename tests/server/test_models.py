"""khoj/models/*: servers that are there, servers that are not, and downloads, as an editor sees them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from khojd import config
from khojd.config import Models, ModelSettings, Provider
from khojd.configfile import parse
from khojd.daemon.service import Daemon
from khojd.llm import discovery
from tests.llm.ollama_server import know, ndjson, shown
from tests.llm.replay import HANG, Replay, json_reply, refused_url
from tests.server.conftest import Attach
from tests.server.editor import Editor, Failure
from tests.server.paper import PaperEngine


@pytest.fixture
async def ollama() -> AsyncIterator[Replay]:
    async with Replay() as server:
        know(server, {"tiny": shown("completion", "tools", context=8192), "vectors": shown("embedding")})
        server.on("GET", "/api/version", json_reply({"version": "0.20.1"}))
        yield server


@pytest.fixture
def settings(ollama: Replay) -> config.Config:
    """An Ollama that is there, a server that is not, and one whose key is not."""
    providers = {
        "ollama": Provider(base_url=ollama.url, models={"tiny": ModelSettings(price_prompt=2.0)}),
        "away": Provider(kind="openai", preset="vllm", base_url=refused_url()),
        "keyless": Provider(kind="openai", base_url="https://models.example/v1", key_env="KHOJD_NO_SUCH_KEY"),
    }
    return config.Config(providers=providers, models=Models(chat=("ollama/tiny", "away/big"), small=("ollama/gone",)))


async def test_models_are_listed_with_what_they_can_and_do(editor: Editor) -> None:
    result = await editor.request("khoj/models/list")
    ollama, away, keyless = result["providers"]
    assert (ollama["kind"], ollama["local"], ollama["problem"]) == ("ollama", True, "")
    models = {model["name"]: model for model in ollama["models"]}
    assert [*models] == ["ollama/tiny", "ollama/gone", "ollama/vectors"]
    tiny = models["ollama/tiny"]
    assert {"chat", "tools"} <= set(tiny["capabilities"])
    assert (tiny["context"], tiny["jobs"], tiny["pricePrompt"], tiny["problem"]) == (8192, ["chat"], 2.0, "")
    assert models["ollama/gone"]["jobs"] == ["small"]
    assert "gone" in models["ollama/gone"]["problem"]
    assert "embedding" in models["ollama/vectors"]["capabilities"]
    assert (away["kind"], away["preset"], away["local"]) == ("openai", "vllm", True)
    assert "no connection" in away["problem"]
    assert [model["name"] for model in away["models"]] == ["away/big"]
    assert (keyless["baseUrl"], keyless["local"], keyless["models"]) == ("https://models.example/v1", False, [])
    assert "KHOJD_NO_SUCH_KEY is not set" in keyless["problem"]
    assert result["jobs"] == {"chat": ["ollama/tiny", "away/big"], "small": ["ollama/gone"]}
    assert result["found"] == []


async def test_a_server_of_this_machine_that_is_not_configured_is_offered_with_the_lines_to_use_it(
    editor: Editor, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Replay() as other:
        know(other, {"qwen3:8b": shown("completion")})
        other.on("GET", "/api/version", json_reply({"version": "0.20.1"}))
        monkeypatch.setattr(discovery, "SECONDS", 60.0)
        monkeypatch.setattr(discovery, "PORTS", {"ollama": int(other.url.rpartition(":")[2])})
        (found,) = (await editor.request("khoj/models/list", {"discover": True}))["found"]
        assert (found["title"], found["baseUrl"], found["models"]) == ("Ollama 0.20.1", other.url, ["qwen3:8b"])
        assert found["lines"] == f'[providers.ollama-2]\nkind = "ollama"\nbase_url = "{other.url}"'
        await daemon.router.reconfigure(config.Config())
        (found,) = (await editor.request("khoj/models/list", {"discover": True}))["found"]
        taken_up = parse(found["lines"], "found")
        assert taken_up.providers == {"ollama": Provider(base_url=other.url)}
        assert taken_up.models.chat == ("ollama/qwen3:8b",)
        assert all(request.method == "GET" for request in other.requests)
        await daemon.router.reconfigure(taken_up)
        assert (await editor.request("khoj/models/list", {"discover": True}))["found"] == []


async def test_health_names_each_server_with_its_latency_or_its_reason(editor: Editor) -> None:
    ollama, away, keyless = (await editor.request("khoj/models/health"))["providers"]
    assert ollama["ok"]
    assert "0.20.1" in ollama["message"]
    assert ollama["latencyMs"] > 0
    assert (away["ok"], keyless["ok"]) == (False, False)
    only = await editor.request("khoj/models/health", {"provider": "away"})
    assert [each["name"] for each in only["providers"]] == ["away"]
    with pytest.raises(Failure, match="no provider 'olama' is configured; configured are ollama, away, keyless"):
        await editor.request("khoj/models/health", {"provider": "olama"})


async def test_a_download_tells_how_far_it_is_and_the_percentage_never_falls(ollama: Replay, editor: Editor) -> None:
    ollama.on(
        "POST",
        "/api/pull",
        ndjson(
            {"status": "pulling 1f", "total": 4_000_000, "completed": 1_000_000},
            {"status": "pulling 2e", "total": 100, "completed": 1},
            {"status": "success"},
        ),
    )
    result = await editor.request("khoj/models/pull", {"model": "ollama/tiny", "workDoneToken": "t"})
    assert result == {"model": "ollama/tiny", "status": "success"}
    values = [params["value"] for params in editor.heard("$/progress")]
    assert values[0] == {"kind": "begin", "title": "Downloading ollama/tiny", "cancellable": True, "percentage": 0}
    assert {"kind": "report", "message": "pulling 1f, 1 of 4 MB", "percentage": 25} in values
    shares = [value["percentage"] for value in values if "percentage" in value]
    assert shares == sorted(shares)
    assert values[-1] == {"kind": "end", "message": "success"}


async def test_a_cancelled_download_stops_at_the_server(ollama: Replay, editor: Editor) -> None:
    ollama.on("POST", "/api/pull", ndjson({"status": "pulling 1f", "total": 4, "completed": 1}, HANG))
    number, asked = editor.ask("khoj/models/pull", {"model": "ollama/tiny", "workDoneToken": "t"})
    await editor.hear("$/progress", where=lambda params: params["value"]["kind"] == "report")
    editor.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Failure):
        await asked
    await ollama.requests[-1].left.wait()
    assert editor.heard("$/progress")[-1]["value"] == {"kind": "end", "message": "stopped"}


async def test_a_client_that_leaves_stops_its_download(ollama: Replay, attach: Attach) -> None:
    ollama.on("POST", "/api/pull", ndjson({"status": "pulling 1f", "total": 4, "completed": 1}, HANG))
    editor = await attach()
    _, asked = editor.ask("khoj/models/pull", {"model": "ollama/tiny"})
    request = await ollama.arrived()
    await editor.leave()
    async with asyncio.timeout(60):
        await request.left.wait()
    asked.cancel()


async def test_a_server_that_downloads_nothing_says_so(editor: Editor) -> None:
    with pytest.raises(Failure) as caught:
        await editor.request("khoj/models/pull", {"model": "away/big"})
    assert caught.value.data["reason"] == "unsupported"
    with pytest.raises(Failure, match="a model is written provider/model"):
        await editor.request("khoj/models/pull", {"model": "tiny"})


async def test_no_key_is_in_what_config_get_shows(editor: Editor, engine: PaperEngine) -> None:
    secret = "sk-4f9a0c77"
    provider = Provider(kind="openai", key_command=("print-key", "--token", secret))
    engine.config = config.Config(providers={"one": provider})
    result = await editor.request("khoj/config/get")
    assert secret not in str(result)
    assert result["config"]["providers"]["one"]["key_command"][0] == "print-key"
