"""Checks that need no process of their own."""

import re
import shutil
import tomllib
from pathlib import Path

from khojd.config import Folder
from khojd.doctor import model, notes
from khojd.doctor.environment import PACKAGES
from khojd.embed.tokens import MODEL_DIR

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_every_package_that_the_project_needs_is_examined() -> None:
    needed = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split(r"[<>=]", name)[0] for name in needed} == set(PACKAGES)


def test_model_files_are_compared_with_the_sums_beside_them(tmp_path: Path) -> None:
    copy = shutil.copytree(MODEL_DIR, tmp_path / "model")
    assert model.files(copy).state == "ok"
    with (copy / "tokenizer.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    damaged = model.files(copy)
    assert damaged.state == "fail"
    assert damaged.message.endswith("tokenizer.json")
    (copy / "model.onnx").unlink()
    missing = model.files(copy)
    assert missing.state == "fail"
    assert "model.onnx" in missing.message
    assert missing.fix


def test_directories_are_held_against_the_limit_of_watches() -> None:
    assert notes.verdict(100, 1000).state == "ok"
    scarce, over = notes.verdict(600, 1000), notes.verdict(1001, 1000)
    assert scarce.state == over.state == "warn"
    assert "instead" in over.message
    assert "fs.inotify.max_user_watches=" in over.fix


def test_directories_that_hold_no_notes_take_no_watches(tmp_path: Path) -> None:
    for name in ("a/b", "node_modules/deep/er", ".git/objects", "attic/old"):
        (tmp_path / name).mkdir(parents=True)
    assert notes.watched(Folder(path=str(tmp_path), exclude=("attic/",))) == 3  # the folder itself, a and a/b
