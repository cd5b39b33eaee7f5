"""The packaged extension in VS Code's own server, and tests that run in its extension host."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.e2e.conftest import Place, place
from tests.editors.vscode.server import EDITORS, EXTENSION, Server, lacking, packaged, run

__all__ = ["EDITORS", "place", "run"]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .vsix as `npm run package` makes it."""
    if what := lacking():
        missing(what)
    return packaged(tmp_path_factory.mktemp("vsix") / "khoj.vsix", tmp_path_factory.mktemp("home"))


PATIENCE = 300  # seconds that a window may take with its tests, which need 20 on a machine that does nothing else


class Code(Server):
    """A server of VS Code for the notes of a place."""

    def __init__(self, base: Path, place: Place, package: Path, *, asking: bool = False) -> None:
        self.place = place
        self.report = base / "report.txt"
        self.picture = base / "window.png"
        settings = {"khoj.command": place.command(), "khoj.config": str(place.config), "khoj.index": str(place.index)}
        environment = place.environment(
            KHOJ_TEST_KHOJD=json.dumps([*place.command(), *place.places]), KHOJ_TEST_REPORT=str(self.report)
        )
        super().__init__(base, package, settings, environment, asking=asking)

    def test(self, entry: str, *, seconds: int = PATIENCE) -> str:
        """Run the tests of `editor/vscode/test/ENTRY.ts` in the extension host; all must pass, and some must be there."""
        ran = self.window(
            "window",
            seconds + 30,
            workspace=str(self.place.notes),
            tests=str(EXTENSION / "dist-tests" / f"{entry}.cjs"),
            seconds=seconds,
            picture=str(self.picture),
        )
        said = self.report.read_text(encoding="utf-8") if self.report.exists() else ""
        failures = failed(said)
        assert not failures, "\n".join([*failures, f"picture: {self.picture}"])
        assert ran.returncode == 0, f"{said}\n{ran.stdout[-4000:]}\n{ran.stderr}\npicture: {self.picture}"
        assert " passed, 0 failed" in said, said
        return said


def failed(report: str) -> list[str]:
    """What failed by a report of `editor/vscode/test/mocha.ts`: the tests with their reasons, and the test that never ended."""
    found = re.findall(r"^FAILED .*\n(?:  .*\n)*", report, re.MULTILINE)
    begun = re.findall(r"^begins (.*)$", report, re.MULTILINE)
    ended = re.findall(r"^(?:ok|FAILED) (.*?)(?: \(\d+ ms\))?$", report, re.MULTILINE)
    return found + [f"never ended: {title}\n" for title in begun if title not in ended]


@pytest.fixture
def code(tmp_path: Path, place: Place, package: Path) -> Iterator[Code]:
    """A server of VS Code for the notes of `place`."""
    with Code(tmp_path, place, package) as made:
        yield made


@pytest.fixture
def asking(tmp_path: Path, place: Place, package: Path) -> Iterator[Code]:
    """The same as a person has it, who is asked whether a workspace is to be trusted."""
    with Code(tmp_path, place, package, asking=True) as made:
        yield made
