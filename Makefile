# The commands a person types. Each is all the set-up there is; what is there already takes seconds.
SHELL := /bin/bash
.PHONY: help restart test torture lint venv down

SCRIPTS := stack/up.sh $(wildcard stack/images/*.sh stack/images/*/*.sh stack/understudy/*.sh) .ci/run \
	$(wildcard stack/tools/kestra/scripts/*.sh stack/scripts/docker/*.sh stack/scripts/maintenance/*.sh)

help:
	@echo "make restart         the gated restart of the bundled stack (ARGS=... goes to pytest)"
	@echo "make test            the suite's own tests (ARGS=... goes to pytest)"
	@echo "make torture         100 random SIGKILLs, each recovered, and what is lost by it (ARGS='--kills 10 --seed 1')"
	@echo "make lint            linters and types only"
	@echo "make venv            .venv with everything for development"
	@echo "make down [DATA=1]   end the bundled stack; with DATA=1 its data go too"

# pytest replaces the shell: what make is told by a signal, the restart is told.
restart:
	@stack/up.sh venv requirements.txt
	@stack/up.sh all
	@exec .venv/bin/pytest -m restart --target=stack/target.toml $(ARGS)

# Tests that wait for containers most of their time run side by side, a file at a time; those that measure time, alone.
TESTS := $(patsubst %/,%,$(wildcard tests/*/))
ALONE := $(addprefix tests/,probe benchmarks unit checks docs reports)
TOGETHER := $(filter-out $(ALONE) tests/data tests/__pycache__,$(TESTS))

# An engine that was started for the tests ends with them, however they end.
test: venv
	@stack/up.sh test-tools
	@$(MAKE) --no-print-directory lint
	@trap 'stack/up.sh engine-stop make-test' EXIT; \
	stack/up.sh engine make-test && .venv/bin/python -m tests.leftovers && stack/up.sh images --built && \
	$(if $(ARGS),.venv/bin/pytest $(ARGS),.venv/bin/pytest $(ALONE) && \
	.venv/bin/pytest -p xdist -n 3 --dist loadfile $(TOGETHER))

# Most of an hour, and no part of the tests.
torture: venv
	@stack/up.sh test-tools
	@trap 'stack/up.sh engine-stop make-torture' EXIT; \
	stack/up.sh engine make-torture && .venv/bin/python -m tests.leftovers && .venv/bin/python -m tests.torture $(ARGS)

lint:
	@echo "lint: ruff, mypy, import-linter, vulture, shellcheck"
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/mypy --no-error-summary
	@said=$$(.venv/bin/lint-imports --no-cache --no-logo 2>&1) || { echo "$$said"; exit 1; }
	@.venv/bin/vulture
	@shellcheck -xa -P SCRIPTDIR $(SCRIPTS)

venv:
	@stack/up.sh venv requirements-dev.txt

down:
	@stack/up.sh down $(if $(DATA),--data)
