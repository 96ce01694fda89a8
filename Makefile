# Two commands: `make demo` trains, judges and opens a real sweep; `make test` runs every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STORE ?= studies
DEMO_STUDY ?= demo
DEMO_SERVE ?= 1
PORT ?= 8501
export OMP_NUM_THREADS ?= 1

.PHONY: demo install test lint bench bench-sweep bench-detection bench-false-alarms bench-pages soak serve clean

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/test-installed: $(VENV)/installed tests/requirements.txt
	$(BIN)/pip install --quiet --requirement tests/requirements.txt
	tests/browser/install_chromium.sh
	tests/reviews/install_postgresql.sh
	touch $@

install: $(VENV)/installed

demo: install
	$(BIN)/python -m runners.lr_sweep --study $(DEMO_STUDY) --store $(STORE) --workload stride_resnet \
	    --variant stride=1x1,2x2 --optimizer momentum --base-lr 0.003,0.01,0.03,0.1,0.2,0.3,1 --seeds 3 --resume
	$(BIN)/python -m analysis diagnose $(DEMO_STUDY) --store $(STORE)
ifeq ($(DEMO_SERVE),1)
	STEADYSTEP_STORE=$(STORE) $(BIN)/streamlit run app.py --server.port $(PORT)
endif

serve: install
	STEADYSTEP_STORE=$(STORE) $(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/test-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(VENV)/test-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

bench: $(VENV)/test-installed
	$(BIN)/python tests/bench/speed.py

bench-detection: $(VENV)/test-installed
	$(BIN)/python tests/bench/detection.py $(if $(RUNS),--runs $(RUNS))

bench-false-alarms: $(VENV)/test-installed
	$(BIN)/python -m tests.bench.false_alarms $(if $(LENGTHS),--lengths $(LENGTHS))

bench-sweep: $(VENV)/test-installed
	$(BIN)/python -m tests.bench.sweep

bench-pages: $(VENV)/test-installed
	$(BIN)/python -m tests.bench.pages

soak: $(VENV)/test-installed
	$(BIN)/python -m tests.bench.soak

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
