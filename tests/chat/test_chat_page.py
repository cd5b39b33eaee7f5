"""docs/chat.md says what the code does."""

import re
import runpy
from pathlib import Path

from khojd.configfile import parse

SCRIPT = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "chat_docs.py"))
PAGE: Path = SCRIPT["PAGE"]


def test_the_prompt_on_the_page_is_the_one_that_would_be_sent() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert SCRIPT["render"](text) == text, "run python scripts/chat_docs.py"


def test_the_configurations_on_the_page_are_valid() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        parse(block, "docs/chat.md")
