# Firmware: included by the top-level Makefile, to be run in its folder.
#
#   make firmware        build compiler, TINYGOROOT and images; ONLY=expression: only those of such names
#   make firmware-check  build the images again elsewhere and compare bit for bit
#   make firmware-deps   install the Debian packages these two need

FIRMWARE_PACKAGES := llvm-19-dev libclang-19-dev clang-19 lld-19 llvm-19 \
	gcc-arm-none-eabi picolibc-arm-none-eabi gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
FIRMWARE_BUILD := $(CURDIR)/.build/firmware
FIRMWARE_TOOLCHAIN := firmware/toolchain/go.mod firmware/toolchain/go.sum
TINYGO := $(FIRMWARE_BUILD)/bin/tinygo
MKIMAGES = TINYGOROOT=$(FIRMWARE_BUILD)/root go run ./firmware/mkimages -tinygo $(TINYGO)

.PHONY: firmware firmware-check firmware-deps
firmware: $(TINYGO) $(FIRMWARE_BUILD)/root.stamp
	$(MKIMAGES) -only '$(ONLY)'

firmware-check: $(TINYGO) $(FIRMWARE_BUILD)/root.stamp
	$(MKIMAGES) -check

firmware-deps:
	apt-get update
	apt-get install --yes --no-install-recommends $(FIRMWARE_PACKAGES)

$(TINYGO): $(FIRMWARE_TOOLCHAIN)
	@command -v llvm-objcopy-19 ld.lld-19 clang-19 arm-none-eabi-gcc riscv64-unknown-elf-gcc >/dev/null || { echo "no cross toolchain: run make firmware-deps as root" >&2; exit 1; }
	CGO_ENABLED=1 go build -C firmware/toolchain -trimpath -tags llvm19 -o $@ github.com/tinygo-org/tinygo

$(FIRMWARE_BUILD)/root.stamp: $(FIRMWARE_TOOLCHAIN) $(wildcard firmware/toolchain/mkroot/*.go firmware/svd/*.svd)
	go build -C firmware/toolchain -o $(FIRMWARE_BUILD)/bin/ ./mkroot github.com/tinygo-org/tinygo/tools/gen-device-svd
	$(FIRMWARE_BUILD)/bin/mkroot -o $(FIRMWARE_BUILD)/root -svd firmware/svd -gen $(FIRMWARE_BUILD)/bin/gen-device-svd \
		-tinygo $$(go -C firmware/toolchain list -m -f '{{.Dir}}' github.com/tinygo-org/tinygo)
	touch $@
