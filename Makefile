# From a bare machine to a healthy local deployment: `make up`. `make help` lists everything.
# Needs: Debian or Ubuntu, root or sudo, Python 3.11+, make. Nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
VENV := .venv
CHATBOT := $(VENV)/bin/chatbot
RUN := $(VENV)/bin/python -m

# Behind a TLS-inspecting proxy whose certificate is in the system's store, pip, uv, npm and Python's own
# clients must be told to look there. What the caller has set stays as it is.
SYSTEM_CERTIFICATES := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt))
ifneq ($(SYSTEM_CERTIFICATES),)
export PIP_CERT ?= $(SYSTEM_CERTIFICATES)
export SSL_CERT_FILE ?= $(SYSTEM_CERTIFICATES)
export REQUESTS_CA_BUNDLE ?= $(SYSTEM_CERTIFICATES)
export NODE_EXTRA_CA_CERTS ?= $(SYSTEM_CERTIFICATES)
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_NO_PROGRESS := 1

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5

# The first python3 that is new enough; a python3 of a version manager may stand before the system's.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$name"; break; }; done)

# A user whom `chatbot setup` has just added to the group docker is in it from the next login on; until then
# the command runs through sg. $(1) may not hold single quotes.
with_docker = if [ -w /var/run/docker.sock ] || ! id -nG "$$(id -un)" | grep -qw docker; then $(1); else sg docker -c '$(1)'; fi

.PHONY: help up install develop test test-packages lint lint-code lint-format lint-types lint-imports \
	lint-dockerfiles format bench clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

up: install ## set this machine up and deploy the environment `local`; again: changes nothing
	@$(CHATBOT) setup --yes
	@$(call with_docker,$(CHATBOT) deploy local --yes)

install: $(VENV)/.installed ## virtual environment with the locked dependencies and the command `chatbot`

develop: $(VENV)/.developed ## the same plus what tests and lint need

# The interpreter of Debian comes without ensurepip until python3-venv is installed.
$(VENV)/.uv-$(UV_VERSION):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3" >&2; exit 1; }
	@echo "virtual environment: $(VENV), from $(PYTHON)"
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { \
		package=$$("$(PYTHON)" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		echo "installing $$package, which $(PYTHON) needs for virtual environments"; \
		$(APT) update -qq && $(APT) install -y -qq --no-install-recommends "$$package" >/dev/null; }
	@"$(PYTHON)" -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet "uv==$(UV_VERSION)"
	@rm -f $(VENV)/.uv-* && touch $@

# --inexact: uv lives in this environment too. The bytecode is compiled here because the command has to start
# fast even where nothing may be written later (read-only checkouts, PYTHONDONTWRITEBYTECODE).
define sync
@echo "dependencies: as locked in uv.lock"
@$(VENV)/bin/uv sync --quiet --frozen --inexact --compile-bytecode $(1)
@$(VENV)/bin/python -m compileall -q deploytool
@touch $@
endef

$(VENV)/.installed: $(VENV)/.uv-$(UV_VERSION) pyproject.toml uv.lock
	$(call sync,--no-dev)

$(VENV)/.developed: $(VENV)/.installed pyproject.toml uv.lock
	$(call sync,--all-groups)

test: develop test-packages ## every test: unit, service, real engine, browser
	@$(CHATBOT) setup --yes --no-link
	@$(call with_docker,$(RUN) pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered $(PYTEST))

test-packages:
	@missing=$$(grep -v '^#' tests/packages.txt | while read -r package _; do \
		dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q '^install ok installed' || echo "$$package"; done); \
	if [ -n "$$missing" ]; then echo "installing what the tests need:" $$missing; \
		$(APT) update -qq && $(APT) install -y -qq --no-install-recommends $$missing >/dev/null; fi

lint: lint-code lint-format lint-types lint-imports lint-dockerfiles ## ruff, mypy, import-linter, hadolint

lint-code: develop
	@$(RUN) ruff check

lint-format: develop
	@$(RUN) ruff format --check

lint-types: develop
	@$(RUN) mypy

lint-imports: develop
	@$(VENV)/bin/lint-imports --no-logo

# The Dockerfiles that stand nowhere in the repository: as they are rendered.
lint-dockerfiles: develop
	@bundle=$$(mktemp -d) && trap 'rm -rf "$$bundle"' EXIT && $(CHATBOT) render local --out "$$bundle" >/dev/null && \
		$(VENV)/bin/hadolint "$$bundle"/*.Dockerfile && echo "hadolint: nothing found in $$(ls "$$bundle"/*.Dockerfile | wc -l) Dockerfiles"

format: develop ## let ruff rewrite the code
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

bench: develop ## the figures that the README names, beside the real Compose
	@$(CHATBOT) setup --yes --no-link
	@$(call with_docker,PYTHONPATH=.:tests:tests/service/backend $(RUN) tests.bench $(BENCH))

clean: ## remove what was installed and built here; containers stay (`chatbot down` removes them)
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov dist
	@find deploytool tests service/backend -name __pycache__ -type d -prune -exec rm -rf {} +
