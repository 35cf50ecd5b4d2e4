# Everything runs in .venv, which is made on the first call; PYTHON names another interpreter (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .build/demo
DEMO_STORE ?= demo-store
RELEASES := 0.7.8 0.7.9 0.8.0

.PHONY: demo test lint types bench bench-short crash crash-mutants clean

# the two commands of the README

demo: $(STAMP)
	@mkdir -p $(DEMO)
	@for v in $(RELEASES); do \
	  ls $(DEMO)/brickschema-$$v-*.whl >/dev/null 2>&1 || \
	    $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
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

test: $(STAMP)
	$(BIN)/python -m pytest -q

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

# long, run by hand

crash: $(STAMP)
	$(BIN)/python -m tests.crash run

crash-mutants: $(STAMP)
	$(BIN)/python -m tests.crash mutants

clean:
	rm -rf $(VENV) .build demo-store

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,sign,plots]'
	@touch $(STAMP)
