# The two commands: `make run` (the dashboard) and `make test` (every check). Each sets up what it needs.
PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost
BIN := .venv/bin
WORK ?= runs
# Processes that share the unit tests, a thread each.
JOBS ?= 2
# Browsers, with a server each, that share the tests of pages: they wait for each other's answers much of the time.
PAGES ?= 3
# A folder with real micrographs (castiron, uhcs, superalloy), where there is one: some figures need it.
REAL ?= $(wildcard ../shared/data/micrographs)
# A model trained on runs/paper, where there is one.
PAPER_MODEL ?=

.PHONY: run test lint types unit e2e weights browser tools lock wheels-check audit reference retrained measure closed-loop property_tables tables comparisons bench screenshots dashboard load faults hostile doctor clean

run: .venv/installed weights
	$(BIN)/streamlit run dashboard/app.py --server.port=$(PORT) --server.address=$(ADDRESS)

test: lint types unit e2e

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev
	$(BIN)/mypy

unit: .venv/installed-dev weights
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore=tests/e2e --numprocesses=$(JOBS) --dist=loadfile

# The hostile cases (part of `unit`), measured into docs/results/hostile.json.
hostile: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.hostile.report

e2e: .venv/installed-dev weights browser
	GOMP_SPINCOUNT=1000 $(BIN)/python -m pytest tests/e2e --numprocesses=$(PAGES) --dist=loadfile --no-loadscope-reorder

weights: .venv/installed
	$(BIN)/python -m core.vgg

browser:
	sh tests/e2e/install_browser.sh

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11 to 3.13 is needed; set PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# --- Release; the tools have an environment of their own ---

tools: .venv-tools/installed

.venv-tools/installed: requirements-tools.txt
	test -x .venv-tools/bin/python || $(PYTHON) -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tools.txt
	touch $@

# Every pinned version with its hashes, one set for Python 3.11 to 3.13 on every platform.
lock: tools
	.venv-tools/bin/uv pip compile requirements.txt --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet -o requirements.lock

# Whether the lock installs without a compiler on Python 3.11, 3.12 and 3.13.
wheels-check: tools
	.venv-tools/bin/python -m tests.release.wheels

# Known weaknesses of what the lock pins; says so where no source of advisories can be reached.
audit: tools
	.venv-tools/bin/python -m tests.release.audit

# --- Long evidence, not part of `make test` ---

# The reference model, from nothing: castings, training in three runs and of its denoiser (a GPU takes minutes, two CPU
# cores under six hours), latents, network, what is usual (on castings used for nothing else), the network again, whose widths follow from
# those castings' latents, examples, names of latents; then into assets/. Continues where it was interrupted.
reference: .venv/installed weights
	test -f $(WORK)/extended/manifest.csv || $(BIN)/python -m core.castings --design extended --out $(WORK)/extended
	test -f $(WORK)/usual/manifest.csv \
		|| $(BIN)/python -m core.castings --design fresh --castings 100 --seed 950000 --out $(WORK)/usual
	if test -d $(WORK)/start/checkpoint; then again=--resume; fi; \
		$(BIN)/python -m core.train --data $(WORK)/extended --out $(WORK)/start $$again
	if test -d $(WORK)/finish/checkpoint; then again=--resume; fi; \
		$(BIN)/python -m core.train --config finish --init $(WORK)/start --data $(WORK)/extended --out $(WORK)/finish $$again
	if test -d $(WORK)/reference/checkpoint; then again=--resume; fi; \
		$(BIN)/python -m core.train --config fields --init $(WORK)/finish --data $(WORK)/extended --out $(WORK)/reference $$again
	if test -d $(WORK)/reference/denoiser-training/checkpoint; then again=--resume; fi; \
		$(BIN)/python -m core.denoiser --model $(WORK)/reference --data $(WORK)/extended $$again
	$(BIN)/python -m core.encode --model $(WORK)/reference --data $(WORK)/extended
	$(BIN)/python -m bayesnet.learn --model $(WORK)/reference --data $(WORK)/extended
	$(BIN)/python -m core.reference --model $(WORK)/reference --data $(WORK)/usual --training $(WORK)/extended
	$(BIN)/python -m core.calibrate --model $(WORK)/reference --data $(WORK)/usual
	$(BIN)/python -m bayesnet.learn --model $(WORK)/reference --data $(WORK)/extended
	$(BIN)/python -m core.examples --model $(WORK)/reference --data $(WORK)/extended
	$(BIN)/python -m core.labels --model $(WORK)/reference --data $(WORK)/extended --work $(WORK)/labels --out docs/results
	$(BIN)/python -m core.publish --model $(WORK)/reference --out assets/reference

