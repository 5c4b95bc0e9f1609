# Everything a newcomer needs: `make demo` and `make test`. What must be on the machine: make, and
# Python 3.11 to 3.14 with its venv module. All else is put into .venv/ and node_modules/ here.

PORT ?= 8000
ARGS ?=
PY := .venv/bin/python
CATALOGUE := portal/locale/nl/LC_MESSAGES/django
LOG := var/setup.log
TEMPLATES = $(shell find portal stations smartcharging v2x -path '*/templates/*' -name '*.html')
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
failed = { tail -n 5 $(LOG); echo; echo "$(1)"; echo "The whole report is in $(LOG)."; exit 1; }
NO_PACKAGES := The Python packages could not be installed. Is there a way to the Python package index from here?
NO_FRONT_END := The front-end packages could not be installed. Is there a way to the npm registry from here?

# Of four at work about two wait for a server of their own, whatever the number of cores; more make servers late.
SHARED := --numprocesses 4 --dist loadgroup

# The suite starts hundreds of Python processes: each would compile the code, and rewrite all asserts, again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test coverage check bench e2e nightly lock messages docs pictures clean
.PHONY: check-format check-lint check-types check-imports check-templates
.PHONY: check-django check-migrations check-messages check-docs

help:
	@echo 'make demo [PORT=8000]  set up, fill and serve a demo on this machine'
	@echo 'make test [ARGS=...]   set up and run the whole suite (ARGS go to pytest)'
	@echo 'make coverage          the suite, and which lines of the product it does not reach'
	@echo 'make check             format, lint, types, imports, templates, migrations, translations'
	@echo 'make e2e               the journeys in a real browser (needs Chromium)'
	@echo 'make bench             the speed targets, as a table and as bench.json'
	@echo 'make nightly           the speed targets, then soak, faults under load and long fuzz (about an hour)'
	@echo 'make lock              pin the newest packages that pyproject.toml and package.json allow'
	@echo 'make messages          bring the Dutch catalogue up to date with the source'
	@echo 'make docs              write the generated pages in docs/'
	@echo 'make pictures          take the pictures of docs/pages.md anew (needs Chromium)'
	@echo 'make clean             throw away what was installed and made here, the demo included'

setup: .venv/.runtime node_modules/.installed $(CATALOGUE).mo

demo: setup
	@$(PY) manage.py demo --port $(PORT)

test: setup .venv/.dev
	@$(PY) -m pytest $(SHARED) $(ARGS)

coverage: setup .venv/.dev
	@.venv/bin/coverage erase
	@.venv/bin/coverage run -m pytest $(SHARED) $(ARGS)
	@.venv/bin/coverage combine --quiet
	@.venv/bin/coverage report

# Two browsers, each with a demo of its own: what one person changes, nobody else sees.
e2e: setup .venv/.dev
	@$(PY) -m pytest -m e2e --numprocesses 2 --dist loadgroup $(ARGS)

# Every part, whatever an earlier one found; a summary at the end.
nightly: setup .venv/.dev
	@$(PY) -m tests.nightly $(ARGS)

bench: setup .venv/.dev
	@$(PY) -m tests.bench

# All of them, whatever the first one finds.
check: setup .venv/.dev
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-types check-imports \
	    check-templates check-django check-migrations check-messages check-docs
check-format:
	.venv/bin/ruff format --check .
check-lint:
	.venv/bin/ruff check .
check-types:
	.venv/bin/mypy
check-imports:
	.venv/bin/lint-imports
check-templates:
	@.venv/bin/djade --check --target-version 5.2 $(TEMPLATES)
check-django:
	$(PY) manage.py check
check-migrations:
	$(PY) manage.py makemigrations --check --dry-run
check-messages:
	$(PY) manage.py messages --check
check-docs:
	$(PY) manage.py docs_configuration --check
	$(PY) manage.py docs_ocpp_actions --check

messages: setup
	@$(PY) manage.py messages --update

docs: setup
	@$(PY) manage.py docs_configuration
	@$(PY) manage.py docs_ocpp_actions

pictures: setup .venv/.dev
	@$(PY) -m tests.e2e.pictures

lock: .venv/.runtime
	@command -v .venv/bin/uv >/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check uv
	.venv/bin/uv pip compile $(LOCK) pyproject.toml --output-file requirements.txt
	.venv/bin/uv pip compile $(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt
	.venv/bin/uv pip compile $(LOCK) --group node --output-file requirements-node.txt
	npm install --package-lock-only --ignore-scripts

clean:
	rm -rf .venv node_modules var staticfiles htmlcov bench.json bench-nightly.json soak.json .coverage .coverage.* $(CATALOGUE).mo
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------ what setup is made of

# The newest Python that the pinned packages have wheels for, if it can make a venv.
.venv/bin/python:
	@for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || continue; \
	    found=$$python; \
	    $$python -c 'import venv, ensurepip' 2>/dev/null || continue; \
	    echo "Making .venv with $$($$python --version)"; \
	    exec $$python -m venv --clear .venv; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "$$($$found --version) is here, but without its venv module. On Debian or Ubuntu: apt install python3-venv"; \
	else \
	    echo "Laadbewijs needs Python 3.11 to 3.14, found: $$(python3 --version 2>/dev/null || echo none)"; \
	    echo "On Debian 12 or newer and Ubuntu 24.04 or newer: apt install python3 python3-venv"; \
	fi; exit 1

.venv/.runtime: requirements.txt | .venv/bin/python
	@mkdir -p var; echo "Installing the Python packages (a minute or two, once)"
	@$(PIP) -r requirements.txt >$(LOG) 2>&1 || $(call failed,$(NO_PACKAGES))
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@mkdir -p var; echo "Installing the packages of the tests and checks (once)"
	@$(PIP) -r requirements-dev.txt >$(LOG) 2>&1 || $(call failed,$(NO_PACKAGES))
	@touch $@

# A machine without npm gets it as a Python package, into .venv/ alone.
node_modules/.installed: package.json package-lock.json | .venv/.runtime
	@mkdir -p var; echo "Installing style sheets, fonts and scripts of the pages (once)"
	@npm --version >/dev/null 2>&1 || test -x .venv/bin/npm || \
	    $(PIP) -r requirements-node.txt >$(LOG) 2>&1 || $(call failed,$(NO_PACKAGES))
	@PATH="$$PATH:$(CURDIR)/.venv/bin" npm ci --ignore-scripts --silent >$(LOG) 2>&1 || $(call failed,$(NO_FRONT_END))
	@touch $@

$(CATALOGUE).mo: $(CATALOGUE).po | .venv/.runtime
	@$(PY) manage.py messages --compile
