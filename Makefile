# Four commands, each a line that also works without make.
PYTHON ?= python3

.PHONY: demo test notebooks check

demo:
	$(PYTHON) -m venv .venv && .venv/bin/pip install -q . && .venv/bin/xception-np demo

test:
	$(PYTHON) -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -rs -n 2 --dist worksteal -m 'not slow'

notebooks:
	$(PYTHON) -m venv .venv && .venv/bin/pip install -q -e '.[notebooks]' && .venv/bin/jupyter lab notebooks

check:
	$(PYTHON) -m venv .venv && .venv/bin/pip install -q -e '.[test,lint,parity,tensorboard,mpi,nvrtc,browser,gpu]' && .venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/pytest --no-skips -n 2 --dist worksteal