# How many names of latents recur in a model trained from nothing with another seed (hours on two CPU cores); goes on where
# it was interrupted.
retrained: .venv/installed weights
	test -f $(WORK)/extended/manifest.csv || $(BIN)/python -m core.castings --design extended --out $(WORK)/extended
	if test -d $(WORK)/seed1/checkpoint; then again=--resume; fi; \
		$(BIN)/python -m core.train --data $(WORK)/extended --out $(WORK)/seed1 --seed 1 $$again
	$(BIN)/python -m core.encode --model $(WORK)/seed1 --data $(WORK)/extended
	$(BIN)/python -m core.labels --model $(WORK)/seed1 --data $(WORK)/extended --work $(WORK)/labels
	$(BIN)/python -m core.labels.recurrence --model assets/reference --against $(WORK)/seed1

# The figures in docs/results, for the model in assets/.
measure: .venv/installed-dev weights browser
	test -f $(WORK)/fresh/manifest.csv || $(BIN)/python -m core.castings --design fresh --out $(WORK)/fresh
	$(BIN)/python -m core.measure --model assets/reference --data $(WORK)/fresh
	$(BIN)/python -m core.metrics --model assets/reference --data $(WORK)/fresh
	$(BIN)/python -m core.realism --model assets/reference --data $(WORK)/fresh
	$(BIN)/python -m core.unusual_measure --model assets/reference --data $(WORK)/fresh --fields 200 $(REAL:%=--real %)
	$(BIN)/python -m core.castings.descriptor_errors $(REAL:%=--real %)
	$(MAKE) property_tables
	$(BIN)/python -m bayesnet.measure --model assets/reference
	$(BIN)/python -m tests.e2e.first_design
	$(BIN)/python -m core.contact_sheet --model assets/reference --out docs/images/contact_sheet.jpg
	$(BIN)/python -m core.card --model assets/reference

# Designs for 200 targets, refined, measured and cast anew against the generator (half an hour on two CPU cores; fewer
# with TARGETS=40).
closed-loop: .venv/installed-dev weights
	$(BIN)/python -m bayesnet.verify --model assets/reference --targets $(or $(TARGETS),200)
	$(BIN)/python -m bayesnet.verify.next_tests --model assets/reference

# The paper's Tables 2 and 3 and figure 7 (minutes); with PAPER_MODEL=DIR also of a VAE trained on runs/paper, as the paper's.
property_tables: .venv/installed weights
	test -f $(WORK)/extended/manifest.csv || $(BIN)/python -m core.castings --design extended --out $(WORK)/extended
	test -f $(WORK)/fresh/manifest.csv || $(BIN)/python -m core.castings --design fresh --out $(WORK)/fresh
	test -f $(WORK)/paper/manifest.csv || $(BIN)/python -m core.castings --design paper --out $(WORK)/paper
	$(BIN)/python -m core.property_tables --model assets/reference --data $(WORK)/extended --fresh $(WORK)/fresh \
		--paper $(WORK)/paper $(PAPER_MODEL:%=--paper-model %)

# Tables 2 and 3, then Table 1, a cell at a time (half an hour or more each on two CPU cores); goes on where it stopped.
tables: property_tables
	$(BIN)/python -m core.table1 --data $(WORK)/paper --work $(WORK) $(REAL:%=--real %)

# One change of the training settings at a time, on small equal budgets (ten minutes each); goes on where it stopped.
comparisons: .venv/installed weights
	test -f $(WORK)/extended/manifest.csv || $(BIN)/python -m core.castings --design extended --out $(WORK)/extended
	$(BIN)/python -m core.comparisons --data $(WORK)/extended --work $(WORK)

# Speed and memory beside this machine's own limits; run it on an idle machine.
bench: .venv/installed weights
	test -f $(WORK)/extended/manifest.csv || $(BIN)/python -m core.castings --design extended --out $(WORK)/extended
	test -f $(WORK)/fresh/manifest.csv || $(BIN)/python -m core.castings --design fresh --out $(WORK)/fresh
	$(BIN)/python -m core.bench --model assets/reference --data $(WORK)/extended
	$(BIN)/python -m core.pixel_optimisation --model assets/reference --data $(WORK)/fresh
	$(BIN)/python -m bayesnet.bench --model assets/reference

# Faults injected (kills, full and read-only disks, a server killed under open tabs) and what was lost. Minutes.
faults: .venv/installed-dev weights browser
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.report

# Is everything in order here, and if not, what to do.
doctor: .venv/installed
	$(BIN)/python -m core.doctor

# Pictures of every page, into docs/screenshots (minutes).
screenshots: .venv/installed-dev weights browser
	$(BIN)/python -m tests.e2e.screenshots

# First views, bytes, twenty sessions at once, accessibility, and the own-data path with the quick preset (half an hour).
dashboard: .venv/installed-dev weights browser
	$(BIN)/python -m tests.e2e.dashboard_measure

# Fifty sessions for five minutes; fewer with LOAD="--sessions 10 --minutes 1".
load: .venv/installed-dev weights browser
	$(BIN)/python -m tests.e2e.load $(LOAD)

clean:
	rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .hypothesis
