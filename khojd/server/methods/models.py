"""khoj/models/*: the configured model servers, what they have, how they are, and having one download a model."""

from contextlib import aclosing

from khojd.llm import overview
from khojd.server.method import Method
from khojd.server.progress import Work
from khojd.server.session import Session
from khojd.server.types_models import (
    FoundServer,
    ModelsHealthParams,
    ModelsHealthResult,
    ModelsParams,
    ModelsResult,
    ModelStatus,
    ProviderHealth,
    ProviderStatus,
    PullParams,
    PullResult,
)


async def list_models(session: Session, params: ModelsParams) -> ModelsResult:
    """What the configured servers have. Each is asked; one that does not answer says why in its `problem`."""
    known = await overview.overview(session.host.router)
    return ModelsResult(
        providers=tuple(map(provider_status, known)),
        jobs={task: models for task, models in overview.jobs_of(session.host.router.config).items() if models},
        found=await _found(session) if params.discover else (),
    )


def provider_status(known: overview.KnownProvider) -> ProviderStatus:
    """A provider as it goes over the wire."""
    return ProviderStatus(
        name=known.name,
        kind=known.kind,
        preset=known.preset,
        base_url=known.base_url,
        local=known.local,
        problem=known.problem,
        models=tuple(
            ModelStatus(
                name=f"{known.name}/{model.info.name}",
                capabilities=tuple(sorted(model.info.capabilities)),
                context=model.info.context,
                max_output=model.info.max_output,
                dimensions=model.info.dimensions,
                detail=model.info.detail,
                price_prompt=model.settings.price_prompt,
                price_answer=model.settings.price_answer,
                jobs=model.jobs,
                problem=model.problem,
            )
            for model in known.models
        ),
    )


async def _found(session: Session) -> tuple[FoundServer, ...]:
    from khojd.llm import discovery

    settings = session.host.router.config
    return tuple(
        FoundServer(title=each.title, base_url=each.base_url, models=each.models, lines=overview.lines(each, settings))
        for each in await discovery.find(discovery.PORTS)
        if not overview.configured_at(each.base_url, settings)
    )


async def health(session: Session, params: ModelsHealthParams) -> ModelsHealthResult:
    """Ask each configured server one cheap question."""
    answers = await session.host.router.health(params.provider)
    return ModelsHealthResult(
        providers=tuple(
            ProviderHealth(name=name, ok=answer.ok, message=answer.message, latency_ms=answer.latency_ms)
            for name, answer in answers.items()
        )
    )


async def pull(session: Session, params: PullParams) -> PullResult:
    """Have a server download a model. Progress goes to `workDoneToken`; cancelling the request stops the download."""
    token = params.work_done_token
    work = None if token is None else Work(session, token, f"Downloading {params.model}", cancellable=True)
    status = ""
    try:
        async with aclosing(session.host.router.pull(params.model)) as steps:
            async for step in steps:
                status = step.status
                if work is not None:
                    work.share(step.status, step.done, step.total)
        if work is not None:
            work.end(status)
    finally:
        if work is not None:
            work.end("stopped")
    return PullResult(model=params.model, status=status)


METHODS = (
    Method("khoj/models/list", ModelsParams, ModelsResult, list_models),
    Method("khoj/models/health", ModelsHealthParams, ModelsHealthResult, health),
    Method("khoj/models/pull", PullParams, PullResult, pull),
)
