# Two commands matter: `make lab` opens the course, `make test` checks everything. `make` alone lists the rest.

# Where the packages live. An environment that you made yourself is added to, never replaced.
VENV ?= .venv
# For `make lab`: the port (without one, the first free from 8888 on) and anything else JupyterLab understands.
PORT ?=
LAB_ARGS ?=
# For `make test`, for example PYTEST_ARGS="-k heads -x", and how many files are tested side by side (0: one after the other).
PYTEST_ARGS ?=
WORKERS ?= auto
# For `make checkpoint`: where Tiny ImageNet is (ARGS=--download fetches it), and where the weights go.
DATA ?= data/tiny-imagenet
OUT ?= data/resnet18_tiny200.safetensors
ARGS ?=
# For `make mark`: the name of the assignment.
ASSIGNMENT ?=

bin := $(abspath $(VENV))/bin
python := "$(bin)/python"
# Threads that wait for work must not keep a core busy: two kernels side by side are six times faster so.
export OMP_WAIT_POLICY := PASSIVE
# nbgrader starts `alembic` and `jupyter` by name.
export PATH := $(bin):$(PATH)

.PHONY: help lab test test-slow lint unit-tests notebook-tests notebooks exercises architecture site fork checkpoint \
	checkpoint-report bench mark bench-marking doctor lock clean \
	setup-lab setup-test slow-unit-tests slow-notebook-tests
.NOTPARALLEL:

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-25s %s\n", $$1, $$2 }'

lab: setup-lab  ## open the course in JupyterLab (PORT=, LAB_ARGS=); Ctrl-C ends it
	@echo "Starting JupyterLab; Ctrl-C in this window ends it."
	@exec $(python) -m jupyterlab --config=jupyter_lab_config.py $(if $(PORT),--port=$(PORT) --ServerApp.port_retries=0) $(LAB_ARGS)

test: lint unit-tests notebook-tests  ## ruff, pytest, and the first notebooks run again and compared (PYTEST_ARGS=)

test-slow: slow-unit-tests slow-notebook-tests  ## the rest: the longer notebooks, and every answer through nbgrader

# What these run stands in course_utils/authoring/checks.py, also for computers without make.
check = $(python) -m course_utils test
pytest_options = --workers $(WORKERS) --pytest="$(PYTEST_ARGS)"

lint: setup-test  ## ruff (style, common mistakes, layout) and pyright (types)
	$(check) lint

unit-tests: setup-test
	$(check) unit $(pytest_options)

slow-unit-tests: setup-test
	$(check) unit --slow $(pytest_options)

notebook-tests: setup-test
	$(check) notebooks $(pytest_options)

slow-notebook-tests: setup-test
	$(check) notebooks --slow $(pytest_options)

notebooks: setup-test  ## build and run notebooks/ from lessons/, and let the links of README.md follow
	$(python) -m course_utils.authoring.lessons
	$(python) -m course_utils.authoring.readme

exercises: setup-test  ## build exercises/source/ and exercises/release/ from the problems and the question bank
	$(python) -m course_utils.authoring.assignments

architecture: setup-test  ## draw docs/architecture.svg from the imports
	$(python) -m course_utils.authoring.architecture

fork: setup-test  ## in your own repository, once: take its name from the git remote; then make notebooks exercises
	$(python) -m course_utils.authoring.readme --fork

lock: setup-test  ## for maintainers: write the versions that pyproject.toml allows today into uv.lock
	$(python) -m uv lock

site: setup-test  ## build the web site in build/site: lessons, practice questions, "Show it a picture" (needs npm)
	$(python) -m course_utils.authoring.site

checkpoint: setup-test  ## train the course's own weights: DATA= Tiny ImageNet, OUT= file, ARGS= see --help
	$(python) -m course_utils pretrain --data "$(DATA)" --out "$(OUT)" $(ARGS)

checkpoint-report: setup-test  ## measure the course's own weights again and write down the numbers
	$(python) -m course_utils checkpoint-report --data "$(DATA)" $(ARGS)

bench: setup-test  ## measure what the course claims, half an hour (ARGS=, see python -m course_utils bench --help)
	$(python) -m course_utils bench $(ARGS)

mark: setup-test  ## mark what was handed in to exercises/: ASSIGNMENT=ps1-heads, ARGS= see docs/instructors.md
	$(python) -m course_utils mark $(ASSIGNMENT) $(ARGS)

bench-marking: setup-test  ## compare `mark` with plain nbgrader on the same submissions (ARGS=, see docs/instructors.md)
	$(python) -m course_utils.marking.bench $(ARGS)

doctor: setup-lab  ## check this computer and say what to do
	@$(python) -m course_utils doctor

clean:  ## remove caches and build folders; .venv stays
	rm -rf build dist .pytest_cache .ruff_cache .ipynb_checkpoints */.ipynb_checkpoints
	find course_utils tests lessons exercises -name __pycache__ -type d -exec rm -rf {} +

setup-lab:
	@sh tools/setup_venv.sh "$(VENV)" lab

setup-test:
	@sh tools/setup_venv.sh "$(VENV)" test
