# Needs Python 3.11 or newer with venv, and a package registry; nothing else by hand.
# `make UV_PYTHON=python3.13 test` takes another Python (after `make clean`).

.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

# Without bytecode every start of a plugin compiles trio anew.
unexport PYTHONDONTWRITEBYTECODE

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
INSTALL := $(UV) pip install --python .venv --compile-bytecode \
	--constraints constraints.txt --build-constraints constraints.txt

.PHONY: help
help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | \
		while IFS='#' read -r target what; do printf '%-22s%s\n' "$$target" "$$what"; done

.PHONY: demo
demo: .venv/demo-stamp ## run the host, Postgres and a simulated Hydra; ARGS='--seconds 60'
	$(BIN)/hydra-notify demo $(ARGS)

.PHONY: test
test: .venv/dev-stamp ## run the tests; ARGS='-k sweep'
	$(BIN)/pytest --numprocesses 3 --dist worksteal $(ARGS)

TARGET ?= replies
SECONDS ?= 60

.PHONY: fuzz
fuzz: .venv/dev-stamp ## look for bytes that break a parser; TARGET=replies SECONDS=60
	$(INSTALL) --group fuzz
	$(BIN)/python -m tests.fuzz $(TARGET) --seconds $(SECONDS)

.PHONY: soak
soak: .venv/dev-stamp ## kill everything for MINUTES=10, by SEED=1; ARGS=--flag-only
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) $(ARGS)

.PHONY: bench
bench: .venv/dev-stamp ## measure speed beside its floors: 25 minutes; ARGS='--quick throughput'
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-recovery
bench-recovery: .venv/dev-stamp ## measure how quickly the host recovers: four minutes
	$(BIN)/python -m benchmarks.recovery

.PHONY: check
check: lint floors types ## lint, format check, floors, types twice; -k to see all of it

# The codes of flake8-async that ruff does not have: await in a finally, swallowed
# cancellation, lost exception groups. It is slow, so it reads only what uses trio.
TRIO_MISTAKES := $(shell printf ASYNC%s, 101 102 103 104 113 118 119 120 121 122 123 126)

.PHONY: lint
lint: .venv/dev-stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/flake8-async --enable $(TRIO_MISTAKES)ASYNC300 \
		$$(grep -rlw --include='*.py' trio host tests benchmarks)

.PHONY: floors
floors: .venv/dev-stamp
	$(BIN)/lint-imports

.PHONY: types
types: .venv/dev-stamp
	$(BIN)/mypy
	$(BIN)/pyright

.PHONY: format
format: .venv/dev-stamp ## sort imports, fix what can be fixed, format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: generate
generate: .venv/dev-stamp ## write anew what is made from the protocol's definition
	$(BIN)/python -m generate

.PHONY: constraints
constraints: | $(UV) ## pin the newest version of everything in constraints.txt
	$(UV) lock --upgrade
	$(UV) export --quiet --frozen --all-groups --all-extras --no-emit-workspace \
		--no-hashes --no-annotate --no-header --output-file constraints.txt

.PHONY: clean
clean: ## remove everything that make made
	rm -rf .venv .uv uv.lock dist
	rm -rf .fuzz .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/python -m pip install --quiet --constraint constraints.txt uv

PINS := constraints.txt hatch_build.py pyproject.toml plugin_sdk/pyproject.toml \
	example_plugins/pyproject.toml

.venv/demo-stamp: $(PINS) | $(UV)
	test -x $(BIN)/python || $(UV) venv --clear .venv
	$(INSTALL) --editable '.[demo]'
	touch $@

.venv/dev-stamp: .venv/demo-stamp
	$(INSTALL) --group dev
	touch $@
