# Everything runs in .venv, which is made from requirements.lock. `make` alone lists the commands.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
# `make check-pythons` makes one for each interpreter
VENV := .venv
UV_VERSION := 0.13.9
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# one process more than there are cores, because tests that run processes of their own wait for them a third of the time
TEST_ARGS ?= --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

SOAK_HISTORIES ?= 1000
SOAK_SEED := $(or $(SOAK_SEED),$(shell date +%s))

# the interpreters that pyproject.toml claims, and the part of the tests that would show a difference between them
PYTHONS ?= python3.11 python3.12 python3.13
PYTHONS_TESTS := $(addprefix analytics_assets_tests/,source pipeline warehouse test_settings.py orchestration/test_definitions.py)

DBT_PROJECT := analytics_assets/dbt_project
DBT_FILES := $(shell find $(DBT_PROJECT) -mindepth 1 \( -name target -o -name logs -o -name dbt_packages \) -prune -o -print)
MANIFEST := $(DBT_PROJECT)/target/manifest.json
LOCKED := $(VENV)/locked
INSTALLED := $(VENV)/installed

# No telemetry. dagster.yaml and the command line switch it off too; these are for the tools when they are called directly.
export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1
export RUNTIME__DLTHUB_TELEMETRY := false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run dev test test-ui pictures soak bench check check-pythons fmt lint types definitions lineage lock wheel clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(INSTALLED) $(MANIFEST)  ## make .venv from the lock and install the project; the others call it when needed

run: setup  ## the main job: without ANALYTICS_API_KEY the demo workspace, with it your own
	@$(BIN)/analytics-assets run

dev: setup  ## the Dagster UI on port 3000 (PORT=), with daemon, schedules and sensors
	@$(BIN)/analytics-assets dev --port $(or $(PORT),3000)

test: setup  ## all tests; TEST_ARGS="-k NAME" for some of them
	$(BIN)/python -m pytest $(TEST_ARGS)

test-ui: setup  ## the walk through the Dagster UI in a browser; needs Debian's chromium
	$(BIN)/python -m pytest -m ui $(UI_ARGS)

pictures: setup  ## the pictures of README.md anew; needs Debian's chromium, fonts-noto-core and fonts-noto-cjk
	@$(BIN)/python -m analytics_assets_tests.ui.pictures

soak: setup  ## a thousand invented histories, faults, kills and full disks, for some hours; SOAK_HISTORIES= and SOAK_SEED= say how many and which
	@echo "make soak SOAK_HISTORIES=$(SOAK_HISTORIES) SOAK_SEED=$(SOAK_SEED) does the same again"
	@SOAK_HISTORIES=$(SOAK_HISTORIES) SOAK_SEED=$(SOAK_SEED) $(BIN)/python -m pytest -m soak $(TEST_ARGS)

bench: setup  ## side by side with what else one could run; BENCH_ARGS="--entries 1000000 --members 100 --runs 1", --write for docs/benchmarks.md
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

check: setup  ## what CI runs: lint, types, definitions, tests; goes through all of them before it fails
	@$(MAKE) --no-print-directory --keep-going lint types definitions test

check-pythons:  ## the tests of source, pipeline, warehouse, settings and definitions on Python 3.11 to 3.13; PYTHONS="/path/to/python3.12 ..." names other interpreters
	@failed=; for python in $(PYTHONS); do \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) \
	    || { failed="$$failed$$python is missing; "; continue; }; \
	  echo "Python $$version, in .build/python-$$version"; \
	  $(MAKE) --no-print-directory setup PYTHON="$$python" VENV=".build/python-$$version" \
	    && ".build/python-$$version/bin/python" -m pytest $(TEST_ARGS) $(PYTHONS_TESTS) \
	    || failed="$${failed}Python $$version failed; "; \
	done; \
	if [ -n "$$failed" ]; then \
	  echo "Not every Python was checked and green: $${failed}PYTHONS=\"/path/to/python3.12 ...\" names interpreters." >&2; exit 1; \
	fi

fmt: setup  ## format the code and repair what ruff can repair; shows the rest
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

lint: setup  ## style, format, and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

types: setup  ## strict types
	$(BIN)/mypy

definitions: setup  ## whether Dagster loads them
	$(BIN)/dagster definitions validate -w workspace.yaml

lineage: setup  ## write analytics_assets/dbt_project/column_lineage.json anew, half a minute; after a change of a model, a macro or a source
	@echo "Reading which columns each column is made of ..."
	@$(BIN)/python build_backend/column_lineage.py
	@$(MAKE) --no-print-directory --silent setup

lock: .build/uv-$(UV_VERSION)  ## resolve pyproject.toml into requirements.lock anew; LOCK_ARGS=--upgrade for newer versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $</bin/uv pip compile pyproject.toml --extra dev --extra team --extra postgres --extra snowflake --extra bigquery --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --quiet --output-file requirements.lock $(LOCK_ARGS)

wheel: setup  ## build the wheel into dist/, the parsed dbt project inside
	@rm -rf build
	$(BIN)/python -m build --wheel --no-isolation

clean:  ## remove .venv and everything that was built; the warehouse in data/ stays
	rm -rf .venv .build build dist *.egg-info $(DBT_PROJECT)/target $(DBT_PROJECT)/logs
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# From scratch when the lock changes, so that nothing stays that it no longer names.
$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo 'Python 3.11, 3.12 or 3.13 is needed; say which with PYTHON=/path/to/python3.11.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo 'This Python makes no virtual environments; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo "Installing what requirements.lock names into $(VENV), about a minute ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@awk '/^pip==/ { found = 1 } found; found && !/\\$$/ { exit }' requirements.lock > $(VENV)/pip.lock
	@$(PIP) install --require-hashes --requirement $(VENV)/pip.lock
	@$(PIP) install --no-deps --require-hashes --requirement requirements.lock
	@touch $@

$(MANIFEST): $(LOCKED) build_backend/dbt_manifest.py $(DBT_FILES)
	@echo "Compiling the dbt project ..."
	@$(BIN)/python build_backend/dbt_manifest.py

$(INSTALLED): $(LOCKED) pyproject.toml setup.cfg build_backend/dbt_manifest.py | $(MANIFEST)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@# pip compiles what it installs but not what it links; with PYTHONDONTWRITEBYTECODE set, each command would do it again
	@$(BIN)/python -m compileall -q analytics_assets
	@touch $@

.build/uv-$(UV_VERSION):
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip --disable-pip-version-check --no-input --quiet install uv==$(UV_VERSION)
