"""`khojd config`: no daemon is needed."""

import tomllib
from pathlib import Path

import pytest

from khojd import configfile
from khojd.config import Config
from tests.cli.khojd import Khojd

TEXT = """
[[folders]]
path = "~/notes"
exclude = ["drafts/", "a \\"quoted\\" name"]

[search]
profile = "fresh"

[search.profiles.fresh]
recency = 0.3
weights = { org = 1.5 }
"""


def test_defaults_are_a_valid_file_that_changes_nothing(newcomer: Khojd) -> None:
    text = newcomer("config", "show", "--defaults").stdout
    assert configfile.parse(text, "defaults") == Config()


def test_the_settings_in_force_are_printed_whole(newcomer: Khojd) -> None:
    newcomer.config.write_text(TEXT, encoding="utf-8")
    shown = newcomer("config", "show").stdout
    assert configfile.parse(shown, "shown") == configfile.parse(TEXT, "text")
    assert tomllib.loads(shown)["daemon"]["idle_minutes"] == 20.0


def test_the_path_is_printed_whether_or_not_there_is_a_file(newcomer: Khojd) -> None:
    assert newcomer("config", "path").stdout == f"{newcomer.config}\n"


def test_check_accepts_a_file_and_warns_of_folders_that_are_missing(newcomer: Khojd) -> None:
    assert "does not exist; the defaults are in force" in newcomer("config", "check").stdout
    newcomer.config.write_text(TEXT.replace("~/notes", "~/missing"), encoding="utf-8")
    result = newcomer("config", "check")
    assert result.stdout == f"{newcomer.config} is valid: 1 folder\n"
    assert "missing does not exist" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[daemon]\nidle_minuts = 3\n", "unknown key daemon.idle_minuts; did you mean idle_minutes?"),
        ("[search]\nprofile = 3\n", "search.profile = 3 is not allowed; it must be a string"),
        ("[index]\nwatch = 'always'\n", 'it must be one of "auto", "off", "poll"'),
        ("[index\n", "not valid TOML"),
    ],
)
def test_check_names_file_key_value_and_what_is_allowed(newcomer: Khojd, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")
    message = newcomer.refused("config", "check", str(file))
    assert message.startswith(f"{file}: ")
    assert said in message


def test_a_file_that_is_named_must_exist(newcomer: Khojd) -> None:
    assert "missing.toml does not exist" in newcomer.refused("config", "check", "missing.toml")
