# make demo    evolve a proxy on the embedded benchmark in a few minutes
# make test    run the tests
# make fuzz    attack it for MINUTES=30 with SEED=0; what fails is written to FUZZ_OUT=runs/fuzz
# make check   linter, formatter and type checker, over the package, the tests and the scripts of results/ and docs/
# make picture draw the rooms and their imports anew: docs/architecture.svg
# make api     write docs/api.md from the docstrings of the public names
# make docs    build the site into build/site: warnings are errors, the notebooks are executed
#
# Each creates the virtual environment when it is missing or older than the project's requirements.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO := runs/demo
LAID_OUT := $(abspath $(VENV))/laid-out
MYPY := $(abspath $(BIN))/python -m mypy --cache-dir $(abspath $(VENV))/.mypy_cache

MINUTES ?= 30
SEED ?= 0
FUZZ_OUT ?= runs/fuzz
TEST_PROCESSES ?= auto

ifeq ($(origin ZCPROXY_DATA), undefined)
ifneq ($(wildcard ../shared/data),)
test: export ZCPROXY_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: demo test fuzz check picture api docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	rm -rf $(DEMO)
	$(BIN)/zcproxy evolve --generations 60 --seed 0 --compare synflow,naswot,snip,zico --control --out $(DEMO)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --maxprocesses 4 --dist loadfile

fuzz: $(VENV)/.installed-test
	PYTHONPATH=tests $(BIN)/python -m fuzz --minutes $(MINUTES) --seed $(SEED) --out $(FUZZ_OUT)

# mypy reads the package as it is installed, with the folders beside zcproxy/ inside it: laid out by links, nothing is built.
check: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	rm -rf $(LAID_OUT)
	mkdir -p $(LAID_OUT)/zcproxy
	ln -s $(CURDIR)/zcproxy/* $(CURDIR)/primitives $(CURDIR)/benchmarks $(LAID_OUT)/zcproxy
	ln -s $(CURDIR)/results/proxies $(LAID_OUT)/zcproxy/proxies
	cd $(LAID_OUT) && $(MYPY)/package --config-file $(CURDIR)/pyproject.toml -p zcproxy
	MYPYPATH=$(LAID_OUT) $(MYPY)/scripts --config-file tests/mypy.ini --exclude '^results/proxies' \
		tests results docs setup.py .ci/lowest.py

picture: $(VENV)/.installed-test
	PYTHONPATH=tests $(BIN)/python docs/draw_architecture.py

api: $(VENV)/.installed-test
	$(BIN)/python docs/write_api.py

# Two notebooks at a time; with ZCPROXY_NOTEBOOKS=off they are not executed.
docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx --jobs 2 --fail-on-warning --keep-going --fresh-env -b html -d build/docs/doctrees docs build/site

clean:
	rm -rf $(VENV) build dist *.egg-info docs/generated

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml setup.py constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[docs]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@
