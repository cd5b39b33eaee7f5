"""VS Code's own server with the packaged extension, and windows of it in a browser without a screen."""

import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[3]
EDITORS = ROOT / "editor"
EXTENSION = EDITORS / "vscode"
SETTINGS = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "files.autoSave": "off",
}
LISTEN_SECONDS = 120.0


def lacking() -> str:
    """What a window of VS Code needs and is not here; empty when all is."""
    if not _server().is_dir():
        return "VS Code (.ci/vscode gets it, KHOJD_TEST_VSCODE names its directory)"
    for name in ("node", "chromium"):
        if shutil.which(name) is None:
            return name
    return "" if (EDITORS / "node_modules" / "esbuild").is_dir() else "editor/node_modules (npm ci in editor/)"


def packaged(vsix: Path, home: Path) -> Path:
    """The .vsix as `npm run package` makes it; what runs in the extension host is bundled beside."""
    run(["npm", "run", "--silent", "package", "--", "--out", str(vsix)], seconds=300, HOME=str(home))
    run(["node", "esbuild.mjs", "--tests"], seconds=180)
    return vsix


def bundles(package: Path) -> dict[str, int]:
    """The scripts and styles in a .vsix by their names, with the bytes that they have unpacked."""
    with zipfile.ZipFile(package) as archive:
        sizes = {Path(info.filename): info.file_size for info in archive.infolist()}
    return {path.name: size for path, size in sizes.items() if path.parent.name == "dist" and path.suffix != ".txt"}


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


class Server:
    """A server of VS Code, with data of its own, in which a .vsix is installed.

    With `asking` it is as a person has it: no workspace is trusted before they say so, and its dialogs are shown (beside
    `extensionTestsPath` they are refused in any case). Without that all workspaces are trusted.
    """

    def __init__(
        self, base: Path, package: Path, settings: Mapping[str, object], environment: Mapping[str, str], *, asking: bool = False
    ) -> None:
        self.data = base / "vscode-data"
        self.extensions = base / "vscode-extensions"
        self.driver = base / "driver"
        for directory in (self.data / "data" / "Machine", self.data / "data" / "User", self.extensions, self.driver):
            directory.mkdir(parents=True)
        self.settings = {**SETTINGS, **settings}
        (self.data / "data" / "Machine" / "settings.json").write_text(json.dumps(self.settings), encoding="utf-8")
        # Tests come by an extension of their own, so that the one they test is the installed one.
        trust = {"untrustedWorkspaces": {"supported": True}}
        manifest = {
            "name": "khoj-tests",
            "publisher": "khojd",
            "version": "0.0.1",
            "engines": {"vscode": "^1.100.0"},
            "capabilities": trust,
        }
        (self.driver / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        command = ["node", str(_server() / "out" / "server-main.js")]
        said = run([*command, "--install-extension", str(package), *self._places()], seconds=180)
        assert "successfully installed" in said, said
        self.log = base / "vscode.log"
        arguments = [
            *("--host", "127.0.0.1", "--port", "0", "--without-connection-token"),
            *("--telemetry-level", "off"),
            *(() if asking else ("--disable-workspace-trust", "--enable-smoke-test-driver")),
            *self._places(),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments], env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            self.port = self._listening()
        except BaseException:
            self.close()
            raise

    def window(self, script: str, patience: float, **asked: object) -> "subprocess.CompletedProcess[str]":
        """Run `editor/vscode/test/SCRIPT.mjs`, which opens a window on this server, with what it is asked."""
        given = {"port": self.port, "chromium": shutil.which("chromium"), "extension": str(self.driver), **asked}
        command = ["node", str(EXTENSION / "test" / f"{script}.mjs"), json.dumps(given)]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience)
        except subprocess.TimeoutExpired as late:
            said = late.stdout if isinstance(late.stdout, str) else (late.stdout or b"").decode(errors="replace")
            return subprocess.CompletedProcess(command, 124, said, f"it did not end within {patience:.0f} s")

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _places(self) -> list[str]:
        return [
            *("--server-data-dir", str(self.data), "--user-data-dir", str(self.data / "data")),
            *("--extensions-dir", str(self.extensions), "--accept-server-license-terms"),
        ]

    def _listening(self) -> int:
        """The port at which it listens, as soon as it does."""
        deadline = time.monotonic() + LISTEN_SECONDS
        while (said := re.search(r"listening on (\d+)", self.log.read_text(encoding="utf-8", errors="replace"))) is None:
            assert self.process.poll() is None, f"VS Code's server ended with {self.process.returncode}"
            assert time.monotonic() < deadline, "VS Code's server does not listen"
            time.sleep(0.05)
        return int(said[1])


def _server() -> Path:
    place = Path(os.environ.get("KHOJD_TEST_VSCODE") or ROOT / ".cache" / "vscode")
    return place / "code-server" / "lib" / "vscode"
