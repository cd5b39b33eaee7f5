"""What no single key of config.toml can know: names that must exist elsewhere in it, keys that exclude each other."""

import difflib
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from khojd.config import BUILT_IN_PERSONAS, BUILT_IN_PROFILES, TOOLS, Config, NewNotes, Provider
from khojd.configtext import toml
from khojd.errors import ConfigError, QueryError

SECRETIVE = "key_"  # keys whose name begins so may hold a secret by mistake: their values are never shown
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS = ("key_env", "key_command", "key_file", "key_keyring")


def check(config: Config, file: str) -> None:
    """Raises ConfigError, which names `file`, the key, the value and what is allowed."""
    page = _Page(file)
    _check_folders(page, config)
    if config.index.path:  # a relative one would be another, depending on where a command is given
        _check_path(page, "index.path", config.index.path)
    for index, keyword in enumerate(config.content.todo_keywords):
        if not keyword or re.search(r"[\s()]", keyword):
            page.refuse(f"content.todo_keywords[{index}]", keyword, "it must be one word, e.g. REVIEW", sign=";")
    _check_weights(page, config)
    _check_model_names(page, config)
    profiles = _all(BUILT_IN_PROFILES, config.search.profiles)
    if config.search.profile not in profiles:
        page.refuse("search.profile", config.search.profile, f"it must be one of {', '.join(profiles)}", profiles, sign=";")
    _check_notes(page, config.notes)
    for name, provider in config.providers.items():
        _check_provider(page, name, provider)
    _check_models(page, config)
    _check_personas(page, config)


class _Page:
    """The file, in errors."""

    def __init__(self, file: str) -> None:
        self.file = file

    def refuse(
        self, key: str, value: Any, reason: str, known: Sequence[str] = (), *, meant: str | None = None, sign: str = ":"
    ) -> NoReturn:
        """`known` are the values that would do; `meant` is what of `value` is compared to them. `sign` stands before the reason."""
        close = difflib.get_close_matches(str(value) if meant is None else meant, known, n=1)
        if sign == ":":
            reason += f"; did you mean {close[0]}?" if close else ";" if known else ""
            reason += f" Known are {', '.join(known)}" if known else ""
        raise ConfigError(
            f"{self.file}: {key} = {toml(value)} is not allowed{sign} {reason}",
            file=self.file,
            key=key,
            value=value,
            allowed=list(known),
            closest=close[0] if close else None,
        )

    def refuse_unseen(self, key: str, reason: str, allowed: str = "") -> NoReturn:
        """For a value that may hold a secret."""
        raise ConfigError(f"{self.file}: {key} is not allowed: {reason}", file=self.file, key=key, allowed=allowed)


def _all(built_in: Iterable[str], own: Iterable[str]) -> list[str]:
    return [*built_in, *(name for name in own if name not in set(built_in))]


def _check_path(page: _Page, key: str, path: str) -> None:
    expanded = os.path.expanduser(path)  # noqa: PTH111 - Path raises where there is no such user
    if expanded.startswith("~"):
        page.refuse(key, path, "there is no such user; one's own home is ~/", sign=":")
    if not expanded.startswith("/") and not Path(expanded).is_absolute():
        page.refuse(key, path, "it must be absolute, or start with ~", sign=";")


def _check_model_names(page: _Page, config: Config) -> None:
    """A model of the Hub is organisation/name; a single word that is no folder is a misspelt name of khojd's own."""
    values = (("embedding.model", config.embedding.model), ("search.rerank", config.search.rerank))
    for key, value in values:
        if (
            value == ("bundled" if key == "embedding.model" else "off")
            or "/" in value
            or value.startswith("~")
            or (value and Path(value).is_dir())
        ):
            continue
        from khojd.embed.factory import OFF, REMOTE
        from khojd.embed.presets import BUNDLED, PRESETS

        known = (BUNDLED, *PRESETS, REMOTE, OFF) if key == "embedding.model" else (OFF, "maxsim", REMOTE)
        if value not in known:
            page.refuse(key, value, "there is no such model; a name of the Hub is organisation/name", known)


