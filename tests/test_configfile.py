"""config.toml: what is read, and what every mistake says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd import configfile, configwatch
from khojd.config import Config, Folder
from khojd.configwatch import ConfigWatch
from khojd.errors import ConfigError
from khojd.sources import inotify


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert configfile.load(tmp_path / "none.toml") == Config()


def test_the_file_is_found_by_xdg_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "khojd").mkdir()
    (tmp_path / "khojd/config.toml").write_text('[search]\nprofile = "recent"\n', encoding="utf-8")
    assert configfile.load().search.profile == "recent"


def test_the_defaults_text_is_a_configuration_and_names_every_key() -> None:
    text = configfile.defaults_text()
    assert configfile.parse(text, "defaults") == Config()
    commented = "\n".join(line.removeprefix("# ") for line in text.splitlines() if not line.startswith("# khojd"))
    assert "[[folders]]" in commented
    for key in (
        "path",
        "include",
        "exclude",
        "gitignore",
        "hidden",
        "half_life_days",
        "max_message_bytes",
        "first_weekday",
        "daily",
        "file",
    ):
        assert f"{key} = " in commented


def test_folders_and_profiles_are_read() -> None:
    text = '[[folders]]\npath = "~/notes"\nexclude = ["*.log"]\n[search.profiles.mine]\nlimit = 5\nweights = { org = 1.5 }\n'
    config = configfile.parse(text, "c.toml")
    assert config.folders == (Folder(path="~/notes", exclude=("*.log",)),)
    assert config.search.profiles["mine"].limit == 5
    assert config.search.profiles["mine"].weights == {"org": 1.5}


def test_a_profile_with_a_built_in_name_changes_only_the_keys_it_gives() -> None:
    text = "[search.profiles.recent]\nrecency = 0.0\n[search.profiles.broad]\nlimit = 7\n"
    profiles = configfile.parse(text, "c.toml").search.profiles
    assert (profiles["recent"].recency, profiles["recent"].half_life_days) == (0.0, 30.0)
    assert (profiles["broad"].limit, profiles["broad"].candidates) == (7, 300)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[content]\nentry_tokns = 3", "c.toml: unknown key content.entry_tokns; did you mean entry_tokens?"),
        ('[content]\nentry_tokens = "x"', 'c.toml: content.entry_tokens = "x" is not allowed; it must be an integer, at least 32'),
        ('[index]\nwatch = "maybe"', 'index.watch = "maybe" is not allowed; it must be one of "auto", "off", "poll"'),
        ("[search.profiles.x]\nlimit = 0", "search.profiles.x.limit = 0 is not allowed; it must be an integer, at least 1 and at"),
        ('[search.profiles.x.weights]\norg = "a"', 'search.profiles.x.weights.org = "a" is not allowed; it must be a number'),
        ("folders = 3", "folders = 3 is not allowed; it must be an array of tables"),
        ('[[folders]]\ninclude = ["a"]', "folders[0] lacks the key 'path'"),
        ('[[folders]]\npath = "notes"', 'folders[0].path = "notes" is not allowed; it must be absolute, or start with ~'),
        ('[[folders]]\npath = "/n"\n[[folders]]\npath = "/n/"', "folders: /n is there 2 times"),
        ('[[folders]]\npath = "/n"\nexclude = ["!"]', "exclude pattern '!' is not a gitignore pattern"),
        ('[search]\nprofile = "precize"', 'search.profile = "precize" is not allowed; it must be one of default, precise'),
        ("[search", "c.toml: not valid TOML"),
        (
            '[notes]\ndaily = "dayly"',
            'notes.daily = "dayly" is not allowed: there is no such template; did you mean daily? Known are',
        ),
        ('[notes]\nfolder = "../x"', 'notes.folder = "../x" is not allowed: it must not leave the folder of notes'),
        ('[notes]\nfolder = "/x"', 'notes.folder = "/x" is not allowed: it must be relative to the folder of notes'),
        ('[[notes.templates]]\nfolder = "x"', "notes.templates[0] lacks the key 'name'"),
        ('[[notes.templates]]\nname = ""', 'notes.templates[0].name = "" is not allowed: it must not be empty'),
        (
            '[[notes.templates]]\nname = "a"\n[[notes.templates]]\nname = "a"',
            'notes.templates[1].name = "a" is not allowed: another',
        ),
        (
            '[[notes.templates]]\nname = "a"\ntext = "{titel}"',
            'notes.templates[0].text = "{titel}" is not allowed: there is no placeholder {titel}; did you mean title? Known are',
        ),
        ('[[notes.templates]]\nname = "a"\nfile = "{date:%Q}"', "{date:%Q}: %Q is no form of a date or time"),
        ('[[notes.templates]]\nname = "a"\nfile = "{title:x}"', "{title:x}: only date and time have a form"),
        ('[[notes.templates]]\nname = "a"\ntext = "a { b"', "the brace { stands alone; write {{ for a brace"),
        ('[[notes.templates]]\nname = "a"\nfile = "a/../../b"', "it must not leave the folder of notes (..)"),
        ('[[notes.templates]]\nname = "a"\nfile = ""', 'notes.templates[0].file = "" is not allowed: it must not be empty'),
    ],
)
def test_a_mistake_names_file_key_value_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configfile.parse(text, "c.toml")
    assert message in caught.value.message
    assert caught.value.data["file"] == "c.toml"


def test_a_file_that_is_not_utf8_or_not_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        configfile.load(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        configfile.load(tmp_path)


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=["L"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "limit", "a"]), inner, max_size=2),
    max_leaves=4,
)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower()


@given(
    st.sampled_from(["content", "index", "embedding", "search", "daemon"]),
    st.sampled_from(["path", "limit", "profiles", "model"]),
    VALUES,
)
def test_any_value_of_any_key_is_a_configuration_or_an_error_that_names_the_table(table: str, key: str, value: Any) -> None:
    try:
        configfile.parse(f"[{table}]\n{key} = {toml(value)}\n", "c.toml")
    except ConfigError as error:
        assert f"{table}.{key}" in error.message


class Applied:
    """Receives what a ConfigWatch finds."""

    def __init__(self) -> None:
        self.configs: asyncio.Queue[Config] = asyncio.Queue()
        self.problems: asyncio.Queue[str] = asyncio.Queue()

    async def apply(self, config: Config) -> None:
        await self.configs.put(config)


@pytest.fixture(params=["events", "looking"])
def noticing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are noticed by events alone where the system has them, and by looking where it has not."""
    if request.param == "looking":
        monkeypatch.setattr(inotify, "available", lambda: False)
        monkeypatch.setattr(configwatch, "LOOK_SECONDS", 0.01)
    elif not inotify.available():
        pytest.skip("inotify is Linux's")
    monkeypatch.setattr(configwatch, "RARELY_SECONDS", 3600.0)


