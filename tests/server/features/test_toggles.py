"""Features are switched on and off by the configuration and by the client, at the start and while running."""

import asyncio
from typing import Any

import pytest
from lsprotocol import types as lsp
from msgspec.structs import replace

from khojd.config import Config, Features
from khojd.server.features.table import FEATURES
from khojd.server.toggles import NAMES
from khojd.server.wire import CONVERTER
from tests.server.features.conftest import MakeVault
from tests.server.features.vault import Vault

OUTLINE = "textDocument/documentSymbol"
TEA = {"tea.md": "# Tea\n"}
DYNAMIC = {"textDocument": {"documentSymbol": {"dynamicRegistration": True}}}
OFF = Features(document_symbol=False)


def khoj(**features: Any) -> dict[str, Any]:
    return {"features": features}


def change_settings(vault: Vault, settings: Any) -> None:
    vault.editor.notify("workspace/didChangeConfiguration", {"settings": settings})


async def names(vault: Vault) -> Any:
    found = await vault.ask(OUTLINE, "tea.md")
    return found and [one["name"] for one in found]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_its_switch(feature: Any) -> None:
    assert feature.name in NAMES


async def test_only_what_is_on_is_offered(make_vault: MakeVault) -> None:
    vault = await make_vault(TEA, features=OFF)
    assert "documentSymbolProvider" not in vault.editor.capabilities
    assert "workspaceSymbolProvider" in vault.editor.capabilities
    assert await names(vault) is None, "who asks all the same gets an empty answer"


async def test_the_client_has_the_last_word_at_the_start(make_vault: MakeVault) -> None:
    vault = await make_vault(TEA, features=OFF, khoj=khoj(document_symbol=True, workspaceSymbol=False))
    assert "documentSymbolProvider" in vault.editor.capabilities
    assert "workspaceSymbolProvider" not in vault.editor.capabilities, "names may be written as JSON does"
    assert await names(vault) == ["Tea"]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ({"hovver": False}, "unknown feature hovver; did you mean hover?"),
        ({"teleport": False}, "unknown feature teleport; known are document_symbol"),
        ({"hover": "off"}, "features.hover is 'off'; it must be true or false"),
        ([], "must be an object"),
    ],
)
async def test_a_switch_that_is_not_known_is_told_and_never_ignored(make_vault: MakeVault, features: Any, said: str) -> None:
    vault = await make_vault({}, khoj={"protocol": 1, "features": features})
    told = await vault.editor.hear("window/logMessage")
    assert said in told["message"]
    change_settings(vault, {"khoj": {"features": features or ["hover"]}})
    assert "settings.khoj.features" in (await vault.editor.hear("window/logMessage"))["message"]


async def test_settings_switch_a_feature_off_and_on_again_while_running(make_vault: MakeVault) -> None:
    vault = await make_vault(TEA)
    change_settings(vault, {"khoj": khoj(document_symbol=False)})
    assert await names(vault) is None
    change_settings(vault, {"khoj": {}})
    assert await names(vault) == ["Tea"]
    change_settings(vault, {"other": {"features": {"document_symbol": False}}})
    change_settings(vault, None)
    assert await names(vault) == ["Tea"]
    assert vault.editor.heard("window/logMessage") == []


async def test_a_client_that_can_is_asked_for_its_settings(make_vault: MakeVault) -> None:
    wanted: dict[str, Any] = khoj(document_symbol=False)
    asked: list[Any] = []

    def configuration(params: Any) -> list[Any]:
        asked.append(params["items"])
        return [wanted]

    answers = {"workspace/configuration": configuration}
    vault = await make_vault(TEA, capabilities={"workspace": {"configuration": True}}, answers=answers)
    async with asyncio.timeout(60):
        while await names(vault) is not None:
            pass
    assert asked == [[{"section": "khoj"}]]
    wanted["features"] = {}
    change_settings(vault, None)
    async with asyncio.timeout(60):
        while await names(vault) is None:
            pass
    assert len(asked) == 2


async def test_what_is_switched_on_later_is_registered_where_the_client_can_take_it(make_vault: MakeVault) -> None:
    done = asyncio.Event()
    heard: list[Any] = []

    def answer(params: Any) -> None:
        heard.append(params)
        done.set()

    answers = {"client/registerCapability": answer, "client/unregisterCapability": answer}
    vault = await make_vault(TEA, features=OFF, capabilities=DYNAMIC, answers=answers)
    change_settings(vault, {"khoj": khoj(document_symbol=True)})
    await done.wait()
    (registration,) = heard[0]["registrations"]
    assert (registration["method"], registration["registerOptions"]) == (OUTLINE, {"documentSelector": None})
    assert await names(vault) == ["Tea"]
    done.clear()
    change_settings(vault, {"khoj": {}})
    await done.wait()
    assert heard[1]["unregisterations"] == [{"id": registration["id"], "method": OUTLINE}]
    assert await names(vault) is None


