"""Folders of notes to measure on: real ones where they lie beside the checkout, else made-up ones of similar sizes."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.bench.prose import Prose

# Sizes of the two real corpora: median in bytes, sigma of the logarithm, largest.
_MARKDOWN = (1043, 1.15, 80_000)
_ORG = (6751, 1.35, 1_200_000)
_MARKDOWN_FILES, _ORG_FILES = 1017, 285
_CORPORA = ("dendron-vault", "org-worg")
SECTIONS = 9  # of a note of `entries`, so that a note is ten entries


def corpus(target: Path, shared: Path | None, copies: int) -> tuple[int, int, str]:
    """Fill `target` with `copies` of the corpora; returns files, bytes, and what they are."""
    sources = [shared / "corpora" / name for name in _CORPORA] if shared is not None else []
    if sources and all(source.is_dir() for source in sources):
        for copy in range(copies):
            for source in sources:
                shutil.copytree(source, target / f"copy-{copy}" / source.name)
        what = f"dendron-vault and org-worg, {copies} copies"
    else:
        for copy in range(copies):
            _made_up(target / f"copy-{copy}", copy)
        what = f"made-up notes with the sizes of dendron-vault and org-worg, {copies} times"
    sizes = [path.stat().st_size for path in target.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes), what


def small(target: Path, files: int) -> None:
    """Notes of one or two lines, 500 in a directory."""
    prose = Prose(5)
    for number in range(files):
        directory = target / f"{number // 500:03d}"
        if number % 500 == 0:
            directory.mkdir(parents=True)
        (directory / f"note-{number}.md").write_text(f"# {prose.heading()}\n\n{prose.paragraph(12)}\n", encoding="utf-8")


def short(target: Path, numbers: Iterable[int]) -> None:
    """Notes with these numbers, of about 1 kB (2 kB in the mean), 100 in a directory; most are one or two entries."""
    for number in numbers:
        prose = Prose(7 + number)
        directory = target / f"{number // 100:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"note-{number}.md").write_text(prose.note(prose.size(*_MARKDOWN)), encoding="utf-8")


def entries(target: Path, number: int) -> None:
    """Notes with `number` entries together, each of about 150 words."""
    prose = Prose(11)
    for note in range(max(1, number // (SECTIONS + 1))):
        directory = target / f"{note // 100:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"note-{note}.md").write_text(prose.sections(SECTIONS), encoding="utf-8")


def _made_up(target: Path, seed: int) -> None:
    prose = Prose(100 + seed)
    for number in range(_MARKDOWN_FILES):
        directory = target / "markdown" / f"{number // 100:02d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"note-{number}.md").write_text(prose.note(prose.size(*_MARKDOWN)), encoding="utf-8")
    for number in range(_ORG_FILES):
        directory = target / "org" / f"{number // 100:02d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"page-{number}.org").write_text(prose.note(prose.size(*_ORG), org=True), encoding="utf-8")
