# Needs Python 3.11 or later and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin

$(BIN)/python:
	$(PYTHON) -m venv .venv

# All that the tests need: the three backends, at the versions of constraints.txt.
.venv/for-tests: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing three backends and the tools into .venv: some minutes the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable ".[dev,tensorflow-cpu,jax,torch]"
	@touch $@

.PHONY: test test-all test-tensorflow test-jax test-torch lint coverage

test: lint  ## lint, types, and the tests on TensorFlow, JAX and PyTorch
	$(BIN)/python tools/battery.py --coverage -- -m "not slow"

test-all: lint  ## the same with the tests that take minutes
	$(BIN)/python tools/battery.py --coverage

test-tensorflow test-jax test-torch: test-%: .venv/for-tests  ## the tests on one backend
	$(BIN)/python tools/battery.py --backends $* -- -m "not slow"

lint: .venv/for-tests  ## style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

coverage: .venv/for-tests  ## which lines the last `make test` did not run
	$(BIN)/coverage report
