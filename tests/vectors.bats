#!/usr/bin/env bats
# machine: -m 768 -c 1
# kernels: all
#
# Published test vectors (vectors.txt), written through the mapping and read from the
# underlying device.

# shellcheck shell=bash
load lib

D=/dev/ram0

setup_file()
{
	load_target
	ram_disks 1 1
}

teardown_file()
{
	clean_up
	unload_target
}

teardown()
{
	unmap_all
}

# vectors WHAT [OPTIONS]: run vectors.awk
vectors()
{
	awk -v what="$1" -v target="$TARGET" -v device="$D" -v options="${2:-}" \
		-f "$XC_TESTS/vectors.awk" "${VECTORS:-$XC_TESTS/vectors.txt}"
}

# check_vectors [OPTIONS]: write through the mapping and read from the underlying device.
# All vectors at once, one segment each.
check_vectors()
{
	local image=$BATS_TEST_TMPDIR/image bad=0

	vectors table "${1:-}" | map vec
	vectors plain | xxd -r -p >"$image"
	raw_write /dev/mapper/vec <"$image"
	raw "$D" 0 "$(sectors_of /dev/mapper/vec)" | xxd -p -c 4096 |
		paste -d' ' <(vectors raw) - | awk -F'\t' '
			{
				split($2, hex, " ")
				if (index(hex[2], hex[1]) == 1)
					next
				print $1 ": below is " substr(hex[2], 1, 1024)
				bad = 1
			}
			END { exit bad }' || bad=1
	# And the other way
	raw /dev/mapper/vec | cmp - "$image" || bad=1
	unmap vec
	[ "$bad" = 0 ]
}

# bats test_tags=quick
@test "published vectors: IEEE 1619, FIPS 197, SP 800-38A, RFC 2144, RFC 3713 and others" {
	local count
	count=$(vectors table | wc -l)
	say "$count vectors"
	[ "$count" -ge 34 ]
	check_vectors
}

@test "the same with each of xcrypt's own options" {
	not_for_crypt
	local options

	for options in "1 offload:inline" "1 offload:spread" "1 engine:api" "1 verify_writes"; do
		check_vectors "$options"
	done
}

@test "a wrong digit is detected" {
	VECTORS=$BATS_TEST_TMPDIR/vectors
	sed 's/69c4e0d86a7b0430d8cdb78070b4c55a/69c4e0d86a7b0430d8cdb78070b4c55b/' \
		"$XC_TESTS/vectors.txt" >"$VECTORS"
	run check_vectors
	[ "$status" != 0 ]
	[[ "$output" == *"FIPS 197, appendix C, AES-128: below is 69c4e0d86a7b0430d8cdb78070b4c55a"* ]]
}
