"""`khojd models`, with a server that is there and one that is not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from khojd.configfile import parse
from tests.cli.khojd import Khojd
from tests.cli.served import Served, served
from tests.llm.ollama_server import know, ndjson, shown
from tests.llm.replay import HANG, json_reply, refused_url


@pytest.fixture(scope="module")
def ollama() -> Iterator[Served]:
    """An Ollama with two models."""
    with served() as made:
        server = made.replay
        know(server, {"tiny": shown("completion", "tools", context=8192), "vectors": shown("embedding")})
        server.on("GET", "/api/version", json_reply({"version": "0.20.1"}))
        server.on("POST", "/api/pull", ndjson({"status": "pulling 1f", "total": 4, "completed": 1}, {"status": "success"}))
        yield made


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, ollama: Served) -> Iterator[Khojd]:
    """Someone who has configured two servers, of which one does not run."""
    run = Khojd(tmp_path_factory.mktemp("models"))
    run.config.write_text(
        f'[providers.ollama]\nbase_url = "{ollama.replay.url}"\n[providers.vllm]\nbase_url = "{refused_url()}"\n'
        '[models]\nchat = ["ollama/tiny"]\nsmall = ["ollama/gone"]\n',
        encoding="utf-8",
    )
    yield run
    run("stop", "--force", status=None)


def test_servers_are_shown_with_their_models_and_jobs(person: Khojd) -> None:
    shown = person("models").stdout
    assert "this machine" in shown
    assert "chat, json-schema, tools; 8,192 tokens of context  [chat]" in shown
    assert "[small]" in shown
    assert "gone" in shown
    assert "no connection" in shown
    assert "chat      ollama/tiny\n" in shown


def test_json_is_the_protocol_s_answer(person: Khojd) -> None:
    answer = person.json("models")
    assert [provider["name"] for provider in answer["providers"]] == ["ollama", "vllm"]
    assert answer["jobs"] == {"chat": ["ollama/tiny"], "small": ["ollama/gone"]}


def test_check_tells_latency_and_fails_when_one_server_does_not_answer(person: Khojd) -> None:
    result = person("models", "check", status=1)
    well, ill = result.stdout.splitlines()
    assert well.startswith("ok   ollama")
    assert " ms  Ollama 0.20.1" in well
    assert ill.startswith("FAIL vllm")
    assert person("models", "check", "ollama").stdout.startswith("ok   ollama")
    assert [each["ok"] for each in person.json("models", "check", status=1)["providers"]] == [True, False]
    assert "no provider 'olama' is configured; configured are ollama, vllm" in person.refused("models", "check", "olama")


def test_a_model_is_downloaded(person: Khojd) -> None:
    assert person("models", "pull", "ollama/tiny").stdout == "ollama/tiny: success\n"
    assert person.json("models", "pull", "ollama/tiny") == {"model": "ollama/tiny", "status": "success"}
    assert "a model is written provider/model" in person.refused("models", "pull", "tiny")
    assert person.refused("models", "pull", "vllm/x", status=4).startswith("vllm: ")


def test_an_interrupted_download_is_stopped_at_the_server(person: Khojd, ollama: Served) -> None:
    ollama.replay.on("POST", "/api/pull", ndjson({"status": "pulling 1f", "total": 4, "completed": 1}, HANG))
    result = person.interrupted("models", "pull", "ollama/tiny", when=lambda: True)
    assert result.returncode == 130
    assert result.stderr.startswith("ollama/tiny: pulling 1f")
    ollama.run(ollama.replay.requests[-1].left.wait())


def test_doctor_looks_at_the_servers_with_and_without_a_daemon(person: Khojd) -> None:
    for _ in range(2):
        found = [check for check in person.json("doctor")["checks"] if check["name"] in ("servers", "models")]
        assert [check["state"] for check in found] == ["ok", "warn", "warn"]
        assert "Ollama 0.20.1" in found[0]["message"]
        assert "gone" in found[2]["message"]
        person("stop", "--force", status=None)


def test_without_a_server_it_is_said_what_to_do(newcomer: Khojd) -> None:
    result = newcomer("models")
    assert "No model server is configured" in result.stdout
    assert "nothing leaves this machine" in result.stdout
    if "None was found" in result.stdout:  # it is so unless this machine has a server of its own
        lines = result.stdout.partition("\n[providers")[2].partition("\n\n")[0]
        assert parse(f"[providers{lines}", "config.toml").models.chat == ("ollama/qwen3:8b",)
    checked = newcomer("models", "check", status=1)
    assert "no model server is configured; `khojd models` says how" in checked.stderr
    assert not newcomer.config.exists()
    assert json.loads(newcomer("models", "--json").stdout)["providers"] == []
    assert "servers" not in {check["name"] for check in newcomer.json("doctor")["checks"]}


OPENED = """
import asyncio, sys
from pathlib import Path
from khojd.chat.service import Chat
from khojd.configfile import parse
from khojd.engine import Engine

async def main():
    engine = await Engine.open(parse(sys.argv[2], "given"), index_dir=Path(sys.argv[1]))
    chat = await Chat.open(engine)
    await chat.router.health()
    await chat.close()
    await engine.close()

asyncio.run(main())
print(*sys.modules)
"""


def test_a_model_server_s_library_is_loaded_when_one_is_asked_and_not_before(tmp_path: Path) -> None:
    sdks = {"openai", "httpx2", "ollama", "anthropic", "google.genai"}

    def loaded(name: str, text: str) -> set[str]:
        index = tmp_path / name
        index.mkdir()
        command = [sys.executable, "-c", OPENED, str(index), f'[embedding]\nmodel = "off"\n{text}']
        return sdks & set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=90).stdout.split())

    assert loaded("none", "") == set()
    assert loaded("one", f'[providers.vllm]\nbase_url = "{refused_url()}"') == {"openai", "httpx2"}
    assert loaded("other", f'[providers.ollama]\nbase_url = "{refused_url()}"') == {"ollama"}
