"""Finding a sentence-transformers model on this machine, and fetching it where the network allows.

The Hugging Face Hub is asked directly: a list of files, then the files. Its own client retries for minutes without a network, and
sends telemetry. Nothing here runs unless the configuration names a model that is not on the disk.
"""

import fnmatch
import hashlib
import json
import logging
import os
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any

from khojd.errors import ModelError
from khojd.paths import model_cache_dir

Progress = Callable[[int, int], None]  # bytes here, bytes in all

_log = logging.getLogger(__name__)
_SECONDS_TO_ANSWER = 8.0
_BLOCK = 1 << 20
_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_LEFT_OUT = ("onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack", "*.onnx", "*.gguf", "*.md", "*.png", "*.jpg", ".*", "*.py")
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def is_name(model: str) -> bool:
    """Whether `model` reads as a Hugging Face name: organisation/name."""
    return _NAME.fullmatch(model) is not None


def locate(model: str, progress: Progress | None = None) -> Path:
    """The folder of a model, given as a folder or as organisation/name; a name that is not on the disk is downloaded.

    `progress` is called with bytes done and bytes in all. Raises ModelError, within seconds where there is no network.
    """
    given = Path(model).expanduser()
    if given.is_dir():
        return _complete(given, model)
    if not is_name(model):
        raise ModelError(f"{given}: there is no such folder with a sentence-transformers model", model=model)
    target = model_cache_dir() / model
    for folder in (target, _hugging_face_snapshot(model)):
        if folder is not None and folder.is_dir():
            return _complete(folder, model)
    return _download(model, target, progress or (lambda done, total: None))


def _complete(folder: Path, model: str) -> Path:
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelError(f"{folder}: no config.json or modules.json, so this is no sentence-transformers model", model=model)
    if not any(next(folder.rglob(pattern), None) for pattern in _WEIGHTS):
        raise ModelError(f"{folder}: the weights (model.safetensors) are missing; put them there", model=model)
    return folder


def _hugging_face_snapshot(model: str) -> Path | None:
    """Where Hugging Face's own tools have put the model, if they have."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{model.replace('/', '--')}"
    try:
        return cache / "snapshots" / (cache / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _download(model: str, target: Path, progress: Progress) -> Path:
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    help_ = (
        f"Put its files (config.json, model.safetensors, tokenizer.json, …) into {target}, or set embedding.model to a folder that "
        'holds them, or to "bundled"'
    )
    try:
        if any(os.environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in _OFFLINE):
            raise OSError(f"{' or '.join(_OFFLINE)} is set")
        files = _wanted(_within(_SECONDS_TO_ANSWER, lambda: _listing(f"{endpoint}/api/models/{model}?blobs=true")))
        total = sum(int(file.get("size") or 0) for file in files)
        _log.info("downloading the model %s (%d bytes) to %s", model, total, target)
        partial = target.with_name(target.name + ".partial")
        done = 0
        for file in files:
            name = str(file["rfilename"])
            url = f"{endpoint}/{model}/resolve/main/{urllib.parse.quote(name)}"
            done = _fetch(url, partial / name, (file.get("lfs") or {}).get("sha256"), done, lambda here: progress(here, total))
        _complete(partial, model)
        partial.rename(target)
    except urllib.error.HTTPError as error:
        error.close()
        reason = "has no such model, or it is not public" if error.code in (401, 403, 404) else f"answered {error.code}"
        raise ModelError(f"the model {model} is not on this machine and {endpoint} {reason}. {help_}", model=model) from error
    except (OSError, HTTPException, ValueError) as error:
        raise ModelError(
            f"the model {model} is not on this machine and cannot be downloaded from {endpoint} ({error}). {help_}", model=model
        ) from error
    return target


def _wanted(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files that sentence-transformers needs; of weights in two formats, the safetensors."""
    names = [str(file["rfilename"]) for file in files]
    if any(".." in PurePosixPath(name).parts or name.startswith("/") for name in names):
        raise ValueError("the list of files holds a path outside the model")
    safe = {PurePosixPath(name).parent for name in names if name.endswith(".safetensors")}
    return [
        file
        for file, name in zip(files, names, strict=True)
        if not any(fnmatch.fnmatch(name, pattern) for pattern in _LEFT_OUT)
        and not (name.endswith(".bin") and PurePosixPath(name).parent in safe)
    ]


def _listing(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(_request(url), timeout=_SECONDS_TO_ANSWER) as answer:
        siblings = json.load(answer).get("siblings")
    if not isinstance(siblings, list):
        raise ValueError("the answer lists no files")
    return siblings


def _fetch(url: str, path: Path, sha256: str | None, done: int, progress: Callable[[int], None]) -> int:
    """Bring one file here, unless it is here already; returns `done` plus its bytes."""
    if path.is_file():
        return done + path.stat().st_size
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    with urllib.request.urlopen(_request(url), timeout=30) as answer, unfinished.open("wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            progress(done)
    if sha256 and digest.hexdigest() != sha256:
        unfinished.unlink()
        raise ValueError(f"{path.name} arrived damaged")
    unfinished.rename(path)
    return done


def _request(url: str) -> urllib.request.Request:
    request = urllib.request.Request(url, headers={"User-Agent": "khojd"})
    if token := os.environ.get("HF_TOKEN"):
        # Not sent along when the hub redirects to another host.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _within(seconds: float, call: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The result of `call`, or TimeoutError: a resolver without a network may take longer than any socket timeout."""
    outcome: list[list[dict[str, Any]] | Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # raised again below, in the thread that waits
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"no answer within {seconds:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
