# Every target makes the environment it needs. Only Python 3.11 or newer has to be there.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Lint and types load the settings without a server or a secret.
CHECK_ENV := SOLFLOW_ENV=local
UP ?=
# The longest files come first by name; xdist would put those with the fewest tests last.
TESTS ?= -n 2 --dist loadfile --no-loadscope-reorder
BENCH ?=
MINUTES ?= 10
CHAOS = --minutes $(MINUTES) $(if $(RATE),--rate $(RATE)) $(if $(ACCOUNTS),--accounts $(ACCOUNTS)) \
	$(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS))

.PHONY: run test chaos style types imports check bench css docs lock clean
.DEFAULT_GOAL := run

run: $(VENV)/installed ## start everything; options in UP, e.g. make run UP="--port 8001"
	@exec $(BIN)/python manage.py up $(UP)

test: $(VENV)/installed-dev ## the whole suite; options in TESTS, e.g. make test TESTS=tests/unit
	@$(BIN)/python -m pytest $(TESTS)

chaos: $(VENV)/installed-dev ## random faults for MINUTES, then sums that must agree; also RATE, ACCOUNTS, SEED, FAULTS
	@$(BIN)/python -m tests.chaos $(CHAOS)

style: $(VENV)/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	@$(CHECK_ENV) $(BIN)/mypy .

imports: $(VENV)/installed-dev
	@$(CHECK_ENV) $(BIN)/lint-imports

check: style types imports test ## what CI runs

bench: $(VENV)/installed-dev ## this machine's figures as one table; options in BENCH, e.g. BENCH="--quick latency"
	@$(BIN)/python -m benchmarks $(BENCH)

css: ## rebuild static/ from frontend/ (developers only, needs Node)
	@cd frontend && npm ci --silent && npm run --silent build

docs: $(VENV)/installed-dev ## build site/ from docs/; a link that leads nowhere fails
	@$(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

lock: $(VENV)/installed-dev ## pin what requirements.txt brings along, by hashes, for every platform and Python from 3.11 on
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-config requirements.txt --output-file requirements.lock

clean: ## remove what targets make, except data
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@if [ -z "$(PYTHON)" ]; then echo "SolFlow needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@touch $@

$(VENV)/installed: requirements.lock $(VENV)/made
	@echo "installing requirements.lock (the first time takes a minute or two)"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements-keychain.txt $(VENV)/installed
	@echo "installing requirements-dev.txt"
	@$(PIP) install -r requirements-dev.txt
	@touch $@
