# The commands of this repository. `make help` prints the comments after `##`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
CORE := schemas/*,streams/desk/*,streams/intake/*

SEED ?= 1
RECORDS ?= 200000
HOURS ?= 1
CHAOS ?=
MUTANTS ?= 250
TICKETS ?= 1000000
SCHEDULES ?= 1000000
INPUTS ?= 1000000
SCALE ?= 1
PROCESSES ?= 2

.PHONY: help setup check format test demo chaos bench bench-million bench-delay profile bench-peers bench-scale soak mutate fuzz audit-deps simulate-protocol clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 20

setup: ## make .venv and fetch Kafka; installs Java and Maven where it may (root on Debian), else says what to install
	@bash deploy/setup.sh

check: setup ## read-only: format, lint, types, import contracts, unit tests, coverage of the core >= 95 %
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	bash -n deploy/setup.sh .ci/run
	$(PYTHON) -m pytest -q -n $(PROCESSES) --dist worksteal -m "not connected" --cov --cov-report=
	.venv/bin/coverage report --include='$(CORE)' --skip-covered --fail-under=95

format: setup ## write the format and the fixes that are safe
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

test: check ## check, then everything that needs a real broker or ClickHouse, with a short chaos run
	$(PYTHON) -m pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder -m connected

demo: setup ## 30,000 real reports of two cities through Kafka, one worker killed on the way, report and audit
	$(PYTHON) -m agents.local.demo

chaos: setup ## kill, stop and freeze workers under load, then prove the account (SEED=1 RECORDS=200000 or MINUTES=, CHAOS="--brokers 3 --clickhouse")
	$(PYTHON) -m tests.chaos.run --seed $(SEED) $(if $(MINUTES),--minutes $(MINUTES),--records $(RECORDS)) $(CHAOS)

bench: setup ## figures beside stock Faust's, into build/bench/
	$(PYTHON) -m tests.bench.run

bench-peers: setup ## the small job beside Kafka Streams, Quix Streams and plain Faust, into build/bench/ (SCALE=1)
	$(PYTHON) -m tests.bench.peers.run --scale $(SCALE)

bench-scale: setup ## what more workers, partitions and tickets cost, what joining and dying does, into build/bench/
	$(PYTHON) -m tests.bench.scale

profile: setup ## where a worker's time goes between report and ticket; build/bench/profile.folded is for flame graphs
	$(PYTHON) -m tests.bench.profiling

bench-delay: setup ## a report's delay at 100 and 1,000 a second, for minutes; build/bench/delay.json and a histogram
	$(PYTHON) -m tests.bench.delays

bench-million: setup ## a million open tickets: fold, memory, deadlines due at once, a rebalance (TICKETS=1000000)
	$(PYTHON) -m tests.bench.million.run --tickets $(TICKETS)

soak: setup ## a fault every 5 minutes for hours, on three brokers: what grows? And a million schedules (SEED=1 HOURS=1 SCHEDULES=; MINUTES= a fault every 10 s)
	$(PYTHON) -m tests.chaos.run --seed $(SEED) --brokers 3 --clickhouse $(if $(MINUTES),--minutes $(MINUTES),--hours $(HOURS)) $(CHAOS)
	$(PYTHON) -m tests.protocol.run --seed "$(SEED)" --schedules $(SCHEDULES) --jobs $$(nproc)

mutate: setup ## change one thing in the desk at a time: its tests must notice 85 % of it (SEED=1 MUTANTS=250)
	nice -n 19 $(PYTHON) -m tests.mutation.run --seed $(SEED) --sample $(MUTANTS)

fuzz: setup ## bad and hostile input by the million; what fails is kept in build/fuzz (SEED=1 INPUTS=1000000)
	$(PYTHON) -m tests.fuzz.run --seed $(SEED) --inputs $(INPUTS)

audit-deps: setup ## what the product is made of (CycloneDX, into build/sbom/); is all pinned, allowed, not known bad
	$(PYTHON) -m tests.supply.run

simulate-protocol: setup ## owners in a simulated cluster, one schedule of faults a seed (SEED=1, SEED= by chance; SCHEDULES=1000000)
	$(PYTHON) -m tests.protocol.run --seed "$(SEED)" --schedules $(SCHEDULES) --jobs $$(nproc)

clean: ## remove what was built; .venv and data folders stay
	rm -rf build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
