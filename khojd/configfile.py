"""Reading config.toml: every error names the file, the key, the value and what is allowed."""

import difflib
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin

import msgspec

from khojd import paths
from khojd.config import BUILT_IN_PROFILES, Config, NewNotes, Profile, Template
from khojd.errors import ConfigError

_NESTED = ("profiles", "templates")  # keys that are tables of their own


def load(path: Path | None = None) -> Config:
    """The configuration in `path` (by default the user's own); the defaults when there is no such file. Raises ConfigError."""
    file = path or paths.config_file()
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {(error.strerror or str(error)).lower()}", file=str(file)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 (byte {error.start}); TOML files are", file=str(file)) from error
    return parse(text, str(file))


def parse(text: str, file: str) -> Config:
    """The configuration that `text` holds; `file` is its name in errors. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}", file=file) from error
    except RecursionError as error:
        raise ConfigError(f"{file}: not valid TOML: nested too deeply", file=file) from error
    config = _Reader(file).struct(raw, Config, "")
    assert isinstance(config, Config)
    _check(config, file)
    return config


class _Reader:
    """Converts TOML values piece by piece, so that an error knows the exact key."""

    def __init__(self, file: str) -> None:
        self._file = file

    def struct(self, raw: Any, type_: type[msgspec.Struct], key: str) -> msgspec.Struct:
        if not isinstance(raw, dict):
            raise self._error(key, raw, f"a table with {_and(_keys(type_))}")
        fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
        for name in raw:
            if name not in fields:
                raise self._unknown(_join(key, name), name, list(fields))
        for field in fields.values():
            if field.required and field.encode_name not in raw:
                raise ConfigError(
                    f"{self._file}: {key or 'the file'} lacks the key {field.encode_name!r}",
                    file=self._file,
                    key=_join(key, field.encode_name),
                )
        return type_(
            **{field.name: self._value(raw[name], field.type, _join(key, name)) for name, field in fields.items() if name in raw}
        )

    def _value(self, raw: Any, type_: Any, key: str) -> Any:
        plain = get_args(type_)[0] if hasattr(type_, "__metadata__") else type_
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            return self.struct(raw, plain, key)
        arguments = get_args(plain)
        if get_origin(plain) is tuple:
            if not isinstance(raw, list):
                allowed = "an array of tables, [[" + key + "]]" if _is_struct(arguments[0]) else "an array"
                raise self._error(key, raw, allowed)
            return tuple(self._value(item, arguments[0], f"{key}[{index}]") for index, item in enumerate(raw))
        if get_origin(plain) is dict:
            if not isinstance(raw, dict):
                raise self._error(key, raw, "a table")
            values = {name: self._value(item, arguments[1], _join(key, name)) for name, item in raw.items()}
            return {
                name: _completed(name, value, raw[name]) if isinstance(value, Profile) else value for name, value in values.items()
            }
        try:
            return msgspec.convert(raw, type_)
        except msgspec.ValidationError as error:
            raise self._error(key, raw, allowed_values(type_)) from error

    def _error(self, key: str, value: Any, allowed: str) -> ConfigError:
        shown = value if isinstance(value, str | int | float | bool) else str(value)
        return ConfigError(
            f"{self._file}: {key} = {_toml(value)} is not allowed; it must be {allowed}",
            file=self._file,
            key=key,
            value=shown,
            allowed=allowed,
        )

    def _unknown(self, key: str, name: str, known: list[str]) -> ConfigError:
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ";"
        return ConfigError(
            f"{self._file}: unknown key {key}{meant} Known here: {_and(known)}",
            file=self._file,
            key=key,
            allowed=known,
            closest=close[0] if close else None,
        )


def _completed(name: str, profile: Profile, given: dict[str, Any]) -> Profile:
    """A profile with a built-in one's name changes only the keys that it gives."""
    built_in = BUILT_IN_PROFILES.get(name, Profile())
    return msgspec.structs.replace(built_in, **{key: getattr(profile, key) for key in given})


def allowed_values(type_: Any) -> str:
    """What a value of a field's type may be, in words: "an integer, at least 1"."""
    schema = msgspec.json.schema(type_)
    if "enum" in schema:
        return "one of " + ", ".join(_toml(value) for value in schema["enum"])
    names = {"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false"}
    text = names.get(schema.get("type", ""), "another value")
    bounds = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than"}
    parts = [
        f"{word} {schema[name]:g}" if abs(schema[name]) < 1e6 else f"{word} {schema[name]}"
        for name, word in bounds.items()
        if name in schema
    ]
    return ", ".join([text, " and ".join(parts)] if parts else [text])


def _check(config: Config, file: str) -> None:
    """What no single field can know."""
    for index, folder in enumerate(config.folders):
        key = f"folders[{index}].path"
        if not folder.path.startswith(("/", "~")) and not Path(folder.path).is_absolute():
            raise ConfigError(
                f'{file}: {key} = "{folder.path}" is not allowed; it must be absolute, or start with ~',
                file=file,
                key=key,
                value=folder.path,
            )
    absolute = [os.path.abspath(os.path.expanduser(folder.path)) for folder in config.folders]  # noqa: PTH100, PTH111
    for path, times in Counter(absolute).items():
        if times > 1:
            raise ConfigError(
                f"{file}: folders: {path} is there {times} times; keep one", file=file, key="folders.path", value=path
            )
    profiles = [*BUILT_IN_PROFILES, *(name for name in config.search.profiles if name not in BUILT_IN_PROFILES)]
    if config.search.profile not in profiles:
        close = difflib.get_close_matches(config.search.profile, profiles, n=1)
        raise ConfigError(
            f'{file}: search.profile = "{config.search.profile}" is not allowed; it must be one of {", ".join(profiles)}',
            file=file,
            key="search.profile",
            value=config.search.profile,
            allowed=profiles,
            closest=close[0] if close else None,
        )
    _check_notes(config.notes, file)
    from khojd.sources.rules import Rules

    for folder in config.folders:
        try:
            Rules(folder)
        except ConfigError as error:
            raise ConfigError(f"{file}: {error.message}", **{**error.data, "file": file}) from error


