#!/usr/bin/env bats
#
# machine: -m 1024 -d 128M --timeout 900
# kernels: newest
#
# Endurance. Here it runs for less than a minute, to test the test; `make soak` runs
# only the first test, for an hour: XCRYPT_SOAK minutes.

bats_require_minimum_version 1.5.0

# shellcheck shell=bash
load lib-io
load soak

# What may be in use more than before, in KiB: caches of the kernel's own
# settle within that; in the short form they have not done so yet.
ALLOWED=8192
[ -n "${XCRYPT_SOAK:-}" ] || ALLOWED=16384

needs()
{
	modules ext4 loop dm-integrity dm-delay
	mkdir -p "$SOAK"
}

teardown()
{
	touch "$SOAK/stop" 2>/dev/null || true
	io_clean_up
	rm -rf "$SOAK" /tmp/xc-soak.file
}

flat()
{
	memory_is_flat "$1" "$2" $ALLOWED ||
		die "memory, from $1 to $2: $(cat "$SOAK/grown")"
	say "memory, from $1 to $2: $(cat "$SOAK/grown")"
}

@test "load, changes and pressure: no wrong byte, and no memory lost" {
	total=$((${XCRYPT_SOAK:-0} * 60))
	every=60
	[ $total -gt 0 ] || total=40 every=15
	first=$((total / 10 > 10 ? total / 10 : 10))

	# Warm up: ignore allocations that are made once, on first use.
	soak_begin
	soak_end
	memory none
	soak_begin
	soak_load
	soak_churn $first $every
	soak_rest
	memory first-tenth
	soak_load
	soak_churn $((total - first)) $every
	soak_rest
	memory end
	flat first-tenth end
	soak_end
	memory removed
	flat none removed
}

@test "it detects a wrong byte" {
	unset 'SOAKED[large]' 'SOAKED[essiv]' 'SOAKED[slow]' 'SOAKED[tags]' 'SOAKED[changing]'
	soak_begin
	all_kept
	printf x | dd of=/dev/ram0 bs=1 seek=$((MIB * 1048576 + 1234567)) conv=notrunc,fsync status=none
	run ! all_kept
	unmap auto
	run ! soak_end
}

@test "it detects a memory leak" {
	memory before
	memory after
	flat before after
	head -c $((ALLOWED * 1024 + 4194304)) /dev/zero >"$SOAK/lost"
	memory after
	run ! memory_is_flat before after $ALLOWED
}
