"""Take the pictures docs/images/vscode-*.png: the packaged extension in the real VS Code, over the example notes.

The model that answers is replayed.

Nothing of a person's own is read. Needs what the tests of the extension need: VS Code (KHOJD_TEST_VSCODE), chromium and `npm ci`.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from khojd.server.types import UpdateParams, UpdateResult  # noqa: E402
from tests.e2e.conftest import Place  # noqa: E402
from tests.editors.vscode.model import Model  # noqa: E402
from tests.editors.vscode.server import Server, lacking, packaged  # noqa: E402

THEMES = {"light": "Default Light Modern", "dark": "Default Dark Modern"}
OUT = ROOT / "docs" / "images"
LOOKS = {
    "window.menuBarVisibility": "hidden",
    "workbench.layoutControl.enabled": False,
    "window.commandCenter": False,
    "editor.minimap.enabled": False,
    "editor.wordWrap": "on",
    "editor.lightbulb.enabled": "off",
    "breadcrumbs.enabled": False,
}
ANSWER = (
    "It hurts on the outside, after about seven kilometres, and most on the way downhill [1]. Your physiotherapist found two "
    "reasons: the **band along the thigh** is too tight, and the **hip** too weak [1].\n\n"
    "What helps, in the words of your notes:\n\n"
    "- side planks every day [1]\n- shorter steps [1]\n- no slopes until it is gone [1]\n\n"
    "The hills of weeks 9 to 14 have to wait for that [1].\n"
)


def main() -> int:
    if what := lacking():
        print(f"{what} is missing", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="khojd-pictures-") as name, Model(lambda _: ANSWER) as model:
        base = Path(name)
        os.environ.update(HOME=str(base), XDG_RUNTIME_DIR=str(base / "run"))
        (base / "run").mkdir(mode=0o700)
        vsix = packaged(base / "khoj.vsix", base)
        place = Place(base)
        shutil.copytree(ROOT / "examples" / "notes", place.notes, dirs_exist_ok=True)
        (place.notes / "letters" / "scanned.md").write_bytes(b"# Scan\n\n\x00\x01\x02\x03 \xff\xfe \x00\n")  # is skipped, and why
        place.config.write_text(f'[[folders]]\npath = "{place.notes.as_posix()}"\n{model.lines}', encoding="utf-8")
        try:
            with place.client() as client:
                client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
            for theme, label in THEMES.items():
                (base / theme).mkdir()
                said = _take(base / theme, place, vsix, theme, label)
                if said:
                    print(said, file=sys.stderr)
                    return 1
        finally:
            place.clear()
    return 0


def _take(base: Path, place: Place, vsix: Path, theme: str, label: str) -> str:
    """Take the pictures of a theme; what went wrong, or nothing."""
    khojd = {"khoj.command": place.command(), "khoj.config": str(place.config), "khoj.index": str(place.index)}
    settings = {**LOOKS, **khojd, "workbench.colorTheme": label}
    with Server(base, vsix, settings, place.environment()) as server:
        ran = server.window("pictures", 180, workspace=str(place.notes), out=str(OUT), theme=theme, extension="")
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


if __name__ == "__main__":
    raise SystemExit(main())
