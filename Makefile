# make run    set everything up, then watch a real model learn
# make test   set everything up, then run the whole test suite
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# What Qt needs on Debian and Ubuntu.
QT_PACKAGES := fonts-dejavu-core libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libx11-xcb1 \
	libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 \
	libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 libxkbcommon0

# A display and hands for the test that uses the window as a person does, and what copies runs of other machines;
# without them those tests are skipped.
TEST_PACKAGES := openssh-client openssh-sftp-server rsync xdotool xvfb

.PHONY: run test check install system test-system constraints screenshots benchmarks clean

run: install
	$(BIN)/mmgraph demo

test: install test-system
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt | system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mmgraph needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools -c constraints.txt
	$(BIN)/python -m pip install --quiet torch -c constraints.txt
	$(BIN)/python -m pip install --quiet -e ".[gui,dev]" -c constraints.txt
	touch $@

# Only root on a Debian system that lacks some of them; elsewhere it is for the user to do (see README).
define install_packages
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		missing=$$(for p in $(1); do \
			dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q '^install ok' || echo $$p; done); \
		if [ -n "$$missing" ]; then \
			echo "Installing $(2):" $$missing; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
		fi; \
	fi
endef

system:
	$(call install_packages,$(QT_PACKAGES),what Qt needs)

test-system:
	$(call install_packages,$(TEST_PACKAGES),what the tests need)

constraints:
	@{ echo "# The set that CI tests. Change it with: make constraints"; \
	$(BIN)/python -m pip freeze --exclude-editable --all | grep -v -i '^pip==' | sed 's/+cpu$$//' | sort -f; } > constraints.txt

screenshots: install
	$(BIN)/python resources/make_screenshots.py

benchmarks: install
	for name in startup recording_cost watch_overhead gui_startup gui_open_run gui_ticks; do \
		$(BIN)/python benchmarks/$$name.py || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist *.egg-info
