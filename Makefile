# Everything runs in .venv, which is made on the first call; PYTHON names another interpreter (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .build/demo
DEMO_STORE ?= demo-store
RELEASES := 0.7.8 0.7.9 0.8.0

PYTHONS := $(foreach p,python3.12 python3.13,$(if $(shell command -v $(p)),$(p)))
QUIET := --quiet --disable-pip-version-check
LOCK := requirements.lock
S3 := .build/s3/.installed
# all that development needs, each file by its hash, the build backend too; then the project itself, which needs no more
LOCKED := install $(QUIET) --require-hashes --only-binary=:all: -r $(LOCK)
EDITABLE := install $(QUIET) --no-deps --no-build-isolation -e ./hookspecs -e .

.PHONY: man demo test test-all quick shared shared-ground lint types bench bench-short dvc scale versions lock crash crash-mutants processes flips interrupts trees hostile hostile-mutants clean

# the two commands of the README

demo: $(STAMP)
	@mkdir -p $(DEMO)
	@for v in $(RELEASES); do \
	  ls $(DEMO)/brickschema-$$v-*.whl >/dev/null 2>&1 || \
	    $(BIN)/python -m pip download $(QUIET) --no-deps --only-binary=:all: \
	      -d $(DEMO) brickschema==$$v || exit 1; \
	done
	@for v in $(RELEASES); do \
	  $(BIN)/ontofetch pull $(DEMO)/brickschema-$$v-py3-none-any.whl -q --root $(DEMO_STORE) \
	    --service pypi --ontology brickschema --version $$v || exit $$?; \
	done
	@echo; echo "== what do I have"
	@$(BIN)/ontofetch --root $(DEMO_STORE)
	@echo; echo "== the latest release"
	@$(BIN)/ontofetch report latest --root $(DEMO_STORE)
	@echo; echo "== 0.7.9 -> 0.8.0"
	@$(BIN)/ontofetch report growth --a 0.7.9 --b 0.8.0 --by format --root $(DEMO_STORE)
	@echo; echo "== 0.7.8 -> 0.7.9"
	@$(BIN)/ontofetch report growth --a 0.7.8 --b 0.7.9 --by format --root $(DEMO_STORE)

# on all cores; what one core alone should do is started with -n 0. Their stores lie in memory where there is room for
# what a run leaves (GB): nothing is another there but that no test waits for a disk
ROOM := 8
MEMORY := $(if $(TMPDIR),,$(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > $(ROOM) * 1000000 { print "/dev/shm" }'))
IN_MEMORY := $(if $(MEMORY),TMPDIR=$(MEMORY))
TESTS := -m pytest -q -n auto --dist worksteal -p no:benchmark
PYTEST := $(IN_MEMORY) $(BIN)/python $(TESTS)

# all but the longest; of long tables of cases a sample (`tests/levels.py`)
test: $(STAMP)
	$(PYTEST) -m "not rare"

# all of them, as the gate does
test-all: $(STAMP)
	$(PYTEST)

# a catalog of several machines: what is not installed is said, and its tests are skipped
shared: $(STAMP) shared-ground
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo "PostgreSQL is not installed: apt-get install postgresql"
	@ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || echo "libfaketime is not installed: apt-get install libfaketime"
	$(BIN)/python -m pytest -q tests/shared

# the S3 server of those tests
shared-ground: $(S3)

$(S3): tests/shared/server.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install $(QUIET) -r tests/shared/server.txt
	@touch $@

# what fails first, while something is being changed: all but what `tests/levels.py` calls slow
quick: $(STAMP)
	$(PYTEST) -m "not slow"

# the rest of the gate

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m pytest benchmarks -q -o python_files='bench_*.py' --benchmark-disable-gc

bench-short: $(STAMP)
	ONTOFETCH_BENCH=short $(BIN)/python -m pytest benchmarks -q -o python_files='bench_*.py'

# DVC, which the benchmark of a pull is shown beside, in an environment of its own
dvc:
	@test -x .build/dvc/bin/python || $(PYTHON) -m venv .build/dvc
	@.build/dvc/bin/python -m pip install $(QUIET) 'dvc>=3,<4'

# how all commands grow: hours beside other work
scale: $(STAMP)
	$(BIN)/python -m benchmarks.scale --plot docs/scale.svg

# long, run by hand

# the tests under the other Pythons of this machine, and under the oldest dependencies that are allowed
versions: $(STAMP)
	@for p in $(PYTHONS); do \
	  test -x .build/$$p/bin/python || $$p -m venv .build/$$p || exit 1; \
	  echo "== $$p"; .build/$$p/bin/python -m pip $(LOCKED) && \
	  .build/$$p/bin/python -m pip $(EDITABLE) && \
	  $(IN_MEMORY) .build/$$p/bin/python $(TESTS) -m "not rare" || exit 1; \
	done
	@test -x .build/oldest/bin/python || $(PYTHON) -m venv .build/oldest
	@echo "== the oldest dependencies"
	@.build/oldest/bin/python -m pip $(LOCKED)
	@.build/oldest/bin/python -m pip $(EDITABLE)
	@.build/oldest/bin/python -m pip install $(QUIET) $$($(BIN)/python -m tests.environments oldest)
	@$(IN_MEMORY) .build/oldest/bin/python $(TESTS) -m "not rare"

crash: $(STAMP)
	$(BIN)/python -m tests.crash run

crash-mutants: $(STAMP)
	$(BIN)/python -m tests.crash mutants

processes: $(STAMP)
	$(BIN)/python -m tests.catalog.many_processes --seconds 60

flips: $(STAMP)
	$(BIN)/python -m tests.catalog.flip_log

interrupts: $(STAMP)
	ONTOFETCH_INTERRUPTS=200 $(BIN)/python -m pytest -q tests/test_interrupts.py

trees: $(STAMP)
	$(BIN)/python -m tests.trees

hostile: $(STAMP)
	$(BIN)/python -m tests.hostile

hostile-mutants: $(STAMP)
	$(BIN)/python -m tests.hostile.mutants

# the manual page anew, from the parsers; a test compares them
man: $(STAMP)
	$(BIN)/python -m tests.manual

clean:
	rm -rf $(VENV) .build demo-store

# what the newest releases within pyproject.toml's bounds are; UPGRADE= keeps those that still fit
UPGRADE ?= --upgrade
lock:
	@test -x .build/lock/bin/uv || { $(PYTHON) -m venv .build/lock && \
	  .build/lock/bin/python -m pip install $(QUIET) 'uv>=0.9,<1'; }
	@cp $(LOCK) .build/lock/$(LOCK)
	@.build/lock/bin/uv pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 $(UPGRADE) \
	  --generate-hashes --no-emit-package ontofetch-hookspecs --no-header --no-annotate --no-emit-index-url -o .build/lock/$(LOCK)
	@{ $(PYTHON) -m tests.environments digest && cat .build/lock/$(LOCK); } > .build/lock/new && mv .build/lock/new $(LOCK)

$(STAMP): pyproject.toml hookspecs/pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip $(LOCKED)
	@$(BIN)/python -m pip $(EDITABLE)
	@# pip compiles what it installs, but not what stays where it is
	@$(BIN)/python -m compileall -q ontofetch_catalog hookspecs
	@touch $(STAMP)
