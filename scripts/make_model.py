"""Make the bundled embedding model from the official weights of all-MiniLM-L6-v2.

    python scripts/make_model.py WEIGHTS_DIR [--output DIR]

WEIGHTS_DIR holds `model.safetensors` (its sha256 is checked) and `tokenizer.json`, as published at
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0). Needs the `onnx` package. The BERT graph is written
node by node with onnxruntime's fused operators (QAttention, DynamicQuantizeMatMul, SkipLayerNormalization, BiasGelu), so neither
torch nor a graph optimiser is involved and the same input gives the same bytes.

Quantisation: weights symmetric int8, one scale per output column (per row of the word embedding table); activations uint8, scale
and zero point found at run time per tensor. docs/model.md has the reasons and the measurements.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tokenizers
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OUTPUT = Path(__file__).resolve().parents[1] / "khojd" / "embed" / "data" / "all-MiniLM-L6-v2"
LAYERS, HEADS, DIMENSIONS, POSITIONS = 6, 12, 384, 256
LARGEST = 127  # largest magnitude of an int8 weight
LEAST_COSINE = 0.99
FUSED = "com.microsoft"
SAMPLES = (
    "Buy milk",
    "How do I renew a passport?",
    "The meeting with the landlord moved to Thursday; bring the signed contract and the meter readings.",
    "def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)",
    "Die Heizung im Keller muss vor dem Winter gewartet werden.",
    "Sourdough: feed the starter twice a day, keep it at 24 degrees, and bake when it doubles within four hours. " * 6,
)

Weights = dict[str, NDArray[Any]]


def read_safetensors(path: Path) -> Weights:
    """The tensors of a safetensors file: a length, a JSON table of dtype, shape and offsets, then the bytes."""
    data = path.read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != WEIGHTS_SHA256:
        sys.exit(f"{path}: sha256 is {found}, the official weights have {WEIGHTS_SHA256}")
    size = int.from_bytes(data[:8], "little")
    table: dict[str, Any] = json.loads(data[8 : 8 + size])
    types = {"F32": np.float32, "I64": np.int64}
    weights: Weights = {}
    for name, entry in table.items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in entry["data_offsets"])
            weights[name] = np.frombuffer(data[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return weights


def quantise(columns: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 values of a (K, N) matrix and the N scales of its columns."""
    scales = np.abs(columns).max(axis=0) / LARGEST
    scales[scales == 0] = 1
    return np.clip(np.rint(columns / scales), -LARGEST, LARGEST).astype(np.int8), scales.astype(np.float32)


