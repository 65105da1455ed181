# One file of verbs; CI runs the same ones. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
DATA ?= $(CURDIR)/.data
# A file of tests stays in one process, so that what its tests share is made once; in the order of the folders, whose
# last one, of units, has no long file: nothing ends late and alone. The files for a browser are few and long: there
# whoever is done takes over half of what the other has left.
BY_FILE := --dist loadfile --no-loadscope-reorder
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# The certificates that this machine trusts, as pip and git use them, not a list that uv brings along.
export UV_SYSTEM_CERTS := true
# uv compiles bytecode at install; this variable, set on some machines, would make every start slow instead.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: force help run test test-postgres check sim conflicts bench bench-engine bench-ledger bench-accounts bench-git bench-history bench-web lighthouse bench-cli demo soak docs dist test-dist chromium test-browser test-looks test-root test-radosgw test-s3rver test-timing test-kill proto openapi languages completions fuzz fuzz-api fuzz-git fuzz-attribution format clean fuzz-cli
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

# ---------------------------------------------------------------- set-up
# Written anew only when another interpreter is asked for. A virtual environment counts as what it was made from: .venv,
# when it is first on PATH, would else replace the interpreter that it came from, and has no pip to fetch uv with.
.tools/python: force
	@mkdir -p .tools
	@version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || version=none; \
	if [ "$$version" != 3.11 ]; then \
	  if [ "$$version" = none ]; then found="$(PYTHON) does not run"; else found="$(PYTHON) is $$version"; fi; \
	  echo "Micelio needs Python 3.11, and $$found. Install it, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; fi
	@found=$$($(PYTHON) -c 'import os, sys; print(os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable))'); \
	[ "$$(cat $@ 2>/dev/null)" = "$$found" ] || echo "$$found" > $@
force:

$(UV): .tools/python
	@echo "Fetching uv ..."
	@$$(cat .tools/python) -m pip install -q --disable-pip-version-check --root-user-action ignore --target .tools 'uv>=0.9' 2>.tools/pip.log || \
	  { cat .tools/pip.log >&2; echo "uv could not be installed with pip; see the lines above." >&2; exit 1; }
	@touch $@

.venv/forge: $(UV) pyproject.toml uv.lock
	@echo "Installing Micelio from PyPI; the first time takes about half a minute ..."
	@$(UV) sync -q --frozen --extra forge --no-default-groups --inexact --python "$$(cat .tools/python)"
	@touch $@

.venv/dev: $(UV) pyproject.toml uv.lock
	@$(UV) sync -q --frozen --all-extras --all-groups --python "$$(cat .tools/python)"
	@touch $@ .venv/forge

# ---------------------------------------------------------------- verbs
run: .venv/forge ## the forge at http://localhost:4000, data in .data
	@MICELIO_DATA_DIR="$${MICELIO_DATA_DIR:-$(DATA)}" exec $(BIN)/micelio serve --first-project .

test: .venv/dev ## the whole test suite, no root needed
	@$(BIN)/pytest -n 2 $(BY_FILE) -m "not browser and not root and not radosgw and not s3rver and not timing and not dist"

test-postgres: .venv/dev ## the tests of the forge with their rows in PostgreSQL; TESTS="..." for others
	@TEST_DATABASE=postgres $(BIN)/pytest -n 2 $(BY_FILE) -m "not browser and not root and not radosgw and not s3rver and not timing and not dist" \
	  $${TESTS:-tests/flow tests/security tests/cli tests/unit/micelio tests/unit/pages}

check: .venv/dev ## style, types, import contracts, migrations, generated code, the API's description
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/micelio migrate-check
	@$(BIN)/python scripts/check_proto.py
	@$(BIN)/python scripts/openapi.py --check
	@$(BIN)/python scripts/languages.py --check
	@$(BIN)/python scripts/completions.py --check

completions: .venv/dev ## write what `mic shell-init` prints anew
	@$(BIN)/python scripts/completions.py

