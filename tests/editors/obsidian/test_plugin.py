"""The plugin for Obsidian as it is shipped: over the socket of real daemons, with mocks of the app, and in a real browser.

The app itself cannot be had here; the tests are those of editor/obsidian/test.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import missing, program
from tests.e2e.conftest import ROOT

# The suites need 20 and 40 seconds on a machine that does nothing else; each of their waits has a limit of its own.
pytestmark = pytest.mark.timeout(700)

PLUGIN = ROOT / "editor" / "obsidian"
MOST_BYTES = 300_000


def run(*command: str, seconds: float, **environment: str) -> None:
    """Run a program of Node's, which must succeed; it is ended with all that it has started when it takes too long."""
    ran = subprocess.run(
        command,
        cwd=PLUGIN,
        env={**os.environ, "KHOJD_TEST_PYTHON": sys.executable, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.fixture(scope="module")
def npx(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that runs vitest; main.js is built before."""
    if sys.platform == "win32":
        pytest.skip("the daemons of these tests listen at Unix sockets")
    if not (PLUGIN.parent / "node_modules" / "vitest").is_dir():
        missing("editor/node_modules (npm ci in editor/)")
    run(program("npm"), "run", "--silent", "build", seconds=300, HOME=str(tmp_path_factory.mktemp("home")))
    return program("npx")


def test_the_shipped_plugin_works_over_a_real_daemon(npx: str) -> None:
    run(npx, "vitest", "run", "--exclude", "test/pictures.test.ts", seconds=600)


def test_the_views_are_drawn_and_can_be_read_in_a_real_browser(npx: str) -> None:
    run(npx, "vitest", "run", "test/pictures.test.ts", seconds=450, KHOJD_TEST_CHROMIUM=program("chromium"))


def test_what_is_shipped_is_small_and_says_the_same_versions(npx: str) -> None:
    manifest = json.loads((PLUGIN / "manifest.json").read_text(encoding="utf-8"))
    versions = json.loads((PLUGIN / "versions.json").read_text(encoding="utf-8"))
    package = json.loads((PLUGIN / "package.json").read_text(encoding="utf-8"))
    assert manifest["version"] == package["version"]
    assert versions[manifest["version"]] == manifest["minAppVersion"]
    assert manifest["isDesktopOnly"] is True
    assert (PLUGIN / "main.js").stat().st_size < MOST_BYTES


def test_no_source_writes_markup_or_asks_the_network() -> None:
    for source in sorted((PLUGIN / "src").glob("*.ts")):
        text = source.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|\bfetch\(|requestUrl|XMLHttpRequest", text), source


@pytest.mark.parametrize("name", ["search", "chat", "status", "similar"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_documentation_has_a_picture_of_each_view(name: str, theme: str) -> None:
    image = Path(ROOT / "docs" / "images" / f"obsidian-{name}-{theme}.png")
    assert image.stat().st_size < 150_000