class Graph:
    """The encoder under construction; `quantised=False` gives the fp32 graph that the result is compared with."""

    def __init__(self, weights: Weights, *, quantised: bool) -> None:
        self.weights = weights
        self.quantised = quantised
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def parameter(self, name: str) -> str:
        return self.constant(name, self.weights[name])

    def linear(self, x: str, name: str) -> str:
        """x @ W; the bias is added by the fused operator that follows."""
        matrix = self.weights[f"{name}.weight"].T
        if not self.quantised:
            return self.node("MatMul", [x, self.constant(f"{name}.w", matrix)], f"{name}.out")
        values, scales = quantise(matrix)
        zeros = np.zeros(scales.shape, np.int8)
        inputs = [x, self.constant(f"{name}.w", values), self.constant(f"{name}.s", scales), self.constant(f"{name}.z", zeros)]
        return self.node("DynamicQuantizeMatMul", inputs, f"{name}.out", FUSED)

    def words(self) -> str:
        """The word embeddings of `input_ids`."""
        table = self.weights["embeddings.word_embeddings.weight"]
        if not self.quantised:
            return self.node("Gather", [self.constant("words.w", table), "input_ids"], "words")
        values, scales = quantise(table.T)
        rows = self.node("Gather", [self.constant("words.w", values.T), "input_ids"], "words.rows")
        factors = self.node("Gather", [self.constant("words.s", scales[:, None]), "input_ids"], "words.factors")
        return self.node("Mul", [self.node("Cast", [rows], "words.float", to=TensorProto.FLOAT), factors], "words")

    def embeddings(self) -> str:
        # All texts are single segments, so the segment embedding is a constant that joins the positions.
        segment = self.weights["embeddings.token_type_embeddings.weight"][0]
        table = self.constant("positions.w", self.weights["embeddings.position_embeddings.weight"][:POSITIONS] + segment)
        zero = self.constant("zero", np.zeros(1, np.int64))
        length = self.node("Shape", ["input_ids"], "length", start=1, end=2)
        positions = self.node("Slice", [table, zero, length, zero], "positions")
        both = self.node("Add", [self.words(), positions], "embeddings")
        norm = "embeddings.LayerNorm"
        inputs = [both, self.parameter(f"{norm}.weight"), self.parameter(f"{norm}.bias")]
        return self.node("LayerNormalization", inputs, f"{norm}.out", epsilon=1e-12)

    def attention(self, x: str, mask: str, name: str) -> str:
        parts = ("query", "key", "value")
        matrix = np.concatenate([self.weights[f"{name}.{part}.weight"] for part in parts]).T
        bias = self.constant(f"{name}.b", np.concatenate([self.weights[f"{name}.{part}.bias"] for part in parts]))
        if not self.quantised:
            return self.node(
                "Attention", [x, self.constant(f"{name}.w", matrix), bias, mask], f"{name}.out", FUSED, num_heads=HEADS
            )
        values, scales = quantise(matrix)
        x8, scale, zero = f"{name}.x", f"{name}.x.scale", f"{name}.x.zero"
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [x8, scale, zero], name=x8))
        weights, factors = self.constant(f"{name}.w", values), self.constant(f"{name}.s", scales)
        zeros = self.constant(f"{name}.z", np.zeros(scales.shape, np.int8))
        inputs = [x8, weights, bias, scale, factors, mask, zero, zeros]
        return self.node("QAttention", inputs, f"{name}.out", FUSED, num_heads=HEADS)

    def normalised_sum(self, x: str, skip: str, layer: str, output: str) -> str:
        """LayerNorm(x + bias + skip)."""
        names = (f"{layer}.LayerNorm.weight", f"{layer}.LayerNorm.bias", f"{layer}.dense.bias")
        inputs = [x, skip, *(self.parameter(name) for name in names)]
        return self.node("SkipLayerNormalization", inputs, output, FUSED, epsilon=1e-12)

    def encoder(self) -> None:
        x = self.embeddings()
        mask = self.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        for index in range(LAYERS):
            layer = f"encoder.layer.{index}"
            context = self.attention(x, mask, f"{layer}.attention.self")
            y = self.linear(context, f"{layer}.attention.output.dense")
            x = self.normalised_sum(y, x, f"{layer}.attention.output", f"{layer}.attention.sum")
            y = self.linear(x, f"{layer}.intermediate.dense")
            y = self.node("BiasGelu", [y, self.parameter(f"{layer}.intermediate.dense.bias")], f"{layer}.gelu", FUSED)
            y = self.linear(y, f"{layer}.output.dense")
            last = index == LAYERS - 1
            x = self.normalised_sum(y, x, f"{layer}.output", "token_embeddings" if last else f"{layer}.sum")
        self.pooling(x)

    def pooling(self, x: str) -> None:
        """The mean over the tokens of a text, L2-normalised, so the count of tokens need not be divided out."""
        one = self.constant("one", np.ones(1, np.int64))
        mask = self.node("Unsqueeze", [self.node("Cast", ["attention_mask"], "mask.float", to=TensorProto.FLOAT), one], "mask.row")
        total = self.node("Squeeze", [self.node("MatMul", [mask, x], "total.row"), one], "total")
        self.node("LpNormalization", [total], "sentence_embedding", axis=-1, p=2)

    def model(self) -> bytes:
        self.encoder()
        shape = ["batch", "sequence"]
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")]
        outputs = [
            helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", DIMENSIONS]),
            helper.make_tensor_value_info("token_embeddings", TensorProto.FLOAT, [*shape, DIMENSIONS]),
        ]
        graph = helper.make_graph(self.nodes, "all-MiniLM-L6-v2", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)]
        data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="khojd").SerializeToString()
        return data


def official_tokenizer(path: Path) -> tokenizers.Tokenizer:
    """The official tokenizer without its truncation and padding: khojd decides both itself."""
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def sample_vectors(model: bytes, tokenizer: tokenizers.Tokenizer) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = []
    for text in SAMPLES:
        ids = np.array([tokenizer.encode(text).ids[:POSITIONS]], np.int64)
        rows.append(session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="directory of model.safetensors and tokenizer.json")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where to put the model (default: %(default)s)")
    options = parser.parse_args()
    weights = read_safetensors(options.weights / "model.safetensors")
    tokenizer = official_tokenizer(options.weights / "tokenizer.json")
    model = Graph(weights, quantised=True).model()
    cosines = (sample_vectors(Graph(weights, quantised=False).model(), tokenizer) * sample_vectors(model, tokenizer)).sum(axis=1)
    print(f"cosine to fp32: mean {cosines.mean():.4f}, least {cosines.min():.4f}")
    if cosines.min() < LEAST_COSINE:
        sys.exit(f"the least cosine is below {LEAST_COSINE}: nothing written")
    files = {"model.onnx": model, "tokenizer.json": tokenizer.to_str().encode()}
    about = {
        "name": "all-MiniLM-L6-v2",
        "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "license": "Apache-2.0",
        "weights_sha256": WEIGHTS_SHA256,
        "quantisation": "weights int8 per channel, activations uint8 at run time",
        "dimensions": DIMENSIONS,
        "max_tokens": POSITIONS,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    options.output.mkdir(parents=True, exist_ok=True)
    for name, data in {**files, "model.json": (json.dumps(about, indent=2) + "\n").encode()}.items():
        (options.output / name).write_bytes(data)
        print(f"{options.output / name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
