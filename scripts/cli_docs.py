"""Write the generated parts of docs/cli.md and docs/configuration.md: `python scripts/cli_docs.py`. A test checks them."""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from khojd.cli import main
from khojd.configtext import defaults_text

DOCS = Path(__file__).resolve().parents[1] / "docs"
WIDTH = "80"


def help_of(command: str) -> str:
    """What `khojd COMMAND --help` prints in a terminal of 80 columns."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(printed):
            main([*command.split(), "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return printed.getvalue()


def cli_page(text: str) -> str:
    """`text` with the block after each marker `<!-- help COMMAND -->` made anew."""
    return re.sub(
        r"(<!-- help ?([a-z ]*) -->\n```text\n).*?(```\n)",
        lambda found: found[1] + help_of(found[2]) + found[3],
        text,
        flags=re.DOTALL,
    )


def configuration_page(text: str) -> str:
    """`text` with the block of defaults made anew."""
    return re.sub(
        r"(<!-- defaults -->\n```toml\n).*?(```\n)", lambda found: found[1] + defaults_text() + found[2], text, flags=re.DOTALL
    )


PAGES = {DOCS / "cli.md": cli_page, DOCS / "configuration.md": configuration_page}


if __name__ == "__main__":
    for page, render in PAGES.items():
        page.write_text(render(page.read_text(encoding="utf-8")), encoding="utf-8")