async def test_a_client_that_cannot_take_it_is_told_when_it_can_use_it(make_vault: MakeVault) -> None:
    vault = await make_vault(TEA, features=OFF)
    change_settings(vault, {"khoj": khoj(document_symbol=True)})
    assert "document_symbol is on" in (await vault.editor.hear("window/logMessage"))["message"]
    assert vault.editor.asked == []


async def test_the_configuration_file_reaches_sessions_that_are_open(make_vault: MakeVault) -> None:
    done = asyncio.Event()
    vault = await make_vault(TEA, features=OFF, capabilities=DYNAMIC, answers={"client/registerCapability": lambda _: done.set()})
    before: Config = vault.engine.config
    await vault.engine.reconfigure(replace(before, features=Features()))
    assert await names(vault) == ["Tea"]
    await done.wait()
    await vault.engine.reconfigure(before)
    assert await names(vault) is None


async def test_one_editor_switching_a_feature_leaves_it_to_the_others(make_vault: MakeVault) -> None:
    vault = await make_vault(TEA, khoj=khoj(document_symbol=False))
    other = await vault.attach()
    assert await vault.ask(OUTLINE, "tea.md") is None
    assert await other.request(OUTLINE, {"textDocument": {"uri": vault.uri("tea.md")}})


async def test_every_feature_is_registered_with_options_that_a_client_can_read(make_vault: MakeVault) -> None:
    """All are off at the start and switched on while running, with a client that takes all of them."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    able = {"dynamicRegistration": True}
    tokens = {**able, "requests": {}, "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"]}
    areas: dict[str, dict[str, Any]] = {"textDocument": {"semanticTokens": tokens}, "workspace": {"fileOperations": able}}
    for feature in FEATURES:
        for method in feature.handlers:
            area, name = method.split("/")[:2]
            if area in areas and name != "semanticTokens" and not name.endswith("Files"):
                areas[area][name] = able
    vault = await make_vault(
        {},
        features=Features(**dict.fromkeys(NAMES, False)),
        capabilities=areas,
        answers={"client/registerCapability": heard.put_nowait},
    )
    offered = [name for name in vault.editor.capabilities if name.endswith("Provider")]
    assert offered == ["executeCommandProvider"], "the khoj commands are no feature"
    change_settings(vault, {"khoj": khoj(**dict.fromkeys(NAMES, True))})
    registered: dict[str, Any] = {}
    wanted = {"textDocument/semanticTokens", "textDocument/documentSymbol", "workspace/symbol", "textDocument/foldingRange"}
    async with asyncio.timeout(60):
        while not wanted <= registered.keys():
            for one in (await heard.get())["registrations"]:
                registered[one["method"]] = one["registerOptions"]
    for method, options in registered.items():
        kind: Any = lsp.METHOD_TO_TYPES.get(method, (None, None, None, lsp.SemanticTokensRegistrationOptions))[3]
        assert CONVERTER.structure(options, kind) is not None
    assert registered["workspace/symbol"] == {"resolveProvider": True}
    tokens = registered["textDocument/semanticTokens"]
    assert (tokens["full"], tokens["range"], "decorator" in tokens["legend"]["tokenTypes"]) == ({"delta": True}, True, True)


@pytest.mark.parametrize(
    "method", sorted(method for one in FEATURES for method in one.handlers if method.startswith("textDocument/"))
)
async def test_of_a_buffer_that_is_no_file_nothing_is_known_and_nothing_said(make_vault: MakeVault, method: str) -> None:
    vault = await make_vault(TEA, features=Features(code_lens=True, inlay_hint=True))
    document = {"uri": "untitled:Untitled-1", "languageId": "markdown", "version": 1, "text": "[[tea]]\n"}
    vault.editor.notify("textDocument/didOpen", {"textDocument": document})
    here = {"line": 0, "character": 3}
    more = {"position": here, "range": {"start": here, "end": here}, "positions": [here], "context": {"diagnostics": []}}
    more |= {"newName": "x", "options": {"tabSize": 4, "insertSpaces": True}, "previousResultId": ""}
    if method == "textDocument/references":
        more["context"] = {"includeDeclaration": True}
    if method == "textDocument/completion":
        more.pop("context")
    answer = await vault.editor.request(method, {"textDocument": {"uri": document["uri"]}, **more})
    assert answer in (None, {"kind": "full", "items": []})