def _check_notes(notes: NewNotes, file: str) -> None:
    """The names and placeholders of templates."""
    from khojd import templates

    def refuse(key: str, value: str, reason: str, allowed: Sequence[str] = (), part: str = "") -> NoReturn:
        close = difflib.get_close_matches(part or value, allowed, n=1)
        meant = f"; did you mean {close[0]}?" if close else ";" if allowed else ""
        known = f" Known are {_and(list(allowed))}" if allowed else ""
        raise ConfigError(
            f"{file}: {key} = {_toml(value)} is not allowed: {reason}{meant}{known}",
            file=file,
            key=key,
            value=value,
            allowed=list(allowed),
            closest=close[0] if close else None,
        )

    def check(key: str, value: str, how: Callable[[str], None]) -> None:
        try:
            how(value)
        except templates.Mistake as mistake:
            refuse(key, value, mistake.reason, mistake.allowed, mistake.part)

    check("notes.folder", notes.folder, templates.check_path)
    seen: set[str] = set()
    for index, template in enumerate(notes.templates):
        key = f"notes.templates[{index}]"
        if not template.name.strip():
            refuse(f"{key}.name", template.name, "it must not be empty")
        if template.name in seen:
            refuse(f"{key}.name", template.name, "another template has this name")
        seen.add(template.name)
        check(f"{key}.folder", template.folder, templates.check_path)
        check(f"{key}.file", template.file, templates.check_path)
        if not template.file.strip():
            refuse(f"{key}.file", template.file, "it must not be empty")
        check(f"{key}.text", template.text, templates.check)
    for key, value in (("notes.template", notes.template), ("notes.daily", notes.daily)):
        if value not in templates.known(notes):
            refuse(key, value, "there is no such template", list(templates.known(notes)))


def defaults_text() -> str:
    """A complete config.toml with every key, its meaning and its default; keys without a default are examples in comments."""
    lines = ["# khojd configuration. Every key is optional; the values below are the defaults.", ""]
    for field in msgspec.structs.fields(Config):
        lines += _folders() if field.name == "folders" else _table(field.name, _plain(field.type), field.default_factory())
    return "\n".join(lines).rstrip() + "\n"


def text(config: Config) -> str:
    """`config` as a config.toml that holds every key; reading it gives `config` again."""
    lines: list[str] = []
    for folder in config.folders:
        lines += ["[[folders]]", *_assignments(folder), ""]
    for field in msgspec.structs.fields(Config):
        if field.name != "folders":
            table = getattr(config, field.name)
            lines += [f"[{field.name}]", *_assignments(table), ""]
            for name, profile in getattr(table, "profiles", {}).items():
                lines += [f"[search.profiles.{_toml(name)}]", *_assignments(profile), ""]
            for template in getattr(table, "templates", ()):
                lines += ["[[notes.templates]]", *_assignments(template), ""]
    return "\n".join(lines).rstrip() + "\n"


def _assignments(table: msgspec.Struct) -> list[str]:
    names = [field.name for field in msgspec.structs.fields(table) if field.name not in _NESTED]
    return [f"{name} = {_toml(getattr(table, name))}" for name in names]


def _folders() -> list[str]:
    from khojd.config import Folder

    return ["# The folders of notes; one such table for each.", "# [[folders]]", *_examples(Folder, '"~/notes"'), ""]


def _examples(type_: type[msgspec.Struct], required: str) -> list[str]:
    """The keys of a table of which there can be several, in comments; `required` is the example for the key that is."""
    return [
        f"# {field.name} = {required if field.required else _toml(field.default)}  # {_description(field.type)}"
        for field in msgspec.structs.fields(type_)
    ]


def _table(name: str, type_: type[msgspec.Struct], defaults: Any) -> list[str]:
    lines = [f"[{name}]  # {(type_.__doc__ or '').strip()}"]
    nested: list[str] = []
    for field in msgspec.structs.fields(type_):
        value = getattr(defaults, field.name)
        if field.name == "profiles":
            nested = [f"# {_description(field.type)}", "# [search.profiles.mine]"]
            nested += [
                f"# {f.name} = {_toml(getattr(Profile(), f.name))}  # {_explain(f.type)}" for f in msgspec.structs.fields(Profile)
            ]
        elif field.name == "templates":
            nested = [f"# {_description(field.type)}", "# [[notes.templates]]", *_examples(Template, '"meeting"')]
        else:
            lines.append(f"{field.name} = {_toml(value)}  # {_explain(field.type)}")
    return [*lines, *nested, ""]


def _explain(type_: Any) -> str:
    allowed = allowed_values(type_)
    described = _description(type_)
    return (
        described
        if allowed in ("a string", "another value", "true or false", "an integer", "a number")
        else f"{described}; {allowed}"
    )


def _description(type_: Any) -> str:
    return next((meta.description for meta in getattr(type_, "__metadata__", ()) if getattr(meta, "description", None)), "")


def _plain(type_: Any) -> Any:
    return get_args(type_)[0] if hasattr(type_, "__metadata__") else type_


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _keys(type_: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(type_)]


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _and(words: list[str]) -> str:
    return ", ".join(words)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()  # TOML's basic strings are JSON's, for what stands here
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(name)} = {_toml(item)}" for name, item in value.items()) + " }" if value else "{}"
    return str(value)
