# Everything runs in .venv, which each target makes first if it is missing, broken or out of date.
# It has exactly the versions of requirements.lock, each checked by its hash; the package itself is
# installed editable.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
PARALLEL := -n auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:  # one target after another, also under -j: they share .venv, the cores and the screen
.PHONY: help train test test-slow lint docs bench results plotly lock clean force

help:
	@echo "make train      train, e.g. make train ARGS='experiment=mnist'"
	@echo "make test       run the fast tests, e.g. make test ARGS='tests/losses -x'"
	@echo "make test-slow  run the slow tests: whole notebooks, killed runs, the wheel, real data"
	@echo "make lint       check style, imports between packages, the rules of the code base, types"
	@echo "make docs       build the site with the API reference in site/"
	@echo "make bench      time training, start-up, checkpoints, loading, post-hoc fits, explanations"
	@echo "make results    rebuild docs/results.md from the run folders in runs/ and from results/"
	@echo "make plotly     fetch the chart library of the report page again, with npm"
	@echo "make lock       compile requirements.lock again; ARGS=--upgrade takes newer versions"
	@echo "make clean      remove .venv, site/ and the caches; never runs/ or data/"
	@echo "PYTHON=...      the Python to make .venv with: 3.11, 3.12 or 3.13 (default: python3)"

train: $(READY)
	$(BIN)/python train.py $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) $(ARGS)

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow $(PARALLEL) $(ARGS)

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m benchmarks.code_figures --check
	$(BIN)/python -m mypy

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

bench: $(READY)
	$(BIN)/python -m benchmarks.training_step
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.checkpointing
	$(BIN)/python -m benchmarks.image_folder
	$(BIN)/python -m benchmarks.post_hoc
	$(BIN)/python -m benchmarks.explain

results: $(READY)
	$(BIN)/python -m benchmarks.pages runs $(ARGS)

# The chart library of the report page, from the npm registry. A newer version is entered here.
PLOTLY := 4.1.1
VENDOR := interp_by_design/report/page/scripts/vendor
plotly:
	cd $(VENDOR) && npm pack --silent plotly.js-basic-dist-min@$(PLOTLY) && tar xzf *.tgz && rm *.tgz
	cd $(VENDOR) && gzip -9nc package/plotly-basic.min.js > plotly-basic.min.js.gz
	cd $(VENDOR) && cp package/LICENSE LICENSE
	cd $(VENDOR) && printf '{\n  "package": "%s",\n  "version": "%s",\n  "license": "%s",\n  "sha256": "%s"\n}\n' \
	    plotly.js-basic-dist-min $(PLOTLY) MIT "$$(sha256sum package/plotly-basic.min.js | cut -d' ' -f1)" \
	    > plotly.json
	rm -r $(VENDOR)/package

# One lock for every supported Python and platform (--universal). What it already pins stays, unless
# ARGS=--upgrade.
lock: $(READY)
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras --generate-hashes --quiet \
	    --custom-compile-command "make lock" --output-file requirements.lock pyproject.toml $(ARGS)

clean:
	rm -f $(LOCKED) $(READY)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist site *.egg-info
	find . \( -path ./runs -o -path ./data -o -path ./.git \) -prune -o -type d -name __pycache__ -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------------ the .venv
# The stamps are written last and removed first: an interrupted target leaves none and starts again.

# What a .venv belongs to: this folder, and the Python that it was made with.
IDENTITY := import os, sys; print(os.getcwd(), sys.base_prefix, "%d.%d" % sys.version_info[:2])

define CHECK_PYTHON
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit("%s is Python %d.%d." % ((sys.executable,) + sys.version_info[:2]))
try:
    import ensurepip, venv
except ImportError:
    sys.exit(sys.executable + " lacks venv (Debian and Ubuntu have it in the package python3-venv).")
print(sys._base_executable or sys.executable)
endef
export CHECK_PYTHON

# A .venv whose Python no longer starts, or that was copied from another folder, is made again; so is
# one of another Python than PYTHON, where PYTHON was given. (Without it, `make test` keeps what
# `make train PYTHON=python3.13` made.)
ifneq ($(wildcard $(LOCKED)),)
  SOUND := $(shell test "$$($(BIN)/python -c '$(IDENTITY)' 2>/dev/null)" = "$$(cat $(LOCKED))" && echo yes)
  ifneq ($(origin PYTHON),file)
    SOUND := $(shell test -n "$(SOUND)" && test "$$("$(PYTHON)" -c '$(IDENTITY)' 2>/dev/null)" = "$$(cat $(LOCKED))" && echo yes)
  endif
endif

# Made from nothing, so that it holds what the lock says and nothing else. The base interpreter is
# looked up first: PYTHON may be that of the .venv that is about to be removed. `pip -qq` prints errors
# alone: with extra package sources pip warns for each package that one of them lacks.
$(LOCKED): requirements.lock $(if $(SOUND),,force)
	@base=$$("$(PYTHON)" -c "$$CHECK_PYTHON") || { \
	    echo "'$(PYTHON)' cannot be used: interp_by_design needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 ..." >&2; \
	    exit 1; }; \
	echo "Making $(VENV) with $$base ..."; \
	rm -f $(LOCKED) $(READY) && rm -rf $(VENV) && "$$base" -m venv $(VENV)
	@echo "Installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages, about 3 minutes and 6 GB with CUDA's libraries ..."
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -c '$(IDENTITY)' > $@.new && mv $@.new $@

# Without dependencies and build isolation: the lock has installed everything that it needs.
$(READY): $(LOCKED) pyproject.toml
	@echo "Installing interp_by_design itself ..."
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation -e .
	@touch $@
