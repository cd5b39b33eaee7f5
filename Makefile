# Two commands do all the work: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-llm check check-editors bench install install-dev clean

demo: install
	$(BIN)/python scripts/demo.py

test: install-dev check
	$(BIN)/python -m pytest

check: install-dev check-editors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The front-ends in TypeScript. Who lacks Node can work on the rest; under KHOJD_TEST_ALL=1 nothing may be missing.
check-editors:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory editor/node_modules/.installed && cd editor && npm run --silent lint && npm run --silent types; \
	else echo "npm is not here: editor/vscode and editor/obsidian are not checked"; test "$$KHOJD_TEST_ALL" != 1; fi

# Not part of `make test`: builds llama.cpp's server once (7 minutes), unless there is one.
test-llm: install-dev
	$(BIN)/pip install --quiet --disable-pip-version-check gguf
	server="$$(scripts/llama_server.sh)" && KHOJD_TEST_LLM="$$server" $(BIN)/python -m pytest -m llm tests/llm

bench: install-dev
	$(BIN)/python -m tests.bench

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

# torch comes first and pinned: a free range would bring several GB of CUDA libraries along.
$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,transformers,anthropic,google,keyring]'
	touch $@

editor/node_modules/.installed: editor/package-lock.json
	cd editor && npm ci --loglevel=error
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache editor/node_modules
