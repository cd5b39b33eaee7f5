"""The configured model servers and the models that do a job; nothing is asked where none is configured."""

import asyncio
from collections.abc import Iterator

from khojd.config import Config
from khojd.daemon.client import Client
from khojd.doctor.check import Check
from khojd.errors import KhojdError
from khojd.llm.model import Health
from khojd.llm.overview import overview
from khojd.llm.router import Router
from khojd.server.types_models import ModelsHealthParams, ModelsHealthResult, ModelsParams, ModelsResult

_FIX = "do as it says; answers come from the next model of models.chat, else they are passages of the notes"


def examine(config: Config, session: Client | None) -> Iterator[Check]:
    """`session` is the daemon, if one runs: it has the environment that keys are taken from."""
    if not config.providers:
        return
    try:
        health, problems = _asked(session) if session is not None else asyncio.run(_look(config))
    except KhojdError as error:
        yield Check("servers", "warn", f"not examined: {error.message}", "look at the daemon's log")
        return
    for name, each in health.items():
        if each.ok:
            yield Check("servers", "ok", f"{name}: {each.message}, {each.latency_ms:.0f} ms")
        else:
            yield Check("servers", "warn", each.message, _FIX)
    for problem in problems:
        yield Check("models", "warn", problem, "correct its name in [models], or have the server load it: `khojd models pull`")


def _asked(session: Client) -> tuple[dict[str, Health], list[str]]:
    """The health of each server, and what is wrong with models that do a job."""
    answers = session.call("khoj/models/health", ModelsHealthParams(), ModelsHealthResult).providers
    listed = session.call("khoj/models/list", ModelsParams(), ModelsResult).providers
    health = {each.name: Health(each.ok, each.message, each.latency_ms) for each in answers}
    return health, [model.problem for provider in listed for model in provider.models if model.problem]


async def _look(config: Config) -> tuple[dict[str, Health], list[str]]:
    router = Router(config)
    try:
        health = await router.health()
        known = await overview(router)
    finally:
        await router.close()
    return health, [model.problem for provider in known for model in provider.models if model.problem]
