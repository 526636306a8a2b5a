.DEFAULT_GOAL := help
# whoever sets it has Python compile all modules anew for each process, of which the tests alone start hundreds
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo run doctor test engines faults check words pictures bench profile lock audit
BIN := .venv/bin
PACKAGES := bot workflow sync tests benchmarks

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/.costbot ## Try costbot with a sample company and a Slack look-alike; prints the address to open (SAGE=import-file shows the files, SOURCE=procore has a Procore look-alike)
	@$(BIN)/costbot demo $(if $(SAGE),--sage $(SAGE)) $(if $(SOURCE),--source $(SOURCE)) $(ARGS)

run: .venv/.costbot ## Run costbot: bot, worker and scheduler together, with the settings in .env
	@$(BIN)/costbot run $(ARGS)

doctor: .venv/.costbot ## Say what is wrong with the settings in .env and what they lead to, and how to mend it
	@$(BIN)/costbot doctor $(ARGS)

test: .venv/.costbot-dev ## Run every test (ARGS="tests/bot -k card" for some); starts its own PostgreSQL and Redis
	@.ci/browser
	@.ci/programs
	@$(BIN)/pytest -n logical --dist worksteal $(ARGS)

engines: .venv/.costbot-dev ## Run what takes turns in `make test` the other way: tests/bot and tests/sync on the other database, the walks on the other screen
	@.ci/browser
	@.ci/programs
	@$(BIN)/pytest -n logical --dist worksteal --other-database tests/bot tests/sync tests/e2e/walks $(ARGS)

faults: .venv/.costbot-dev ## Kill, cut, fill up and mislead costbot; see that nothing is lost (SEED=7 repeats a run, SHORT=1 takes some three minutes)
	@$(if $(SHORT),,.ci/faketime)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short) $(ARGS)

check: .venv/.costbot-dev ## Check format, lint, types, import arrows, the compose file, the locks and the shell scripts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/python -m tests.locks
	$(BIN)/python -m tests.catalogues check
	@for script in .ci/*; do bash -n $$script || exit 1; done

words: .venv/.costbot-dev ## Take new words for people into the catalogues of translations, and compile them
	@$(BIN)/python -m tests.catalogues

bench: .venv/.costbot-dev ## Measure costbot against bare baselines; SHORT=1 for a minute that only sees that it runs
	@$(BIN)/python -m benchmarks $(if $(SHORT),--short) $(ARGS)

profile: .venv/.costbot-dev ## Draw where the time of a click goes, some ten seconds: a flame graph in profile/click.svg, to open in a browser
	@mkdir -p profile
	@$(BIN)/py-spy record --subprocesses --rate 250 --nonblocking --output profile/click.svg -- $(BIN)/python -m benchmarks.profiled

pictures: .venv/.costbot-dev ## Make the pictures of docs/ anew, by walking through the sandbox
	@$(BIN)/python -m tests.pictures

audit: .venv/.costbot-dev ## Look for known vulnerabilities in what is locked for Python and for the page, where that can be looked up
	@$(BIN)/python -m tests.audit $(ARGS)

lock: ## Pin every package anew after pyproject.toml has changed (ARGS=--upgrade takes the newest of all)
	@.ci/lock $(ARGS)

.venv/.costbot: pyproject.toml requirements.lock requirements-build.lock
	@.ci/venv .
	@touch $@

.venv/.costbot-dev: pyproject.toml requirements-dev.lock
	@.ci/venv '.[dev]'
	@touch $@ .venv/.costbot
