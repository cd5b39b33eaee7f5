"""From the configuration to an embedder. Only the chosen embedder's modules are imported, here inside the functions."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Self

from msgspec import Struct

from khojd import config
from khojd.embed.presets import BUNDLED, PRESETS
from khojd.embed.protocol import Embedder
from khojd.errors import ConfigError
from khojd.llm.line import Line, Served, served

OFF = "off"
REMOTE = "remote"
_DEFAULT_BATCH = 4


class Choice(Struct, frozen=True):
    """All of the configuration that chooses an embedder. Two that are equal open the same one."""

    embedding: config.Embedding
    remote: Served | None = None  # the model, where it is a remote one
    problem: str = ""  # why there is no such model

    @classmethod
    def of(cls, config: config.Config) -> Self:
        if config.embedding.model != REMOTE:
            return cls(config.embedding)
        try:
            return cls(config.embedding, served(config, "embedding"))
        except ConfigError as error:
            return cls(config.embedding, problem=error.message)


def open_embedder(
    choice: Choice | config.Embedding, *, line: Line | None = None, progress: Callable[[int, int], None] | None = None
) -> Embedder | None:
    """The configured embedder, ready to use; None for `off`. Takes seconds (a download: longer), so not for an event loop.

    A remote model is asked over `line`, or over one of its own. `progress` hears of a download: bytes done, bytes in all. Raises
    ConfigError for a setting that cannot be meant, ModelError for a model that cannot be had.
    """
    choice = choice if isinstance(choice, Choice) else Choice(choice)
    settings = choice.embedding
    model = settings.model
    if model == OFF:
        return None
    if model == REMOTE:
        return _remote(choice, line)
    preset = PRESETS.get(model)
    if model == BUNDLED or (preset and preset.model == BUNDLED):
        return _bundled(settings)
    if preset is None and not _names_a_model(model):
        raise _unknown(model)
    from khojd.embed.transformers import SentenceTransformerEmbedder

    return SentenceTransformerEmbedder(
        preset.model if preset else model,
        device=settings.device,
        query_prompt=settings.query_prompt or (preset.query_prompt if preset else None) or None,
        passage_prompt=settings.passage_prompt or (preset.passage_prompt if preset else None) or None,
        batch_size=preset.batch_size if preset else _DEFAULT_BATCH,
        progress=progress,
    )


def _names_a_model(model: str) -> bool:
    """A model of the Hub is organisation/name; a single word that is no folder is a misspelt preset."""
    return "/" in model or model.startswith("~") or (model != "" and Path(model).is_dir())


def _unknown(model: str) -> ConfigError:
    full_names = {preset.model.rpartition("/")[2]: preset.model for preset in PRESETS.values()}
    allowed = list(dict.fromkeys((BUNDLED, *PRESETS, REMOTE, OFF)))
    close = difflib.get_close_matches(model.lower(), [*allowed, *full_names], n=1, cutoff=0.5)
    closest = full_names.get(close[0], close[0]) if close else ""
    hint = f"did you mean {closest!r}? " if closest else ""
    return ConfigError(
        f"embedding.model: there is no model {model!r}; {hint}"
        f"Allowed are {', '.join(allowed)}, a Hugging Face name (organisation/name) and a folder.",
        key="embedding.model",
        value=model,
        allowed=allowed,
        closest=closest,
    )


def _remote(choice: Choice, line: Line | None) -> Embedder:
    if choice.remote is None:
        message = choice.problem or 'embedding.model is "remote", and no models.embedding is given'
        raise ConfigError(message, key="models.embedding")
    from khojd.embed.remote import RemoteEmbedder

    settings = choice.embedding
    return RemoteEmbedder(choice.remote, query_prompt=settings.query_prompt, passage_prompt=settings.passage_prompt, line=line)


def _bundled(settings: config.Embedding) -> Embedder:
    if settings.device not in ("auto", "cpu"):
        raise _no_use("device", settings.device, "it runs on the CPU", ["auto", "cpu"])
    for key, value in (("query_prompt", settings.query_prompt), ("passage_prompt", settings.passage_prompt)):
        if value:
            raise _no_use(key, value, "it was trained without prompts", [""])
    from khojd.embed.onnx import BundledEmbedder

    return BundledEmbedder(settings.threads)


def _no_use(key: str, value: str, why: str, allowed: list[str]) -> ConfigError:
    message = f"embedding.{key} is {value!r}, which the bundled model has no use for ({why}); remove it or choose another model"
    return ConfigError(message, key=f"embedding.{key}", value=value, allowed=allowed)
