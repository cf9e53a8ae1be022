# SPDX-License-Identifier: GPL-2.0-only
# Targets for users.  Kbuild describes the module.
#
#   make             build dm-xcrypt.ko; KDIR= or KVER= chooses the kernel
#   make demo        a demonstration in a virtual machine
#   make quick       a first check of a change: selected tests, in five minutes
#   make check       run every test, in virtual machines; T=NAME one file,
#                    K=NAME one kernel, LONG=1 also tests that take hours
#   make check-all   the same, with every test on every kernel
#   make fuzz        search for harmful input: FOR=MINUTES (default 10),
#                    T="NAME..." for some of tests/fuzz; a finding is an error,
#                    and is kept in build/fuzz
#   make soak        volumes under load for an hour; FOR=MINUTES, K=NAME
#   make crash-test  simulate power cuts at every point of a few conversions, and at
#                    some of many, a million states each; IMAGES=N, SEED=N
#   make bench       compare its speed with dm-crypt's; CASES=targets is quick,
#                    bench/run lists more variables
#   make lint        checkpatch, sparse, kernel-doc, includes, shellcheck
#   make install     the module, for the kernel it was built for
#   make dkms-install, dkms-remove
#                    the module, for every kernel, now and later
#   make deb         the Debian packages dm-xcrypt-dkms and dm-xcrypt-tools
#   make clean

# The kernel: the running one if its headers are installed, else the newest.
ifdef KVER
KDIR ?= /lib/modules/$(KVER)/build
else
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build/Makefile) \
	$(shell ls -d /lib/modules/*/build/Makefile 2>/dev/null | sort -rV))
endif
override KDIR := $(patsubst %/Makefile,%,$(KDIR))

all: modules

modules modules_install: | kernel-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

# Kbuild's modules_install does not build anything.
modules_install: | modules

kernel-headers:
	@test -e "$(KDIR)/Makefile" || { \
		echo "No kernel headers found$(if $(KDIR), in $(KDIR)).  Install them:"; \
		echo "    apt-get install linux-headers-amd64"; \
		echo "or build for a kernel of the tests:"; \
		echo "    make KDIR=\$$(scripts/kernel dir 6.1)"; \
		exit 1; } >&2

install: modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) \
		$$(cut -d '"' -f 2 -s $(KDIR)/include/generated/utsrelease.h)

dkms-install:
	@KVER='$(KVER)' packaging/dkms install

dkms-remove:
	@packaging/dkms remove

deb:
	@packaging/deb

demo:
	@scripts/demo

check:
	@T='$(T)' K='$(K)' XCRYPT_LONG='$(or $(LONG),$(XCRYPT_LONG))' scripts/check

quick:
	@T='$(T)' K= XCRYPT_LONG= XCRYPT_QUICK=1 scripts/check

check-all:
	@XCRYPT_ALL=1 $(MAKE) check

fuzz:
	@tests/fuzz/run $$(($(or $(FOR),10) * 60)) $(T)

crash-test:
	@for resilience in checksum journal; do for share in 1 16; do \
		XCRYPT_SEED='$(SEED)' tests/crash/run $(or $(IMAGES),1000000) \
			$$share $$resilience || exit; \
	done; done

soak:
	@FOR='$(FOR)' K='$(K)' scripts/soak

bench:
	@CASES='$(CASES)' ROUNDS='$(ROUNDS)' MS='$(MS)' MIB='$(MIB)' CPUS='$(CPUS)' WHERE='$(WHERE)' \
		DEVICE='$(DEVICE)' FORCE='$(FORCE)' SECONDS_EACH='$(SECONDS_EACH)' bench/run

lint:
	@scripts/lint

clean:
	rm -rf build
	find . -path ./.git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' -o -name Module.symvers \
		-o -name modules.order \) -exec rm -f {} +

.PHONY: all modules modules_install kernel-headers install dkms-install dkms-remove \
	deb demo quick check check-all fuzz soak crash-test bench lint clean
