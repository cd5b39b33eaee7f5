"""The servers that speak OpenAI's API, and what each says beyond it: its usual address, and where it tells how long a model's
context is, what the model can do, how many tokens a prompt has, and whether it is well. A server that no preset is named for is
asked the common things; vLLM and llama.cpp are known by what they call themselves in their list of models.
"""

import fnmatch
import re
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct, structs

from khojd import config
from khojd.llm import table
from khojd.llm.model import Capability, ModelInfo


class Preset(Struct, frozen=True):
    """Paths that begin with `/` are of the server, not of its API: they stand beside `/v1`."""

    title: str
    base_url: str
    start: str = ""  # how it is started, for people
    limit_key: str = "max_tokens"  # the parameter that limits an answer
    thinking: Literal["", "template", "effort", "object"] = ""  # how thinking is switched
    health: str = ""  # a path; empty: the list of models is asked for
    count: Literal["", "llama-cpp", "vllm"] = ""  # how a prompt's tokens are counted
    details: Literal["", "props", "lm-studio", "tgi"] = ""  # where more is said of a model
    names_free: bool = False  # it answers to any model's name


PRESETS: Final[dict[str, Preset]] = {
    "openai": Preset("OpenAI", "https://api.openai.com/v1", limit_key="max_completion_tokens", thinking="effort"),
    "vllm": Preset("vLLM", "http://127.0.0.1:8000/v1", "vllm serve MODEL", thinking="template", health="/health", count="vllm"),
    "llama-cpp": Preset(
        "llama.cpp",
        "http://127.0.0.1:8080/v1",
        "llama-server --model FILE --jinja",
        thinking="template",
        health="/health",
        count="llama-cpp",
        details="props",
    ),
    "lm-studio": Preset("LM Studio", "http://127.0.0.1:1234/v1", "lms server start", details="lm-studio"),
    "localai": Preset("LocalAI", "http://127.0.0.1:8080/v1", "local-ai run"),
    "tgi": Preset("TGI", "http://127.0.0.1:8080/v1", health="/health", details="tgi", names_free=True),
    "litellm": Preset("LiteLLM", "http://127.0.0.1:4000/v1", "litellm --config FILE", thinking="effort"),
    "openrouter": Preset("OpenRouter", "https://openrouter.ai/api/v1", thinking="object"),
}
GENERIC: Final = Preset("an OpenAI-compatible server", PRESETS["openai"].base_url)

_HOSTS = {"api.openai.com": "openai", "openrouter.ai": "openrouter"}
_OWNERS = {"llamacpp": "llama-cpp", "vllm": "vllm"}  # owned_by, in the list of models


def find(name: str, base_url: str) -> Preset:
    """The preset of a name ("" where none is named), else of the address, else what all have in common."""
    if not name:
        name = _HOSTS.get(urlsplit(base_url).hostname or "", "") if base_url else "openai"
    return PRESETS.get(name, GENERIC)


def recognised(preset: Preset, entry: dict[str, Any]) -> Preset:
    """The preset of a server that none is named for, by an entry of its list of models."""
    return PRESETS.get(_OWNERS.get(str(entry.get("owned_by")), ""), preset) if preset is GENERIC else preset


def address(preset: Preset, base_url: str) -> str:
    """The base URL as it is asked: the preset's usual one when none is given; with `/v1` when it names a host and nothing more."""
    url = (base_url or preset.base_url).rstrip("/")
    return url if urlsplit(url).path else f"{url}/v1"


def root(base_url: str) -> str:
    """The server's own address, which the paths beside `/v1` are of."""
    return re.sub(r"/v\d+(?:beta)?/?$", "", base_url)


# What is said of a model

_CHAT: Final[frozenset[Capability]] = frozenset({"chat", "streaming", "tools", "json-schema"})
_EMBEDDING_NAME = re.compile(r"embed|^(?:.*/)?(?:bge|e5|gte)-(?!.*rerank)", re.IGNORECASE)
_CONTEXT_KEYS = (
    "loaded_context_length",  # LM Studio, of a model that is loaded
    "max_model_len",  # vLLM
    "context_length",  # OpenRouter, Together
    "context_window",  # Groq
    "max_context_length",  # LM Studio, Mistral
    "max_input_tokens",  # LiteLLM
)
_OUTPUT_KEYS = ("max_completion_tokens", "max_output_tokens")

# OpenAI's list of models says nothing but names. Longest prefix first; context, output, what more than chat.
_OPENAI: Final[tuple[tuple[str, int, int, tuple[Capability, ...]], ...]] = (
    ("gpt-5", 400_000, 128_000, ("vision", "thinking")),
    ("gpt-4.1", 1_047_576, 32_768, ("vision",)),
    ("gpt-4o", 128_000, 16_384, ("vision",)),
    ("gpt-4-turbo", 128_000, 4_096, ("vision",)),
    ("gpt-4", 8_192, 8_192, ()),
    ("gpt-3.5-turbo", 16_385, 4_096, ()),
    ("o1", 200_000, 100_000, ("vision", "thinking")),
    ("o3", 200_000, 100_000, ("vision", "thinking")),
    ("o4", 200_000, 100_000, ("vision", "thinking")),
)
_OPENAI_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}


