"""Emacs, VS Code and the Obsidian plugin at one daemon."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from khojd.daemon.client import Client
from khojd.server.types import DaemonStatus, NoParams, UpdateParams, UpdateResult
from tests.conftest import missing
from tests.e2e.conftest import Place, place
from tests.editors.emacs.conftest import Emacs, compiled
from tests.editors.together.conductor import PATIENCE, Conductor
from tests.editors.vscode.conftest import Code, package
from tests.editors.vscode.server import EDITORS, run

__all__ = ["compiled", "package", "place"]

pytestmark = pytest.mark.timeout(600)  # 20 seconds on a machine that does nothing else

LIMIT = 500  # seconds for an editor with all that it does
NOTES = {
    "tea.md": "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised.\n",
    "errands.org": "* TODO Buy a kettle\nA steel one.\n",
}
TYPED = "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Lapsang\n\nDried over pinewood smoke.\n"


@pytest.fixture
async def conductor(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Conductor]:
    directory = Path(tempfile.mkdtemp(prefix="khojd-"))  # a socket's path must be short
    async with Conductor(directory / "conductor") as made:
        monkeypatch.setenv("KHOJD_CONDUCTOR", str(made.path))
        yield made
    shutil.rmtree(directory)


async def test_what_is_typed_saved_and_asked_in_one_editor_is_there_in_the_others(
    place: Place, compiled: Callable[[str], Emacs], package: Path, conductor: Conductor, tmp_path: Path
) -> None:
    for name, text in NOTES.items():
        (place.notes / name).write_text(text, encoding="utf-8")
    obsidian_built()
    code = await asyncio.to_thread(Code, tmp_path, place, package)
    playing = [
        asyncio.ensure_future(asyncio.to_thread(play_emacs, compiled("oldest"), place)),
        asyncio.ensure_future(asyncio.to_thread(code.test, "together", seconds=LIMIT)),
        asyncio.ensure_future(asyncio.to_thread(play_obsidian, place)),
    ]
    try:
        emacs, vscode, obsidian = [await conductor.player(name, *playing) for name in ("emacs", "vscode", "obsidian")]
        everyone = (emacs, vscode, obsidian)
        with place.client(spawn=False) as client:
            client.call("khoj/index/update", UpdateParams(), UpdateResult)
            async with asyncio.timeout(PATIENCE):
                while len(editors(client)) < len(everyone):
                    await asyncio.sleep(0.1)  # one may have come to the test, and be on its way to khojd still

        # What Emacs shows and has not saved is found from Emacs alone; the others find what is saved.
        await emacs.do("type", note="tea.md", text=TYPED)
        assert await emacs.found("pinewood") == ["tea"]
        assert [await each.find("pinewood") for each in (vscode, obsidian)] == [[], []]
        assert [await each.find("oxidised") for each in everyone] == [[], ["tea"], ["tea"]]
        # The same for VS Code.
        await vscode.do("type", note="errands.org", text="* TODO Buy a samovar\n")
        assert await vscode.found("samovar") == ["errands"]
        assert [await each.find("samovar") for each in everyone] == [[], ["errands"], []]

        # Once it is saved, all find it.
        await emacs.do("save", note="tea.md")
        await vscode.do("save", note="errands.org")
        for each in everyone:
            assert await each.found("pinewood") == ["tea"]
            assert await each.found("samovar") == ["errands"]
        assert [await each.find("oxidised") for each in everyone] == [[], [], []]

        # A conversation goes on wherever its person sits down.
        assert "pinewood" in await emacs.do("ask", question="What is dried over pinewood?")
        assert await vscode.do("continue", title="What is dried over pinewood?") == ["What is dried over pinewood?"]
        assert "samovar" in await vscode.do("ask", question="And what should I buy, a samovar?")
        asked = await obsidian.do("continue", title="What is dried over pinewood?")
        assert asked == ["What is dried over pinewood?", "And what should I buy, a samovar?"]
        assert "steamed" in await obsidian.do("ask", question="How is green tea made, steamed?")
        assert len(await emacs.do("continue", title="What is dried over pinewood?")) == 3

        for each in everyone:
            await each.leave()
        await asyncio.gather(*playing)
    finally:
        for running in playing:
            running.cancel()
        await asyncio.to_thread(code.close)


def editors(client: Client) -> set[str]:
    """What the daemon's clients call themselves, beside the one that asks."""
    return {each.name for each in client.call("khoj/daemon/status", NoParams(), DaemonStatus).clients if each.name != "khojd"}


def play_emacs(emacs: Emacs, place: Place) -> None:
    emacs.test("../together/player.el", place)


def obsidian_built() -> None:
    if not (EDITORS / "node_modules" / "vitest").is_dir():
        missing("editor/node_modules (npm ci in editor/)")
    run(["npm", "run", "--silent", "build", "--prefix", "../obsidian"], seconds=300)


def play_obsidian(place: Place) -> None:
    command = [
        "node",
        "../node_modules/vitest/vitest.mjs",
        "run",
        "--root",
        "../obsidian",
        "--config",
        "vitest.together.config.mjs",
    ]
    run(command, seconds=LIMIT, **place.environment(KHOJ_TEST_PLACE=str(place.config.parent), KHOJD=json.dumps(place.command())))
