# Each command makes .venv by itself where it is missing, unfinished, another folder's or older than the pins.
PYTHON ?= python3
PORT := 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip
BIOME := tests/node_modules/.bin/biome
TORCH_CPU := https://download.pytorch.org/whl/cpu
# What torch brings where it is built for CUDA; it pins these itself.
CUDA := cuda-bindings cuda-toolkit nvidia-cudnn-cu13 nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvshmem-cu13 triton

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1 # Material's notice of its end, which CONTRIBUTING.md tells
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# A stage's test is named as its module: these need no site and no browser.
PACKAGE := $(wildcard $(patsubst workflow/%.py,tests/test_%.py,$(wildcard workflow/*.py))) tests/test_package.py

.PHONY: help serve quick test site offline markdown check format bench pins clean

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/ready ## Build the site and serve it at http://127.0.0.1:8000, fresh after each edit; or PORT=8001
	@$(BIN)/python -m coursemaker.serve $(PORT)

quick: check ## Look at the package: format, lint, types, its tests and examples, in a minute
	$(BIN)/python -m pytest --quiet workflow $(PACKAGE)

test: .venv/ready tests/node_modules ## Run every test: the package, the tutorials, the site in a browser
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal --cov --cov-report=term-missing:skip-covered

site: .venv/ready ## Build the site into site/, which stays as it was if that fails
	$(BIN)/python -m mkdocs build --strict --site-dir build/site
	rm -rf site && mv build/site site

offline: .venv/ready ## Build build/pytorch-workflow.zip, a site that opens from a folder
	OFFLINE=true $(BIN)/python -m mkdocs build --strict --site-dir build/pytorch-workflow

markdown: .venv/ready ## Write the executed course as plain Markdown into build/markdown, for any generator
	$(BIN)/python -m coursemaker.export build/markdown

check: .venv/ready tests/node_modules ## Look at format, lint and types, of scripts, styles and the workflow too
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m ruff check
	$(BIN)/python -m mypy
	$(BIN)/zizmor --quiet --offline .github
	@if test -d tests/node_modules; then $(BIOME) check --error-on-warnings; else test -z "$$CI"; fi

format: .venv/ready tests/node_modules ## Format, and mend what lint can mend
	$(BIN)/python -m ruff format
	$(BIN)/python -m ruff check --fix
	@if test -d tests/node_modules; then $(BIOME) check --write; fi

bench: .venv/ready ## Time the package against plain PyTorch, and explorables against a bare button
	$(BIN)/python tests/bench.py
	$(BIN)/python -m pytest --quiet tests/explorables/bench_explorables.py

# One version of each package for every Python and platform; Debian 12 has Python 3.11.2.
pins: ## Add to requirements.txt what the projects now ask for; remove it first, and all is renewed
	@command -v uv >/dev/null || { echo "uv is missing, which resolves the pins: pip install uv"; exit 1; }
	printf '%s\n' $(CUDA) | uv pip compile --quiet --universal --python-version 3.11.0 --fork-strategy fewest \
		--generate-hashes --all-extras --constraint constraints.txt --no-emit-package torch --excludes - \
		--custom-compile-command 'make pins' --output-file requirements.txt \
		pyproject.toml docs/_machine/pyproject.toml

clean: ## Remove what was built; .venv stays
	rm -rf site build .cache

# The stamp is written last and names the folder: so a set-up that broke off, a Python that is gone
# and a copied checkout, whose .venv would run the original's package, all begin anew.
ifneq "$(shell $(BIN)/python -c 'import pip' 2>/dev/null && cat .venv/ready 2>/dev/null)" "$(CURDIR)"
$(shell if test -L .venv; then rm .venv; else rm -f .venv/ready; fi)
endif

# A stock torch for Linux brings gigabytes of CUDA; without an NVIDIA GPU, PyTorch's CPU index is
# asked first, and given up within seconds where it can't be reached.
.venv/ready: requirements.txt constraints.txt pyproject.toml docs/_machine/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python is " + sys.version.split()[0] + "; expected 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	test -e $@ || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	$(PIP) install --no-deps --require-hashes --requirement requirements.txt
	@if [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		echo "No NVIDIA GPU here: asking PyTorch's CPU index for torch"; \
		timeout 10 $(BIN)/python -c 'from urllib.request import urlopen; urlopen("$(TORCH_CPU)/torch/", timeout=5)' 2>/dev/null \
		&& $(PIP) install --constraint constraints.txt --index-url $(TORCH_CPU) torch \
		|| echo "It can't be reached: torch comes from the ordinary index"; \
	fi
	$(PIP) install --constraint constraints.txt torch
	$(PIP) install --no-deps --no-build-isolation --editable . --editable docs/_machine
	@echo '$(CURDIR)' > $@

# Biome, axe and the HTML validator. npm writes the file named here last.
ifeq "$(wildcard tests/node_modules/.package-lock.json)" ""
.PHONY: tests/node_modules
endif
tests/node_modules: tests/package.json tests/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests --loglevel error --no-audit --no-fund && touch $@; \
	else echo "npm is missing: scripts and styles go unchecked, and tests that need axe or the HTML validator are skipped"; fi
