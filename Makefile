# The commands of the project. `make demo` shows it on real data, `make test` tests it.
PYTHON ?= python3
# The profile of the demo and the tests: quick to compile, fast enough to run (see Cargo.toml).
PROFILE := quick
VENV := .venv
BIN := $(VENV)/bin
# Most tests wait, so that several files run at a time.
PYTEST := $(BIN)/python -m pytest -n 4 --dist loadfile
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
SECONDS ?= 600
# Fault scenarios: the number of seeds, and the first one.
SEEDS ?= 1
SEED ?= 1
CONSTRAINTS := bindings-python/constraints.txt
# A wheel is rebuilt when one of its sources has changed.
SOURCES := $(shell find core bindings-python Cargo.toml Cargo.lock -name target -prune -o -name .venv -prune -o \
	-type f \( -name '*.rs' -o -name '*.toml' -o -name '*.py' -o -name '*.pyi' -o -name Cargo.lock \) -print)

# The Node package is built again when anything that goes into it has changed.
NODE_SOURCES := $(shell find core bindings-node Cargo.toml Cargo.lock -name target -prune -o -name node_modules -prune -o -name dist -prune -o -name docs -prune -o \
	-type f \( -name '*.rs' -o -name '*.toml' -o -name '*.ts' -o -name '*.mts' -o -name '*.json' -o -name '*.mjs' -o -name Cargo.lock \) -print)
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

.PHONY: help demo test check-tools check-python test-rust test-mutants test-outages test-faults test-python test-node test-bun test-kafka test-on-kafka test-rust-on-kafka test-python-on-kafka test-node-on-kafka test-judges fuzz bench bench-wire bench-connect bench-node lint docs site wheel messages check-messages clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: check-python $(VENV)/package $(VENV)/demo-tools ## Stream a year of real flights through an embedded broker into a DataFrame and a picture
	@echo "The demo runs twice, because a stream is durable. This run ends with June:"
	@$(BIN)/python notebooks/first_stream.py --fresh --until 2013-07-01
	@echo; echo "This run finds the first half of the year in the log, and goes on with July:"
	@$(BIN)/python notebooks/first_stream.py
	@echo "The same in Node, after npm install in notebooks: node notebooks/first_stream.mjs"

test: check-tools test-rust test-mutants test-outages test-python test-node test-bun test-kafka ## Pass all tests

check-tools: check-python # Report missing tools before the build starts.
	@bindings-node/check-tools.sh

check-python:
	@bindings-python/check-tools.sh $(PYTHON)

test-rust: ## The engine: unit, property, behaviour and crash tests
	@echo "Building the tests of Rust: about 10 minutes on two cores the first time"
	cargo test --profile $(PROFILE) --workspace

test-mutants: ## Break each safety check on purpose: a test must fail
	tests/foreign/install.sh
	tests/crash/mutants.sh $(PROFILE)

# The scenarios of test-faults with the Headwater server.
test-outages: ## The client while its server is killed, restarted and cut off, and while a topic grows and is recreated
	tests/foreign/install.sh
	cargo test --profile $(PROFILE) --workspace --test faults -- --ignored --test-threads 1 served

test-faults: ## The client under load while brokers die, leaders move and connections break; SEEDS=50 runs longer
	tests/foreign/install.sh
	HEADWATER_FAULT_SEED=$(SEED) HEADWATER_FAULT_SEEDS=$(SEEDS) \
		cargo test --profile $(PROFILE) --workspace --test faults -- --ignored --nocapture --test-threads 1

test-python: $(VENV)/package $(VENV)/site-tools build/node-notebooks build/node-tests ## The Python package embedded and served, foreign judges, notebooks
	tests/foreign/install.sh
	$(PYTEST) tests --ignore=tests/clients --ignore=tests/security
	$(PYTEST) tests/python --target=served
	# Foreign clients and Apache Kafka have time-outs that a busy machine exceeds.
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/clients tests/security

# Most tests wait, so that several files run at a time.
test-node: build/node-package build/node-tests ## The Node package
	bindings-node/node_modules/.bin/tsc -p tests/node
	bindings-node/node_modules/.bin/tsc -p tests/node/types
	bindings-node/node_modules/.bin/tsc -p tests/node/types/tsconfig.kafkajs.json
	node --expose-gc --test --test-concurrency=4 tests/node/build/
	node --test tests/node/nest/nest.test.mjs

