"""The packaged extension in the real VS Code, over a real daemon."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from khojd.server.toggles import NAMES
from tests.e2e.conftest import Place
from tests.editors.vscode.conftest import Code
from tests.editors.vscode.server import EXTENSION, bundles

pytestmark = pytest.mark.timeout(600)  # a window needs 20 seconds on a machine that does nothing else
TEA = "# Tea\n\nGreen tea 🍵 is steamed.\n\n## Oolong\n\nHalf oxidised leaves of oolong tea.\n"
TODO = "* TODO Buy a kettle :shopping:\nDEADLINE: <2024-05-01 Wed>\nA steel kettle from [[file:tea.md::*Tea][the shop]].\n"
LINKS = "# Links\n\nSee [[tea#Oolong]] and [[nowhere]].\n\n| a | b |\n|-|-|\n| long cell | x |\n\nEND\n"
MOST_BYTES = 600_000


def test_the_packaged_extension_works_in_the_extension_host(code: Code, place: Place) -> None:
    notes = place.notes
    (notes / "deep").mkdir()
    (notes / "tea.md").write_text(TEA, encoding="utf-8")
    (notes / "todo.org").write_text(TODO, encoding="utf-8")
    (notes / "links.md").write_text(LINKS, encoding="utf-8")
    (notes / "deep" / "kettle.md").write_text("# Kettle\n\nA steel kettle boils fast.\n", encoding="utf-8")
    (notes / "deep" / "oolong.md").write_text("# Leaves\n\nOolong tea leaves are of a dark green.\n", encoding="utf-8")
    (notes / "broken.md").write_bytes(b"\xff\xfe\x00\xd8\x00")  # starts as UTF-16, and is not
    code.test("core")


def test_the_package_holds_what_is_needed_and_no_more(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        sizes = {info.filename.removeprefix("extension/"): info.file_size for info in archive.infolist()}
    names = set(sizes)
    assert {"dist/extension.cjs", "package.json", "readme.md", "changelog.md", "LICENSE.txt", "media/icon.png"} <= names
    assert not [name for name in names if name.startswith(("src/", "test/", "node_modules/")) or name.endswith(".map")]


def test_scripts_and_styles_are_small_as_they_are_run(package: Path) -> None:
    sizes = bundles(package)
    assert set(sizes) == {"chat-view.css", "chat-view.js", "client.cjs", "extension.cjs"}
    assert sum(sizes.values()) < MOST_BYTES, sizes
    assert package.stat().st_size < MOST_BYTES


def test_the_licences_of_what_is_bundled_are_in_the_package(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        licences = archive.read("extension/dist/LICENSES.txt").decode()
    manifest = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    for name in ("vscode-languageclient", "markdown-it"):
        version = {**manifest["dependencies"], **manifest["devDependencies"]}[name]
        assert f"{name} {version}\n" in licences
    assert "semver" not in licences


def test_a_workspace_cannot_say_what_is_run_and_who_answers() -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    properties = {name: value for part in manifest["contributes"]["configuration"] for name, value in part["properties"].items()}
    running = ("khoj.command", "khoj.config", "khoj.index", "khoj.socket", "khoj.folders")
    answering = ("khoj.chat.persona", "khoj.chat.model")  # to whose server passages of notes are sent
    assert {properties[name]["scope"] for name in running + answering} == {"machine"}
    assert manifest["capabilities"]["untrustedWorkspaces"]["supported"] is True
    assert manifest["activationEvents"] == ["onLanguage:markdown", "onLanguage:org"]


def test_each_feature_of_khojd_has_a_setting() -> None:
    manifest = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
    settings = {name for part in manifest["contributes"]["configuration"] for name in part["properties"]}
    features = {re.sub("_([a-z])", lambda letter: letter[1].upper(), name) for name in NAMES} - {"commands"}
    assert {name.removeprefix("khoj.features.") for name in settings if name.startswith("khoj.features.")} == features
