"""config.toml: what is read, and what every mistake says."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khojd import configfile, configtext, configwatch
from khojd.config import TOOLS, Config, Folder, ModelSettings, Persona, Profile, Provider, Search
from khojd.configwatch import ConfigWatch
from khojd.content.registry import FORMATS
from khojd.errors import ConfigError
from khojd.sources import inotify


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert configfile.load(tmp_path / "none.toml") == Config()


def test_the_file_is_found_by_xdg_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "khojd").mkdir()
    (tmp_path / "khojd/config.toml").write_text('[search]\nprofile = "recent"\n', encoding="utf-8")
    assert configfile.load().search.profile == "recent"


def every_key(table: type[msgspec.Struct]) -> set[str]:
    keys = set()
    for field in msgspec.structs.fields(table):
        keys.add(field.encode_name)
        if inner := configtext.table_type(field.type):
            keys |= every_key(inner)
    return keys


def test_the_defaults_text_is_a_configuration_and_names_every_key() -> None:
    text = configtext.defaults_text()
    assert configfile.parse(text, "defaults") == Config()
    named = set(re.findall(r"^(?:# )?(\w+) = ", text, flags=re.MULTILINE))
    named |= {word for header in re.findall(r"^(?:# )?\[+([\w.]+)", text, flags=re.MULTILINE) for word in header.split(".")}
    assert every_key(Config) <= named


def test_the_examples_of_the_defaults_text_are_a_configuration_too() -> None:
    lines = configtext.defaults_text().splitlines()
    said = [line.removeprefix("# ") for line in lines if re.match(r"(# )?(\w+ = |\[)", line)]
    config = configfile.parse("\n".join(said), "examples")
    assert config.folders == (Folder(path="~/notes"),)
    assert config.providers["ollama"].models.keys() == {"qwen3:8b"}
    assert config.personas.keys() == {"mine"}


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=8).filter(str.strip)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MODELS = st.builds(ModelSettings, context=st.integers(0, 10**7), temperature=st.none() | st.floats(0, 2), thinking=st.just("off"))
PROVIDERS = st.builds(
    Provider,
    base_url=st.just("http://127.0.0.1:1"),
    idle_seconds=st.floats(0, exclude_min=True, allow_infinity=False),
    keep_alive=WORDS,
    key_command=st.lists(WORDS.filter(str.strip), max_size=2).map(tuple),
    models=st.dictionaries(WORDS, MODELS, max_size=2),
)
PERSONAS = st.builds(
    Persona,
    prompt=WORDS,
    tools=st.none() | st.lists(st.sampled_from(TOOLS), max_size=2).map(tuple),
    style=st.sampled_from(["", "concise"]),
)


@given(
    st.builds(
        Config,
        providers=st.dictionaries(NAMES, PROVIDERS, max_size=2),
        personas=st.dictionaries(NAMES, PERSONAS, max_size=2),
        folders=st.just((Folder("/n", exclude=('a "b"',)),)),
        search=st.builds(
            Search,
            profiles=st.dictionaries(WORDS, st.builds(Profile, weights=st.dictionaries(st.sampled_from(FORMATS), st.floats(0, 9)))),
        ),
    )
)
def test_what_is_in_force_reads_back_as_it_was_written(config: Config) -> None:
    assert configfile.parse(configtext.text(config), "written") == config


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
        (
            "[search.profiles.x.weights]\nmarkdon = 2.0",
            "search.profiles.x.weights.markdon = 2.0 is not allowed: there is no such type; did you mean markdown? Known are org,",
        ),
        ("[search.profiles.x]\nweights = {org = -1.0}", "search.profiles.x.weights.org = -1.0 is not allowed; it must be a number"),
        ("[search.profiles.x]\nweights = {org = nan}", "search.profiles.x.weights.org = nan is not allowed; it must be a number"),
        ('[index]\npath = "notes/index"', 'index.path = "notes/index" is not allowed; it must be absolute, or start with ~'),
        ('[content]\ntodo_keywords = ["A", "B C"]', 'content.todo_keywords[1] = "B C" is not allowed; it must be one word'),
        ('[content]\ntodo_keywords = ["WAIT(w)"]', 'content.todo_keywords[0] = "WAIT(w)" is not allowed; it must be one word'),
        ("folders = 3", "folders = 3 is not allowed; it must be an array of tables"),
        ('[models]\nchat = "a/b"', 'models.chat = "a/b" is not allowed; it must be an array: ["a/b"]'),
        ("[search]\n[search]", "c.toml: not valid TOML: Cannot declare [search] twice (at line 2, column 8)"),
        ("[a.b]\nc = 1\n[a.b.c.d]", "c.toml: not valid TOML: Cannot overwrite a value"),
        ('[[folders]]\ninclude = ["a"]', "folders[0] lacks the key 'path'"),
        ('[[folders]]\npath = "notes"', 'folders[0].path = "notes" is not allowed; it must be absolute, or start with ~'),
        ('[[folders]]\npath = "/n"\n[[folders]]\npath = "/n/"', "folders: /n is there 2 times"),
        ('[[folders]]\npath = "~nobody-of-us/n"', 'folders[0].path = "~nobody-of-us/n" is not allowed: there is no such user'),
        ('[index]\npath = "~nobody-of-us/n"', 'index.path = "~nobody-of-us/n" is not allowed: there is no such user'),
        ('[[folders]]\npath = "/n"\nexclude = ["a", "!"]', 'c.toml: folders[0].exclude[1] = "!" is not allowed: it is empty'),
        (
            '[[folders]]\npath = "/m"\n[[folders]]\npath = "/n"\ninclude = ["["]',
            "folders[1].include[0] = \"[\" is not allowed: it has a [ without ]; write '\\[' for the character itself. Allowed are",
        ),
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
        ("providers = 3", "providers = 3 is not allowed; it must be a table"),
        ("[providers.ollama]\nkeepalive = 3", "unknown key providers.ollama.keepalive; did you mean keep_alive?"),
        (
            '[providers.ollama]\nkind = "olama"',
            'kind = "olama" is not allowed; it must be one of "", "anthropic", "google", "ollama"',
        ),
        (
            '[providers.ollama.models."qwen3:8b"]\ntemperature = 3',
            "providers.ollama.models.qwen3:8b.temperature = 3 is not allowed; it must be a number, at least 0 and at most 2",
        ),
        ('[providers."a/b"]', "providers.a/b is not allowed: a provider's name must not be empty nor hold a /"),
        ('[providers.""]', "a provider's name must not be empty nor hold a /"),
        (
            "[providers.vlm]",
            'providers.vlm.base_url = "" is not allowed: vlm is no server that khojd knows, so it must say where it is',
        ),
        (
            "[providers.vlm]",
            "it must say where it is; did you mean vllm? Known are ollama, openai, anthropic, google, vllm, llama-cpp",
        ),
        (
            '[providers.x]\nbase_url = "127.0.0.1:80"',
            'base_url = "127.0.0.1:80" is not allowed; it must be http:// or https:// with',
        ),
        ('[providers.x]\nbase_url = "http://"', 'providers.x.base_url = "http://" is not allowed; it must be http:// or https://'),
        (
            '[providers.x]\nbase_url = "http://[::1"',
            "providers.x.base_url is not allowed: it must be http:// or https:// with a host",
        ),
        (
            '[providers.x]\nkind = "ollama"\npreset = "vllm"',
            'preset = "vllm" is not allowed: presets are for kind openai, and this is ollama',
        ),
        (
            '[providers.x]\nkind = "openai"\nkey_env = "A"\nkey_file = "/k"',
            "providers.x.key_file is not allowed: key_env is there, too; keep one of key_env and key_file",
        ),
        (
            '[providers.ollama]\n[models]\nchat = ["olama/x"]',
            'models.chat[0] = "olama/x" is not allowed: no provider "olama" is configured; did you mean ollama? Known are ollama',
        ),
        ('[models]\nsmall = ["a/x"]', 'no provider "a" is configured; add a table [providers.a]'),
        ('[providers.ollama]\n[models]\nchat = ["x"]', 'models.chat[0] = "x" is not allowed; it must be provider/model'),
        ('[providers.ollama]\n[models]\nembedding = "ollama/"', 'models.embedding = "ollama/" is not allowed; it must be provider'),
        ('[embedding]\nmodel = "remote"', 'models.embedding = "" is not allowed; embedding.model = "remote" needs it'),
        (
            '[search]\nrerank = "maxsin"',
            'search.rerank = "maxsin" is not allowed: there is no such model; a name of the Hub is org',
        ),
        ('[search]\nrerank = "bundled"', "Known are off, maxsim, remote"),
        (
            '[embedding]\nmodel = "blanced"',
            "organisation/name; did you mean balanced? Known are bundled, fast, balanced, high-quality",
        ),
        ('[search]\nrerank = "remote"', 'models.rerank = "" is not allowed; search.rerank = "remote" needs it'),
        ('[chat]\npersona = "riter"', 'chat.persona = "riter" is not allowed: there is no such persona; did you mean writer?'),
        ('[personas.a]\nbased_on = "b"', 'personas.a.based_on = "b" is not allowed: there is no such persona;'),
        ('[personas.a]\nmodel = "z/y"', 'personas.a.model = "z/y" is not allowed: no provider "z" is configured'),
        (
            "[personas.a]\nfilters = 'file:\"['",
            'personas.a.filters = "file:\\"[" is not allowed: ',
        ),
        ("[personas.a]\nfilters = 'date:soonish'", "personas.a.filters"),
        ("[personas.a]\nfilters = 'tag:work wrok'", "“wrok” is no filter; write filters like tag:work"),
        ("[personas.a]\ntools = 3", "personas.a.tools = 3 is not allowed; it must be an array"),
        (
            '[personas.a]\ntools = ["read_note", "serch_notes"]',
            'c.toml: personas.a.tools[1] = "serch_notes" is not allowed: there is no such tool; did you mean search_notes?'
            " Known are search_notes, grep_notes,",
        ),
        ('[personas.a]\nbased_on = "a"', 'personas.a.based_on = "a" is not allowed: it leads back to itself: a -> a'),
        ('[personas.a]\nbased_on = "b"\n[personas.b]\nbased_on = "a"', "it leads back to itself: a -> b -> a"),
        ('[personas.default]\nbased_on = "a"\n[personas.a]', "it leads back to itself: default -> a -> default"),
    ],
)
def test_a_mistake_names_file_key_value_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configfile.parse(text, "c.toml")
    assert message in caught.value.message
    assert caught.value.data["file"] == "c.toml"


SECRET = "sk-4f9a0c77"


@pytest.mark.parametrize(
    "text",
    [
        f'base_url = "https://me:{SECRET}@example.org/v1"',
        f'base_url = "https://{SECRET}@example.org/v1"',
        f'base_url = "https://example.org/v1?key={SECRET}"',
        f'key_env = "{SECRET}"',
        f'key_file = "{SECRET}"',
        f'key_keyring = "{SECRET}"',
        f'key_command = "{SECRET}"',
        f'key_command = ["", "{SECRET}"]',
        f'key_env = ["{SECRET}"]',
        f'key_env = "A"\nkey_command = ["echo", "{SECRET}"]',
        f'key = "{SECRET}"',
        f'api_key = "{SECRET}"',
    ],
)
def test_a_key_in_the_wrong_place_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configfile.parse(f'[providers.x]\nkind = "openai"\n{text}\n', "c.toml")
    assert SECRET not in caught.value.message
    assert SECRET not in str(caught.value.data)


def test_a_built_in_persona_may_be_changed_and_built_upon() -> None:
    text = '[personas.default]\nstyle = "concise"\n[personas.mine]\n[chat]\npersona = "mine"\n'
    assert configfile.parse(text, "c.toml").personas["default"].style == "concise"


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
        async with asyncio.timeout(60):
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
        assert (await applied.configs.get()).search.profile == "recent"


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


@pytest.mark.usefixtures("noticing")
async def test_a_file_that_is_emptied_leaves_the_configuration_in_force_until_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[search]\nprofile = "broad"\n', encoding="utf-8")
    async with watching(file) as applied:
        file.write_bytes(b"")
        assert await applied.problems.get() == f"the configuration stays as it was: {file} is empty"
        assert applied.configs.empty()
        file.write_text('[search]\nprofile = "recent"\n', encoding="utf-8")
        assert (await applied.configs.get()).search.profile == "recent"
        assert await applied.problems.get() == ""


@pytest.mark.usefixtures("noticing")
async def test_a_file_that_goes_away_leaves_the_configuration_in_force_until_it_is_back(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[search]\nprofile = "broad"\n', encoding="utf-8")
    async with watching(file) as applied:
        file.rename(tmp_path / "config.toml~")
        assert await applied.problems.get() == f"the configuration stays as it was: {file} is not there"
        assert applied.configs.empty()
        file.write_text('[search]\nprofile = "recent"\n', encoding="utf-8")
        assert (await applied.configs.get()).search.profile == "recent"
        assert await applied.problems.get() == ""
