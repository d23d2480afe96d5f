# What contributors and .ci/run run. Everything runs in the virtual environment that is active:
#   python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[test]'
.PHONY: help test slow long lint format deployed lowest smoke torture soak benchmarks

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

test: ## the quick tests
	pytest

slow: ## the tests that take long: kills, faults, failovers, a soak in short, integration on MongoDB as well
	pytest --slow -m slow

long: ## those of them that .ci/run has time for: no day of runs, no ten thousand files, nor what SQLite's do as well
	pytest --slow -m "slow and (torture or not mongo)" -k "not a_day_of_runs and not ten_thousand_files"

lint: ## linters, types, layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format: ## put imports and lines in order
	ruff check --fix .
	ruff format .

deployed: ## install as the README deploys: every package by its hash
	.ci/deployed

lowest: ## what others' packages do, with the oldest Python and their lowest versions, from the source archive
	.ci/lowest

smoke: ## the command line as cron runs it
	.ci/smoke

torture: ## the torture tests a hundred times over (hours)
	pytest --slow -m torture --rounds 100 --torture-report=torture.json

soak: ## a week of a business, compressed (20 minutes)
	python -m tests.soak --write docs/soak.md

benchmarks: ## time and memory of whole commands (on a quiet machine)
	python -m benchmarks