# What does not need a way to start or to watch a process that only Node has.
BUN_TESTS := $(patsubst %,build/%.test.mjs,client errors topic producer consumer groups run)
test-bun: build/node-package build/node-tests ## Most tests of the Node package in Bun
	bindings-node/node_modules/.bin/tsc -p tests/node
	cd tests/node && node_modules/.bin/bun test --timeout 60000 $(BUN_TESTS)

test-kafka: $(VENV)/package $(VENV)/dev-tools build/node-package build/node-tests ## The behaviour tests of Rust, Python and Node against an Apache Kafka cluster of three brokers
	tests/foreign/install.sh
	cargo test --profile $(PROFILE) --workspace --test behaviour --no-run
	bindings-node/node_modules/.bin/tsc -p tests/node
	$(BIN)/python -m tests.foreign.kafka.cluster -- $(MAKE) -j2 --output-sync test-on-kafka

# What test-kafka runs while the cluster runs. Most tests wait for the cluster, so that many run at a time.
test-on-kafka: test-rust-on-kafka test-python-on-kafka test-node-on-kafka

test-rust-on-kafka:
	cargo test --profile $(PROFILE) --workspace --test behaviour -- --ignored on_kafka --test-threads 8

test-python-on-kafka:
	HEADWATER_SECONDS=10 $(PYTEST) tests/python --target=kafka

# The tests of embedded engines have no target in their name. A test that fails may leave a consumer open, which would keep
# its process running.
test-node-on-kafka:
	node --expose-gc --test --test-force-exit --test-concurrency=4 --test-name-pattern='\(kafka\)$$' tests/node/build/

test-judges: $(VENV)/dev-tools ## The foreign judges against Apache Kafka itself, to see that what they ask for is right
	tests/foreign/install.sh
	$(BIN)/python -m pytest tests/clients --broker=kafka

fuzz: build/fuzz/bin/cargo-bolero ## Fuzz the server's connections for SECONDS (600), starting with the inputs of earlier runs
	tests/fuzz.sh $(SECONDS)

bench: $(VENV)/published $(VENV)/dev-tools ## Measure the library in one process, each figure with its limit or peer
	cargo bench --workspace
	$(BIN)/python -m tests.bench

bench-wire: $(VENV)/published $(VENV)/dev-tools build/librdkafka/rdkafka_performance ## Compare the broker with Apache Kafka, with the same foreign clients
	tests/foreign/install.sh
	$(BIN)/python -m tests.bench.wire

bench-connect: $(VENV)/published $(VENV)/bench-tools build/librdkafka/rdkafka_performance ## Compare the client with its peers, on Apache Kafka
	tests/foreign/install.sh
	$(BIN)/python -m tests.bench.connect

bench-node: $(VENV)/created build/node-published build/node-bench ## Measure the Node package against its peers, on Apache Kafka and on our broker
	tests/foreign/install.sh
	$(BIN)/python -m tests.bench.node

lint: $(VENV)/package $(VENV)/dev-tools build/node-package ## Format, lints and types
	cargo fmt --all --check
	cargo clippy --profile $(PROFILE) --workspace --all-targets -- -D warnings
	tests/features/features.sh
	$(BIN)/python bindings-python/stubs.py --check
	$(BIN)/python bindings-python/check_wheel.py build/package
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	cd bindings-node && npm run lint

docs: site ## The site, and the documentation of Rust, without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --profile $(PROFILE) --workspace --no-deps

site: build/node-package $(VENV)/site-tools ## The documentation in build/site: guides, and the reference of Python and Node
	cd bindings-node && npm run docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --config-file core/docs/site/mkdocs.yml

wheel: $(VENV)/build-tools ## The published wheel, in build/wheels
	$(BIN)/maturin build --profile dist --manifest-path bindings-python/Cargo.toml --out build/wheels

messages: ## Generate the protocol's messages from Kafka's definitions, and check samples with Kafka (needs Maven and Java)
	$(PYTHON) core/protocol/generate
	cargo test --profile $(PROFILE) --package headwater-protocol --test it golden -- --ignored --nocapture | sed -n 's/^.*sample //p' > build/protocol/samples.txt
	$(PYTHON) core/protocol/generate --judge build/protocol/samples.txt

