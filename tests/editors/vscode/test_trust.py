"""A workspace that nobody trusts, in the real VS Code."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Place
from tests.editors.vscode.conftest import Code

pytestmark = pytest.mark.timeout(600)  # a window needs 20 seconds on a machine that does nothing else
TEA = "# Tea\n\nGreen tea 🍵 is steamed.\n\nSee [[kettle]].\n"
KETTLE = "# Kettle\n\nA steel kettle boils fast.\n"


def test_in_a_workspace_that_is_not_trusted_all_works_and_nothing_of_it_is_run(asking: Code, place: Place, tmp_path: Path) -> None:
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "kettle.md").write_text(KETTLE, encoding="utf-8")
    marker = tmp_path / "ran"
    program = place.notes / "khojd"
    program.write_text(f"#!/bin/sh\ntouch '{marker}'\n", encoding="utf-8")
    program.chmod(0o755)
    own = {
        "khoj.command": [str(program)],
        "khoj.config": str(place.notes / "config.toml"),
        "khoj.index": str(place.notes / "index"),
        "khoj.socket": str(place.notes / "socket"),
        "khoj.folders": ["/etc"],
        "khoj.chat.persona": "somebody",
        "khoj.chat.model": "elsewhere/model",
    }
    (place.notes / ".vscode").mkdir()
    (place.notes / ".vscode" / "settings.json").write_text(json.dumps({**own, "khoj.search.limit": 7}), encoding="utf-8")
    asking.test("untrusted")
    assert not marker.exists()
