# `make demo` trains a first GAN, `make test` passes the tests; each sets up all it needs.

PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test slow browser lint types docs clean

demo: .venv/ready
	$(BIN)/sparring train digits --recipe gan --out runs/demo --time 100s --force labels=true
	$(BIN)/sparring sample runs/demo -n 100 -o runs/demo.png --force
	@echo "The sheet of digits is runs/demo.png"

test: .venv/ready
	$(BIN)/python -m pytest -n auto --dist worksteal

slow: .venv/ready
	$(BIN)/python -m pytest -m slow

browser: .venv/ready
	$(BIN)/python -m pytest -m browser

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

clean:
	rm -rf .venv

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Sparring needs Python 3.11 or newer, this is " + sys.version'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	touch .venv/ready
