"""No connection but to khojd's own socket: a whole session, watched by the interpreter and run without any network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from khojd.server.types import IndexStatus, NoParams, SearchParams, SearchResult, SimilarParams, UpdateParams, UpdateResult
from tests.conftest import missing, program
from tests.e2e.conftest import Place

# What Python runs first in each process: everything about sockets that are not Unix sockets is written down and refused.
HOOK = """
import os, socket, sys
path = os.environ["KHOJD_TEST_SOCKETS"]
def said(text):
    with open(path, "a") as file:
        file.write(text + "\\n")
def hook(event, arguments):
    if event == "socket.__new__" and arguments[1] != socket.AF_UNIX:
        said(f"{event} {arguments[1:]}")
        raise OSError("only Unix sockets are allowed here")
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"):
        said(f"{event} {arguments}")
        raise OSError("no names are looked up here")
sys.addaudithook(hook)
said("watching")
"""


def session(place: Place) -> None:
    """What the demo does: index with all its vectors, search in every mode, look for more like a hit."""
    for name, text in {
        "tea.md": "# Tea\n\nGreen tea is steamed. See https://example.org/tea and mail tea@example.org.\n",
        "kettle.org": "* TODO Buy a kettle :shopping:\nDEADLINE: <2024-05-01 Wed>\n[[https://example.org/kettle.png]]\n",
    }.items():
        (place.notes / name).write_text(text, encoding="utf-8")
    with place.client() as client:
        client.call("khoj/index/update", UpdateParams(embed=True), UpdateResult)
        for query, mode in (("steamed", "lexical"), ("something to boil water in", "semantic"), ("tea tag:shopping", "hybrid")):
            client.call("khoj/search", SearchParams(query=query, mode=mode, rerank=True), SearchResult)  # type: ignore[arg-type]
        found = client.call("khoj/search", SearchParams(query="tea"), SearchResult)
        assert found.hits[0].path == str(place.notes / "tea.md")
        client.call(
            "khoj/similar", SimilarParams(path=found.hits[0].path, position=found.hits[0].location.range.start), SearchResult
        )
        status = client.call("khoj/index/status", NoParams(), IndexStatus)
        assert (status.indexed, status.vectors_pending, status.model_problem) == (2, 0, "")


def test_no_process_of_khojd_opens_a_socket_to_anywhere_else(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, log = tmp_path / "hooks", tmp_path / "sockets"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(hooks))
    monkeypatch.setenv("KHOJD_TEST_SOCKETS", str(log))
    place.configure(model="bundled")
    session(place)
    assert set(log.read_text(encoding="utf-8").splitlines()) == {"watching"}


def test_the_session_runs_in_a_network_without_interfaces_and_sends_nothing(place: Place) -> None:
    """Also what libraries in other languages do: the kernel counts packets that found no way out."""
    command = [program("unshare"), "--user", "--map-root-user", "--net"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        missing("the right to a network namespace of one's own")
    place.configure(model="bundled")
    ran = subprocess.run(
        [*command, sys.executable, "-m", "tests.faults.test_network", str(place.notes.parent)],
        env=place.environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["0", "0"]


def sent() -> int:
    """Packets that this network namespace has sent or could not send."""
    header, values = (line.split() for line in Path("/proc/net/snmp").read_text(encoding="ascii").splitlines()[:2])
    counts = dict(zip(header[1:], map(int, values[1:]), strict=True))
    return counts["OutRequests"] + counts["OutNoRoutes"]


def main(base: Path) -> None:
    print(sent())
    place = Place.__new__(Place)
    place.notes, place.config, place.index, place.children = base / "notes", base / "config.toml", (base / "index").resolve(), []
    try:
        session(place)
    finally:
        place.clear()
    print(sent())


if __name__ == "__main__":
    main(Path(sys.argv[1]))


def test_the_model_runtime_collects_nothing(tmp_path: Path, own_home: Path) -> None:
    """onnxruntime's own telemetry opens no Python socket: it keeps a database of events in the home, and sends them later."""
    used = "from khojd.config import Embedding; from khojd.embed.factory import open_embedder; open_embedder(Embedding())"
    environment = {**os.environ, "HOME": str(own_home), "TMPDIR": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", used], env=environment, check=True)
    assert [path for place in (own_home, tmp_path) for path in place.rglob("*") if path.is_file()] == []