check-messages: ## Check that the generated messages are up to date (needs Maven)
	$(PYTHON) core/protocol/generate --check

clean: ## Remove the results of the targets above
	rm -rf $(VENV) build target demo-data demo-output \
		bindings-node/dist bindings-node/native.js bindings-node/node_modules bindings-node/docs/node_modules bindings-node/*.node tests/node/build tests/node/node_modules tests/node/nest/node_modules tests/bench/node/node_modules notebooks/node_modules

build/fuzz/bin/cargo-bolero:
	cargo install cargo-bolero --version 0.13.5 --locked --root build/fuzz

build/librdkafka/rdkafka_performance: $(addprefix tests/bench/wire/rdkafka_performance/,build.sh Cargo.toml Cargo.lock)
	tests/bench/wire/rdkafka_performance/build.sh

$(VENV)/created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/build-tools: $(VENV)/created $(CONSTRAINTS)
	$(PIP) install -c $(CONSTRAINTS) maturin
	@touch $@

$(VENV)/package: $(VENV)/build-tools $(SOURCES)
	@echo "Building the Python package: about 5 minutes on two cores the first time, seconds when nothing has changed"
	$(BIN)/maturin build --profile $(PROFILE) --features tests --manifest-path bindings-python/Cargo.toml --out build/package
	$(PIP) install --force-reinstall --no-deps --no-index --find-links build/package headwater
	@rm -f $(VENV)/published
	@touch $@

# The published package, which replaces the other one: benches measure it, but it takes too long to build for tests.
$(VENV)/published: $(VENV)/build-tools $(SOURCES)
	@echo "Building the Python package as it is published: about 15 minutes on two cores the first time"
	$(BIN)/maturin build --profile dist --manifest-path bindings-python/Cargo.toml --out build/wheels
	$(PIP) install --force-reinstall --no-deps --no-index --find-links build/wheels headwater
	@touch $@

build/node-package: $(NODE_SOURCES)
	@echo "Building the Node package: about 5 minutes on two cores the first time, seconds when nothing has changed"
	cd bindings-node && HEADWATER_PROFILE=$(PROFILE) HEADWATER_FEATURES=tests $(NPM_CI)
	@rm -f build/node-published
	@mkdir -p build && touch $@

# The Node package as it is published, in the other's place.
build/node-published: $(NODE_SOURCES)
	@echo "Building the Node package as it is published: about 15 minutes on two cores the first time"
	cd bindings-node && HEADWATER_PROFILE=dist $(NPM_CI)
	@rm -f build/node-package
	@mkdir -p build && touch $@

build/node-tests: tests/node/package-lock.json tests/node/nest/package-lock.json
	cd tests/node && $(NPM_CI) --ignore-scripts && npm rebuild bun
	cd tests/node/nest && $(NPM_CI) --ignore-scripts
	@mkdir -p build && touch $@

# The notebooks start programs for Node.
build/node-notebooks: build/node-package notebooks/package-lock.json
	cd notebooks && $(NPM_CI) --ignore-scripts
	@touch $@

build/node-bench: tests/bench/node/package-lock.json
	cd tests/bench/node && $(NPM_CI) --ignore-scripts
	@mkdir -p build && touch $@

$(VENV)/demo-tools: $(VENV)/created bindings-python/requirements-demo.txt $(CONSTRAINTS)
	$(PIP) install -c $(CONSTRAINTS) -r bindings-python/requirements-demo.txt
	@touch $@

$(VENV)/site-tools: $(VENV)/dev-tools core/docs/site/requirements.txt
	$(PIP) install -c $(CONSTRAINTS) -r core/docs/site/requirements.txt
	@touch $@

$(VENV)/bench-tools: $(VENV)/dev-tools tests/bench/requirements.txt
	$(PIP) install -c $(CONSTRAINTS) -r tests/bench/requirements.txt
	@touch $@

$(VENV)/dev-tools: $(VENV)/demo-tools bindings-python/requirements-dev.txt
	$(PIP) install -c $(CONSTRAINTS) -r bindings-python/requirements-dev.txt
	@touch $@
