"""Requests and descriptions of models, as the configuration and the model at hand would have them."""

from collections.abc import Sequence

import msgspec

from khojd.config import ModelSettings
from khojd.errors import ProviderError
from khojd.llm.chain import Job, Ref
from khojd.llm.model import Capability, ChatRequest, ModelInfo


def described(info: ModelInfo, settings: ModelSettings) -> ModelInfo:
    """What a server says of a model, corrected by what the configuration knows better."""
    capabilities = info.capabilities
    if settings.tools != "auto":
        capabilities = capabilities | {"tools"} if settings.tools == "on" else capabilities - {"tools"}
    return msgspec.structs.replace(
        info,
        capabilities=capabilities,
        context=settings.context or info.context,
        max_output=settings.max_output or info.max_output,
    )


def lacks(info: ModelInfo, capability: Capability) -> bool:
    """Whether it is known that a model cannot do something; a server that says nothing of it may be asked."""
    return bool(info.capabilities) and capability not in info.capabilities


def check_suits(ref: Ref, info: ModelInfo, request: ChatRequest) -> None:
    """Raises ProviderError (`unsupported`) for a model that cannot take a request's tools or images."""
    if request.tools and lacks(info, "tools"):
        raise ProviderError(f"{ref} cannot call tools", provider=ref.provider, reason="unsupported", model=ref.model)
    if any(message.images for message in request.messages) and lacks(info, "vision"):
        raise ProviderError(f"{ref} cannot look at images", provider=ref.provider, reason="unsupported", model=ref.model)


def prepared(request: ChatRequest, info: ModelInfo, settings: ModelSettings) -> ChatRequest:
    """A request with the configuration's settings, and within the model's limits."""
    limits = [limit for limit in (request.max_tokens, info.max_output) if limit]
    context = request.context or settings.context
    return msgspec.structs.replace(
        request,
        max_tokens=min(limits, default=0),
        temperature=settings.temperature if request.temperature is None else request.temperature,
        thinking=_thinking(request.thinking, info, settings),
        context=min(context, info.context) if context and info.context else context,
    )


def _thinking(asked: bool | None, info: ModelInfo, settings: ModelSettings) -> bool | None:
    if settings.thinking == "off":
        return False
    if settings.thinking == "on":
        return True if asked is None else asked
    return None if lacks(info, "thinking") else asked


def all_failed(job: Job, failures: Sequence[tuple[Ref, ProviderError]]) -> ProviderError:
    """The error of the one model that was asked, or of all of them together."""
    first = failures[0][1]
    if len(failures) == 1:
        return first
    said = "; ".join(error.message for _, error in failures)
    return ProviderError(
        f"none of the {len(failures)} models of models.{job} answers: {said}",
        provider=failures[0][0].provider,
        reason=first.reason,
        model=failures[0][0].model,
        retry_after=first.retry_after,
    )
