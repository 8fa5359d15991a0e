# `make up` runs the product, `make test` runs every test; each first installs what it needs, once.
# PYTHON is any Python 3.11 or later to make the environments with.
PYTHON ?= python3
# The Python that checks run in; an environment made by hand can be named instead.
PY ?= .venv/bin/python
# What Python and pytest compiled is kept for the next process, also where the machine is set not to.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test check types fast bench lint format lock clean dev-env

up:
	$(PYTHON) scripts/setup_env.py product model
	exec .venv/bin/python -m service.cli up

test:
	$(PYTHON) scripts/setup_env.py product dev model browser --required
	$(MAKE) check
	$(PY) -m pytest -m slow

# Fast enough to run before every commit: no model server, no encoder weights, no browser.
# Types are checked while the tests run: each leaves a processor idle at times.
check: dev-env lint
	$(MAKE) --jobs=2 types fast

types:
	$(PY) -m mypy
	$(PY) -m mypy scripts
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

fast:
	$(PY) -m pytest -m "not slow" -n auto --dist worksteal -q

lint: dev-env
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: dev-env
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: dev-env
	$(PY) -m eval.bench

# Resolve the dependencies again and write the hashed locks in requirements/.
lock: dev-env
	$(PY) scripts/lock.py

dev-env:
ifeq ($(PY),.venv/bin/python)
	$(PYTHON) scripts/setup_env.py product dev
endif

# Caches only: the environments and var/ (index, records of runs, prepared model) stay.
clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-artefacts
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
