"""The vector store: neighbours, repair, damage, and that it keeps to itself."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from khojd.errors import IndexCorrupt
from khojd.index.vectors import VectorStore
from tests.conftest import missing

DIMENSIONS = 16


def unit(count: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def names(count: int, start: int = 0) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in range(start, start + count)]


def test_neighbours_are_the_nearest_by_cosine_best_first(tmp_path: Path) -> None:
    store = VectorStore.open(tmp_path / "vectors", "model", DIMENSIONS)
    vectors, hashes = unit(500), names(500)
    store.upsert(hashes, vectors)
    query = unit(1, seed=5)[0]
    cosines = vectors @ query
    order = np.argsort(-cosines)[:20]
    found = store.query(query, 20)
    assert [hash_ for hash_, _ in found] == [hashes[index] for index in order]
    assert np.allclose([cosine for _, cosine in found], cosines[order], atol=1e-5)
    assert (tmp_path / "vectors").stat().st_mode & 0o777 == 0o700
    store.close()


def test_vectors_are_replaced_removed_and_there_after_reopening(tmp_path: Path) -> None:
    store = VectorStore.open(tmp_path, "model", DIMENSIONS)
    hashes, vectors = names(30), unit(30)
    assert store.query(vectors[0], 5) == []
    store.upsert(hashes, vectors)
    store.upsert(hashes[:10], vectors[:10])  # a step that is repeated
    store.delete([*hashes[20:], b"?" * 16])
    store.close()
    store = VectorStore.open(tmp_path, "model", DIMENSIONS)
    assert store.hashes() == set(hashes[:20])
    assert store.count() == 20
    assert store.query(vectors[3], 1)[0][0] == hashes[3]
    assert not store.bloated
    store.close()


def test_models_are_kept_apart_until_the_others_are_dropped(tmp_path: Path) -> None:
    old = VectorStore.open(tmp_path, "old", DIMENSIONS)
    old.upsert(names(5), unit(5))
    new = VectorStore.open(tmp_path, "new", 8)
    assert (old.count(), new.count()) == (5, 0)
    old.close()
    assert new.drop_others() == 1
    new.close()
    old = VectorStore.open(tmp_path, "old", DIMENSIONS)
    assert old.count() == 0
    old.close()


def test_a_copy_taken_at_each_step_opens_with_what_was_written(tmp_path: Path) -> None:
    """What `kill -9` leaves behind; what is missing or too much is found by comparing `hashes` with the catalog's."""
    store = VectorStore.open(tmp_path / "vectors", "model", DIMENSIONS)
    store.upsert(names(3000), unit(3000))
    shutil.copytree(tmp_path / "vectors", tmp_path / "upserted")
    store.delete(names(1500))
    shutil.copytree(tmp_path / "vectors", tmp_path / "deleted")
    store.close()
    for name, expected in (("upserted", names(3000)), ("deleted", names(1500, 1500))):
        copy = VectorStore.open(tmp_path / name, "model", DIMENSIONS)
        assert copy.hashes() == set(expected)
        assert copy.query(unit(3000)[2000], 1)[0][0] == names(1, 2000)[0]
        copy.close()


def _garbage(directory: Path) -> None:
    (directory / "chroma.sqlite3").write_bytes(b"no database" * 1000)


def _cut_off(directory: Path) -> None:
    data = (directory / "chroma.sqlite3").read_bytes()
    (directory / "chroma.sqlite3").write_bytes(data[:30_000])


def _no_graph(directory: Path) -> None:
    for item in directory.iterdir():
        if item.is_dir():
            shutil.rmtree(item)


def _file_gone(directory: Path) -> None:
    next(directory.glob("*/header.bin")).unlink()


def _graph_cut_off(directory: Path) -> None:
    path = next(directory.glob("*/data_level0.bin"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


@pytest.mark.parametrize("damage", [_garbage, _cut_off, _no_graph, _file_gone, _graph_cut_off])
def test_a_damaged_store_is_said_and_can_be_made_anew_in_the_same_process(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    directory = tmp_path / "vectors"
    store = VectorStore.open(directory, "model", DIMENSIONS)
    store.upsert(names(4000), unit(4000))
    store.close()
    damage(directory)
    with pytest.raises(IndexCorrupt) as caught:
        VectorStore.open(directory, "model", DIMENSIONS)
    assert caught.value.data["store"] == "vectors"
    VectorStore.destroy(directory)
    store = VectorStore.open(directory, "model", DIMENSIONS)
    store.upsert(names(10), unit(10))
    assert store.count() == 10
    store.close()


WITHOUT_NETWORK = """
import os, sys
from pathlib import Path
import numpy as np

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
        print("network:", event, args)
sys.addaudithook(refuse)
from khojd.index.vectors import VectorStore
store = VectorStore.open(Path(sys.argv[1]), "model", 4)
store.upsert([b"1" * 16], np.eye(4, dtype=np.float32)[:1])
store.query(np.eye(4, dtype=np.float32)[0], 1)
mine = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}
for table in ("tcp", "tcp6", "udp", "udp6", "raw"):
    path = Path("/proc/self/net") / table
    for line in path.read_text().splitlines()[1:] if path.exists() else ():
        if f"socket:[{line.split()[9]}]" in mine:
            print("network:", table, line)
store.close()
"""


def test_the_store_opens_no_network_socket(tmp_path: Path) -> None:
    if not Path("/proc/self/net").exists():
        missing("/proc/self/net, which lists sockets on Linux,")
    done = subprocess.run([sys.executable, "-c", WITHOUT_NETWORK, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_importing_the_module_does_not_import_chroma() -> None:
    code = "import sys, khojd.index.vectors; print('chromadb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
