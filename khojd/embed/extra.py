"""The `transformers` extra: imported when a model needs it, never before."""

import importlib
import logging
import os
from pathlib import Path
from typing import Any

from khojd.errors import ModelError

INSTALL = "pip install 'khojd[transformers]'"


def sentence_transformers(model: str) -> Any:
    """The module, with its telemetry and downloads off. Raises ModelError where the extra is not installed."""
    # Read by huggingface_hub and transformers when they are imported.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not survive a fork
    try:
        module = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise ModelError(
            f"the model {model} needs sentence-transformers ({error}): {INSTALL}", model=model, install=INSTALL
        ) from error
    # Where something else imported it first, the variable came too late.
    hub_constants: Any = importlib.import_module("huggingface_hub.constants")
    hub_constants.HF_HUB_DISABLE_TELEMETRY = True
    importlib.import_module("transformers.utils.logging").disable_progress_bar()
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    return module


def device(wanted: str, model: str) -> str:
    """The torch device for `auto`, `cpu`, `cuda` or `mps`. Raises ModelError where the machine has none of that kind."""
    torch = importlib.import_module("torch")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, found in there.items() if found)
    if not there.get(wanted, False):
        message = f"embedding.device is {wanted!r}, but torch finds no such device here; set it to auto or cpu"
        raise ModelError(message, model=model, device=wanted)
    return wanted


def load(kind: str, model: str, folder: Path, wanted_device: str, **options: Any) -> Any:
    """A `SentenceTransformer` or `CrossEncoder` (`kind`) from a folder, on a device. Raises ModelError."""
    module = sentence_transformers(model)
    where = device(wanted_device, model)
    try:
        return getattr(module, kind)(str(folder), device=where, local_files_only=True, **options)
    except Exception as error:  # torch, safetensors and transformers each raise their own
        raise ModelError(f"{folder}: the model {model} cannot be loaded: {error}", model=model) from error
