"""Reading config.toml: every error names the file, the key, the value and what is allowed."""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from khojd import paths
from khojd.config import BUILT_IN_PROFILES, Config, Profile
from khojd.configcheck import SECRETIVE, check
from khojd.configtext import allowed_values, bare, table_type, toml
from khojd.errors import ConfigError


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
        raise ConfigError(f"{file}: not valid TOML: {_plain(error)}", file=file) from error
    except RecursionError as error:
        raise ConfigError(f"{file}: not valid TOML: nested too deeply", file=file) from error
    config = _Reader(file).struct(raw, Config, "")
    assert isinstance(config, Config)
    check(config, file)
    return config


def _plain(error: tomllib.TOMLDecodeError) -> str:
    """What the parser says, with the name of a table as it is written: a.b where it has Python's ('a', 'b')."""
    return re.sub(r"\(((?:'[^']*',? ?)+)\)", lambda found: "[" + ".".join(re.findall("'([^']*)'", found[1])) + "]", str(error))


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
        plain = bare(type_)
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            return self.struct(raw, plain, key)
        arguments = get_args(plain)
        if get_origin(plain) is tuple:
            if not isinstance(raw, list):
                example = f": [{toml(raw)}]" if isinstance(raw, str) and not _secretive(key) else ""
                allowed = "an array of tables, [[" + key + "]]" if table_type(type_) else f"an array{example}"
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
        if _secretive(key):
            return ConfigError(
                f"{self._file}: {key} is not allowed; it must be {allowed}", file=self._file, key=key, allowed=allowed
            )
        shown = value if isinstance(value, str | int | float | bool) else str(value)
        return ConfigError(
            f"{self._file}: {key} = {toml(value)} is not allowed; it must be {allowed}",
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


def _secretive(key: str) -> bool:
    return key.rpartition(".")[2].startswith(SECRETIVE)


def _completed(name: str, profile: Profile, given: dict[str, Any]) -> Profile:
    """A profile with a built-in one's name changes only the keys that it gives."""
    built_in = BUILT_IN_PROFILES.get(name, Profile())
    return msgspec.structs.replace(built_in, **{key: getattr(profile, key) for key in given})


def _keys(type_: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(type_)]


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _and(words: list[str]) -> str:
    return ", ".join(words)
