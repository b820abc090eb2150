PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/rntk-bench
FROM := $(if $(DATA),--data-dir $(DATA))

.DEFAULT_GOAL := help
.PHONY: help install lint test demo tables reference figures examples docs dist ci clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/pip-upgraded:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/installed: pyproject.toml $(VENV)/pip-upgraded
	$(BIN)/python -m pip install --quiet --editable '.[offline]'
	@touch $@

$(VENV)/installed-figures: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[offline,finite,figures]'
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/installed-lint: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[docs,offline]'
	@touch $@

$(VENV)/installed-dist: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[offline,dist]'
	@touch $@

install: $(VENV)/installed ## Create .venv and install the package with its offline datasets

figures: $(VENV)/installed-figures ## Draw the paper's figures 2 and 3 and the training dynamics (quick)
	$(RUN) figure 2 --quick --out results/runs/figures
	$(RUN) figure 3 --quick --out results/runs/figures
	$(RUN) figure training --quick --out results/runs/figures

demo: $(VENV)/installed ## Benchmark the four kernels on Coffee with the paper's grids, print the tables
	$(RUN) run --dataset Coffee
	$(RUN) table

test: $(VENV)/installed-test ## Run the whole test suite, one process per core
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/installed-lint ## ruff, mypy and the import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tables: $(VENV)/installed ## Print the tables of the shipped reference records
	$(RUN) table --results results/reference -c reference -m rntk -m ntk -m rbf -m poly
	$(RUN) table --results results/reference -c reference --no-paper
	$(RUN) table --results results/reference -c networks-literal
	$(RUN) table --results results/reference -c networks-compact
	$(RUN) table --results results/reference -c networks-paper
	$(RUN) table --results results/reference -c lengths --no-paper
	$(RUN) table noise --results results/seeds -c reference -m rntk -m ntk -m rbf -m poly
	$(RUN) table 1 --results results/unseen -c unseen --no-paper

reference: $(VENV)/installed ## Make the records of results again: hours; DATA=folder has the archive, else it is downloaded
	$(RUN) run -c reference $(FROM) --results results/reference
	$(RUN) run -c lengths $(FROM) --results results/reference
	$(RUN) run -c networks-literal $(FROM) --results results/reference
	$(RUN) protocols -c protocols $(FROM) -o results/protocols.csv
	$(RUN) run -c networks-compact $(FROM) --results results/reference
	$(RUN) run -c networks-paper $(FROM) --results results/reference
	$(RUN) run -c unseen $(FROM) --results results/unseen
	for seed in 0 1 2 3 4; do $(RUN) run -c reference -m rntk -m ntk -m rbf -m poly --seed $$seed $(FROM) --results results/seeds || exit; done

examples: $(VENV)/installed-test ## Write again what the manual shows of the records; FILES=folder has published accuracies
	$(BIN)/python -m tests.refresh_examples $(FILES)

docs: $(VENV)/installed-docs ## Build the manual as HTML in docs/_build; warnings are errors
	rm -rf docs/api
	$(BIN)/python -m sphinx -W --keep-going -n -q docs docs/_build

dist: $(VENV)/installed-dist ## Build sdist and wheel in dist, and run the wheel in an empty environment and folder
	rm -rf dist build
	$(BIN)/pyproject-build
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/environment
	build/environment/bin/python -m pip install --quiet dist/*.whl
	mkdir build/folder
	cd build/folder && ../environment/bin/rntk-bench run -d GunPoint -c quick
	cd build/folder && ../environment/bin/rntk-bench run -d GunPoint

ci: export RNTK_BENCH_FAULTS ?= 1
ci: lint test demo tables docs dist ## Everything the gate checks, with all faults of tests/faults

clean: ## Remove the environment, caches, your own runs and the built manual
	rm -rf $(VENV) build dist results/runs results/report.html docs/_build docs/api docs/commands .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
