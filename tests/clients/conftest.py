"""Notes for the editors, and a daemon that already knows them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from khojd.server.types import UpdateParams, UpdateResult
from tests.conftest import missing
from tests.e2e.conftest import ROOT, Place, place

__all__ = ["collections", "emacs", "notes", "place", "vault"]

TEA = "# Tea\n\nGreen tea 🍵 is steamed, not roasted.\n\n## Oolong\n\nHalf oxidised, between green and black.\n"
TODO = "#+TITLE: Errands\n* TODO Buy a kettle :shopping:\nDEADLINE: <2024-05-01 Wed>\nA steel one.\n"

# What the example notes lack: links of each kind, some of which lead nowhere.
WEEKEND = """\
---
aliases: [Days off]
---

# Weekend

Read [[Sleep]] 🌙 first, then [[Bike repair#Gears jump under load]] and [gears](<Bike repair.md#gears-jump-under-load>).

## Plans

All of it hangs on [[No such note]]. #holiday With [[龙井茶]].
"""
SUMMER = """\
#+TITLE: Summer
#+FILETAGS: :holiday:

* Rides
  :PROPERTIES:
  :ID:       6a1f0b52-6f0c-4c5d-9a35-0c3c5c1d9b1e
  :END:
  Look at the [[file:river-gauge.org::*Firmware][firmware]] 🌙 before, and at [[file:../notes/Sleep.md]].
* TODO Autumn
  After the [[*Rides]], as in [[id:6a1f0b52-6f0c-4c5d-9a35-0c3c5c1d9b1e][that heading]]. Then [[file:nowhere.org]].
"""


@pytest.fixture
def notes(place: Place) -> Place:
    """The place with two notes that can be found by words and by meaning."""
    (place.notes / "tea.md").write_text(TEA, encoding="utf-8")
    (place.notes / "errands.org").write_text(TODO, encoding="utf-8")
    return indexed(place)


@pytest.fixture
def vault(place: Place) -> Place:
    """The place with a copy of the example notes, and two more notes that link to them."""
    shutil.copytree(ROOT / "examples" / "notes", place.notes, dirs_exist_ok=True)
    (place.notes / "notes" / "Weekend.md").write_text(WEEKEND, encoding="utf-8")
    (place.notes / "org" / "summer.org").write_text(SUMMER, encoding="utf-8")
    (place.notes / ".project").touch()  # makes the folder a project of Emacs, see eglot.el
    return indexed(place)


@pytest.fixture
def collections(place: Place, shared_data: Path) -> Place:
    """The place with 1,300 notes of other people: Dendron's vault and the Org files of Worg; found by words."""
    corpora = shared_data / "corpora"
    text = shutil.ignore_patterns("assets")
    # Without the modes of files, which may be read-only there.
    shutil.copytree(corpora / "dendron-vault" / "vault", place.notes / "vault", ignore=text, copy_function=shutil.copyfile)
    for source in sorted((corpora / "org-worg").rglob("*.org")):
        target = place.notes / "worg" / source.relative_to(corpora / "org-worg")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (place.notes / ".project").touch()
    return indexed(place, model="off")


def indexed(place: Place, model: str = "bundled") -> Place:
    place.configure(model=model)
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(embed=model != "off"), UpdateResult)
    return place


@pytest.fixture
def emacs() -> str:
    """An Emacs that has Eglot: the one that `.ci/emacs30` printed, else the one that is installed."""
    found = os.environ.get("KHOJD_TEST_EGLOT") or shutil.which("emacs")
    if found is None or subprocess.run([found, "--batch", "-Q", "-l", "eglot"], capture_output=True, check=False).returncode:
        missing("an Emacs with Eglot (29 or newer; .ci/emacs30 gets one)")
    assert found is not None
    return str(Path(found))