def _check_weights(page: _Page, config: Config) -> None:
    for name, profile in config.search.profiles.items():
        for format_, weight in profile.weights.items():
            from khojd.content.registry import FORMATS

            key = f"search.profiles.{name}.weights"
            if format_ not in FORMATS:
                page.refuse(f"{key}.{format_}", weight, "there is no such type", FORMATS, meant=format_)
            if not 0 <= weight < math.inf:
                page.refuse(f"{key}.{format_}", weight, "it must be a number, at least 0", sign=";")


def _check_folders(page: _Page, config: Config) -> None:
    from khojd.sources import patterns
    from khojd.sources.folder import resolved

    file = page.file
    for index, folder in enumerate(config.folders):
        _check_path(page, f"folders[{index}].path", folder.path)
        for key, pattern, reason in patterns.mistakes(resolved(folder)):
            page.refuse(f"folders[{index}].{key}", pattern, reason)
    absolute = [os.path.abspath(os.path.expanduser(folder.path)) for folder in config.folders]  # noqa: PTH100, PTH111
    for path, times in Counter(absolute).items():
        if times > 1:
            raise ConfigError(
                f"{file}: folders: {path} is there {times} times; keep one", file=file, key="folders.path", value=path
            )


def _check_notes(page: _Page, notes: NewNotes) -> None:
    """The names and placeholders of templates."""
    from khojd import templates

    def check(key: str, value: str, how: Callable[[str], None]) -> None:
        try:
            how(value)
        except templates.Mistake as mistake:
            page.refuse(key, value, mistake.reason, mistake.allowed, meant=mistake.part or value)

    check("notes.folder", notes.folder, templates.check_path)
    seen: set[str] = set()
    for index, template in enumerate(notes.templates):
        key = f"notes.templates[{index}]"
        if not template.name.strip():
            page.refuse(f"{key}.name", template.name, "it must not be empty")
        if template.name in seen:
            page.refuse(f"{key}.name", template.name, "another template has this name")
        seen.add(template.name)
        check(f"{key}.folder", template.folder, templates.check_path)
        check(f"{key}.file", template.file, templates.check_path)
        if not template.file.strip():
            page.refuse(f"{key}.file", template.file, "it must not be empty")
        check(f"{key}.text", template.text, templates.check)
    for key, value in (("notes.template", notes.template), ("notes.daily", notes.daily)):
        if value not in templates.known(notes):
            page.refuse(key, value, "there is no such template", list(templates.known(notes)))


def _check_provider(page: _Page, name: str, provider: Provider) -> None:
    from khojd.llm.table import KINDS, PRESETS

    key = f"providers.{name}" if name else 'providers.""'
    if not name.strip() or "/" in name:
        page.refuse_unseen(key, "a provider's name must not be empty nor hold a /, for models are written provider/model")
    _check_address(page, f"{key}.base_url", provider.base_url)
    if not (provider.base_url or provider.kind or provider.preset or name in KINDS or name in PRESETS):
        known = _all(KINDS, PRESETS)
        page.refuse(f"{key}.base_url", "", f"{name} is no server that khojd knows, so it must say where it is", known, meant=name)
    if provider.preset and provider.kind not in ("", "openai"):
        page.refuse(f"{key}.preset", provider.preset, f"presets are for kind openai, and this is {provider.kind}")
    given = [each for each in _KEYS if getattr(provider, each)]
    if len(given) > 1:
        page.refuse_unseen(f"{key}.{given[1]}", f"{given[0]} is there, too; keep one of {' and '.join(given)}", given[0])
    _check_key(page, key, provider)


def _check_address(page: _Page, key: str, base_url: str) -> None:
    if not base_url:
        return
    allowed = "http:// or https:// with a host, e.g. http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        page.refuse_unseen(key, f"it must be {allowed}", allowed)
    if parts.username is not None or parts.password is not None:
        page.refuse_unseen(key, "it holds a login; give the key by key_env, key_command, key_file or key_keyring", allowed)
    if parts.query or parts.fragment:
        page.refuse_unseen(
            key, "it must end with its path, without ? and #; give a key by key_env, key_command or key_file", allowed
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x1f]", base_url):
        page.refuse(key, base_url, f"it must be {allowed}", sign=";")


