"""The check of the configured embedding model, where it is on a server."""

from khojd.config import Config, Embedding, Models, Provider
from khojd.doctor import model
from tests.llm.replay import refused_url


def test_a_model_server_that_is_away_is_found_out() -> None:
    provider = Provider(kind="ollama", base_url=refused_url())
    config = Config(embedding=Embedding(model="remote"), models=Models(embedding="srv/m"), providers={"srv": provider})
    *_, check = model.examine(config)
    assert (check.name, check.state) == ("embedding", "fail")
    assert "srv: no connection to http://127.0.0.1" in check.message


def test_a_remote_model_that_no_setting_names_is_found_out() -> None:
    *_, check = model.examine(Config(embedding=Embedding(model="remote")))
    assert check.state == "fail"
    assert "models.embedding is empty" in check.message
