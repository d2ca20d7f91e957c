# make demo    evolve a proxy on the embedded benchmark in a few minutes
# make test    run the tests
# make fuzz    attack it for MINUTES=30 with SEED=0; what fails is written to FUZZ_OUT=runs/fuzz
# make check   linter, formatter and type checker
#
# Each creates the virtual environment when it is missing or older than the project's requirements.

PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO := runs/demo

MINUTES ?= 30
SEED ?= 0
FUZZ_OUT ?= runs/fuzz

ifeq ($(origin ZCPROXY_DATA), undefined)
ifneq ($(wildcard ../shared/data),)
export ZCPROXY_DATA := $(abspath ../shared/data)
endif
endif

.PHONY: demo test fuzz check clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	rm -rf $(DEMO)
	$(BIN)/zcproxy evolve --generations 60 --seed 0 --compare synflow,naswot,snip,zico --control --out $(DEMO)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest

fuzz: $(VENV)/.installed-test
	PYTHONPATH=tests $(BIN)/python -m fuzz --minutes $(MINUTES) --seed $(SEED) --out $(FUZZ_OUT)

# mypy reads the wheel: the folders beside zcproxy/ become part of the package when it is built.
check: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	rm -rf build $(VENV)/wheel
	$(PIP) install --quiet --no-deps --target $(VENV)/wheel .
	rm -rf build
	cd $(VENV)/wheel && $(abspath $(BIN))/python -m mypy --config-file $(CURDIR)/pyproject.toml \
		--cache-dir $(abspath $(VENV))/.mypy_cache -p zcproxy

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	@touch $@
