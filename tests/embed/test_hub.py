"""Finding and fetching models, against a hub that the test serves on this machine."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from khojd.embed.hub import locate
from khojd.errors import ModelError
from khojd.paths import model_cache_dir

NAME = "someone/small-model"
FILES = {
    "config.json": b"{}",
    "modules.json": b"[]",
    "1_Pooling/config.json": b"{}",
    "model.safetensors": b"weights" * 300_000,
    "pytorch_model.bin": b"the same weights in another format",
    "2_Dense/pytorch_model.bin": b"weights that are in no other format",
    "onnx/model.onnx": b"not needed",
    "README.md": b"not needed",
}


class Hub(ThreadingHTTPServer):
    """Answers like the Hugging Face Hub does, as far as downloads need it."""

    files = FILES
    listing: Any = None
    broken = ""  # a file of which the connection breaks off
    asked: list[str]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked = []

    def siblings(self) -> list[dict[str, Any]]:
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
        large = {name: {"lfs": {"sha256": sums[name]}} for name in FILES if name.endswith(("safetensors", "bin"))}
        return [{"rfilename": name, "size": len(data), **large.get(name, {})} for name, data in FILES.items()]


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub, path = self.server, unquote(urlsplit(self.path).path)
        hub.asked.append(path)
        prefix = f"/{NAME}/resolve/main/"
        if path == f"/api/models/{NAME}":
            self.reply(json.dumps({"siblings": hub.siblings()} if hub.listing is None else hub.listing).encode())
        elif path.startswith(prefix) and path.removeprefix(prefix) in hub.files:
            name = path.removeprefix(prefix)
            self.reply(hub.files[name], breaks=name == hub.broken)
        else:
            self.send_error(404)

    def reply(self, data: bytes, *, breaks: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if breaks else data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Hub()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_is_downloaded_once_with_progress_and_only_what_is_needed(hub: Hub) -> None:
    seen: list[tuple[int, int]] = []
    folder = locate(NAME, lambda done, total: seen.append((done, total)))
    assert folder == model_cache_dir() / NAME
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    needed = FILES.keys() - {"pytorch_model.bin", "onnx/model.onnx", "README.md"}
    assert there == {name: FILES[name] for name in needed}
    total = sum(len(FILES[name]) for name in needed)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > len(needed)
    hub.asked.clear()
    assert locate(NAME) == folder
    assert hub.asked == []


def test_a_download_that_broke_off_is_no_model_and_goes_on_where_it_was(hub: Hub) -> None:
    hub.broken = "model.safetensors"
    with pytest.raises(ModelError, match="cannot be downloaded"):
        locate(NAME)
    assert not (model_cache_dir() / NAME).exists()
    hub.broken = ""
    hub.asked.clear()
    locate(NAME)
    assert f"/{NAME}/resolve/main/config.json" not in hub.asked
    assert f"/{NAME}/resolve/main/model.safetensors" in hub.asked


def test_a_file_with_another_checksum_is_refused(hub: Hub) -> None:
    hub.files = {**FILES, "model.safetensors": FILES["model.safetensors"][:-1] + b"!"}
    with pytest.raises(ModelError, match=r"model\.safetensors arrived damaged"):
        locate(NAME)
    assert not (model_cache_dir() / NAME).exists()


def test_an_unknown_model_is_named(hub: Hub) -> None:
    with pytest.raises(ModelError, match=r"someone/else .* has no such model") as caught:
        locate("someone/else")
    assert caught.value.data["model"] == "someone/else"


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil", "a/../../evil"])
def test_a_listing_that_points_outside_the_model_is_refused(hub: Hub, name: str) -> None:
    hub.listing = {"siblings": [{"rfilename": name, "size": 1}]}
    with pytest.raises(ModelError, match="outside the model"):
        locate(NAME)


@pytest.mark.parametrize("listing", [{}, {"siblings": 3}, {"siblings": []}])
def test_an_answer_without_files_is_an_error(hub: Hub, listing: object) -> None:
    hub.listing = listing
    with pytest.raises(ModelError, match="small-model"):
        locate(NAME)
    assert not (model_cache_dir() / NAME).exists()


def test_without_a_network_the_error_says_where_to_put_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ModelError, match="cannot be downloaded") as caught:
            locate(NAME)
    assert str(model_cache_dir() / NAME) in caught.value.message
    assert '"bundled"' in caught.value.message


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_usual_offline_switches_are_obeyed(hub: Hub, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelError, match=variable):
        locate(NAME)
    assert hub.asked == []


def test_a_token_goes_to_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str | None] = []
    plain = Answer.do_GET

    def listen(self: Answer) -> None:
        heard.append(self.headers["Authorization"])
        plain(self)

    monkeypatch.setattr(Answer, "do_GET", listen)
    monkeypatch.setenv("HF_TOKEN", "secret")
    locate(NAME)
    assert set(heard) == {"Bearer secret"}


def test_files_put_by_hand_or_by_hugging_face_tools_are_used(hub: Hub, own_home: Path) -> None:
    cache = own_home / ".cache/huggingface/hub/models--someone--small-model"
    snapshot = cache / "snapshots" / "abc123"
    snapshot.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc123")
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).write_bytes(FILES[name])
    assert locate(NAME) == snapshot
    by_hand = model_cache_dir() / NAME
    by_hand.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (by_hand / name).write_bytes(FILES[name])
    assert locate(NAME) == by_hand
    assert hub.asked == []


def test_a_folder_must_be_there_and_hold_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such folder"):
        locate(str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match=r"no config\.json"):
        locate(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"weights .* are missing"):
        locate(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert locate(str(tmp_path)) == tmp_path
