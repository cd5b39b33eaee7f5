"""Which class speaks to a configured provider, and what is loaded for it."""

import gc
import subprocess
import sys
from typing import get_args, get_type_hints

import pytest

from khojd import config
from khojd.config import Provider
from khojd.errors import ProviderError
from khojd.llm import presets, table
from khojd.llm.table import kind_of, open_provider, preset_of


@pytest.mark.parametrize(
    ("name", "settings", "kind", "preset"),
    [
        ("ollama", Provider(), "ollama", ""),
        ("anthropic", Provider(), "anthropic", ""),
        ("google", Provider(), "google", ""),
        ("openai", Provider(), "openai", "openai"),
        ("vllm", Provider(), "openai", "vllm"),
        ("work", Provider(base_url="http://h/v1"), "openai", ""),
        ("work", Provider(kind="ollama"), "ollama", ""),
        ("work", Provider(preset="llama-cpp"), "openai", "llama-cpp"),
        ("ollama", Provider(preset="localai"), "openai", "localai"),
        ("vllm", Provider(kind="anthropic"), "anthropic", ""),
    ],
)
def test_kind_and_preset_are_as_configured_else_as_the_name_says(name: str, settings: Provider, kind: str, preset: str) -> None:
    assert (kind_of(name, settings), preset_of(name, settings)) == (kind, preset)


def test_kinds_and_presets_are_those_that_the_configuration_allows() -> None:
    hints = get_type_hints(config.Provider)
    assert {"", *table.KINDS} == set(get_args(hints["kind"]))
    assert {"", *table.PRESETS} == set(get_args(hints["preset"]))
    assert set(table.PRESETS) == set(presets.PRESETS)


@pytest.mark.parametrize("kind", table.KINDS)
async def test_a_provider_of_each_kind_is_opened_without_asking_its_server(kind: table.Kind) -> None:
    provider = await open_provider("here", Provider(kind=kind, base_url="http://127.0.0.1:9"))
    try:
        assert (provider.name, provider.kind) == ("here", kind)
        assert provider.base_url.startswith("http://127.0.0.1:9")
        assert gc.isenabled()
    finally:
        await provider.close()


@pytest.mark.parametrize(
    ("kind", "package", "extra"), [("anthropic", "anthropic", "anthropic"), ("google", "google.genai", "google")]
)
async def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    kind: table.Kind, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        name for name in sys.modules if name == package or name.startswith((f"{package}.", f"khojd.llm.providers.{kind}"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ProviderError) as caught:
        provider = await open_provider("claude", Provider(kind=kind))
        await provider.close()
    assert caught.value.reason == "unsupported"
    assert f"pip install 'khojd[{extra}]'" in caught.value.message


async def test_a_key_that_cannot_be_had_is_an_error_that_names_its_setting() -> None:
    with pytest.raises(ProviderError, match="KHOJD_NO_SUCH_KEY is not set") as caught:
        await open_provider("work", Provider(kind="openai", key_env="KHOJD_NO_SUCH_KEY"))
    assert caught.value.reason == "auth"


_FIRST = """
import asyncio, sys
from khojd import config
from khojd.errors import ProviderError
from khojd.llm import table
from khojd.llm.model import ChatRequest, Message
from tests.llm.replay import Replay, json_reply

async def main():
    async with Replay() as server:
        provider = await table.open_provider("x", config.Provider(kind=sys.argv[1], base_url=server.url))
        known = set(sys.modules)
        for ask in (provider.info("m"), anext(aiter(provider.chat("m", ChatRequest((Message("user", "x"),)))))):
            try:
                await ask
            except ProviderError:
                pass
        await provider.health()
        await provider.close()
        print(len(server.requests), *sorted(set(sys.modules) - known))

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", table.KINDS)
def test_what_a_provider_needs_is_imported_before_its_first_request(kind: str) -> None:
    """Which is off the loop; else an SDK that imports late holds it for tens of milliseconds."""
    done = subprocess.run([sys.executable, "-c", _FIRST, kind], capture_output=True, text=True, check=True)
    asked, *late = done.stdout.split()
    assert int(asked) >= 2
    assert late == []
