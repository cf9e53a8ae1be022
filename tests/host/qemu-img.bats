#!/usr/bin/env bats
# kernels: fast-newest
# machine: --timeout 1200
#
# LUKS images of the real qemu-img, in every combination of the ciphers, modes, IV
# generators and hashes of either side: written by qemu-io, opened and written in a
# machine with dm-xcrypt as the target crypt, read by qemu-img. tests/qemu/matrix.py
# has the three steps, and a list of what each side does not support. A pairwise
# choice by the seed; XCRYPT_LONG=1 for the full product, which takes twenty minutes.

# shellcheck shell=bash
load ../lib

top=$BATS_TEST_DIRNAME/../..
matrix() { python3 "$top/tests/qemu/matrix.py" "$@"; }

setup_file()
{
	local kernel

	seed_init
	export shared=/dev/shm/xc.qemu.$$ QUICK=$BATS_FILE_TMPDIR/quick.so
	# Build only if there are no modules: it would replace those that other machines use.
	kernel=$("$top/scripts/kernel" name fast-newest)
	[ -e "$top/build/$kernel/out/dm-xcrypt.ko" ] || {
		"$top/scripts/kernel" fetch "$kernel"
		"$top/scripts/build" "$kernel"
	}
	cc -shared -fPIC -O1 -Wall -Wextra -o "$QUICK" "$top/tests/qemu/quick.c"

	mkdir "$shared"
	matrix make "$shared" "$XCRYPT_SEED" ${XCRYPT_LONG:+all}
	"$top/scripts/machine" -k "$kernel" -c 1 --share "$shared" \
		--timeout $((${XCRYPT_LONG:+20} + 1))000 -- "$top/tests/qemu/open" "$shared"
}

teardown_file()
{
	rm -rf "/dev/shm/xc.qemu.$$"
}

@test "each combination that both sides support: the same bytes, offset and size; the rest is refused" {
	run matrix judge "$shared"
	printf '# %s\n' "${lines[@]}" >&3
	[ "$status" = 0 ]
}

@test "one wrong bit in one image is detected" {
	local image byte
	# one that both sides support
	image=$(find "$shared" -name 'aes-256_[cx]*.luks' ! -name '*_md5.luks' | head -n 1)
	byte=$(tail -c 1 "$image" | od -An -t u1)
	# shellcheck disable=SC2059 # one byte, in octal
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of="$image" bs=1 seek=$(($(stat -c %s "$image") - 1)) conv=notrunc status=none
	run matrix judge "$shared"
	[ "$status" = 1 ]
	[ "$(grep -c '^not as expected:.*read by qemu-img' <<<"$output")" = 1 ]
}
