# Everything lives in .venv. Start with: make demo
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.PHONY: help install demo test lint bench docs campaign clean

help:
	@echo "make demo      the demonstration: records, build, live site on http://127.0.0.1:8000"
	@echo "make test      all tests, browser included"
	@echo "make lint      format, lint, types, import contracts"
	@echo "make bench     the measured figures, as tables"
	@echo "make docs      schemas and screenshots, made again"
	@echo "make campaign  the long runs: thousands of random instances, kills"

install: $(STAMP)

$(STAMP): pyproject.toml hatch_build.py src/clerestory/attack/circuits.c
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make demo PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[noise,postgres]' --group dev
	@touch $(STAMP)

demo: install
	$(BIN)/clerestory demo demo

test: install
	@$(BIN)/python -m tests.requirements
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov=clerestory --cov-report=term:skip-covered $(T)

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

docs: install
	$(BIN)/python -m docs.make
	@test ! -e demo/releases/current || $(BIN)/python -m docs.screenshots demo

campaign: install
	CLERESTORY_CAMPAIGN=1 $(BIN)/python -m pytest -n $(WORKERS) -m campaign

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
