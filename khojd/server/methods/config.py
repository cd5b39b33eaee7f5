"""khoj/config/*: what is in force, and whether a text would be."""

import asyncio
import re
from typing import Any

import msgspec

from khojd.configfile import parse
from khojd.errors import ConfigError
from khojd.server import types
from khojd.server.method import Method
from khojd.server.session import Session

_SECRET = re.compile(r"(^|_)(key|token|secret|password)s?$")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")  # user:password@ of an URL
HIDDEN = "(hidden)"


async def get(session: Session, _: types.NoParams) -> types.ConfigResult:
    file = session.host.config_path
    return types.ConfigResult(
        file=str(file),
        exists=await asyncio.to_thread(file.exists),
        index=str(session.host.index),
        config=without_secrets(msgspec.to_builtins(session.engine.config)),
    )


def without_secrets(value: Any, key: str = "") -> Any:
    """`value` with every secret in it replaced: what a key names so, and the login of an URL."""
    if isinstance(value, dict):
        return {name: without_secrets(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        if key == "key_command" and value:
            return [value[0], *(HIDDEN for _ in value[1:])]  # an argument may be the key itself
        return [without_secrets(item, key) for item in value]
    if isinstance(value, str) and value:
        return HIDDEN if _SECRET.search(key) else _LOGIN.sub(f"{HIDDEN}@", value)
    return value


async def validate(session: Session, params: types.ValidateParams) -> types.ValidateResult:
    """Say what is wrong with a text, without putting it in force."""
    try:
        await asyncio.to_thread(parse, params.text, str(session.host.config_path))
    except ConfigError as error:
        allowed = error.data.get("allowed") or ""
        problem = types.Problem(
            message=error.message,
            key=str(error.data.get("key") or ""),
            allowed=", ".join(allowed) if isinstance(allowed, list | tuple) else str(allowed),
            closest=str(error.data.get("closest") or ""),
        )
        return types.ValidateResult(valid=False, problems=(problem,))
    return types.ValidateResult(valid=True, problems=())


METHODS = (
    Method("khoj/config/get", types.NoParams, types.ConfigResult, get),
    Method("khoj/config/validate", types.ValidateParams, types.ValidateResult, validate),
)
