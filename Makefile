# The console's commands. `make run` needs Python 3.11 or newer and nothing else.
PYTHON ?= python3
BIN := .venv/bin
# uv does not read pip's settings; where pip is told of a folder of wheels, uv is told of it too.
UV = UV_SYSTEM_CERTS=1 UV_FIND_LINKS="$${UV_FIND_LINKS:-$${PIP_FIND_LINKS:-`$(BIN)/pip config get global.find-links 2>/dev/null`}}" $(BIN)/uv

# What starts whole consoles and measures seconds runs alone, after the rest has used both cores.
ALONE := journey or fault or live
TESTS = $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not ($(ALONE))"

.PHONY: help run reload setup setup-dev test test-fast check lock lint-js messages bench clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup  ## install and start everything; Ctrl-C stops it
	@exec $(BIN)/python manage.py up

setup: .venv/installed  ## install what the console needs

setup-dev: .venv/installed-dev

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "FastLoop Console needs Python 3.11 or newer; PYTHON=... names one.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(UV) pip install --quiet --python $(BIN)/python -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(UV) pip install --quiet --python $(BIN)/python -r requirements.txt -r requirements-dev.txt
	@touch $@

test: setup-dev  ## the whole suite; journeys are skipped where there is no Chromium
	$(TESTS) && $(BIN)/python -m pytest -q -m "$(ALONE)"

test-fast: setup-dev  ## rules, pages and services, without torch: more than 5 min on two quiet cores
	$(TESTS) --ignore=tests/workers --ignore=tests/training --ignore=tests/upgrades --ignore=tests/architecture/test_roles.py

check: setup-dev  ## what CI asks for, and how long each part took
	@$(BIN)/python -m tests.check

reload: setup-dev  ## one page with reload, beside a console that runs: http://127.0.0.1:8001
	DEBUG=true $(BIN)/python manage.py runserver --nothreading 127.0.0.1:8001

lock: setup  ## write requirements.txt and requirements-dev.txt from their .in files
	$(UV) pip compile --quiet --upgrade --no-header --no-annotate --python-version 3.11 requirements.in -o requirements.txt
	@sed -i.bak 's/+cpu//' requirements.txt && rm requirements.txt.bak
	$(UV) pip compile --quiet --upgrade --no-header --no-annotate --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(UV) pip compile --quiet --no-header --no-annotate --python-version 3.11 -c requirements.txt docker/requirements-web.in -o docker/requirements-web.txt

lint-js: node_modules/.package-lock.json setup-dev  ## lint, format, types and tests of the scripts in static/; wants Node
	$(BIN)/python -m pytest -q tests/scripts

node_modules/.package-lock.json: package-lock.json
	@npm ci --silent --no-audit --no-fund
	@touch $@

messages: setup-dev  ## bring the catalogs of the interface's words in line, and compile them
	$(BIN)/python -m tests.architecture.words

bench: setup-dev  ## make bench NAME=loop
	$(BIN)/python manage.py bench $(NAME) --json

clean:  ## remove what `setup` and `run` made; asks nothing, so mind var/
	rm -rf .venv var
