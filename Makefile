# Everything that one does with a checkout; `make` alone lists it. The Swift toolchain and a POSIX shell are all it takes.

SOURCES = Package.swift Sources Tests Snippets Examples Benchmarks
# Every Swift call gets these; `make check` adds to them.
FLAGS ?=
# What `make bench` measures.
BENCH ?= --workload all
# The instruction sets beside the machine's best one, which every test uses anyway.
ISAS ?= $(shell grep -qsw avx512_bf16 /proc/cpuinfo && echo avx512) $(shell grep -qsw avx2 /proc/cpuinfo && echo avx2) baseline
# How long each reader is fuzzed.
FUZZ_SECONDS ?= 60
# The toolchain's own: another version cannot read its profiles.
LLVM_COV ?= $(dir $(realpath $(shell command -v swift)))llvm-cov

.NOTPARALLEL:
.PHONY: help check test build examples snippets interop python wheel isas lint format bench docs sanitize fuzz coverage clean

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

check: FLAGS += -Xswiftc -warnings-as-errors
check: lint test docs ## lint, build without a warning, test, run snippets and examples, build the documentation

test: build ## the tests, the examples' tests, the README's listings, the files of other programs, the Python package
	swift test -c release --skip-build $(FLAGS)
	$(MAKE) FLAGS="$(FLAGS)" examples
	.ci/snippets
	.ci/interop
	.ci/python

build: ## everything in release mode, tests and snippets included
	swift build -c release --build-tests $(FLAGS)

examples: ## build the examples and compare what they print with what they promise
	swift build -c release --build-tests $(FLAGS) --package-path Examples
	swift test -c release --skip-build $(FLAGS) --package-path Examples

snippets: build ## run the README's listings
	.ci/snippets

interop: build ## let NumPy, PyTorch and safetensors read what Apus writes, and the other way round
	.ci/interop

python: ## install the Python package into a virtual environment of its own and test it
	.ci/python

wheel: ## a wheel of the Python package in dist/ that runs without Swift
	.ci/python wheel

isas: build ## the core's tests under each instruction set of this machine, and with all element-wise ops deferred
	@for isa in $(ISAS); do echo "APUS_ISA=$$isa"; APUS_ISA=$$isa swift test -c release --skip-build $(FLAGS) --filter ApusCoreTests || exit 1; done
	APUS_DEFER_FROM=2 swift test -c release --skip-build $(FLAGS) --filter ApusCoreTests

lint: ## complain about what `make format` would change
	swift format lint --strict --parallel --recursive $(SOURCES)

format: ## format all sources in place
	swift format --in-place --parallel --recursive $(SOURCES)

bench: ## time the workloads; BENCH="--workload mlp-mnist" for some
	swift run -c release --package-path Benchmarks apus-bench $(BENCH)

docs: ## the reference as a web site in Documentation/site
	swift build -c release $(FLAGS)
	.ci/docs

# XCTest leaks a few bytes at its end, and a test asks for more memory than there is: neither is a finding.
# ThreadSanitizer delivers signals late, so the test that sends two at once can't hold under it, and writes a file of its own, which one that
# limits the size of files doesn't let it; the kernels have no threads.
sanitize: ## the tests under the address and the thread sanitizer
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 swift test -c release --sanitize=address --scratch-path .build/address
	TSAN_OPTIONS=allocator_may_return_null=1 swift test -c release --sanitize=thread --scratch-path .build/thread \
	  --skip secondSignal --skip fullDisk --skip CKernelsTests

fuzz: ## libFuzzer on every reader of files, FUZZ_SECONDS for each; what it finds stays in .build/fuzz
	.ci/fuzz $(FUZZ_SECONDS)

coverage: ## which lines the tests reach
	swift test -c release --enable-code-coverage --scratch-path .build/coverage
	$(LLVM_COV) report -instr-profile .build/coverage/release/codecov/default.profdata .build/coverage/release/*.xctest Sources

clean: ## delete everything that was built
	rm -rf .build Examples/.build Benchmarks/.build Documentation/site