@asynccontextmanager
async def watching(file: Path) -> AsyncIterator[Applied]:
    applied = Applied()
    task = asyncio.create_task(ConfigWatch(file, applied.apply, applied.problems.put_nowait).run())
    try:
        async with asyncio.timeout(20):
            yield applied
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("noticing")
async def test_a_configuration_is_taken_up_wherever_its_links_lead_and_as_soon_as_it_is_there(tmp_path: Path) -> None:
    file, dotfiles = tmp_path / "config/khojd/config.toml", tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "one.toml").write_text('[search]\nprofile = "broad"\n', encoding="utf-8")
    (dotfiles / "two.toml").write_text('[search]\nprofile = "recent"\n', encoding="utf-8")
    async with watching(file) as applied:
        file.parent.mkdir(parents=True)
        file.symlink_to(dotfiles / "one.toml")
        assert (await applied.configs.get()).search.profile == "broad"
        (dotfiles / "one.toml").write_text('[search]\nprofile = "precise"\n', encoding="utf-8")
        assert (await applied.configs.get()).search.profile == "precise"
        file.unlink()
        file.symlink_to(dotfiles / "two.toml")
        while (config := await applied.configs.get()) == Config():
            pass  # the moment without a file may have been seen
        assert config.search.profile == "recent"


@pytest.mark.usefixtures("noticing")
async def test_an_edit_is_taken_up_and_a_bad_one_keeps_the_last_good_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    async with watching(file) as applied:
        file.write_text('[search]\nprofile = "broad"\n', encoding="utf-8")
        assert (await applied.configs.get()).search.profile == "broad"
        assert await applied.problems.get() == ""
        replacement = tmp_path / "new"
        replacement.write_text('[search]\nprofile = "brod"\n', encoding="utf-8")
        replacement.replace(file)
        assert "the configuration stays as it was" in await applied.problems.get()
        assert applied.configs.empty()
        file.unlink()
        assert await applied.configs.get() == Config()
        assert await applied.problems.get() == ""
