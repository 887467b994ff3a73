# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The front door: `make help` says what there is.  Every target sets up what it needs.

# PYTHON=/path/to/python3   the Python of the virtual environment (default: python3, if it is 3.11 or newer)
# VENV=DIRECTORY            the virtual environment, to have one beside the usual one
# NODES=N                   how many nodes `make demo` has
# TARGET=NAME               the only target that `make integration` runs
# TEST=FILE                 the only tests that `make unit` or `make lab` runs, of tests/unit or tests/lab
# SCENARIO=NAME             the only scenario that `make test-vm` runs: seed or cluster
# ROWS=NAMES                the only rows that `make bench` measures; it writes no page then
# REPEAT=N                  how often `make bench` measures each
# PODNET_KUBELET=FILE       the kubelet that `make test-vm` runs: one before 1.24, which may be packed with xz
# SEED=N                    where `make soak` begins, to have the same random input again
# V=1                       show all output, not only the progress
PYTHON ?=
VENV ?= .venv
NODES ?= 3
TARGET ?=
SEED ?= $(shell date +%s)
TEST ?=
SCENARIO ?= seed cluster
ROWS ?=
REPEAT ?= 5

COLLECTIONS := $(CURDIR)/.cache/collections

export PATH := $(abspath $(VENV))/bin:$(PATH):/usr/sbin:/sbin
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export MOLECULE_GLOB := molecule/*/molecule.yml
export ANSIBLE_INJECT_FACT_VARS := false

# A stage of the tests: its name, the seconds that it may take, and what it runs.
STAGE = @python tests/tools/stage.py

# Runs a command where nodes can be made, and where nothing outlives it.
LAB = python molecule/shared/lab.py run --nodes 0 --

.PHONY: help setup link system machines demo test test-vm bench check lint docs importer unit sanity integration cores lab proof soak browser molecule hooks build pins clean
.DELETE_ON_ERROR:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@awk '/^# [A-Z_]+=/ { name = $$2; sub(/^# [^ ]+ +/, ""); printf "  %-27s %s\n", name, $$0 }' $(MAKEFILE_LIST)

demo: setup ## Three nodes in namespaces: site.yml, again, and who reaches whom (NODES=N)
	@python molecule/shared/lab.py run --nodes $(NODES) -- python molecule/shared/demo.py

test: ## All the tests, to the first failure: check, and what is left
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory lab proof browser molecule

# Linters and builders take one processor each; the others use all of them by themselves.
check: setup ## What a release must pass, on the oldest and the newest ansible-core, too
	@$(MAKE) --no-print-directory --jobs 2 lint docs importer unit
	@$(MAKE) --no-print-directory sanity integration cores

lint: $(VENV)/.ready link ## ansible-lint, yamllint, ruff, mypy, documentation, changelog, build
	$(STAGE) lint 600 tests/tools/lint.sh

importer: $(VENV)/.ready link ## galaxy-importer: what Galaxy would say of the archive
	$(STAGE) importer 600 tests/tools/importer.sh

docs: $(VENV)/.ready link ## The documentation site, in .cache/docs/html, after its examples were tried
	$(STAGE) docs 600 tests/tools/docs.sh

unit: $(VENV)/.ready link ## Unit tests, and those of module_utils on the oldest Python of a node (TEST=file)
	$(STAGE) unit 600 tests/tools/unit.sh $(TEST)

sanity: $(VENV)/.ready ## ansible-test sanity on the oldest and the newest ansible-core, the newest on every Python that is here
	$(STAGE) sanity 1200 tests/tools/cores.sh tests/tools/sanity.sh

cores: setup ## Units and the installed archive on the oldest and the newest ansible-core
	$(STAGE) cores 1500 tests/tools/cores.sh tests/tools/core.sh

integration: setup ## Every module against the real kernel, on the oldest and the newest ansible-core (TARGET=name)
	$(STAGE) integration 1800 tests/tools/integration.sh $(TARGET)

lab: setup ## Whole playbooks on nodes in namespaces, habits, bad input, all examples (TEST=file)
	$(STAGE) lab 2400 tests/tools/lab.sh $(TEST)

browser: setup ## The report in a headless Chromium: both schemes, wide and narrow, 3 and 200 nodes
	$(STAGE) browser 600 tests/tools/browser.sh

molecule: setup ## Molecule's default scenario: the roles on three nodes, looked at with testinfra
	$(STAGE) molecule 600 $(LAB) tests/tools/molecule.sh

test-vm: setup machines ## The same on virtual machines, with systemd, Docker, a kubelet, containerd and reboots (SCENARIO=name)
	$(STAGE) vm 3000 tests/tools/vm.sh $(SCENARIO)

proof: setup ## Random states, kills and bad input: a few of each
	$(STAGE) proof 900 tests/tools/proof.sh

soak: setup ## The same for an hour or two: 10,000 states and more (SEED=N); and the guides, typed
	@PODNET_PROOF=soak tests/tools/proof.sh --hypothesis-seed=$(SEED)
	@tests/tools/lab.sh tests/lab -m long

bench: setup ## Benchmarks beside what people use today, as a page of the documentation (ROWS="routes pods", REPEAT=n)
	@tests/tools/setup.sh packages .cache/ifstate python tests/requirements-bench.txt
	@PODNET_BENCH_IFSTATE=$(CURDIR)/.cache/ifstate $(LAB) python tests/benchmarks/bench.py $(BENCH) $(ROWS)
BENCH = --repeat $(REPEAT) $(if $(ROWS),,--output docs/docsite/rst)

setup: $(VENV)/.ready link system ## What the rest needs: virtual environment and system packages

system:
	@tests/tools/setup.sh system

machines: system
	@tests/tools/setup.sh machines

$(VENV)/.ready: requirements-dev.txt
	@tests/tools/setup.sh venv $(VENV) $(PYTHON)
	@touch $@

# ansible finds a collection only in a directory ansible_collections/NAMESPACE/NAME.
link:
	@mkdir -p $(COLLECTIONS)/ansible_collections/mink8s
	@ln -sfn $(CURDIR) $(COLLECTIONS)/ansible_collections/mink8s/podnet

hooks: $(VENV)/.ready link ## Let git run the fast linters before each commit (pre-commit)
	@pre-commit install

build: $(VENV)/.ready ## The collection's archive, in dist/
	@ansible-galaxy collection build --force --output-path dist .

pins: $(VENV)/.ready ## Write requirements*.txt from pyproject.toml
	@uv pip compile $(PINS) --group controller --output-file requirements.txt
	@uv pip compile $(PINS) --group dev --output-file requirements-dev.txt
	@uv pip compile $(PINS) --group importer --output-file tests/requirements-importer.txt
	@uv pip compile $(PINS) --group core-oldest --output-file tests/requirements-core-oldest.txt
	@uv pip compile $(PINS:$(OLDEST_PYTHON)=3.12) --group core-newest --output-file tests/requirements-core-newest.txt
	@uv pip compile $(PINS:$(OLDEST_PYTHON)=3.9) --group python-oldest --output-file tests/requirements-oldest.txt
	@uv pip compile $(PINS:$(OLDEST_PYTHON)=3.9) --group pyroute2-newest --output-file tests/requirements-newest.txt
	@uv pip compile $(PINS) --group bench --output-file tests/requirements-bench.txt
OLDEST_PYTHON = 3.11
PINS = --quiet --universal --python-version $(OLDEST_PYTHON) --no-annotate --custom-compile-command "make pins"

clean: ## Remove all that make has made
	rm -rf .venv .cache .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis dist tests/output
	find . -name __pycache__ -type d -exec rm -rf {} +
