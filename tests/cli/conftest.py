"""One daemon for a module's tests, over a few notes that they leave as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.khojd import Khojd

NOTES = {
    "bike.md": "---\ntitle: The bike\ntags: [howto]\n---\n\n# Brakes\n\nThe pads squeal.\n\n# Chain\n\nWorn, replace it.\n",
    "work.org": "#+TITLE: Work\n\n* TODO [#A] Send the invoice :money:\n  DEADLINE: <2026-06-19 Fri>\n  To Helga, for May.\n",
    "deep/soup.txt": "Onion soup\n\nSlice the onions and let them soften in butter.\n",
    "温泉.md": "# 箱根の温泉\n\n露天風呂からは紅葉の谷が見える。\n",
    "evil.txt": "Beware of \x1b[31mred\x07 escapes and of tarantulas.\n",
    "picture.txt": "\x00\x01\x02 no text at all \x00",
}


@pytest.fixture(scope="module")
def khojd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Khojd]:
    """A person with the notes above, indexed by a daemon that runs."""
    run = Khojd(tmp_path_factory.mktemp("cli"))
    for name, text in NOTES.items():
        run.write(name, text)
    run.config.write_text(f'[[folders]]\npath = "{run.notes}"\n', encoding="utf-8")
    run("index", "--wait")
    yield run
    run("stop", "--force")


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Khojd]:
    """A person who has just installed khojd: no configuration, no index, no daemon."""
    home = tmp_path / "home"
    home.mkdir()
    run = Khojd(home)
    yield run
    run("stop", "--force", status=None)
