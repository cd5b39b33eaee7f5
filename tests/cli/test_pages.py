"""docs/cli.md and docs/configuration.md say what the code says."""

import os
import re
import runpy
from pathlib import Path

import pytest

from khojd.cli.app import app

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "cli_docs.py"))


@pytest.mark.parametrize("page", SCRIPT["PAGES"], ids=lambda page: page.name)
def test_the_generated_parts_of_a_page_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert SCRIPT["PAGES"][page](text) == text, "run python scripts/cli_docs.py"


def test_every_command_has_its_help_on_the_page() -> None:
    text = (SCRIPT["DOCS"] / "cli.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"<!-- help ([a-z ]+) -->", text))
    names = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert names <= shown
    assert "COLUMNS" not in os.environ


def test_the_examples_of_the_configuration_page_are_valid() -> None:
    from khojd.configfile import parse

    text = (SCRIPT["DOCS"] / "configuration.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        parse(block, "docs/configuration.md")
