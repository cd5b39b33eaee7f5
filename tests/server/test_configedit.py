"""Folders put into and taken out of a person's config.toml, which stays theirs."""

from pathlib import Path

import pytest

from khojd.config import Folder
from khojd.configfile import load
from khojd.errors import ConfigError
from khojd.server.configedit import add_folder, remove_folder

THEIRS = """\
# my notes
[[folders]]  # the main ones
path = "~/notes" # yes
exclude = ["*.tmp"]

[[ folders ]]
path = "/job"

[search]
profile = "precise"
"""


def test_a_folder_added_to_no_file_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "khojd" / "config.toml"
    add_folder(file, Folder(path='/a "b"\\c\x01', include=("*.org",), gitignore=False, hidden=True))
    assert load(file).folders == (Folder(path='/a "b"\\c\x01', include=("*.org",), gitignore=False, hidden=True),)


def test_what_is_added_and_removed_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(THEIRS, encoding="utf-8")
    add_folder(file, Folder(path="/more"))
    assert file.read_text(encoding="utf-8") == THEIRS + '\n[[folders]]\npath = "/more"\n'
    assert [each.path for each in load(file).folders] == ["~/notes", "/job", "/more"]
    remove_folder(file, "/job")
    remove_folder(file, "/more")
    assert file.read_text(encoding="utf-8") == THEIRS.replace('[[ folders ]]\npath = "/job"\n\n', "")
    assert load(file).search.profile == "precise"


def test_the_same_folder_is_not_added_twice_nor_a_missing_one_removed(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(THEIRS, encoding="utf-8")
    add_folder(file, Folder(path=str(Path.home() / "notes")))
    remove_folder(file, "/not/there")
    assert file.read_text(encoding="utf-8") == THEIRS


def test_folders_written_in_another_way_are_left_to_their_owner(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    text = 'folders = [{ path = "/a" }]\n'
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="by hand"):
        add_folder(file, Folder(path="/b"))
    with pytest.raises(ConfigError, match="by hand"):
        remove_folder(file, "/a")
    assert file.read_text(encoding="utf-8") == text


def test_a_file_that_is_not_valid_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("folders = ", encoding="utf-8")
    with pytest.raises(ConfigError, match="not valid TOML"):
        add_folder(file, Folder(path="/b"))
    assert file.read_text(encoding="utf-8") == "folders = "


def test_without_its_last_folder_a_file_is_not_empty(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    add_folder(file, Folder(path="/b"))
    remove_folder(file, "/b")
    assert load(file).folders == ()
    assert file.stat().st_size > 0  # an empty one is not taken up


def test_a_link_stays_a_link_and_modes_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("", encoding="utf-8")
    real.chmod(0o640)
    file = tmp_path / "config.toml"
    file.symlink_to(real)
    add_folder(file, Folder(path="/b"))
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load(file).folders == (Folder(path="/b"),)
