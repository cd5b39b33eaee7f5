"""Writing config.toml: any table of khojd/config.py as TOML, whichever tables it holds."""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

from khojd.config import Config

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def defaults_text() -> str:
    """A complete config.toml with every key, its meaning and its default; what has no default is an example in a comment."""
    lines = ["# khojd configuration. Every key is optional; the values below are the defaults.", ""]
    for field in msgspec.structs.fields(Config):
        lines += _explained(field, ())
    return "\n".join(lines).rstrip() + "\n"


def text(config: Config) -> str:
    """`config` as a config.toml that holds every key that has a value; reading it gives `config` again."""
    return "\n".join(_written(config, ())).rstrip() + "\n"


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # TOML's basic strings are JSON's, but for one control character.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{toml(name)} = {toml(item)}" for name, item in value.items()) + " }" if value else "{}"
    return str(value)


def allowed_values(type_: Any) -> str:
    """What a value of a field's type may be, in words: "an integer, at least 1"."""
    schema = msgspec.json.schema(type_)
    schema = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    if "enum" in schema:
        return "one of " + ", ".join(toml(value) for value in schema["enum"])
    names = {"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false", "array": "an array"}
    words = names.get(schema.get("type", ""), "another value")
    bounds = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than"}
    parts = [
        f"{word} {schema[name]:g}" if abs(schema[name]) < 1e6 else f"{word} {schema[name]}"
        for name, word in bounds.items()
        if name in schema
    ]
    return ", ".join([words, " and ".join(parts)] if parts else [words])


def table_type(type_: Any) -> type[msgspec.Struct] | None:
    """The kind of table that a field holds: one, an array of them, or several by name. None for a field with plain values."""
    plain = bare(type_)
    if get_origin(plain) in (tuple, dict):
        plain = get_args(plain)[-1 if get_origin(plain) is dict else 0]
    return plain if isinstance(plain, type) and issubclass(plain, msgspec.Struct) else None


def bare(type_: Any) -> Any:
    """A type without its annotations."""
    return get_args(type_)[0] if hasattr(type_, "__metadata__") else type_


def _written(table: msgspec.Struct, path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table without its header: its own keys, then the tables in it."""
    fields = msgspec.structs.fields(table)
    own = [field for field in fields if table_type(field.type) is None and getattr(table, field.name) is not None]
    yield from (f"{field.encode_name} = {toml(getattr(table, field.name))}" for field in own)
    if path:
        yield ""
    for field in fields:
        if table_type(field.type) is None:
            continue
        value, key = getattr(table, field.name), (*path, field.encode_name)
        if isinstance(value, dict):
            for name, each in value.items():
                yield f"[{_dotted((*key, name))}]"
                yield from _written(each, (*key, name))
        elif isinstance(value, tuple):
            for each in value:
                yield f"[[{_dotted(key)}]]"
                yield from _written(each, key)
        else:
            yield f"[{_dotted(key)}]"
            yield from _written(value, key)


def _explained(field: msgspec.structs.FieldInfo, path: tuple[str, ...], comment: str = "") -> Iterator[str]:
    """The lines of a table of the defaults; one of several is an example, in comments."""
    type_ = table_type(field.type)
    assert type_ is not None, "all of the configuration stands in tables"
    key, about = (*path, field.encode_name), (type_.__doc__ or "").strip()
    several = get_origin(bare(field.type))
    if several is None:
        yield f"{comment}[{_dotted(key)}]  # {about}"
    else:
        comment = "# "
        yield f"# {_meta(field.type, 'description')}"
        if several is dict:
            key = (*key, _meta(field.type, "examples")[0])
        yield f"# [{_dotted(key)}]  # {about}" if several is dict else f"# [[{_dotted(key)}]]"
    fields = msgspec.structs.fields(type_)
    for each in fields:
        if table_type(each.type) is None:
            # What is not given has no value in TOML either.
            value = _default(each)
            mark, shown = ("# ", "[]" if "array" in allowed_values(each.type) else "0.7") if value is None else ("", toml(value))
            yield f"{comment or mark}{each.encode_name} = {shown}  # {_explain(each.type)}"
    nested = [each for each in fields if table_type(each.type) is not None]
    for each in nested:
        yield from list(_explained(each, key, comment))[:-1]
    yield ""


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return _meta(field.type, "examples")[0]
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _explain(type_: Any) -> str:
    allowed, described = allowed_values(type_), _meta(type_, "description") or ""
    if _empty_is_allowed(type_):
        allowed = allowed.replace('"", ', "")
    return f"{described}; {allowed}" if "," in allowed or allowed.startswith("one of") else described


def _empty_is_allowed(type_: Any) -> bool:
    return "" in get_args(bare(type_))


def _meta(type_: Any, name: str) -> Any:
    """What an annotation says of a field, None where none says it."""
    return next((found for meta in getattr(type_, "__metadata__", ()) if (found := getattr(meta, name, None)) is not None), None)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(name if _BARE.fullmatch(name) else toml(name) for name in path)