proto: .venv/dev ## regenerate the gRPC modules
	@$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=src --grpc_python_out=src --pyi_out=src proto/mic/rpc/v1/*.proto

openapi: .venv/dev ## write docs/agents/openapi.json anew; refuses what would break clients
	@$(BIN)/python scripts/openapi.py

languages: .venv/dev ## bring the catalogs of the languages up to date; says what is not translated
	@$(BIN)/python scripts/languages.py

format: .venv/dev ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu >/dev/null; } || \
	  { echo "make test-browser needs Debian's chromium: apt-get install chromium" >&2; exit 1; }

test-browser: .venv/dev chromium ## the pages in a real browser (installs Debian's chromium when it can)
	@$(BIN)/pytest -n 2 --dist worksteal -m browser tests/e2e

test-looks: .venv/dev ## how the main pages look, beside accepted pictures; ACCEPT=1 writes these anew
	@command -v chromium >/dev/null || { echo "make test-looks needs Debian's chromium: apt-get install chromium fonts-dejavu" >&2; exit 1; }
	@ACCEPT=$(ACCEPT) $(BIN)/pytest -n 2 $(BY_FILE) -m browser tests/looks

test-root: .venv/dev ## what needs root: a full disk, foreign owners
	@[ "$$(id -u)" = 0 ] || { echo "make test-root needs root." >&2; exit 1; }
	@$(BIN)/pytest -m root $$(grep -rl --include='test_*.py' 'mark\.root' tests)

test-kill: .venv/dev ## a hundred rounds of kill -9 against front ends that land
	@KILL_ROUNDS=100 $(BIN)/pytest --timeout 600 tests/flow/test_killed_front_ends.py

test-timing: .venv/dev ## how long answers take tells nothing: 1,000 samples at each door, on a quiet machine
	@$(BIN)/pytest -m timing tests/security

test-radosgw: .venv/dev ## the stores' contract against Debian's radosgw (installs it when it can)
	@command -v radosgw >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends radosgw ceph-mon ceph-osd >/dev/null; } || \
	  { echo "make test-radosgw needs Debian's radosgw: apt-get install radosgw ceph-mon ceph-osd" >&2; exit 1; }
	@$(BIN)/pytest -m radosgw tests/contract

test-s3rver: .venv/dev ## the store doctor against Node's s3rver, which ignores conditions (fetches it with npm)
	@[ -d .tools/s3rver/node_modules/s3rver ] || npm install --silent --no-audit --no-fund --prefix .tools/s3rver s3rver@3.7.1
	@$(BIN)/pytest -m s3rver tests/contract

fuzz-api: .venv/dev ## schemathesis against the REST door for ten minutes (SECONDS=...)
	@cd tests && PYTHONPATH=. ../$(BIN)/python -m api_fuzz $${SECONDS:-600}

sim: .venv/dev ## 10,000 simulated runs of landing under every fault; SEEDS=FROM:TO for others; goes on where it stopped
	@mkdir -p build
	@$(BIN)/python -m mic.sim --seeds "$${SEEDS:-0:10000}" --state build/sim-$$(git rev-parse --short HEAD 2>/dev/null || echo here)

conflicts: .venv/dev ## 1,000,000 sessions judged beside a naive model; CASES=N for others; goes on where it stopped
	@mkdir -p build
	@$(BIN)/python -m tests.conflicts --cases "$${CASES:-1000000}" --state build/conflicts-$$(git rev-parse --short HEAD 2>/dev/null || echo here)

fuzz-attribution: .venv/dev ## 100,000 landings whose every line is known by its content; LANDINGS=N for others
	@$(BIN)/python -m tests.attribution --landings "$${LANDINGS:-100000}"

fuzz: .venv/dev ## hostile input for every parser and door, for FUZZ_SECONDS (600); FUZZ_SEED shows a run again
	@$(BIN)/python -m tests.fuzz

fuzz-git: .venv/dev ## hostile pkt-lines, requests, pushes and packs for FUZZ_SECONDS (600); FUZZ_SEED shows a run again
	@$(BIN)/python -m tests.fuzz.git

fuzz-cli: .venv/dev ## 3,000 stories of random commands in two working copies beside a model; STORIES=FROM:TO for others; goes on where it stopped
	@mkdir -p build
	@$(BIN)/python -m tests.sequences --stories "$${STORIES:-0:3000}" --state build/sequences-$$(git rev-parse --short HEAD 2>/dev/null || echo here)

bench: .venv/dev ## the measured figures, written to docs/benchmarks.md
	@$(BIN)/python -m tests.bench

bench-engine: .venv/dev ## the engine alone: trees, packs, chunks, deltas, caches
	@$(BIN)/python -m tests.bench.engine

bench-ledger: .venv/dev ## many clients landing at once
	@$(BIN)/python -m tests.bench.ledger

bench-git: .venv/dev ## Git's clients here beside git http-backend; COMMITS, FILES, TAGS, LANDINGS give the sizes
	@$(BIN)/python -m tests.bench.git

bench-history: .venv/dev ## who touched a path among a million landings, and why a line is as it is
	@$(BIN)/python -m tests.bench.history

bench-web: .venv/dev ## pages of a large project, then search over a million lines; ONLY=pages, ONLY=search
	@$(BIN)/python -m tests.bench.web

lighthouse: .venv/dev ## Lighthouse over the six main pages (fetches it with npm into .tools)
	@[ -d .tools/lighthouse/node_modules/lighthouse ] || npm install --silent --no-audit --no-fund --ignore-scripts --prefix .tools/lighthouse lighthouse@12.8.2
	@$(BIN)/python -m tests.bench.web.lighthouse

bench-accounts: .venv/dev ## a thousand sign-ins at once, then 10,000 signed-in requests in a minute
	@$(BIN)/python -m tests.bench.accounts

bench-cli: .venv/dev ## the command line beside git, with the daemon and without; FILES, SPARSE, COMMITS, ROUNDS, ONLY give the sizes
	@$(BIN)/python -m tests.bench.cli

soak: .venv/dev ## the forge under mixed load for half an hour (MINUTES=...): nothing may grow
	@$(BIN)/python -m tests.bench.soak

demo: .venv/forge ## the whole story, told against a forge of its own
	@$(BIN)/python scripts/demo.py

dist: .venv/dev ## all that a release consists of, into dist/; RELEASE_KEY=key.pem SOURCE=https://... sign it
	@$(BIN)/python scripts/dist.py

test-dist: .venv/dev ## install what `make dist` built, by each package manager that is here, and lint the rest
	@$(BIN)/pytest -q -m dist --timeout 900 tests/dist

docs: .venv/dev ## the documentation as a site in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q --strict -d site

clean: ## remove what the verbs made, but not your data
	@rm -rf .venv .tools site build dist .mypy_cache .ruff_cache .pytest_cache
