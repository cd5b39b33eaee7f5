"""A model server that makes vectors and scores of the words it is given: an Ollama for embedding, a llama.cpp for re-ranking."""

import asyncio
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from khojd.config import Config, Embedding, Models, Provider
from tests.llm.replay import Replay, Reply, Request, json_reply

# Words of one meaning have one vector.
MEANINGS: Mapping[str, str] = {"bird": "heron", "birds": "heron", "bicycle": "cassette", "bike": "cassette"}


class EmbeddingServer(Replay):
    """Serves the model `m`. It takes `limit` words of a text and gives vectors of `dimensions`."""

    def __init__(self, *, dimensions: int = 32, limit: int = 400, port: int = 0) -> None:
        super().__init__(port)
        self.dimensions = dimensions
        self.limit = limit
        self.texts: list[str] = []  # that were embedded
        self.on("POST", "/api/show", self._show)
        self.on("POST", "/api/embed", self.embed)
        self.on("POST", "/v1/rerank", self.rerank)
        self.on("GET", "/api/version", json_reply({"version": "0.1"}))

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def config(self, base: Config, *, prompts: tuple[str, str] = ("", ""), **settings: Any) -> Config:
        """`base` with this server's model for embedding."""
        from msgspec.structs import replace

        provider = Provider(kind="ollama", base_url=self.url, **settings)
        embedding = Embedding(model="remote", query_prompt=prompts[0], passage_prompt=prompts[1])
        return replace(base, embedding=embedding, models=Models(embedding="srv/m"), providers={"srv": provider})

    def embed(self, request: Request) -> Reply:
        texts = request.json["input"]
        if any(len(text.split()) > self.limit for text in texts):
            return json_reply({"error": "the input length exceeds the context length"}, 400)
        self.texts += texts
        return json_reply({"embeddings": [self.vector(text) for text in texts]})

    def vector(self, text: str) -> list[float]:
        found = np.zeros(self.dimensions)
        for word in text.lower().split():
            plain = word.strip(".,!?#:*\n")
            meaning = MEANINGS.get(plain, plain)
            weight = 4.0 if meaning in MEANINGS.values() else 1.0
            found += weight * np.random.default_rng(zlib.crc32(meaning.encode())).standard_normal(self.dimensions)
        return [float(value) for value in 3.0 * found + 0.001]

    def rerank(self, request: Request) -> Reply:
        """More of the query's letters is better; logits, in no order."""
        query, documents = request.json["query"], request.json["documents"]
        if any(len(text.split()) > self.limit for text in documents):
            error = {
                "code": 500,
                "message": "input is too large to process. increase the physical batch size",
                "type": "server_error",
            }
            return json_reply({"error": error}, 500)
        scores = [-5.0 + sum(text.lower().count(word) for word in query.lower().split()) for text in documents]
        results = [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]
        return json_reply(
            {"model": "m", "object": "list", "results": sorted(results, key=lambda one: -float(one["relevance_score"]))}
        )

    def _show(self, request: Request) -> Reply:
        if request.json["model"] != "m":
            return json_reply({"error": f"model '{request.json['model']}' not found"}, 404)
        about = {"general.architecture": "bert", "bert.context_length": 512, "bert.embedding_length": self.dimensions}
        return json_reply({"capabilities": ["embedding"], "model_info": about, "details": {}})


def held_back(reply: Reply, until: asyncio.Event) -> Reply:
    """The same reply, with its body sent later."""
    return Reply(reply.status, reply.headers, [until, *reply.body], framing=reply.framing)
