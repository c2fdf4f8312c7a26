# Each target sets up what it needs in .venv; python3 (3.11 or later) and make are enough.
#
#   make test                      the checks of every change
#   make test PYTHON=python3.13    the same, the environment made with another Python

PYTHON ?= python3
JOBS   ?= 2

VENV := .venv
BENCH_VENV := .venv-bench
BENCH ?= --write
PYTORCH ?= torch==2.13.0+cpu
BIN  := $(VENV)/bin
say   = @printf '\n== %s\n'

# Two makes at once set the environment up one after the other, where flock(1) exists.
LOCK := $(if $(shell command -v flock 2>/dev/null),flock $(VENV).lock)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-all checks doctests tests tests-long bench format docs \
        docs-coverage clean

help:
	@echo "make demo           install, then run the demonstration"
	@echo "make test           lint, format, types, layers, doctests, and the tests that are not long"
	@echo "make test-all       make test, then the long tests"
	@echo "make bench          run the benchmarks; BENCH='--quick --rows gmm' for some of them"
	@echo "make format         format the code and mend what ruff can mend"
	@echo "make docs           build the documentation, into docs/_build/html"
	@echo "make docs-coverage  write the table of what is covered"
	@echo "make clean          remove the environment and everything that was made"
	@echo
	@echo "PYTHON=$(PYTHON) makes the environment; JOBS=$(JOBS) tests run at a time."

# ---------------------------------------------------------------------------
# What people run
# ---------------------------------------------------------------------------

demo: $(VENV)/.stamp-demo
	$(say) 'the demonstration'
	$(BIN)/wengert demo

test: checks doctests tests

test-all: test tests-long

# In an environment of its own, with the peers. BENCH: options of benchmarks/run.py.
bench:
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) VENV=$(BENCH_VENV) \
	    $(BENCH_VENV)/.stamp-bench $(BENCH_VENV)/.stamp-pytorch
	$(say) 'benchmark: the yardstick'
	$(BENCH_VENV)/bin/python benchmarks/run.py $(BENCH)
	$(say) 'benchmark: tracing'
	$(BENCH_VENV)/bin/python benchmarks/tracing.py
	$(say) 'benchmark: derivatives at scale'
	$(BENCH_VENV)/bin/python benchmarks/scale.py $(filter --quick --write,$(BENCH))

# The default build of PyTorch brings gigabytes for GPUs, the benchmarks run on a processor.
$(BENCH_VENV)/.stamp-pytorch: $(BENCH_VENV)/.stamp-bench
	@printf '*\n' > $(BENCH_VENV)/.gitignore
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install '$(PYTORCH)' \
	    || echo "no $(PYTORCH) in the package index: PyTorch's column stays empty"
	@touch $@

format: $(VENV)/.stamp-dev
	$(say) 'ruff: mend and format'
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(VENV)/.stamp-dev
	$(say) 'sphinx: the documentation'
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html

docs-coverage: $(VENV)/.stamp-dev
	$(say) 'the table of what is covered'
	$(BIN)/python docs/make_coverage.py

clean:
	$(say) 'removing the environment, caches and builds'
	rm -rf $(VENV) $(VENV).lock $(BENCH_VENV) $(BENCH_VENV).lock build dist docs/_build src/*.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

# ---------------------------------------------------------------------------
# The parts of `make test`
# ---------------------------------------------------------------------------

checks: $(VENV)/.stamp-dev
	$(say) 'ruff: lint'
	$(BIN)/ruff check .
	$(say) 'ruff: format'
	$(BIN)/ruff format --check .
	$(say) 'mypy: types'
	$(BIN)/mypy
	$(say) 'import-linter: layers'
	$(BIN)/lint-imports

doctests: $(VENV)/.stamp-dev $(VENV)/.stamp-browser
	$(say) 'pytest: the examples in the docstrings and in the README'
	WENGERT_CACHE=off $(BIN)/python -m pytest --doctest-modules --doctest-glob=README.md src README.md

tests: $(VENV)/.stamp-dev $(VENV)/.stamp-browser
	$(say) 'pytest: all tests but the long ones'
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m 'not long'

# Exit status 5: no test is marked long, which is no fault.
tests-long: $(VENV)/.stamp-dev $(VENV)/.stamp-thirdparty $(VENV)/.stamp-browser
	$(say) 'pytest: the long tests'
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m long || [ $$? -eq 5 ]

# ---------------------------------------------------------------------------
# The environment: one stamp an extra, made anew when the requirements change
# ---------------------------------------------------------------------------

$(VENV)/.stamp-%: pyproject.toml constraints.txt
	$(say) 'setting up $(VENV) for: $*'
	@$(LOCK) $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) install-$*

# Chromium, which the tests of the pages drive. Where there is none and it cannot be installed, those
# tests are skipped, and fail under CI.
$(VENV)/.stamp-browser: $(VENV)/.stamp-dev
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null; then \
	    echo "installing chromium from the system's packages"; \
	    root=; [ "$$(id -u)" = 0 ] || root="sudo -n"; \
	    { $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq \
	        --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	        || echo "no chromium: the tests of the pages in a browser cannot run"; \
	fi
	@touch $@

# Looks at the stamp once more, since another make may have held the lock.
.PHONY: install-demo install-dev install-bench install-thirdparty
install-demo install-dev install-bench install-thirdparty: install-%:
	@set -e; stamp=$(VENV)/.stamp-$*; \
	if [ -e $$stamp ] && [ $$stamp -nt pyproject.toml ] && [ $$stamp -nt constraints.txt ]; then \
	    echo "$(VENV) is up to date"; exit 0; \
	fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    command -v $(PYTHON) >/dev/null || { \
	        echo "error: there is no '$(PYTHON)'; name a Python with: make PYTHON=..." >&2; exit 1; }; \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	        echo "error: $(PYTHON) is older than Python 3.11; name another with: make PYTHON=..." >&2; \
	        exit 1; }; \
	    $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	        echo "error: $(PYTHON) cannot make environments: its module venv or ensurepip is missing." >&2; \
	        echo "  On Debian and Ubuntu, install the package python3-venv, or name another" >&2; \
	        echo "  Python with: make PYTHON=..." >&2; exit 1; }; \
	    echo "making $(VENV) with $$($(PYTHON) --version)"; \
	    $(PYTHON) -m venv --clear $(VENV); \
	fi; \
	echo "installing wengert[$*] and what it needs, at the versions in constraints.txt"; \
	pip="$(BIN)/python -m pip --disable-pip-version-check --quiet"; \
	$$pip install --constraint constraints.txt setuptools; \
	$$pip install --constraint constraints.txt --no-build-isolation --editable '.[$*]'; \
	touch $$stamp
