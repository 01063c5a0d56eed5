# Everything that the project needs is set up here; `make help` lists the targets.
PYTHON ?= python3
UV ?= .venv/bootstrap/uv
RUN = .venv/bin/python -m

.PHONY: help test lint demo bench site clean

help:
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

.venv/bootstrap/uv:
	@$(PYTHON) scripts/bootstrap.py $@

.venv/ready: pyproject.toml uv.lock $(filter .venv/bootstrap/uv,$(UV))
	@echo "setting up .venv"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@$(UV) sync --quiet --locked --python $(PYTHON)
	@touch $@

test: .venv/ready lint ## check the code and run all tests that need no server
	@$(RUN) pytest -q -n 2

lint: .venv/ready ## check style, types and layers
	@$(RUN) ruff check
	@$(RUN) ruff format --check --quiet
	@$(RUN) mypy
	@said=$$(.venv/bin/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }; echo "$$said" | tail -n 1

demo: .venv/ready ## check, build and compile a copy of this repository, serve a model, print a prediction
	@.venv/bin/python scripts/demo.py

bench: .venv/ready ## the benchmarks of benchmarks/README.md
	@.venv/bin/python benchmarks/run.py

site: .venv/ready ## the documents as a site, in build/site
	@.venv/bin/python -m sphinx --quiet --fail-on-warning --doctree-dir build/doctrees docs build/site
	@echo build/site/index.html

clean: ## remove the environment and all local state
	@rm -rf .venv .mmgit .mypy_cache .ruff_cache .pytest_cache build
