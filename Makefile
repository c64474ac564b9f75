# Each command makes .venv by itself where it is missing or older than the pins.
PYTHON ?= python3
BIN := .venv/bin
TORCH_CPU := https://download.pytorch.org/whl/cpu

# The pins hold in build environments too; pip reads the second name there from 25.3 on.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1 # Material's notice about a version that we exclude
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# A stage's test is named as its module: these need no site and no browser.
PACKAGE := $(wildcard $(patsubst workflow/%.py,tests/test_%.py,$(wildcard workflow/*.py))) tests/test_package.py

.PHONY: help serve quick test site offline check format bench clean

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/ready ## Build the site and serve it at http://127.0.0.1:8000, fresh after each edit
	$(BIN)/python -m mkdocs serve --livereload

quick: check ## Look at the package: format, lint, types, its tests and examples, in a minute
	$(BIN)/python -m pytest --quiet workflow $(PACKAGE)

test: .venv/ready tests/node_modules ## Run every test: the package, the tutorials, the site in a browser
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal --cov --cov-report=term-missing:skip-covered

site: .venv/ready ## Build the site into site/
	$(BIN)/python -m mkdocs build --strict

offline: .venv/ready ## Build build/pytorch-workflow.zip, a site that opens from a folder
	OFFLINE=true $(BIN)/python -m mkdocs build --strict --site-dir build/pytorch-workflow

check: .venv/ready ## Look at format, lint and types
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m ruff check
	$(BIN)/python -m mypy

format: .venv/ready ## Format, and mend what lint can mend
	$(BIN)/python -m ruff format
	$(BIN)/python -m ruff check --fix

bench: .venv/ready ## Time the package against plain PyTorch, and explorables against a bare button
	$(BIN)/python tests/bench.py
	$(BIN)/python -m pytest --quiet tests/explorables/bench_explorables.py

clean: ## Remove what was built; .venv stays
	rm -rf site build .cache

# A stock torch for Linux brings gigabytes of CUDA; without an NVIDIA GPU, PyTorch's CPU index is
# asked first, and given up within seconds where it can't be reached.
.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python is " + sys.version.split()[0] + "; expected 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear .venv || \
		{ rm -rf .venv; echo "venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		echo "No NVIDIA GPU here: asking PyTorch's CPU index for torch"; \
		timeout 10 $(BIN)/python -c 'from urllib.request import urlopen; urlopen("$(TORCH_CPU)/torch/", timeout=5)' 2>/dev/null \
		&& $(BIN)/python -m pip install --quiet --no-deps --index-url $(TORCH_CPU) torch \
		|| echo "It can't be reached: torch comes from the ordinary index"; \
	fi
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# axe and the HTML validator; without npm the tests that use them say that they were skipped.
tests/node_modules: tests/package.json tests/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests --silent --no-audit --no-fund && touch $@; \
	else echo "npm is missing: the tests that need axe or the HTML validator are skipped"; fi
