# Each command works on a fresh clone: it makes the environment first, with Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := backend bench

.DEFAULT_GOAL := help
.PHONY: help serve demo test coverage check format docs bench bench-scale bench-endurance bench-search storms fuzz openapi-check clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/serve  ## Run the app on a MongoDB of its own, or on $MONGODB_URI
	@$(BIN)/aijobhunt serve

demo: .venv/serve  ## Fill the database with believable examples, beside `make serve`
	@$(BIN)/aijobhunt demo

test: .venv/test  ## Run the test suite, on a MongoDB of its own or on $MONGODB_URI
	$(BIN)/python -m pytest --numprocesses auto

coverage: .venv/test  ## The same, a quarter slower, and fail where too little of the app was run
	$(BIN)/python -m pytest --numprocesses auto --cov

check: .venv/check  ## Lint, format, types, generated documents
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m backend.generated --check

format: .venv/check  ## Put the sources into shape
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: .venv/serve  ## Write what is made from the code: schema, OpenAPI document, .env.example
	$(BIN)/python -m backend.generated

bench: .venv/bench  ## Measure the app beside its peers; writes docs/benchmark.md
	$(BIN)/python -m bench

bench-scale: .venv/bench  ## Measure bulk writes up to a million postings; writes docs/ingestion.svg
	$(BIN)/python -m bench.scale --docs docs

bench-endurance: .venv/bench  ## Upload a gigabyte, export a million postings; writes docs/endurance.md
	$(BIN)/python -m bench.endurance --docs docs

bench-search: .venv/bench  ## Measure search, filters and facets at a million postings; writes docs/search.md
	$(BIN)/python -m bench.search --docs docs

storms: .venv/test  ## Race requests through a real server and kill it, many times over; takes a while
	$(BIN)/python -m backend.tests.storms --rounds 100 --kills 20 --driver both

fuzz: .venv/fuzz  ## Make up requests from the OpenAPI document, and hold the answers against it
	$(BIN)/python -m backend.tests.fuzz

openapi-check: .venv/clients  ## Have linters and generated clients read the OpenAPI document (needs Node.js)
	$(BIN)/python -m backend.tests.clients

clean:  ## Remove the environment and what tools left behind; keeps the data
	rm -rf .venv build *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

# One stamp a purpose, so that serving does not wait for what only testing needs.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.venv/serve: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[embedded]'
	@touch $@

.venv/test: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) -e '.[embedded,test]'
	@touch $@ .venv/serve

.venv/check: .venv/test
	$(INSTALL) -e '.[embedded,test,check,bench]'
	@touch $@

.venv/bench: .venv/serve
	$(INSTALL) -e '.[embedded,bench]'
	@touch $@

.venv/fuzz: .venv/serve
	$(INSTALL) -e '.[embedded,fuzz]'
	@touch $@

.venv/clients: .venv/serve
	$(INSTALL) -e '.[embedded,clients]'
	@touch $@
