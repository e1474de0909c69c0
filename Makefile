# Needs Python 3.11 or later and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

# JAX is the smallest to download and to install, and is there for every system.
BACKEND ?= jax
BACKENDS := tensorflow jax torch
# ARGS="--seed 7" repeats the order of an earlier run.
EXTRA := $(subst tensorflow,tensorflow-cpu,$(BACKEND))

.DEFAULT_GOAL := help
.PHONY: help demo

help:  ## this list
	@grep -Eh '^[a-z-].*:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | \
		awk -F '\t' '{ printf "  make %-36s %s\n", $$1, $$2 }'

demo: known-backend .venv/for-demo-$(BACKEND)  ## train on real digits; BACKEND=tensorflow|jax|torch, ARGS="--seed 1"
	KERAS_BACKEND=$(BACKEND) $(BIN)/python recipes/digits.py $(ARGS)

.PHONY: known-backend
known-backend:
	@case " $(BACKENDS) " in *" $(BACKEND) "*) ;; *) \
		echo "BACKEND must be one of: $(BACKENDS). Received: BACKEND=$(BACKEND)" >&2; exit 2;; esac

.venv/for-demo-$(BACKEND): $(BIN)/pip pyproject.toml constraints.txt | known-backend
	@echo "Installing $(EXTRA), scikit-learn and matplotlib into .venv"
	$(INSTALL) --editable ".[quickstart,$(EXTRA)]"
	@touch $@

# pip comes last: where it is there, the environment is whole.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

# All that the tests need: the three backends, at the versions of constraints.txt.
.venv/for-tests: $(BIN)/pip pyproject.toml constraints.txt
	@echo "Installing three backends and the tools into .venv: some minutes the first time"
	$(INSTALL) --quiet --editable ".[dev,tensorflow-cpu,jax,torch]"
	@touch $@

SECONDS_OF_FUZZ = $(or $(SECONDS),60)

.PHONY: fuzz test test-all test-tensorflow test-jax test-torch lint coverage

test: lint  ## lint, types, and the tests on TensorFlow, JAX and PyTorch; ARGS="--seed 7"
	$(BIN)/python tools/battery.py $(ARGS) -- -m "not slow"

test-all: lint  ## the same with the full matrix of cases, and which lines they did not run
	$(BIN)/python tools/battery.py --coverage $(ARGS)

test-tensorflow test-jax test-torch: test-%: .venv/for-tests  ## the tests on one backend
	$(BIN)/python tools/battery.py --backends $* $(ARGS) -- -m "not slow"

lint: .venv/for-tests  ## style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fuzz: .venv/for-tests  ## damage files that the package reads; SECONDS=600 ARGS="--seed 1"
	PYTHONPATH=. KERAS_BACKEND=jax $(BIN)/python -W ignore tools/fuzz.py --seconds $(SECONDS_OF_FUZZ) $(ARGS)

coverage: .venv/for-tests  ## which lines the last `make test-all` did not run
	$(BIN)/coverage report
