"""What is configured and what is there: providers, their models, and which job each does."""

import asyncio
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from khojd import config
from khojd.config import Config, ModelSettings
from khojd.errors import ProviderError
from khojd.llm import table
from khojd.llm.discovery import Found
from khojd.llm.model import ModelInfo
from khojd.llm.presets import USUAL, usual_address
from khojd.llm.router import Router

Task = Literal["chat", "small", "vision", "embedding", "rerank"]
TASKS: Final[tuple[Task, ...]] = ("chat", "small", "vision", "embedding", "rerank")


class KnownModel(Struct, frozen=True):
    """A model that a server has, or that the configuration names. problem: why it cannot do its jobs, for people."""

    info: ModelInfo
    settings: ModelSettings
    jobs: tuple[Task, ...] = ()
    problem: str = ""


class KnownProvider(Struct, frozen=True):
    """problem: why its models are not known, for people. Models with jobs come first."""

    name: str
    kind: str
    preset: str
    base_url: str  # "" when it is the usual one and the provider cannot be opened
    local: bool
    models: tuple[KnownModel, ...]
    problem: str = ""


def jobs_of(settings: Config) -> dict[Task, tuple[str, ...]]:
    """The models of each job, first choice first, as provider/model."""
    models = settings.models
    named = {task: getattr(models, task) for task in TASKS}
    return {task: (value,) if isinstance(value, str) and value else tuple(value) for task, value in named.items()}


async def overview(router: Router) -> tuple[KnownProvider, ...]:
    """Each configured provider is asked for its models, and for a description of those that do a job; all at once."""
    providers = router.config.providers
    return tuple(await asyncio.gather(*(_provider(name, each, router) for name, each in providers.items())))


async def _provider(name: str, settings: config.Provider, router: Router) -> KnownProvider:
    jobs: dict[str, list[Task]] = {}
    for task, models in jobs_of(router.config).items():
        for model in models:
            provider, _, own_name = model.partition("/")
            if provider == name:
                jobs.setdefault(own_name, []).append(task)
    base_url, problem = settings.base_url, ""
    listed: tuple[ModelInfo, ...] = ()
    try:
        async with router.provider(name) as opened:
            base_url = opened.base_url
        answer = (await router.models(name))[name]
        if isinstance(answer, ProviderError):
            raise answer
        listed = answer
    except ProviderError as error:
        problem = error.message
    # A server that does not answer is not asked again for each of its models.
    used = [(ModelInfo(model), "") if problem else await _used(router, name, model) for model in jobs]
    others = [(info, "") for info in listed if info.name not in jobs]
    known = [
        KnownModel(info, settings.models.get(info.name, ModelSettings()), tuple(jobs.get(info.name, ())), wrong)
        for info, wrong in (*used, *others)
    ]
    kind, preset = table.kind_of(name, settings), table.preset_of(name, settings)
    return KnownProvider(name, kind, preset, base_url, table.is_local(base_url), tuple(known), problem)


async def _used(router: Router, provider: str, model: str) -> tuple[ModelInfo, str]:
    try:
        return await router.info(provider, model), ""
    except ProviderError as error:
        return ModelInfo(model), error.message


def configured_at(base_url: str, settings: Config) -> bool:
    """Whether a provider is configured that asks this server of this machine."""
    addresses = {_place(each.base_url or usual_address(name, each)) for name, each in settings.providers.items()}
    return _place(base_url) in addresses


def lines(found: Found, settings: Config) -> str:
    """What to put into config.toml so that a server is used; with a chat model where none is chosen yet."""
    name, number = found.name, 2
    while name in settings.providers:
        name, number = f"{found.name}-{number}", number + 1
    text = [f"[providers.{name}]"]
    if name != found.name:
        text.append(f'kind = "{found.name}"' if found.name in table.KINDS else f'preset = "{found.name}"')
    if _place(found.base_url) != _place(USUAL[found.name]):
        text.append(f"base_url = {_quoted(found.base_url)}")
    if found.wants_key:
        text.append('key_env = "NAME_OF_A_VARIABLE"  # it wants a key; or key_file, key_command, key_keyring')
    if found.chat_model and not settings.models.chat:
        text += ["", "[models]", f"chat = [{_quoted(f'{name}/{found.chat_model}')}]"]
    return "\n".join(text)


def _place(base_url: str) -> tuple[str, int | None]:
    """Host and port, the names of this machine taken as one."""
    parts = urlsplit(base_url)
    return ("localhost" if table.is_local(base_url) else parts.hostname or "", parts.port)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
