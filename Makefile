# make demo, make test and make check set themselves up: a project-local .venv from requirements.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo
STUDY ?= study
DISK_GB ?= 8.5

.PHONY: env demo study test test-long bench check format docs clean

env: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 12) else "Python 3.11 or 3.12 is needed, this is " + sys.version.split()[0] + "; say make PYTHON=/path/to/python3.11")'
	@test -d $(BIN) || $(PYTHON) -c 'import shutil, sys; free = shutil.disk_usage(".").free / 1e9; sys.exit(None if free > $(DISK_GB) else f"The environment takes $(DISK_GB) GB of disk, and {free:.1f} GB are free here: make room, or say make DISK_GB=0 to try all the same")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --quiet --no-deps -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m curate.models.bundled
	@touch $@

demo: env
	$(BIN)/curate demo --into $(DEMO)
	$(BIN)/train demo --into $(DEMO)

# the published study on a tiny model with simulated listeners; the corpus of an earlier demonstration is taken as it is
study: env
	test -f $(DEMO)/corpus/manifest.parquet || $(BIN)/curate demo --into $(DEMO)
	$(BIN)/train study demo --into $(STUDY) --corpus $(DEMO)/corpus

test: env
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15

# where `make test` takes a part: the demonstration's two commands, every file of real speech, DNSMOS by its package, twenty kills, compiled layers
test-long: env
	SAMSORI_LONG=1 $(BIN)/python -m pytest tests/curate/test_real_speech.py tests/curate/demo/test_demo.py tests/curate/models/test_dnsmos.py tests/train/test_survival.py tests/train/model/test_losses.py

# ratios against peers, side by side, of what this machine can run; figures and what they mean: docs/benchmarks.md
bench: env
	$(BIN)/python benchmarks/train_step.py --size tiny
	$(BIN)/python benchmarks/train_step.py --size 45m
	@if $(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then $(BIN)/python benchmarks/train_step.py --size full; fi

check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: env
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) $(DEMO) $(STUDY) build *.egg-info
