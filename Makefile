# Everything a user or a developer starts, one line of help each. `make help` prints them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := $(CURDIR)/node_modules/.bin
# Node 24 comes as a dev dependency, so that any machine with Node 20 or newer will do.
export PATH := $(BIN):$(HOME)/go/bin:$(PATH)
JEST_FLAGS ?=

.PHONY: help
help: ## Say what each target does
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

PACKAGES := package.json package-lock.json $(wildcard */package.json)

node_modules/.all: $(PACKAGES)
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# The demo does without the bindings of the cloud providers, which are a gigabyte.
node_modules/.guard: $(PACKAGES)
	@if [ -e node_modules/.all ]; then $(MAKE) --no-print-directory install; \
	else npm ci --workspace proxy --include-workspace-root --no-fund --no-audit --loglevel=error; fi
	@touch $@

.PHONY: install
install: node_modules/.all ## Install the npm packages that the lock file names

.PHONY: demo
demo: node_modules/.guard ## Guard an embedded demo model, send twelve real requests, show what was decided and why
	@node proxy/demo/tour.ts

.PHONY: run
run: node_modules/.guard ## The same guard and demo model, left running, with a curl line and a fresh token
	@node proxy/demo/run.ts

.PHONY: test
test: install ## Run every test; what this machine lacks is reported as a skip by name
	npm run -s jest -- $(JEST_FLAGS)

.PHONY: check
check: install ## Types, lint, format, import rules, generated files up to date: seconds
	for part in proxy charts infra monitoring security e2e; do tsc -p $$part; done
	eslint proxy charts infra monitoring security e2e
	prettier --check --log-level warn .
	node policies/build.mjs --check
	node proxy/src/config/json-schema.ts --check
	node proxy/src/compose/coverage-document.ts --check
	node proxy/src/audit/json-schema.ts --check
	node monitoring/build.ts --check
	node charts/build.mjs --check

.PHONY: generate
generate: install ## Rebuild the committed generated files (the policy bundle needs opa)
	node policies/build.mjs
	node proxy/src/config/json-schema.ts --write
	node proxy/src/compose/coverage-document.ts --write
	node proxy/src/audit/json-schema.ts --write
	node monitoring/build.ts
	node charts/build.mjs

.PHONY: format
format: install ## Format everything
	prettier --write --log-level warn .
	if command -v opa >/dev/null; then opa fmt --write policies; fi

.PHONY: policies
policies: install ## Check, format-check and test the Rego policies with the real opa
	@command -v opa >/dev/null || { echo 'opa is missing; policies/README.md says how to get it'; exit 1; }
	opa check --strict -b policies --schema policies/schemas
	opa fmt --list --fail policies
	opa test -b policies
	opa test -b policies --coverage --threshold 100 >/dev/null

.PHONY: e2e-api
e2e-api: install ## Charts, webhook, admission and controllers against a real API server (Go builds it once)
	node e2e/cluster/cluster.ts build api
	npm run -s jest -- -c e2e/jest.config.mjs --selectProjects api cluster $(JEST_FLAGS)

.PHONY: e2e-otel
e2e-otel: install ## Traces, metrics and exemplars to a real OpenTelemetry collector (Go builds it once) and Prometheus
	node e2e/otel/build.ts
	npm run -s jest -- -c e2e/jest.config.mjs --selectProjects otel $(JEST_FLAGS)

.PHONY: e2e
e2e: install ## The charts on a real cluster: kind where Docker is, else one node made of Go modules and Debian packages (root)
	node e2e/cluster/cluster.ts build full
	npm run -s jest -- -c e2e/jest.config.mjs --selectProjects full $(JEST_FLAGS)

.PHONY: monitoring
monitoring: install ## Prometheus and Alertmanager with the rules, and a guard under demo traffic to look at
	@node monitoring/run.ts

.PHONY: infra-synth
infra-synth: install ## Write the Terraform JSON of every stack on three clouds into infra/cdktf.out, checked
	node infra/main.ts

.PHONY: security
security: install ## Lint prompts, attack the guard with what is installed, check models and data, gate against the baseline
	node security/src/cli.ts pipeline

.PHONY: scan
scan: install ## Known weaknesses and licences of the packages; the scanners on the PATH are used, what is missing is named
	node security/src/cli.ts scan

.PHONY: bench
bench: dist ## Measure the guard against nginx, a bare Node proxy and Portkey's gateway, side by side
	node proxy/bench/bench.ts

.PHONY: dist
dist: install ## Compile the guard to JavaScript in proxy/dist, as an image carries it
	node proxy/build.mjs

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf node_modules proxy/dist infra/cdktf.out coverage
