# `make demo` trains a first GAN, `make check` runs everything a change must pass; each sets up all it needs.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo check test slow browser fuzz gpu lint types docs docs-figures stale-figures clean

demo: .venv/ready
	$(BIN)/sparring train digits --recipe gan --out runs/demo --time 100s --force labels=true
	$(BIN)/sparring sample runs/demo -n 100 -o runs/demo.png --force
	@echo "The sheet of digits is runs/demo.png"

# Everything a change must pass; CI runs it.
check: lint types test browser

test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist worksteal

slow: .venv/ready
	$(BIN)/python -m pytest -m slow

# Skipped, with a message, where no Chromium is installed.
browser: .venv/ready
	$(BIN)/python -m pytest -m "browser and not slow" -n 2 --dist loadfile tests/studio tests/website

# Thousands of damaged and hostile inputs. `SEED=7` tries others, `CASES=100000` more of them.
SEED ?= 0
SEEDS ?= 5
CASES ?= 2000
fuzz: .venv/ready
	$(BIN)/python tests/fuzz --seed $(SEED) --seeds $(SEEDS) --cases $(CASES)

# On a machine with a CUDA device: speed of training steps, and the tests that need one, in ten minutes. It continues
# where it was interrupted; `rm -r runs/gpu` begins anew.
gpu: .venv/ready
	$(BIN)/python benchmarks/gpu.py runs/gpu

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

# The site of the docs, in build/docs/site. A dead link, or a page that website/navigation.py does not list, fails.
# `ADDRESS=https://example.org/sparring/` is where it is published.
ADDRESS ?= /
docs: .venv/ready
	$(BIN)/python -m website --address $(ADDRESS)

# Says which measured pages of the docs are older than their code and measures them again; `PAGES=docs/step.md` only
# some. Most take minutes to hours. `make stale-figures` only lists them.
docs-figures: .venv/ready
	$(BIN)/python benchmarks/figures.py --make $(PAGES)

stale-figures: .venv/ready
	$(BIN)/python benchmarks/figures.py $(PAGES)

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Sparring needs Python 3.11 or newer, this is " + sys.version'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[all,dev]'
	touch .venv/ready