def described(preset: Preset, entry: dict[str, Any]) -> ModelInfo:
    """A model as its entry in the list of models has it, in any of the shapes that servers give it."""
    name = str(entry.get("id") or entry.get("name") or "")
    if preset is PRESETS["openai"]:
        return _of_openai(name)
    meta, top = _dict(entry.get("meta")), _dict(entry.get("top_provider"))
    flags = _list(_dict(entry.get("status")).get("args"))
    kind = str(entry.get("type") or "").removeprefix("model")  # what LiteLLM says of all
    context = next((value for key in _CONTEXT_KEYS if (value := _int(entry.get(key)))), 0)
    capabilities: frozenset[Capability]
    if kind.startswith("embedding") or "--embeddings" in flags or "--embedding" in flags:
        capabilities = frozenset({"embedding"})
    elif "--reranking" in flags or "--rerank" in flags or (not kind and "rerank" in name.lower()):
        capabilities = frozenset({"rerank"})
    elif not kind and not flags and _EMBEDDING_NAME.search(name):
        capabilities = frozenset({"embedding"})
    else:
        capabilities = _chat_capabilities(entry, kind) | (frozenset({"count"}) if preset.count else frozenset())
    size = f"{meta['n_params'] / 1e9:.1f} B" if _int(meta.get("n_params")) >= 50_000_000 else ""
    return ModelInfo(
        name,
        capabilities,
        context=_int(meta.get("n_ctx")) or _int(top.get("context_length")) or context,
        max_output=next((value for of in (entry, top) for key in _OUTPUT_KEYS if (value := _int(of.get(key)))), 0)
        or (_int(entry.get("max_tokens")) if "max_input_tokens" in entry else 0),
        dimensions=_int(meta.get("n_embd")) if "embedding" in capabilities else 0,
        detail=" ".join(str(part) for part in (size, meta.get("ftype") or entry.get("quantization") or "") if part),
    )


def _chat_capabilities(entry: dict[str, Any], kind: str) -> frozenset[Capability]:
    """Chat and, where the server lists what the model can do, that; else what nearly all can."""
    listed = entry.get("capabilities")
    words = [str(word) for word in _list(listed)] + [str(key) for key, value in _dict(listed).items() if value]
    words += [str(word) for word in _list(entry.get("supported_parameters"))]
    found: set[Capability] = set(_CHAT)
    if words and not {"tools", "tool_use", "function_calling"} & set(words):
        found.discard("tools")
    if _list(entry.get("supported_parameters")) and not {"structured_outputs", "response_format"} & set(words):
        found.discard("json-schema")
    if "reasoning" in words:
        found.add("thinking")
    if kind == "vlm" or "vision" in words or "image" in _list(_dict(entry.get("architecture")).get("input_modalities")):
        found.add("vision")
    return frozenset(found)


def _of_openai(name: str) -> ModelInfo:
    if dimensions := next((size for prefix, size in _OPENAI_DIMENSIONS.items() if name.startswith(prefix)), 0):
        return ModelInfo(name, frozenset({"embedding"}), context=8_191, dimensions=dimensions)
    base = name.removeprefix("ft:")
    for prefix, context, output, more in _OPENAI:
        if base.startswith(prefix):
            return ModelInfo(name, _CHAT | frozenset(more), context=context, max_output=output)
    return ModelInfo(name, _CHAT)


def with_props(info: ModelInfo, props: dict[str, Any]) -> ModelInfo:
    """A model with what llama.cpp's `/props` says of it."""
    capabilities: set[Capability] = set(info.capabilities)
    if "chat" in capabilities:
        caps = _dict(props.get("chat_template_caps"))
        if caps and not caps.get("supports_tool_calls", caps.get("supports_tools")):
            capabilities.discard("tools")
        if _dict(props.get("modalities")).get("vision"):
            capabilities.add("vision")
        template = str(props.get("chat_template") or "")
        if "enable_thinking" in template or "<think>" in template or caps.get("supports_reasoning_effort"):
            capabilities.add("thinking")
    context = _int(_dict(props.get("default_generation_settings")).get("n_ctx"))
    return structs.replace(info, capabilities=frozenset(capabilities), context=context or info.context)


def with_tgi(info: ModelInfo, said: dict[str, Any]) -> ModelInfo:
    """A model with what TGI's `/info` says of it."""
    total, prompt = _int(said.get("max_total_tokens")), _int(said.get("max_input_tokens"))
    return structs.replace(
        info, context=total or info.context, max_output=total - prompt if total > prompt > 0 else info.max_output
    )


def stands_for(model: str, entries: list[dict[str, Any]]) -> bool:
    """Whether a name that is not in a list of models is a way to write one that is: a variant, without its version, a pattern's."""
    listed = [str(entry.get("id")) for entry in entries]
    plain = {name.partition("@")[0] for name in listed} | {name.removesuffix(":latest") for name in listed}
    patterns = [name for name in listed if "*" in name]  # of a gateway
    return model in plain or model.rpartition(":")[0] in listed or any(fnmatch.fnmatchcase(model, name) for name in patterns)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _int(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


USUAL: Final = {"ollama": "http://127.0.0.1:11434", **{name: preset.base_url for name, preset in PRESETS.items()}}


def usual_address(name: str, settings: config.Provider) -> str:
    """Where a provider is that gives no address; "" for one that only its SDK knows."""
    return USUAL.get(table.preset_of(name, settings) or table.kind_of(name, settings), "")
