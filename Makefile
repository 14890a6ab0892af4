# make hil-run            flash, measure and judge on the virtual rig; RIG=name for another
# make test               every test
# make help               the rest

RIG    ?= virtual
VECTORS ?= ../shared/vectors
PROGRAMS ?= 5000
SEED    ?= 1
GO      ?= go

.PHONY: help hil-run dashboards lint-ci proof test check static suites vendor-tools vendor-deps esptool kflash qemu-diff bench golden build

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

build: ## build the command, bin/rigor
	$(GO) build -buildvcs=auto -o bin/rigor ./harness/cmd/rigor

hil-run: build ## run all suites on RIG (virtual): flash, measure, judge, record, export
	bin/rigor run --rig $(RIG)

dashboards: build ## Prometheus (Debian's) on the recorded runs, with rigor's rules, at 127.0.0.1:9090
	bin/rigor dashboards

# The suites are run by rigor itself, in harness/cmd/rigor's tests; as plain Go
# tests they would write a bundle each.
proof: build ## the suite ota with cuts after cuts, until they lead to nothing new: ten minutes
	bin/rigor run --suite ota --thorough

test: export RIGOR_VECTORS = $(if $(wildcard $(VECTORS)),$(abspath $(VECTORS)))
test: ## every test, a quarter of an hour; with the conformance vectors in full where VECTORS is a folder
	$(GO) test -timeout 45m $$($(GO) list ./... | grep -vE '^rigor/suites/[^/]+$$')
	$(GO) test -race ./harness/port/... ./harness/hardware ./harness/export ./harness/record ./harness/rig ./harness/history ./harness/web ./suites/internal/broker

suites: ## the suites by the ginkgo command, without rigor
	$(GO) tool ginkgo -r --randomize-all --fail-on-pending --fail-on-empty ./suites

check: static test ## what must hold before a commit: static checks, tests, tree unchanged
	@test -z "$$(git status --porcelain)" || { git status --short; echo "the tree has changed or was not clean"; exit 1; }

static: ## format, vet, staticcheck, tidy modules, arm64 (lab rigs run on it)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "not gofmt'ed"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	GOARCH=arm64 $(GO) build ./...

lint-ci: ## what sets up nights on systemd, GitHub and GitLab, by linters: needs npm and systemd
	.ci/lint/run

bench: ## the simulator's speed, what each part of it costs, and that of a whole rig
	$(GO) test -run '^$$' -bench . ./harness/sim/... ./harness/cmd/rigor

golden: ## write the golden files anew, then show what changed
	$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' harness probes firmware | xargs -n1 dirname | sort -u | sed 's|^|./|') -update
	git diff --stat

vendor-deps: ## install the other people's tools that vendor-tools needs (Debian)
	apt-get install -y --no-install-recommends stm32flash sigrok-cli prometheus python3-serial ser2net qemu-system-misc chromium systemd
	command -v npm >/dev/null || apt-get install -y --no-install-recommends npm

vendor-tools: build qemu-diff ## other people's tools against virtual boards and bundles, and qemu-diff
	$(GO) test -count=1 -tags vendortools -run "^($$(sed -n 's/^func \(Test[A-Za-z0-9]*\).*/\1/p' harness/cmd/rigor/vendor*_test.go | paste -sd'|'))$$" ./harness/cmd/rigor

esptool: export ESPTOOL := $(ESPTOOL)
esptool: build ## Espressif's esptool, which Debian lacks, against a virtual board; ESPTOOL: its command
	$(GO) test -count=1 -tags vendortools,esptool -run '^TestEsptool$$' ./harness/cmd/rigor

kflash: export KFLASH := $(KFLASH)
kflash: build ## Canaan's kflash, which Debian lacks, against a virtual board; KFLASH: its file, kflash.py
	$(GO) test -count=1 -tags vendortools,kflash -run '^TestKflash' ./harness/cmd/rigor

qemu-diff: ## PROGRAMS (5000) random ones on QEMU and on each RISC-V core, by SEED (1)
	$(GO) test -count=1 -tags vendortools -run '^TestQEMU$$' -v ./harness/sim/riscv -programs $(PROGRAMS) -seed $(SEED)

include firmware/firmware.mk
