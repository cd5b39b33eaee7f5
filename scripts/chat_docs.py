"""Write the generated part of docs/chat.md, the exact prompt: `python scripts/chat_docs.py`. A test checks it."""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from khojd.chat.model import Ask
from khojd.chat.service import Chat
from khojd.config import Config, Folder, Index
from khojd.engine import Engine

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "chat.md"
QUESTION = "Why does my knee hurt, and what helps?"
_TODAY = re.compile(r"Today is \d{4}-\d\d-\d\d, a \w+")


async def prompt() -> str:
    """What `khojd chat --show-prompt` prints for the example notes, on a day that stays the same."""
    config = Config(folders=(Folder(path=str(ROOT / "examples" / "notes")),), index=Index(watch="off"))
    with tempfile.TemporaryDirectory() as place:
        engine = await Engine.open(config, index_dir=Path(place))
        try:
            await engine.update(embed=True)
            chat = await Chat.open(engine)
            try:
                messages = (await chat.preview(Ask(QUESTION))).messages
            finally:
                await chat.close()
        finally:
            await engine.close()
    text = "\n".join(f"--- {message.role}\n{message.text}" for message in messages)
    return _TODAY.sub("Today is 2026-06-15, a Monday", text)


def render(text: str) -> str:
    """`text` with the prompt made anew."""
    shown = f"$ khojd chat --show-prompt '{QUESTION}'\n{asyncio.run(prompt())}\n"
    return re.sub(r"(<!-- prompt -->\n```text\n).*?(```\n)", lambda found: found[1] + shown + found[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
