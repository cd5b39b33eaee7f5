"""A real llama-server with tiny models, for `make test-llm` and `python -m tests.bench chat`.

`KHOJD_TEST_LLM` names the server's program. The models are made by a script that lies beside a developer's checkout. What they say
is always the same: see `SAID`; `tiny-loop` says it again and again.
"""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAID = "According to note [1], the meeting is on Friday. Café 🙂"
_MAKER = Path(__file__).resolve().parents[3] / "shared" / "recipes" / "llm" / "tiny_models.py"
_MODELS = """\
version = 1
[*]
threads = 1
ctx-size = 2048
parallel = 1
offline = true
[tiny-canned]
model = {models}/tiny-canned.gguf
[tiny-loop]
model = {models}/tiny-loop.gguf
reasoning = off
ctx-size = 65536
[tiny-embed]
model = {models}/tiny-embed.gguf
embeddings = true
ctx-size = 512
[tiny-rerank]
model = {models}/tiny-rerank.gguf
reranking = true
ctx-size = 512
"""


def missing() -> str:
    """Why there is no server to be had; "" when there is one."""
    if not os.environ.get("KHOJD_TEST_LLM"):
        return "KHOJD_TEST_LLM names no llama-server: run make test-llm"
    return "" if _MAKER.is_file() else "the script that makes tiny models is not here"


@contextmanager
def running(models: Path) -> Iterator[str]:
    """The address of a llama-server, without a path; its models are made in the directory `models`."""
    program = os.environ["KHOJD_TEST_LLM"]
    subprocess.run([sys.executable, str(_MAKER), "--out", str(models)], check=True, capture_output=True)
    presets = models / "presets.ini"
    presets.write_text(_MODELS.format(models=models), "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = ["--host", "127.0.0.1", "--port", str(port)]
    command = [program, *place, "--models-preset", str(presets), "--models-max", "6", "--offline"]
    with (models / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address + "/health"):
            assert process.poll() is None, (models / "log").read_text("utf-8", "replace")[-2000:]
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
