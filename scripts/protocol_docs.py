"""Write the generated parts of docs/protocol.md: `python scripts/protocol_docs.py`. A test checks that they are up to date."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from khojd.server.schema import errors_table, tables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "protocol.md"


def render(text: str) -> str:
    """`text` with what stands between its markers made anew."""
    for name, part in (("errors", errors_table()), ("methods", "\n" + tables() + "\n")):
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda found, part=part: found[1] + part + found[2], text, flags=re.DOTALL
        )
    return text


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
