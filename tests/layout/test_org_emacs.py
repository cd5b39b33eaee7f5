"""The layout of Org notes that people wrote, and of made up ones, against what Emacs's own Org makes of them."""

import random
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import program
from tests.layout.laid import laid

SCRIPT = Path(__file__).with_name("org-layout.el")
NUMBER = re.compile(r"[ \t]*([0-9]+[.)])(?=[ \t]|$)")
CELLS = [
    "",
    "a",
    "long text",
    "12",
    "-3.5e4",
    "50%",
    "0x1F",
    "nan",
    "12 cups",
    "<r>",
    "<l>",
    "<c>",
    "<5>",
    "<c8>",
    "日本茶",
    "café",
]
CELLS += [
    "[[https://example.org][tea]]",
    "[[file:a.org]]",
    "~code~",
    "*bold*",
    "1:30",
    ">3",
    "a_{b}",
    "\\alpha",
    "[2024-05-01 Wed]",
]


def emacs(files: list[Path]) -> list[str]:
    """Each file's text as Org lays it out."""
    subprocess.run(
        [program("emacs"), "--batch", "-Q", "-l", str(SCRIPT), *map(str, files)], capture_output=True, timeout=110, check=True
    )
    return [Path(f"{path}.emacs").read_text(encoding="utf-8") for path in files]


def lists(text: str) -> list[str]:
    return [found[1] for line in text.split("\n") if (found := NUMBER.match(line))]


def tables(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.lstrip().startswith("|")]


def test_tables_are_as_emacs_aligns_them(tmp_path: Path) -> None:
    dice = random.Random(1)
    made = []
    for _ in range(150):
        columns, indent = dice.randint(1, 5), " " * dice.choice([0, 0, 2])
        rows = [dice.choices(CELLS, k=dice.randint(1, columns)) for _ in range(dice.randint(1, 6))]
        # Emacs takes `|-3` for a rule and drops the number.
        lines = [
            f"{indent}|{' ' if row[0].startswith('-') else ''}" + "|".join(row) + dice.choice(["|", " |", "", "  "]) for row in rows
        ]
        lines.insert(dice.randint(0, len(lines)), f"{indent}|-")
        made.append("\n".join(lines))
    path = tmp_path / "tables.org"
    path.write_text("\n\n".join(made) + "\n", encoding="utf-8")
    (theirs,) = emacs([path])
    assert laid(path.read_text(encoding="utf-8"), "a.org").split("\n\n") == theirs.split("\n\n")


def test_notes_are_laid_out_as_emacs_does_it(shared_data: Path, tmp_path: Path) -> None:
    files = []
    for number, path in enumerate(sorted((shared_data / "corpora" / "org-worg").rglob("*.org"))):
        data = path.read_bytes()
        if b"\r" not in data and len(data) < 200_000 and number % 3 == 0:
            files.append(tmp_path / f"{number}.org")
            files[-1].write_bytes(data)
    seen = 0
    for path, theirs in zip(files, emacs(files), strict=True):
        ours = laid(path.read_text(encoding="utf-8"), "a.org")
        assert tables(ours) == tables(theirs), path.name
        assert lists(ours) == lists(theirs), path.name
        seen += len(tables(ours)) + len(lists(ours))
    assert seen > 1000


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n1. b\n   1) c\n   4) d\n8. e\n",
        "4. a\n2. [@20] b\n3. c\n",
        "1. [@9] a\n2. b\n3. c\n4. d\n",
        "1. a\n\n7. b\n\n\n7. c\n",
        "- a\n  1. b\n  5. c\n- d\n  3. e\n",
        "1. a\n2. b\ntext\n3. c\n5. d\n",
        "1. a\n   #+begin_example\n1. b\n   #+end_example\n7. c\n",
        "  5. a\n  5. b\n",
    ],
)
def test_lists_are_as_emacs_numbers_them(text: str, tmp_path: Path) -> None:
    path = tmp_path / "list.org"
    path.write_text(text, encoding="utf-8")
    assert [laid(text, "a.org")] == emacs([path])
