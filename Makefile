# Everything a contributor does, one target each. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup serve test check lint fmt model reference bench soak screenshots clean

# Debian's own Python is built with profile-guided optimisation and runs about twice as fast as a plain build.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := .venv/bin
TESTS ?= tests
# One more than the two cores of CI: tests wait for servers and disks as much as they compute.
JOBS ?= 3
# The tests start the program some hundred times: it must not be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.venv/.made: tools/make_venv.sh
	sh tools/make_venv.sh $(PYTHON)
	touch $@

.venv/.serve: .venv/.made pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[postgres]'
	touch $@

.venv/.dev: .venv/.serve
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group dev
	touch $@

setup: .venv/.dev ## everything for development, in .venv

serve: .venv/.serve ## the server on http://127.0.0.1:7665, SQLite in ./.poolhouse
	$(BIN)/poolhouse serve

test: .venv/.dev ## the whole suite, on SQLite and PostgreSQL
	sh tools/install_test_tools.sh
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --database both $(TESTS)

check: lint test ## format, lint, types, layers, then the suite

lint: .venv/.dev ## format, lint, types, layers, sizes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CONTRIBUTING.md CHANGELOG.md ARCHITECTURE.md docs src tests tools
	! grep -rnIE '^(<{7}|>{7}) ' *.md docs src tests tools # what a merge leaves behind
	$(BIN)/python tools/measure.py

fmt: .venv/.dev ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

model: .venv/.dev ## generate src/poolhouse/model from botocore
	$(BIN)/python tools/generate_model.py

reference: .venv/.dev ## generate docs/reference
	$(BIN)/python tools/generate_reference.py

bench: .venv/.dev ## ratios against this machine's limits, measured in the same run
	$(BIN)/python -m bench

soak: .venv/.dev ## long load, fault and scale runs
	$(BIN)/python -m pytest -q soak

screenshots: .venv/.dev ## every page, phone and desktop, light and dark, into build/screenshots
	sh tools/install_test_tools.sh
	$(BIN)/python -m pytest -q tests/browser --screenshots build/screenshots

clean: ## remove what was built
	rm -rf .venv build *.egg-info src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
