# The four things one does here: see it (demo), prove it (test), check it (lint), measure it (bench).
# Needs make and Python 3.11 or newer with venv; everything else goes into .venv.
# pip uses this machine's own configuration: no registry is named here.

PORT   ?= 8000
PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

PY  := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

# What the demo keeps between runs; remove it to begin again.
DEMO_DIR ?= $(CURDIR)/instance/demo

SERVICES_DIR  ?= .services
POSTGRES_PORT ?= 5499
S3_PORT       ?= 9480
MINIO_PORT    ?= 9490

.DEFAULT_GOAL := help
.PHONY: help demo port-is-free test test-minio lint format bench clean install install-dev services-up services-down

help:
	@echo "make demo           start the portal with fictional offices and pupils (PORT=$(PORT))"
	@echo "make test           run all tests (ARGS='-k name' chooses)"
	@echo "make test-minio     run what concerns the store on a real MinIO (needs its program: .ci/services/minio.sh)"
	@echo "make lint           style, types, and which room may call which, tests that import"
	@echo "make format         format the Python code"
	@echo "make bench          measure the figures of the README (ARGS=--small for a short run)"
	@echo "make services-up    start PostgreSQL ($(POSTGRES_PORT)) and Ceph RGW ($(S3_PORT)) under $(SERVICES_DIR)/"
	@echo "make services-down  stop them again"
	@echo "make clean          remove the environment and everything that can be made again"

# A data folder and a random key of its own: the portal refuses to start without a key.
demo: port-is-free install
	@umask 077; mkdir -p "$(DEMO_DIR)"; [ -s "$(DEMO_DIR)/secret_key" ] || \
		$(PY) -c 'import secrets; print(secrets.token_hex(32))' >"$(DEMO_DIR)/secret_key"
	@XUEJI_DATA_DIR="$(DEMO_DIR)" XUEJI_SECRET_KEY_FILE="$(DEMO_DIR)/secret_key" XUEJI_DEMO=1 XUEJI_SECURE_COOKIES=0 \
		exec $(PY) -m flask --app wsgi demo --port $(PORT)

# Before anything is made; where there is no Python at all, `install` says so.
port-is-free:
	@command -v $(PYTHON) >/dev/null 2>&1 || exit 0; $(PYTHON) portal/demo/port.py "$(PORT)"

test: install-dev
	@$(PY) -m pytest $(ARGS)

lint: install-dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@said=$$($(PY) -m pytest --collect-only -qq 2>&1) || { echo "$$said" | tail -n 20; exit 1; }

# The store's contract, readiness and one journey on a real MinIO with the rights that deploy/ gives the portal. By hand: where
# there is no `minio` yet, its Go module takes ten minutes to build (.ci/services/minio.sh says how).
test-minio: install-dev
	@url=$$(.ci/services/minio.sh up $(SERVICES_DIR)/minio $(MINIO_PORT)) || exit 1; code=0; \
	TEST_MINIO=1 TEST_S3_URL="$$url" $(PY) -m pytest tests/storage/test_contract.py tests/storage/test_s3.py \
		tests/storage/test_minio.py tests/test_doctor.py tests/web/journeys/test_key_information_change.py $(ARGS) || code=$$?; \
	.ci/services/minio.sh down $(SERVICES_DIR)/minio $(MINIO_PORT); exit $$code

format: install-dev
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: install-dev
	@set -e; for script in benchmarks/[a-z]*.py; do \
		module=$$(echo "$${script%.py}" | tr / .); \
		echo "== $$script"; $(PY) -m "$$module" $(ARGS); \
	done

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(PY):
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not here (Debian: apt install python3 python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Choose one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "This Python cannot make environments (Debian/Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# The stamps make a second run quick; a changed pyproject.toml or constraints.txt installs again.
$(VENV)/.installed: pyproject.toml constraints.txt | $(PY)
	@echo "Installing the portal into $(VENV) ..."
	@$(PIP) install --constraint constraints.txt --editable '.[reading]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(PY)
	@echo "Installing the portal and its test tools into $(VENV) ..."
	@$(PIP) install --constraint constraints.txt --editable '.[reading,test,dev]'
	@touch $@ $(VENV)/.installed

services-up:
	@.ci/services/postgres.sh up $(SERVICES_DIR)/postgres $(POSTGRES_PORT)
	@.ci/services/ceph-rgw.sh up $(SERVICES_DIR)/ceph $(S3_PORT)

services-down:
	@.ci/services/ceph-rgw.sh down $(SERVICES_DIR)/ceph $(S3_PORT)
	@.ci/services/postgres.sh down $(SERVICES_DIR)/postgres $(POSTGRES_PORT)

clean:
	rm -rf $(VENV) build dist *.egg-info .artifacts test-results
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find portal storage tests benchmarks migrations -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
