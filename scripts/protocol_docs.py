"""Write the generated parts of docs/protocol.md: `python scripts/protocol_docs.py`. A test checks that they are up to date."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from khojd.server.schema import errors_table, tables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "protocol.md"


def render(text: str) -> str:
    """`text` with what stands between its markers made anew."""
    for name, part in (("errors", errors_table()), ("methods", f"\n{tables()}\n")):
        head, rest = text.split(f"<!-- {name} -->\n", 1)
        tail = rest.split(f"<!-- /{name} -->", 1)[1]
        text = f"{head}<!-- {name} -->\n{part}<!-- /{name} -->{tail}"
    return text


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
