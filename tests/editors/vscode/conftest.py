"""VS Code's own server with the packaged extension, a browser without a screen, and tests that run in the extension host."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing, program
from tests.e2e.conftest import ROOT, Place, place

__all__ = ["place"]

EDITORS = ROOT / "editor"
EXTENSION = EDITORS / "vscode"
SETTINGS = {
    "security.workspace.trust.enabled": False,
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "files.autoSave": "off",
}


def installed() -> Path:
    """The directory of VS Code's server. Skips where it, Node or the packages of the workspace are missing."""
    place = Path(os.environ.get("KHOJD_TEST_VSCODE") or ROOT / ".cache" / "vscode")
    server = place / "code-server" / "lib" / "vscode"
    if not server.is_dir():
        missing("VS Code (.ci/vscode gets it, KHOJD_TEST_VSCODE names its directory)")
    program("node")
    if not (EDITORS / "node_modules" / "esbuild").is_dir():
        missing("editor/node_modules (npm ci in editor/)")
    return server


def run(command: list[str], *, seconds: float, **environment: str) -> str:
    """The output of a program, which must succeed."""
    ran = subprocess.run(
        command,
        cwd=EXTENSION,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}"
    return ran.stdout


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .vsix as `npm run package` makes it; the tests are bundled beside."""
    installed()
    vsix = tmp_path_factory.mktemp("vsix") / "khoj.vsix"
    home = str(tmp_path_factory.mktemp("home"))
    run(["npm", "run", "--silent", "package", "--", "--out", str(vsix)], seconds=120, HOME=home)
    run(["node", "esbuild.mjs", "--tests"], seconds=60)
    return vsix


class Code:
    """A server of VS Code with the extension installed, for the notes of a place."""

    def __init__(self, base: Path, place: Place, package: Path) -> None:
        self.server = installed()
        self.chromium = program("chromium")
        self.place = place
        self.data = base / "vscode-data"
        self.extensions = base / "vscode-extensions"
        self.report = base / "report.txt"
        self.picture = base / "window.png"
        self.driver = base / "driver"
        for directory in (self.data / "data" / "Machine", self.data / "data" / "User", self.extensions, self.driver):
            directory.mkdir(parents=True)
        self.settings(**SETTINGS)
        # The tests come by an extension of their own, so that the one they test is the installed one.
        manifest = {"name": "khoj-tests", "publisher": "khojd", "version": "0.0.1", "engines": {"vscode": "^1.100.0"}}
        (self.driver / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        said = run(
            ["node", str(self.server / "out" / "server-main.js"), "--install-extension", str(package), *self._places()], seconds=60
        )
        assert "successfully installed" in said, said
        self.port = _free_port()
        self.log = (base / "vscode.log").open("wb")
        self.process = subprocess.Popen(
            [
                "node",
                str(self.server / "out" / "server-main.js"),
                *("--host", "127.0.0.1", "--port", str(self.port), "--without-connection-token"),
                *("--telemetry-level", "off", "--disable-workspace-trust", "--enable-smoke-test-driver"),
                *self._places(),
            ],
            env=place.environment(KHOJ_TEST_KHOJD=json.dumps([*place.command(), *place.places]), KHOJ_TEST_REPORT=str(self.report)),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def settings(self, **more: object) -> None:
        """Write the settings of the machine; khojd is the one of this checkout, with the place's index."""
        where = {"khoj.command": self.place.command(), "khoj.config": str(self.place.config), "khoj.index": str(self.place.index)}
        (self.data / "data" / "Machine" / "settings.json").write_text(json.dumps({**more, **where}), encoding="utf-8")

    def test(self, entry: str, *, seconds: int = 90) -> str:
        """Run the tests of `editor/vscode/test/ENTRY.ts` in the extension host; all must pass, and some must be there."""
        asked = {
            "port": self.port,
            "chromium": self.chromium,
            "workspace": str(self.place.notes),
            "extension": str(self.driver),
            "tests": str(EXTENSION / "dist-tests" / f"{entry}.cjs"),
            "seconds": seconds,
            "picture": str(self.picture),
        }
        ran = subprocess.run(
            ["node", str(EXTENSION / "test" / "window.mjs"), json.dumps(asked)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
        said = self.report.read_text(encoding="utf-8") if self.report.exists() else "the tests wrote no report"
        assert ran.returncode == 0, f"{said}\n{ran.stdout[-4000:]}\n{ran.stderr}\npicture: {self.picture}"
        assert " passed, 0 failed" in said, said
        return said

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def _places(self) -> list[str]:
        return [
            *("--server-data-dir", str(self.data), "--user-data-dir", str(self.data / "data")),
            *("--extensions-dir", str(self.extensions), "--accept-server-license-terms"),
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, f"VS Code's server ended with {self.process.returncode}"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "VS Code's server does not listen"
                time.sleep(0.05)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def code(tmp_path: Path, place: Place, package: Path) -> Iterator[Code]:
    """A server of VS Code for the notes of `place`."""
    made = Code(tmp_path, place, package)
    yield made
    made.close()
    shutil.rmtree(made.data, ignore_errors=True)
