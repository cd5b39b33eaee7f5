"""Which models do a job: names as the configuration has them, before any server is asked."""

import difflib
from typing import Literal

from msgspec import Struct

from khojd.config import Config
from khojd.errors import ConfigError

Job = Literal["chat", "small", "vision"]


class Ref(Struct, frozen=True):
    """A model of a configured provider. A model's own name may hold a /, a provider's does not."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def chain(config: Config, job: Job) -> tuple[Ref, ...]:
    """The models that do a job, first choice first; the chat models where the job has none of its own."""
    return tuple(_split(name) for name in getattr(config.models, job) or config.models.chat)


def named(config: Config, name: str) -> Ref:
    """The model that someone names. Raises ConfigError with what is allowed when it is not one of a configured provider."""
    ref = _split(name)
    known = list(config.providers)
    if ref.provider in config.providers and ref.model:
        return ref
    used = [*dict.fromkeys(each for job in ("chat", "small", "vision") for each in getattr(config.models, job))]
    close = [each for each in used if each.endswith(f"/{name}")]
    close = close or difflib.get_close_matches(name, used, n=1) or difflib.get_close_matches(ref.provider, known, n=1)
    meant = f"; did you mean {close[0]}? " if close else "; "
    if ref.provider in config.providers or not ref.model:
        reason = "a model is written provider/model, e.g. ollama/qwen3:8b"
    else:
        reason = f"no provider {ref.provider!r} is configured"
    configured = f"configured are {', '.join(known)}" if known else "no provider is configured; `khojd models` says how to"
    if close:
        configured = configured[0].upper() + configured[1:]
    raise ConfigError(
        f"model {name!r}: {reason}{meant}{configured}",
        key="model",
        value=name,
        allowed=known,
        closest=close[0] if close else None,
    )


def _split(name: str) -> Ref:
    provider, _, model = name.partition("/")
    return Ref(provider, model)
