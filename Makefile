# Everything a person or a CI job does here. `make` lists it.
#
#   make demo     PYTHON=python3.12 FILE=my.jsonl KEEP=1 COUNT=5000
#   make test

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Every command and every local function is a process of its own; none should compile what another has.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo test tests-that-wait tests-that-compute test-fast model lint types format reference clean

DEMO := $(if $(FILE),--file "$(FILE)") $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep)

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMPS)/dev ## Make .venv with everything that developing needs

demo: $(STAMPS)/local ## The whole cutover on this machine, with faults on the way (FILE=, COUNT=, SEED=, KEEP=1)
	@$(BIN)/cutover demo $(DEMO)

test: lint ## Lint, strict types, and every test
	@$(MAKE) --no-print-directory --jobs 3 types tests-that-wait tests-that-compute

# Two runs at once. Who waits for a stack or a browser has the processors first; the other takes what is left.
# What takes longest begins first (tests/conftest.py), so that nothing long is left alone at the end.
IN_ORDER := --dist loadfile --no-loadscope-reorder
COMPUTING := tests/property tests/unit
tests-that-wait: $(STAMPS)/dev
	$(BIN)/pytest -n 2 $(IN_ORDER) $(COMPUTING:%=--ignore %) --durations 15
tests-that-compute: $(STAMPS)/dev
	nice -n 5 $(BIN)/pytest -n 2 $(IN_ORDER) $(COMPUTING) --durations 15

test-fast: $(STAMPS)/dev ## Every test that needs neither the local AWS, a browser nor many examples
	$(BIN)/pytest -n 2 $(IN_ORDER) -m "not slow" --ignore tests/e2e --ignore tests/browser

model: SEED := $(or $(SEED),$(shell echo $$RANDOM))
model: $(STAMPS)/dev ## Thousands of migrations with crashes at any call (RUNS=5000, SEED=)
	CUTOVER_SEED=$(SEED) CUTOVER_MIGRATIONS=$(or $(RUNS),150) $(BIN)/pytest -n 2 $(IN_ORDER) \
		tests/property/test_property_migration.py tests/property/test_property_moving.py -k "many or everybody"

lint: $(STAMPS)/dev ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMPS)/dev ## Strict types
	$(BIN)/mypy

format: $(STAMPS)/dev ## Mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: $(STAMPS)/dev ## Write docs/reference.md from the commands
	$(BIN)/python -m migration.cli.reference > docs/reference.md

clean: ## Remove .venv and every cache; the local stack must be down
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment, filled in two steps: the demo does not wait for what only tests need. Made again when what is
# asked for changes. Nothing is compiled before somebody imports it: most of what is installed nobody does.
$(VENV)/bin/python:
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "There is no $(PYTHON) here. Try: make PYTHON=python3.12 setup" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 setup" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/local: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing what the demo needs (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -e '.[local]' -c constraints.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: $(STAMPS)/local
	@echo "Installing what developing needs (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -e '.[dev]' -c constraints.txt
	@touch $@
