"""The kinds of model servers: which a configured provider is, and the class that speaks to it.

A class is made as `Class(name, settings, key)`. Its module, or the making, imports an SDK: that happens when the first provider of
its kind is used, and off the loop.
"""

import asyncio
import gc
import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, get_args
from urllib.parse import urlsplit

from khojd import config
from khojd.errors import ProviderError

if TYPE_CHECKING:
    from khojd.llm.protocol import Provider

Kind = Literal["ollama", "openai", "anthropic", "google"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
PRESETS: Final = ("openai", "vllm", "llama-cpp", "lm-studio", "localai", "tgi", "litellm", "openrouter")

# Kind -> module, class, the extra of khojd's own that brings its SDK ("" where khojd always has it).
_CLASSES: Final[dict[Kind, tuple[str, str, str]]] = {
    "ollama": ("khojd.llm.providers.ollama", "Ollama", ""),
    "openai": ("khojd.llm.providers.openai", "OpenAI", ""),
    "anthropic": ("khojd.llm.providers.anthropic", "Anthropic", "anthropic"),
    "google": ("khojd.llm.providers.google", "Google", "google"),
}


def kind_of(name: str, settings: config.Provider) -> Kind:
    """What a configured provider speaks: as it says, else as its preset or its name says, else openai."""
    if settings.kind:
        return settings.kind
    return next((kind for kind in KINDS if kind == name and not settings.preset), "openai")


def preset_of(name: str, settings: config.Provider) -> str:
    """The extras of an OpenAI-compatible server: as it says, else as its name says, else "" (none that we know of)."""
    if kind_of(name, settings) != "openai":
        return ""
    return settings.preset or (name if name in PRESETS else "")


def is_local(base_url: str) -> bool:
    """Whether a server's address is this machine's own (loopback)."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return (
        host in ("localhost", "::1") or host.endswith(".localhost") or (host.startswith("127.") and host.replace(".", "").isdigit())
    )


def _load(module: str) -> ModuleType:
    """Import a module with many thousands of objects that stay.

    The garbage collector would look through them again and again while they are made, and later, and each time hold up the loop for
    tens of milliseconds; so it is told to leave them alone.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        if collecting:
            gc.freeze()
            gc.enable()


async def open_provider(name: str, settings: config.Provider) -> "Provider":
    """The provider of a name, ready to be asked; nothing is sent yet.

    Raises ProviderError: `unsupported` when its SDK is not installed, `auth` when its key cannot be had.
    """
    from khojd.llm import secrets

    kind = kind_of(name, settings)
    module_name, class_name, extra = _CLASSES[kind]
    try:
        # An SDK takes a second to import; the loop is shared with editors.
        module = sys.modules.get(module_name) or await asyncio.to_thread(_load, module_name)
    except ModuleNotFoundError as error:
        if not extra or (error.name or "").startswith("khojd"):
            raise
        message = f"{name}: the package for {kind} is not installed: pip install 'khojd[{extra}]'"
        raise ProviderError(message, provider=name, reason="unsupported") from None
    key = await secrets.key(name, settings)
    # Clients read certificates when they are made, which takes tens of milliseconds.
    provider: Provider = await asyncio.to_thread(getattr(module, class_name), name, settings, key)
    return provider
