# Recovery Orchestrator. `make help` lists the targets; `make demo` and `make test` set up what they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
RECOVER := $(BIN)/recover
PYTEST := $(BIN)/python -m pytest
# Many tests wait for a process that was frozen or cut off; the files with the longest come first.
SIDE_BY_SIDE := -n 3 --dist loadfile --no-loadscope-reorder
COVERED := --cov --cov-report=term-missing --cov-fail-under=100
# Debian packages by name: what the lab's hosts run on, and what a virtual environment needs.
PACKAGES := iproute2 nftables openssh-client openssh-server pgbouncer postgresql-15 \
  postgresql-client-15 procps python3 python3-venv systemd systemd-sysv util-linux
# What only the comparison with Patroni needs.
PATRONI_PACKAGES := etcd-server haproxy patroni
TRIES := 1 2 3
IN_LAB := lab and not fault_suite and not soak

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  %-16s %s\n' "$$name" "$$text"; done

.PHONY: packages bench-packages
bench-packages: PACKAGES := $(PATRONI_PACKAGES)
packages bench-packages:
	@missing=$$(for p in $(PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok installed' || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
	  echo "these Debian packages are missing, and only root can install them:" >&2; \
	  echo "  apt-get install --no-install-recommends" $$missing >&2; exit 1; fi; \
	echo "installing" $$missing; \
	: 'Daemons of this machine are not what the lab runs: none is started, no cluster is made.'; \
	policy=/usr/sbin/policy-rc.d; ours=; \
	[ -e $$policy ] || { printf '#!/bin/sh\nexit 101\n' > $$policy; chmod 755 $$policy; ours=yes; }; \
	trap '[ -z "$$ours" ] || rm -f /usr/sbin/policy-rc.d' EXIT; \
	mkdir -p /etc/postgresql-common; conf=/etc/postgresql-common/createcluster.conf; \
	[ -e $$conf ] || echo 'create_main_cluster = false' > $$conf; \
	for try in $(TRIES); do \
	  if apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing > /dev/null; then exit 0; fi; \
	  echo "apt-get failed (try $$try of 3)" >&2; sleep 5; done; \
	echo "the packages could not be installed; is the package mirror reachable?" >&2; exit 1

$(VENV)/ready: pyproject.toml
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@for try in $(TRIES); do \
	  if $(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'; then touch $@; exit 0; fi; \
	  echo "pip failed (try $$try of 3)" >&2; sleep 5; done; \
	echo "the Python packages could not be installed; is the package index reachable?" >&2; exit 1

.PHONY: setup
setup: packages $(VENV)/ready ## Install Debian packages and the virtual environment with `recover`

.PHONY: demo
demo: setup ## Bring the lab up and move a database in it, live; may be run again and again
	@$(RECOVER) lab up
	@run=$$($(RECOVER) run database-switchover --as ada --confirm orders-db --set quiet_for=0s \
	  --reason "make demo" --detach); \
	for name in grace lin; do \
	  $(RECOVER) sign $$run --as $$name --comment "make demo" --wait 60 > /dev/null || true & done; \
	$(RECOVER) attach $$run < /dev/null; \
	echo; echo "look around:  $(RECOVER) runs    $(RECOVER) lab status    $(RECOVER) lab shell db-a1"; \
	echo "take it down: $(RECOVER) lab down"

.PHONY: lint
lint: setup ## Style of the code, and the content
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(RECOVER) lint

.PHONY: types
types: setup ## Types, strictly
	@$(BIN)/mypy

.PHONY: imports
imports: setup ## Which room may know which
	@$(BIN)/lint-imports

.PHONY: check
check: lint types imports ## All static checks

.PHONY: test
test: setup ## Every test, those in the lab included, with the coverage of domain and engine
	@$(PYTEST) -m "not lab" $(SIDE_BY_SIDE) $(COVERED)
	@$(PYTEST) -m '$(IN_LAB)'

.PHONY: unit-test
unit-test: setup ## The tests that need no lab, with the coverage of domain and engine
	@$(PYTEST) -m "not lab" $(SIDE_BY_SIDE) $(COVERED)

.PHONY: lab-test
lab-test: setup ## The tests in the lab of real hosts
	@$(PYTEST) -m '$(IN_LAB)'

.PHONY: fault-suite
fault-suite: setup ## Every fault of the lab against database-failover, with a table (about 16 minutes)
	@$(PYTEST) -m fault_suite

.PHONY: soak
soak: setup ## Failovers back and forth under random faults; SOAK_ROUNDS=20, THAW_ROUNDS=20
	@$(PYTEST) -m soak -s

.PHONY: bench
bench: bench-switchover bench-failover ## Measure ourselves beside others in the lab; writes build/bench*.json

.PHONY: bench-switchover
bench-switchover: setup ## A planned switchover beside bare hands
	@$(BIN)/python -m tests.bench switchover

.PHONY: bench-failover
bench-failover: setup bench-packages ## An unplanned failover beside tuned Patroni
	@$(BIN)/python -m tests.bench failover

.PHONY: schemas
schemas: setup ## Write the JSON Schemas of content and report anew
	@$(BIN)/python -m orchestrator.interfaces.schemas_cli docs/schemas
