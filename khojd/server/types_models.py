"""The messages of khoj/models/*: configured model servers and their models."""

from typing import Annotated

from msgspec import Meta

from khojd.llm.model import Capability
from khojd.llm.overview import Task
from khojd.server.types import Message, Params


class ModelsParams(Params, frozen=True):
    discover: Annotated[bool, Meta(description="also look for servers on this machine, on their usual ports")] = False


class ModelStatus(Message, frozen=True):
    name: Annotated[str, Meta(description="provider/model, as it is configured and asked for")]
    capabilities: Annotated[tuple[Capability, ...], Meta(description="empty: unknown")]
    context: Annotated[int, Meta(description="tokens of prompt and answer together; 0: unknown")]
    max_output: Annotated[int, Meta(description="tokens; 0: unknown")]
    dimensions: Annotated[int, Meta(description="of an embedding model; 0: unknown")]
    detail: Annotated[str, Meta(description="size, quantisation; for people")]
    price_prompt: Annotated[float, Meta(description="per million tokens, as configured; 0: not given")]
    price_answer: float
    jobs: Annotated[tuple[Task, ...], Meta(description="what it is configured for")]
    problem: Annotated[str, Meta(description="why it cannot do its jobs")]


class ProviderStatus(Message, frozen=True):
    name: str
    kind: Annotated[str, Meta(description="ollama, openai (and all compatible), anthropic, google")]
    preset: Annotated[str, Meta(description="of an OpenAI-compatible server, or empty")]
    base_url: str
    local: Annotated[bool, Meta(description="on this machine (loopback)")]
    models: Annotated[tuple[ModelStatus, ...], Meta(description="those with jobs first")]
    problem: Annotated[str, Meta(description="why its models are not known")]


class FoundServer(Message, frozen=True):
    """A server on this machine that is not configured; it gets nothing before it is."""

    title: Annotated[str, Meta(description="e.g. Ollama 0.20.1")]
    base_url: str
    models: tuple[str, ...]
    lines: Annotated[str, Meta(description="what to put into config.toml in order to use it")]


class ModelsResult(Message, frozen=True):
    providers: tuple[ProviderStatus, ...]
    jobs: Annotated[dict[Task, tuple[str, ...]], Meta(description="the models of each job, first choice first")]
    found: Annotated[tuple[FoundServer, ...], Meta(description="with `discover` only")] = ()


class ModelsHealthParams(Params, frozen=True):
    provider: Annotated[str, Meta(description="its name; empty for all")] = ""


class ProviderHealth(Message, frozen=True):
    name: str
    ok: bool
    message: Annotated[str, Meta(description="what is wrong and what to do, or the server's name and version")]
    latency_ms: float


class ModelsHealthResult(Message, frozen=True):
    providers: tuple[ProviderHealth, ...]


class PullParams(Params, frozen=True):
    model: Annotated[str, Meta(description="provider/model")]


class PullResult(Message, frozen=True):
    model: str
    status: Annotated[str, Meta(description="the server's last word")]