def _check_key(page: _Page, key: str, provider: Provider) -> None:
    """A key that stands where its place should be named must not be shown by the error either."""
    if provider.key_env and not _VARIABLE.fullmatch(provider.key_env):
        page.refuse_unseen(f"{key}.key_env", "it must be the name of an environment variable, not the key itself")
    if provider.key_file and not provider.key_file.startswith("~") and not Path(provider.key_file).is_absolute():
        page.refuse_unseen(f"{key}.key_file", "it must be the path of a file, absolute or starting with ~, not the key itself")
    if provider.key_command and not provider.key_command[0].strip():
        page.refuse_unseen(f"{key}.key_command", "it must begin with the name of a program")
    service, _, user = provider.key_keyring.rpartition("/")
    if provider.key_keyring and not (service and user):
        page.refuse_unseen(f"{key}.key_keyring", "it must be service/user, not the key itself")


def _check_models(page: _Page, config: Config) -> None:
    models, providers = config.models, list(config.providers)

    def check(key: str, value: str) -> None:
        name, sign, model = value.partition("/")
        if not (name and sign and model.strip()):
            page.refuse(key, value, "it must be provider/model, e.g. ollama/qwen3:8b", sign=";")
        if name not in providers:
            hint = "" if providers else f"; add a table [providers.{name}]"
            page.refuse(key, value, f"no provider {toml(name)} is configured{hint}", providers, meant=name)

    for job in ("chat", "small", "vision"):
        for index, value in enumerate(getattr(models, job)):
            check(f"models.{job}[{index}]", value)
    for job in ("embedding", "rerank"):
        if value := getattr(models, job):
            check(f"models.{job}", value)
    for persona, settings in config.personas.items():
        if settings.model:
            check(f"personas.{persona}.model", settings.model)
    for switch, key in (("embedding.model", "embedding"), ("search.rerank", "rerank")):
        table, _, name = switch.partition(".")
        if getattr(getattr(config, table), name) == "remote" and not getattr(models, key):
            page.refuse(f"models.{key}", "", f'{switch} = "remote" needs it; it must be provider/model', sign=";")


def _check_personas(page: _Page, config: Config) -> None:
    known = _all(BUILT_IN_PERSONAS, config.personas)
    if config.chat.persona not in known:
        page.refuse("chat.persona", config.chat.persona, "there is no such persona", known)
    for name, persona in config.personas.items():
        if not name.strip():
            page.refuse_unseen('personas.""', "a persona's name must not be empty")
        if persona.based_on not in known:
            page.refuse(f"personas.{name}.based_on", persona.based_on, "there is no such persona", known)
        for index, tool in enumerate(persona.tools or ()):
            if tool not in TOOLS:
                page.refuse(f"personas.{name}.tools[{index}]", tool, "there is no such tool", TOOLS)
        if persona.filters.strip():
            _check_filters(page, f"personas.{name}.filters", persona.filters, config)
    for name in config.personas:
        way = [name]
        # A built-in one that is changed stands on itself, as it was.
        while (base := config.personas.get(way[-1])) and not (base.based_on == way[-1] and way[-1] in BUILT_IN_PERSONAS):
            if base.based_on in way:
                circle = " -> ".join([*way, base.based_on])
                page.refuse(f"personas.{name}.based_on", config.personas[name].based_on, f"it leads back to itself: {circle}")
            way.append(base.based_on)


def _check_filters(page: _Page, key: str, filters: str, config: Config) -> None:
    from khojd.search.query import parse

    day_first = config.content.date_order == "day-first"
    try:
        found = parse(filters, today=date.today(), first_weekday=config.search.first_weekday, day_first=day_first)
    except QueryError as error:
        page.refuse(key, filters, error.message)
    if found.text:
        page.refuse(key, filters, f"“{found.text[:60]}” is no filter; write filters like tag:work")
